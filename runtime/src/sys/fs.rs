//! Files by their paths.

use super::errno::Errno;
use super::fd::Fd;
use super::raw::syscall;
use super::stat::{FileSystem, Stat};
use core::ffi::CStr;
use linux_raw_sys::general as k;

fn word(flags: u32) -> u64 {
    u64::from(flags)
}

/// open(2) of a path relative to the current directory, with O_CLOEXEC.
///
/// # Errors
/// The kernel's.
pub fn open(path: &CStr, flags: u32) -> Result<Fd, Errno> {
    open_at(Fd::CWD, path, flags, 0)
}

/// openat(2), with O_CLOEXEC; `mode` is the new file's, if one is made.
///
/// # Errors
/// The kernel's.
pub fn open_at(directory: Fd, path: &CStr, flags: u32, mode: u32) -> Result<Fd, Errno> {
    let args = [directory.arg(), path.as_ptr() as u64, word(flags | k::O_CLOEXEC), word(mode)];
    // SAFETY: the kernel reads the path.
    unsafe { syscall(k::__NR_openat, args) }.map(Fd::given)
}

/// Opens a file that lines are appended to, and makes it if there is none.
///
/// # Errors
/// The kernel's.
pub fn open_to_append(path: &CStr, more_flags: u32) -> Result<Fd, Errno> {
    open_at(Fd::CWD, path, k::O_WRONLY | k::O_CREAT | k::O_APPEND | more_flags, 0o644)
}

/// stat(2).
///
/// # Errors
/// The kernel's.
pub fn stat(path: &CStr) -> Result<Stat, Errno> {
    stat_at(Fd::CWD, path, 0)
}

/// fstatat(2).
///
/// # Errors
/// The kernel's.
pub fn stat_at(directory: Fd, path: &CStr, flags: u32) -> Result<Stat, Errno> {
    // SAFETY: the kernel reads the path and writes the structure.
    Stat::filled_by(|to| unsafe {
        syscall(k::__NR_newfstatat, [directory.arg(), path.as_ptr() as u64, to, word(flags)])
    })
}

/// What lies at a path, the link itself if it is one (statx(2)).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    attributes: u64,
    mode: u32,
    device: u64,
    inode: u64,
    /// The number of its mount.
    pub mount: u64,
}

impl Found {
    /// Device, inode and mount.
    #[must_use]
    pub fn identity(&self) -> (u64, u64, u64) {
        (self.device, self.inode, self.mount)
    }

    fn is(&self, kind: u32) -> bool {
        self.mode & k::S_IFMT == kind
    }

    /// S_ISDIR.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.is(k::S_IFDIR)
    }

    /// S_ISREG.
    #[must_use]
    pub fn is_regular(&self) -> bool {
        self.is(k::S_IFREG)
    }

    /// S_ISLNK.
    #[must_use]
    pub fn is_link(&self) -> bool {
        self.is(k::S_IFLNK)
    }

    /// Everybody may make entries, which only their owners may remove (S_ISVTX).
    #[must_use]
    pub fn is_open_to_all(&self) -> bool {
        const OPEN: u32 = 0o1002;
        self.mode & OPEN == OPEN
    }

    /// Going there mounts something, or what its entries are called depends on a key (STATX_ATTR_AUTOMOUNT,
    /// STATX_ATTR_ENCRYPTED).
    #[must_use]
    pub fn is_special(&self) -> bool {
        self.attributes & u64::from(k::STATX_ATTR_AUTOMOUNT | k::STATX_ATTR_ENCRYPTED) != 0
    }
}

/// Looks at what lies at a path, which no link at its end is followed and nothing is mounted for.
///
/// # Errors
/// The kernel's; ENOSYS where it does not tell the mount (before Linux 5.8).
pub fn look_at(path: &CStr) -> Result<Found, Errno> {
    // A number that no other mount gets until the next boot, from Linux 6.8 on.
    const STATX_MNT_ID_UNIQUE: u32 = 0x4000;
    const MOUNT: u32 = k::STATX_MNT_ID | STATX_MNT_ID_UNIQUE;
    // struct statx (include/uapi/linux/stat.h).
    let mut words = [0u64; 32];
    let flags = k::AT_SYMLINK_NOFOLLOW | k::AT_NO_AUTOMOUNT;
    let args = [
        Fd::CWD.arg(),
        path.as_ptr() as u64,
        word(flags),
        word(k::STATX_BASIC_STATS | MOUNT),
        words.as_mut_ptr() as u64,
    ];
    // SAFETY: the kernel reads the path and writes the structure.
    unsafe { syscall(k::__NR_statx, args) }?;
    let [mask, attributes, _, gid_mode, inode, ..] = words;
    let [.., device, mount, _, _, _, _, _, _, _, _, _, _, _, _, _] = words;
    if mask & u64::from(MOUNT) == 0 {
        return Err(Errno::ENOSYS);
    }
    let mode = u32::try_from(gid_mode >> 32 & 0xffff).unwrap_or(0);
    Ok(Found { attributes, mode, device, inode, mount })
}

