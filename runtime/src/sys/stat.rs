//! What the kernel tells of a file and of a file system.

use super::errno::Errno;
use linux_raw_sys::general as k;

/// Major and minor number in a device number (include/linux/kdev_t.h, new_decode_dev).
#[must_use]
pub const fn device_numbers(device: u64) -> (u64, u64) {
    (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xfff00)
}

/// `struct stat` (stat(2); arch/x86/include/uapi/asm/stat.h) as far as it is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// st_dev.
    pub device: u64,
    /// st_ino.
    pub inode: u64,
    /// st_nlink.
    pub links: u64,
    /// st_mode.
    pub mode: u32,
    /// st_uid.
    pub uid: u32,
    /// st_rdev.
    pub rdev: u64,
    /// st_size, in bytes.
    pub size: u64,
    /// Bytes of storage it takes (st_blocks, in units of 512 bytes).
    pub allocated: u64,
    /// st_mtime and st_ctime, seconds and nanoseconds of each.
    pub times: [u64; 4],
    /// st_atime, seconds and nanoseconds.
    pub accessed: [u64; 2],
}

impl Stat {
    /// What a call writes to the address that `fill` is given: 144 bytes.
    pub(super) fn filled_by(fill: impl FnOnce(u64) -> Result<u64, Errno>) -> Result<Self, Errno> {
        let mut words = [0u64; 18];
        fill(words.as_mut_ptr() as u64)?;
        let [
            device,
            inode,
            links,
            mode_uid,
            _,
            rdev,
            size,
            _,
            blocks,
            atime,
            atime_ns,
            mtime,
            mtime_ns,
            ctime,
            ctime_ns,
            ..,
        ] = words;
        #[expect(clippy::cast_possible_truncation, reason = "two fields of 32 bits in one word")]
        let (mode, uid) = (mode_uid as u32, (mode_uid >> 32) as u32);
        let times = [mtime, mtime_ns, ctime, ctime_ns];
        Ok(Self {
            device,
            inode,
            links,
            mode,
            uid,
            rdev,
            size,
            allocated: blocks * 512,
            times,
            accessed: [atime, atime_ns],
        })
    }

    /// S_ISREG.
    #[must_use]
    pub fn is_regular(&self) -> bool {
        self.mode & k::S_IFMT == k::S_IFREG
    }

    /// S_ISDIR.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.mode & k::S_IFMT == k::S_IFDIR
    }

    /// S_ISCHR.
    #[must_use]
    pub fn is_character_device(&self) -> bool {
        self.mode & k::S_IFMT == k::S_IFCHR
    }

    /// Major and minor number of the device that the file is.
    #[must_use]
    pub fn device_numbers(&self) -> (u64, u64) {
        device_numbers(self.rdev)
    }

    /// Device and inode, which identify the file while it exists.
    #[must_use]
    pub fn identity(&self) -> (u64, u64) {
        (self.device, self.inode)
    }
}

/// File systems of this machine alone, which tell of all that is changed (statfs(2), f_type): ext2, ext3 and ext4; tmpfs; xfs;
/// btrfs; f2fs; overlay.
const LOCAL: [u64; 6] = [0xef53, 0x0102_1994, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x794c_7630];

/// The type of file system is one of this machine alone.
#[must_use]
pub fn is_local(kind: u64) -> bool {
    LOCAL.contains(&kind)
}

/// `struct statfs` (statfs(2)) as far as it is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileSystem {
    /// f_type: what kind it is (include/uapi/linux/magic.h).
    pub kind: u64,
    flags: u64,
}

impl FileSystem {
    /// What a call writes to the address that `fill` is given: 120 bytes.
    pub(super) fn filled_by(fill: impl FnOnce(u64) -> Result<u64, Errno>) -> Result<Self, Errno> {
        let mut words = [0u64; 15];
        fill(words.as_mut_ptr() as u64)?;
        let [kind, _, _, _, _, _, _, _, _, _, flags, ..] = words;
        Ok(Self { kind, flags })
    }

    /// Set-id bits mean nothing there (mount(2), MS_NOSUID; ST_NOSUID of statvfs(3)).
    #[must_use]
    pub fn ignores_set_id(&self) -> bool {
        const NOSUID: u64 = 2;
        self.flags & NOSUID != 0
    }

    /// A read of a file with these times moves none of them, nor do the reads after it while the file does not change, but once a
    /// day (mount(2), MS_RELATIME and MS_NOATIME; ST_… of statvfs(3); fs/inode.c, relatime_need_update).
    #[must_use]
    pub fn moves_no_access_time(&self, stat: &Stat) -> bool {
        const READ_ONLY: u64 = 1;
        const NO_ACCESS_TIMES: u64 = 1024;
        const RELATIVE: u64 = 4096;
        let [modified, modified_ns, changed, changed_ns] = stat.times;
        let is_later = stat.accessed > [modified, modified_ns] && stat.accessed > [changed, changed_ns];
        self.flags & (READ_ONLY | NO_ACCESS_TIMES) != 0 || self.flags & RELATIVE != 0 && is_later
    }
}
