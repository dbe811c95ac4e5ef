//! What the kernel says about a descriptor.

use crate::sys::raw;
use linux_raw_sys::general as k;

const TYPE_MASK: u32 = 0o170_000;

/// `struct stat` (stat(2)) as far as it is used.
#[derive(Clone, Copy, Debug)]
pub struct Stat {
    /// st_ino.
    pub inode: u64,
    /// st_mode.
    pub mode: u32,
    /// st_rdev.
    pub rdev: u64,
    /// st_size, in bytes.
    pub size: u64,
    /// Bytes of storage it takes (st_blocks).
    pub allocated: u64,
}

impl Stat {
    /// fstat(2).
    #[must_use]
    pub fn of(fd: i32) -> Option<Self> {
        let mut words = [0u64; 18];
        // SAFETY: the structure is 144 bytes.
        unsafe { raw::syscall(k::__NR_fstat, [u64::from(fd.cast_unsigned()), words.as_mut_ptr() as u64]) }.ok()?;
        // st_mode is the lower half of the fourth word.
        let [_, inode, _, mode, _, rdev, size, _, blocks, ..] = words;
        Some(Self { inode, mode: u32::try_from(mode & 0xffff_ffff).ok()?, rdev, size, allocated: blocks * 512 })
    }

    /// S_ISCHR.
    #[must_use]
    pub fn is_character_device(&self) -> bool {
        self.mode & TYPE_MASK == 0o020_000
    }

    /// S_ISREG.
    #[must_use]
    pub fn is_regular(&self) -> bool {
        self.mode & TYPE_MASK == 0o100_000
    }

    /// Major and minor number of a device (include/linux/kdev_t.h, new_decode_dev).
    #[must_use]
    pub fn device(&self) -> (u64, u64) {
        (self.rdev >> 8 & 0xfff, self.rdev & 0xff | self.rdev >> 12 & 0xfff00)
    }
}