/// statfs(2).
///
/// # Errors
/// The kernel's.
pub fn file_system(path: &CStr) -> Result<FileSystem, Errno> {
    // SAFETY: the kernel reads the path and writes the structure.
    FileSystem::filled_by(|to| unsafe { syscall(k::__NR_statfs, [path.as_ptr() as u64, to]) })
}

/// Makes a call that takes a path, with memory of the runtime's for all that it reads and writes. A descriptor that it gives is
/// closed.
///
/// # Errors
/// The kernel's.
pub fn ask_by_path(nr: u32, args: &[u64; 6], gives_descriptor: bool) -> Result<u64, Errno> {
    // SAFETY: the caller promises that path and buffer are the runtime's, and long enough.
    let result = unsafe { syscall(nr, *args) }?;
    if gives_descriptor {
        Fd::given(result).close();
    }
    Ok(result)
}

/// The effective user may execute the file (faccessat2(2), Linux 5.8).
///
/// # Errors
/// EACCES: it may not; ENOSYS: the kernel cannot be asked.
pub fn may_execute(directory: Fd, path: &CStr) -> Result<(), Errno> {
    const X_OK: u64 = 1;
    let args = [directory.arg(), path.as_ptr() as u64, X_OK, word(k::AT_EACCESS)];
    // SAFETY: the kernel reads the path.
    unsafe { syscall(k::__NR_faccessat2, args) }.map(|_| ())
}

/// readlinkat(2): what the symbolic link says, cut to the buffer's length.
///
/// # Errors
/// EINVAL: it is no link.
pub fn read_link_at<'a>(directory: Fd, path: &CStr, buf: &'a mut [u8]) -> Result<&'a [u8], Errno> {
    let args = [directory.arg(), path.as_ptr() as u64, buf.as_mut_ptr() as u64, buf.len() as u64];
    // SAFETY: the kernel reads the path and writes at most the buffer's length.
    let len = unsafe { syscall(k::__NR_readlinkat, args) }?;
    Ok(buf.get(..usize::try_from(len).unwrap_or(0)).unwrap_or(&[]))
}

/// mkdir(2).
///
/// # Errors
/// The kernel's.
pub fn make_directory(path: &CStr, mode: u32) -> Result<(), Errno> {
    // SAFETY: the kernel reads the path.
    unsafe { syscall(k::__NR_mkdir, [path.as_ptr() as u64, word(mode)]) }.map(|_| ())
}

/// unlinkat(2) of a file.
///
/// # Errors
/// The kernel's.
pub fn remove_at(directory: Fd, name: &CStr) -> Result<(), Errno> {
    // SAFETY: the kernel reads the name.
    unsafe { syscall(k::__NR_unlinkat, [directory.arg(), name.as_ptr() as u64, 0]) }.map(|_| ())
}

/// Gives an open file without a name this name (linkat(2) of its link in /proc).
///
/// # Errors
/// EEXIST: the name is there already.
pub fn give_name(file: Fd, directory: Fd, name: &CStr) -> Result<(), Errno> {
    let link = file.link();
    let args =
        [Fd::CWD.arg(), link.path().as_ptr() as u64, directory.arg(), name.as_ptr() as u64, word(k::AT_SYMLINK_FOLLOW)];
    // SAFETY: the kernel reads both paths.
    unsafe { syscall(k::__NR_linkat, args) }.map(|_| ())
}

/// getdents64(2): fills `buf` with entries of an open directory; the bytes filled, 0 at its end.
///
/// # Errors
/// The kernel's.
pub fn read_entries(directory: Fd, buf: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the kernel writes at most the buffer's length.
    unsafe { syscall(k::__NR_getdents64, [directory.arg(), buf.as_mut_ptr() as u64, buf.len() as u64]) }
        .map(|len| usize::try_from(len).unwrap_or(0))
}

/// getcwd(2): the current directory's path, without its NUL; empty if it has none.
pub fn current_directory(buf: &mut [u8]) -> &[u8] {
    // SAFETY: the kernel writes at most the buffer's length.
    let got = unsafe { syscall(k::__NR_getcwd, [buf.as_mut_ptr() as u64, buf.len() as u64]) };
    let len = got.map_or(0, |len| usize::try_from(len).unwrap_or(0));
    buf.get(..len.saturating_sub(1)).unwrap_or(&[])
}
