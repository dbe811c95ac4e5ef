//! What identifies an image.

use super::cold::Cold;
use super::volume::{self, Volume};
use crate::gate::low;
use crate::options;
use crate::sys::Fd;
use crate::sys::plain::{Plain, bytes_of};
use crate::sys::stat::Stat;
use linux_raw_sys::general as k;

/// Files larger than this are not copied.
const MAX_FILE_BYTES: u64 = 256 << 20;
const PAGE: u64 = 4096;

/// What makes two mappings the same: a file that was not changed, a part of it, and the program that made stubs for it.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    volume: Volume,
    /// Device of the file, as stat(2) tells it.
    pub device: u64,
    /// Its inode.
    pub inode: u64,
    /// Its bytes.
    pub size: u64,
    /// Seconds and nanoseconds of the last modification and of the last change of the inode.
    pub times: [u64; 4],
    /// Where the part of the file begins.
    pub offset: u64,
    /// Bytes of the part.
    pub len: u64,
    /// Distance between pages of the file and of memory, for programs that cannot be moved; 0 for others.
    fixed_at: u64,
    /// The program that made the stubs.
    pub build: [u64; 3],
    /// What else changes stubs: `--strict`, and where tables lie.
    variant: u64,
}
// SAFETY: integers without padding.
unsafe impl Plain for Key {}

impl Key {
    /// The key of `start..end`, which the file maps from `offset` on.
    ///
    /// # Errors
    /// Why it is not to be remembered.
    pub fn of(fd: Fd, offset: u64, start: u64, end: u64) -> Result<Self, Cold> {
        let stat = fd.stat().map_err(Cold::Refused)?;
        // What is mapped past the file's end is not the file's.
        let inside = offset.checked_add(end - start).is_some_and(|to| to <= stat.size.next_multiple_of(PAGE));
        if stat.mode & k::S_IFMT != k::S_IFREG || stat.size > MAX_FILE_BYTES || !inside {
            return Err(Cold::Shape);
        }
        let volume = volume::of(fd, stat.device).ok_or(Cold::Volume)?;
        // Code in the low 2 GiB holds addresses as immediates.
        let fixed_at = if start < 1 << 31 { start } else { 0 };
        let Stat { device, inode, size, times, .. } = stat;
        // Stubs hold the address of the table of calls.
        let variant = u64::from(options::get().strict) | u64::from(low::ibtc()) << 1;
        Ok(Self {
            volume,
            device,
            inode,
            size,
            times,
            offset,
            len: end - start,
            fixed_at,
            build: crate::process::image::build_id(),
            variant,
        })
    }

    /// When the file was changed last, in nanoseconds.
    #[must_use]
    pub fn changed_at(&self) -> u64 {
        let [_, _, seconds, nanoseconds] = self.times;
        seconds.wrapping_mul(1_000_000_000).wrapping_add(nanoseconds)
    }

    /// Name of the image: a hash, compared with the whole key when the image is opened.
    #[must_use]
    pub fn name(&self) -> [u8; 36] {
        let mut hashes = [0xcbf2_9ce4_8422_2325u64, 0x9e37_79b9_7f4a_7c15];
        for byte in bytes_of(self) {
            for (hash, factor) in hashes.iter_mut().zip([0x0000_0100_0000_01b3u64, 0xff51_afd7_ed55_8ccd]) {
                *hash = (*hash ^ u64::from(*byte)).wrapping_mul(factor);
                *hash ^= *hash >> 29;
            }
        }
        let mut name = *b"00000000000000000000000000000000.img";
        let digits = hashes.iter().flat_map(|h| (0..16).map(move |i| (h >> (60 - 4 * i) & 15) as u8));
        for (slot, digit) in name.iter_mut().zip(digits) {
            *slot = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
        }
        name
    }
}
