//! Descriptors: what the runtime does with those of its own, and asks of the guest's.

use super::errno::Errno;
use super::raw::syscall;
use super::stat::{FileSystem, Stat};
use linux_raw_sys::general as k;

/// Room for `/proc/self/fd/`, ten digits and a NUL.
const LINK_BYTES: usize = 32;

/// A descriptor's number. It owns nothing: descriptors are the process's, and most of them the guest's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fd(pub i32);

/// The path `/proc/self/fd/N` of a descriptor, NUL-terminated (proc(5)).
#[derive(Clone, Copy, Debug)]
pub struct FdLink([u8; LINK_BYTES]);

impl FdLink {
    /// The path.
    #[must_use]
    pub fn path(&self) -> &core::ffi::CStr {
        core::ffi::CStr::from_bytes_until_nul(&self.0).unwrap_or(c"")
    }
}

impl Fd {
    /// Standard output.
    pub const STDOUT: Self = Self(1);
    /// Standard error.
    pub const STDERR: Self = Self(2);
    /// The current directory, for calls that take a path relative to a descriptor.
    pub const CWD: Self = Self(k::AT_FDCWD);

    /// The descriptor that a call gave.
    pub(super) fn given(number: u64) -> Self {
        Self(i32::try_from(number).unwrap_or(-1))
    }

    /// The register that passes it to the kernel, which reads the low 32 bits.
    pub(super) fn arg(self) -> u64 {
        u64::from(self.0.cast_unsigned())
    }

    /// close(2).
    pub fn close(self) {
        // SAFETY: no Rust object owns descriptors in the runtime.
        let _ = unsafe { syscall(k::__NR_close, [self.arg()]) };
    }

    /// read(2) into `buf`; the bytes read.
    ///
    /// # Errors
    /// The kernel's.
    pub fn read(self, buf: &mut [u8]) -> Result<usize, Errno> {
        // SAFETY: the kernel writes at most the buffer's length.
        unsafe { syscall(k::__NR_read, [self.arg(), buf.as_mut_ptr() as u64, buf.len() as u64]) }.map(to_len)
    }

    /// pread64(2) into `buf`; the bytes read.
    ///
    /// # Errors
    /// The kernel's.
    pub fn read_at(self, buf: &mut [u8], offset: u64) -> Result<usize, Errno> {
        // SAFETY: the kernel writes at most the buffer's length.
        unsafe { syscall(k::__NR_pread64, [self.arg(), buf.as_mut_ptr() as u64, buf.len() as u64, offset]) }.map(to_len)
    }

    /// write(2); the bytes written.
    ///
    /// # Errors
    /// The kernel's.
    pub fn write(self, buf: &[u8]) -> Result<usize, Errno> {
        // SAFETY: the kernel reads the buffer.
        unsafe { syscall(k::__NR_write, [self.arg(), buf.as_ptr() as u64, buf.len() as u64]) }.map(to_len)
    }

    /// write(2), repeated until everything is written or an error comes.
    pub fn write_all(self, mut buf: &[u8]) {
        while !buf.is_empty() {
            let written = match self.write(buf) {
                Ok(0) => return,
                Ok(written) => written,
                Err(Errno::EINTR) => 0,
                Err(_) => return,
            };
            buf = buf.get(written..).unwrap_or(&[]);
        }
    }

    /// pwrite64(2), repeated until everything is written.
    ///
    /// # Errors
    /// The kernel's; ENOSPC where it writes nothing.
    pub fn write_all_at(self, mut buf: &[u8], mut offset: u64) -> Result<(), Errno> {
        while !buf.is_empty() {
            let args = [self.arg(), buf.as_ptr() as u64, buf.len() as u64, offset];
            // SAFETY: the kernel reads the buffer.
            let written = unsafe { syscall(k::__NR_pwrite64, args) }?;
            if written == 0 {
                return Err(Errno::ENOSPC);
            }
            offset += written;
            buf = buf.get(to_len(written)..).unwrap_or(&[]);
        }
        Ok(())
    }

