//! `bt-run calls`: the table as tab-separated lines, from which `docs/syscalls.md` is made.

use crate::calls::{self, Held, Mark, Treatment};
use crate::report::LongText;
use crate::sys::Fd;
use core::fmt::Write;

/// Prints one line for each call: number, name, treatment, level, what is handed back before it is passed on.
pub fn print() {
    let mut out = LongText::default();
    let _ = writeln!(out, "number\tname\ttreatment\tlevel\thands back");
    for row in calls::all() {
        let treatment = match row.treatment {
            Treatment::Passthrough => "passthrough",
            Treatment::Rewritten => "rewritten",
        };
        let level = row.answered.map_or("-", |level| level.word());
        let _ = write!(out, "{}\t{}\t{treatment}\t{level}\t", row.number(), row.name());
        let mut separator = "";
        let keeps = u32::try_from(row.number()).is_ok_and(|nr| calls::is(nr, Mark::KeepsLane));
        if row.descriptor_args().next().is_some() && !keeps {
            let _ = write!(out, "descriptor");
            separator = ",";
        }
        for (kind, word) in Held::KINDS {
            if row.hands_back & kind as u8 != 0 {
                let _ = write!(out, "{separator}{word}");
                separator = ",";
            }
        }
        let _ = writeln!(out, "{}", if separator.is_empty() { "-" } else { "" });
    }
    Fd::STDOUT.write_all(&out.bytes);
}
