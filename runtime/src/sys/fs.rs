//! Files by their paths.

use super::errno::Errno;
use super::fd::Fd;
use super::raw::syscall;
use super::stat::Stat;
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
