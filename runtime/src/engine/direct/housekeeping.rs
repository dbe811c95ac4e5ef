//! The images in the cache, and their limit.

use crate::sys::Errno;
use crate::sys::raw;
use alloc::vec;
use alloc::vec::Vec;
use linux_raw_sys::general as k;

/// Bytes of images that are kept. What goes beyond drops the images that were written first.
const LIMIT_BYTES: u64 = 1 << 30;
/// Where `d_name` begins in `struct linux_dirent64` (getdents(2)).
const NAME_OFFSET: usize = 19;

/// An image in the folder.
pub struct Entry {
    /// With a NUL.
    pub name: Vec<u8>,
    /// Bytes on disk.
    pub bytes: u64,
    /// Modification time in seconds.
    written: u64,
}

/// The images in an open folder.
pub fn entries(folder: i32) -> Result<Vec<Entry>, Errno> {
    let fd = u64::from(folder.cast_unsigned());
    let mut found = Vec::new();
    let mut buffer = vec![0u8; 16 << 10];
    loop {
        // SAFETY: the kernel writes at most the buffer's length.
        let got = unsafe { raw::syscall(k::__NR_getdents64, [fd, buffer.as_mut_ptr() as u64, buffer.len() as u64]) }?;
        if got == 0 {
            return Ok(found);
        }
        let mut rest = buffer.get(..usize::try_from(got).unwrap_or(0)).unwrap_or(&[]);
        while let Some(len) = rest.get(16..18).and_then(|b| b.try_into().ok()).map(u16::from_le_bytes) {
            let Some((record, next)) = rest.split_at_checked(usize::from(len)) else { break };
            rest = next;
            let name = record.get(NAME_OFFSET..).and_then(|n| n.split(|&b| b == 0).next()).unwrap_or(&[]);
            if !name.ends_with(b".img") {
                continue;
            }
            let mut name = name.to_vec();
            name.push(0);
            // struct stat: st_blocks is the word at byte 64, st_mtime at 88.
            let mut stat = [0u64; 18];
            let no_follow = u64::from(k::AT_SYMLINK_NOFOLLOW);
            // SAFETY: NUL-terminated name, buffer of the structure's size.
            let known = unsafe {
                raw::syscall(k::__NR_newfstatat, [fd, name.as_ptr() as u64, stat.as_mut_ptr() as u64, no_follow])
            };
            let [_, _, _, _, _, _, _, _, blocks, _, _, written, ..] = stat;
            if known.is_ok() {
                found.push(Entry { name, bytes: blocks * 512, written });
            }
        }
    }
}

/// Takes an image's name away. What is mapped stays mapped.
pub fn remove(folder: i32, name: &[u8]) -> Result<(), Errno> {
    // SAFETY: NUL-terminated name.
    unsafe { raw::syscall(k::__NR_unlinkat, [u64::from(folder.cast_unsigned()), name.as_ptr() as u64, 0]) }.map(|_| ())
}

/// After an image was written: drops the oldest if there is too much. What is mapped stays mapped.
pub fn limit(folder: i32) {
    let Ok(mut entries) = entries(folder) else { return };
    let mut total: u64 = entries.iter().map(|e| e.bytes).sum();
    if total <= LIMIT_BYTES {
        return;
    }
    entries.sort_unstable_by_key(|e| e.written);
    for entry in &entries {
        if total <= LIMIT_BYTES / 2 {
            return;
        }
        if remove(folder, &entry.name).is_ok() {
            total -= entry.bytes;
        }
    }
}