    /// lseek(2) to an offset from the beginning.
    pub fn seek_to(self, offset: u64) {
        // SAFETY: integers.
        let _ = unsafe { syscall(k::__NR_lseek, [self.arg(), offset, u64::from(k::SEEK_SET)]) };
    }

    /// The offset (lseek(2)).
    ///
    /// # Errors
    /// ESPIPE: it has none.
    pub fn offset(self) -> Result<u64, Errno> {
        // SAFETY: integers.
        unsafe { syscall(k::__NR_lseek, [self.arg(), 0, u64::from(k::SEEK_CUR)]) }
    }

    /// fcntl(2).
    ///
    /// # Errors
    /// The kernel's.
    pub fn fcntl(self, command: u32, argument: u64) -> Result<u64, Errno> {
        // SAFETY: the commands that the runtime gives take integers.
        unsafe { syscall(k::__NR_fcntl, [self.arg(), u64::from(command), argument]) }
    }

    /// Sets or clears close-on-exec.
    ///
    /// # Errors
    /// EBADF: there is no such descriptor.
    pub fn close_on_exec(self, closes: bool) -> Result<(), Errno> {
        self.fcntl(k::F_SETFD, u64::from(if closes { k::FD_CLOEXEC } else { 0 })).map(|_| ())
    }

    /// It is closed by an exec.
    #[must_use]
    pub fn closes_on_exec(self) -> bool {
        self.fcntl(k::F_GETFD, 0).is_ok_and(|flags| flags & u64::from(k::FD_CLOEXEC) != 0)
    }

    /// A duplicate at the lowest free number from `at_least` on, which an exec closes.
    ///
    /// # Errors
    /// EMFILE: there is no such number; EINVAL: `at_least` is above the limit.
    pub fn duplicate(self, at_least: u64) -> Result<Self, Errno> {
        self.fcntl(k::F_DUPFD_CLOEXEC, at_least).map(Self::given)
    }

    /// fstat(2).
    ///
    /// # Errors
    /// EBADF: there is no such descriptor.
    pub fn stat(self) -> Result<Stat, Errno> {
        // SAFETY: the kernel writes the structure.
        Stat::filled_by(|to| unsafe { syscall(k::__NR_fstat, [self.arg(), to]) })
    }

    /// The number of the mount that the open file was reached by, which no other mount gets until the next boot (statx(2),
    /// STATX_MNT_ID_UNIQUE, Linux 6.8).
    #[must_use]
    pub fn mount_id(self) -> Option<u64> {
        const STATX_MNT_ID_UNIQUE: u64 = 0x4000;
        /// Words of `struct statx`, and where in it stx_mnt_id is.
        const WORDS: usize = 32;
        const MOUNT_ID: usize = 18;
        let mut words = [0u64; WORDS];
        let flags = u64::from(k::AT_EMPTY_PATH);
        let args = [self.arg(), c"".as_ptr() as u64, flags, STATX_MNT_ID_UNIQUE, words.as_mut_ptr() as u64];
        // SAFETY: the kernel writes the structure.
        unsafe { syscall(k::__NR_statx, args) }.ok()?;
        // stx_mask is the first word's lower half.
        let [told, ..] = words;
        words.get(MOUNT_ID).copied().filter(|_| told & STATX_MNT_ID_UNIQUE != 0)
    }

    /// Has what was written to the file, also through mappings, stored (fdatasync(2)).
    ///
    /// # Errors
    /// EIO.
    pub fn store(self) -> Result<(), Errno> {
        // SAFETY: integers.
        unsafe { syscall(k::__NR_fdatasync, [self.arg()]) }.map(|_| ())
    }

    /// fstatfs(2).
    ///
    /// # Errors
    /// EBADF: there is no such descriptor; ENOSYS: its file system does not say.
    pub fn file_system(self) -> Result<FileSystem, Errno> {
        // SAFETY: the kernel writes the structure.
        FileSystem::filled_by(|to| unsafe { syscall(k::__NR_fstatfs, [self.arg(), to]) })
    }

