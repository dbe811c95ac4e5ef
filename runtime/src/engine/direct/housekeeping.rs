//! The images in the cache, and their limit.

use crate::sys::{Errno, Fd, fs};
use alloc::ffi::CString;
use alloc::vec;
use alloc::vec::Vec;
use core::ffi::CStr;
use linux_raw_sys::general as k;

/// Bytes of images that are kept. What goes beyond drops the images that were written first.
const LIMIT_BYTES: u64 = 1 << 30;
/// Where `d_name` begins in `struct linux_dirent64` (getdents(2)).
const NAME_OFFSET: usize = 19;

/// An image in the directory.
pub struct Entry {
    /// Its name in the directory.
    pub name: CString,
    /// Bytes on disk.
    pub bytes: u64,
    /// Modification time in seconds.
    written: u64,
}

/// The images in an open directory.
pub fn entries(directory: Fd) -> Result<Vec<Entry>, Errno> {
    let mut found = Vec::new();
    let mut buffer = vec![0u8; 16 << 10];
    loop {
        let got = fs::read_entries(directory, &mut buffer)?;
        if got == 0 {
            return Ok(found);
        }
        let mut rest = buffer.get(..got).unwrap_or(&[]);
        while let Some(len) = rest.get(16..18).and_then(|b| b.try_into().ok()).map(u16::from_le_bytes) {
            let Some((record, next)) = rest.split_at_checked(usize::from(len)) else { break };
            rest = next;
            let name = record.get(NAME_OFFSET..).and_then(|n| n.split(|&b| b == 0).next()).unwrap_or(&[]);
            if !name.ends_with(b".img") {
                continue;
            }
            let Ok(name) = CString::new(name) else { continue };
            if let Ok(stat) = fs::stat_at(directory, &name, k::AT_SYMLINK_NOFOLLOW) {
                let [written, ..] = stat.times;
                found.push(Entry { name, bytes: stat.allocated, written });
            }
        }
    }
}

/// Takes an image's name away. What is mapped stays mapped.
pub fn remove(directory: Fd, name: &CStr) -> Result<(), Errno> {
    fs::remove_at(directory, name)
}

/// After an image was written: drops the oldest if there is too much. What is mapped stays mapped.
pub fn limit(directory: Fd) {
    let Ok(mut entries) = entries(directory) else { return };
    let mut total: u64 = entries.iter().map(|e| e.bytes).sum();
    if total <= LIMIT_BYTES {
        return;
    }
    entries.sort_unstable_by_key(|e| e.written);
    for entry in &entries {
        if total <= LIMIT_BYTES / 2 {
            return;
        }
        if remove(directory, &entry.name).is_ok() {
            total -= entry.bytes;
        }
    }
}
