//! `bt-run cache list`, `bt-run cache clear`.

use crate::elf::LoadError;
use crate::engine::direct::housekeeping::{entries, remove};
use crate::engine::direct::{directory, image};
use crate::report::{Bytes, LongText};
use crate::sys::{Errno, Fd};
use core::fmt::Write;

/// Carries out `bt-run cache COMMAND`; `None` if there is no such command.
pub fn run(command: &[u8]) -> Option<Result<(), LoadError>> {
    let clear = match command {
        b"list" => false,
        b"clear" => true,
        _ => return None,
    };
    let failed = |e: Errno| LoadError::Failed("the image cache cannot be read", e.number());
    let Some(directory) = directory::open() else {
        return Some(Err(LoadError::Invalid("there is no image cache that is the user's alone")));
    };
    Some(entries(directory).map_err(failed).and_then(|entries| {
        let mut out = LongText::default();
        let total: u64 = entries.iter().map(|e| e.bytes).sum();
        for entry in &entries {
            let name = entry.name.to_bytes();
            if clear {
                remove(directory, &entry.name).map_err(failed)?;
            } else {
                let _ = writeln!(out, "{:>10} {} {}", entry.bytes, Bytes(name), Bytes(&image::origin(directory, name)));
            }
        }
        let what = if clear { "removed" } else { "kept" };
        let _ = writeln!(out, "{} images {what}, {total} bytes", entries.len());
        Fd::STDOUT.write_all(&out.bytes);
        directory.close();
        Ok(())
    }))
}
