//! What each fuzz target does with one input. libFuzzer and the plain driver call the same functions.
//!
//! A target panics when something is wrong; an input that means nothing to it is ignored.

mod images;
mod scanning;
mod translating;

pub use images::{handoff, headers};
pub use scanning::scan;
pub use translating::translate;

/// A fuzz target.
pub struct Target {
    /// Its name, which is also that of the program for libFuzzer.
    pub name: &'static str,
    /// What it does with an input.
    pub run: fn(&[u8]),
    /// Bytes of an input at most.
    pub max_len: usize,
}

/// All fuzz targets.
pub const TARGETS: &[Target] = &[
    Target { name: "translate", run: translate, max_len: 512 },
    Target { name: "scan", run: scan, max_len: 8192 },
    Target { name: "headers", run: headers, max_len: 8192 },
    Target { name: "handoff", run: handoff, max_len: 8192 },
];

/// Guest code in a buffer, at the address where it runs.
struct Code<'a> {
    at: u64,
    bytes: &'a [u8],
}

impl bt_translator::source::CodeSource for Code<'_> {
    fn read(&mut self, pc: bt_translator::addr::GuestPc, buf: &mut [u8]) -> usize {
        let from = usize::try_from(pc.0.wrapping_sub(self.at)).unwrap_or(usize::MAX);
        let rest = self.bytes.get(from..).unwrap_or_default();
        let len = rest.len().min(buf.len());
        buf[..len].copy_from_slice(&rest[..len]);
        len
    }

    fn is_known(&self, pc: bt_translator::addr::GuestPc) -> bool {
        // Some pcs, always the same.
        pc.0.is_multiple_of(7)
    }
}