    /// The file has an extended attribute of this name (fgetxattr(2)).
    #[must_use]
    pub fn has_attribute(self, name: &core::ffi::CStr) -> bool {
        // SAFETY: without room for the value the kernel tells its length only.
        unsafe { syscall(k::__NR_fgetxattr, [self.arg(), name.as_ptr() as u64, 0, 0]) }.is_ok()
    }

    /// ioctl(2) with one word to read or write.
    ///
    /// # Errors
    /// The kernel's.
    ///
    /// # Safety
    /// The request must take a pointer to `argument`'s type.
    pub unsafe fn ioctl<T>(self, request: u32, argument: &mut T) -> Result<u64, Errno> {
        let address = core::ptr::from_mut(argument) as u64;
        // SAFETY: the caller's promise.
        unsafe { syscall(k::__NR_ioctl, [self.arg(), u64::from(request), address]) }
    }

    /// Something can be read from it now (poll(2)).
    #[must_use]
    pub fn is_readable(self) -> bool {
        let mut wanted = self.arg() | u64::from(k::POLLIN) << 32;
        // SAFETY: one struct pollfd.
        unsafe { syscall(k::__NR_poll, [&raw mut wanted as u64, 1, 0]) == Ok(1) }
    }

    /// Sets times of the file as futimens(3) does: seconds and nanoseconds of the last access and the last change.
    ///
    /// # Errors
    /// The kernel's.
    pub fn set_times(self, times: [[i64; 2]; 2]) -> Result<(), Errno> {
        // SAFETY: the structures live during the call; without a path the descriptor's file is meant.
        unsafe { syscall(k::__NR_utimensat, [self.arg(), 0, times.as_ptr() as u64, 0]) }.map(|_| ())
    }

    /// Its link in /proc.
    #[must_use]
    pub fn link(self) -> FdLink {
        const PREFIX: &[u8] = b"/proc/self/fd/";
        let mut digits = [0u8; 10];
        let mut rest = self.0.cast_unsigned();
        let mut first = digits.len();
        while first == digits.len() || rest != 0 {
            first -= 1;
            if let Some(digit) = digits.get_mut(first) {
                *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            }
            rest /= 10;
        }
        let mut path = [0u8; LINK_BYTES];
        for (to, from) in path.iter_mut().zip(PREFIX.iter().chain(digits.iter().skip(first))) {
            *to = *from;
        }
        FdLink(path)
    }

    /// What its link in /proc says: the path of an open file. Cut to the buffer's length; empty if there is none.
    pub fn target(self, buf: &mut [u8]) -> &[u8] {
        read_link(self.link().path(), buf)
    }
}

/// readlink(2): what the link says, cut to the buffer's length; empty if it cannot be read.
fn read_link<'a>(path: &core::ffi::CStr, buf: &'a mut [u8]) -> &'a [u8] {
    // SAFETY: the kernel reads the path and writes at most the buffer's length.
    let got = unsafe { syscall(k::__NR_readlink, [path.as_ptr() as u64, buf.as_mut_ptr() as u64, buf.len() as u64]) };
    buf.get(..got.map_or(0, |len| usize::try_from(len).unwrap_or(0))).unwrap_or(&[])
}

fn to_len(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_name_the_descriptor() {
        assert_eq!(Fd(0).link().path(), c"/proc/self/fd/0");
        assert_eq!(Fd(i32::MAX).link().path(), c"/proc/self/fd/2147483647");
    }

    #[test]
    fn a_descriptor_is_told_from_none() {
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        let fd = Fd(std::os::fd::AsRawFd::as_raw_fd(&file));
        assert!(fd.stat().unwrap().is_regular());
        assert!(fd.closes_on_exec());
        let mut buf = [0u8; 512];
        assert_eq!(fd.target(&mut buf), std::fs::read_link("/proc/self/exe").unwrap().as_os_str().as_encoded_bytes());
        assert_eq!(Fd(-1).stat().unwrap_err(), Errno::EBADF);
    }
}
