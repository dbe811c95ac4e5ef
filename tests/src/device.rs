//! Surroundings of the kernel module's client and of the units that it loads, for programs with the C library.

use std::ffi::CStr;
use std::os::fd::IntoRawFd as _;

use bt_shim::uapi::Op;
use bt_shim::{Errno, Host};
use bt_units::Outside;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

/// System calls by the C library.
#[derive(Clone, Copy, Debug)]
pub struct Libc;

impl Host for Libc {
    fn open(&self, path: &CStr) -> Result<i32, Errno> {
        let fd = open(path, OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty());
        fd.map(|fd| fd.into_raw_fd()).map_err(|error| Errno(error as i32))
    }

    fn ioctl<T>(&self, fd: i32, request: u32, argument: &mut T) -> Result<u64, Errno> {
        // SAFETY: the client gives each request the structure that its number names.
        let result = unsafe { libc::ioctl(fd, request.into(), std::ptr::from_mut(argument)) };
        if result < 0 { Err(Errno(nix::errno::Errno::last_raw())) } else { Ok(u64::from(result.cast_unsigned())) }
    }

    fn close(&self, fd: i32) {
        // There is nothing to write back that could fail.
        let _ = nix::unistd::close(fd);
    }
}

/// All code that there is: units are built from it, none before.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a> {
    /// Where it pretends to be.
    pub base: u64,
    /// The code.
    pub code: &'a [u8],
}

impl Outside for Bytes<'_> {
    fn read_code(&mut self, pc: u64, buf: &mut [u8]) -> usize {
        let skip = usize::try_from(pc.wrapping_sub(self.base)).unwrap_or(usize::MAX);
        let rest = self.code.get(skip..).unwrap_or_default();
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        count
    }

    fn read_pointer(&mut self, _address: u64) -> Option<u64> {
        None
    }

    fn has_code(&mut self, _pc: u64) -> bool {
        false
    }

    fn check_call(&mut self, _number: u32, _checks: &mut Vec<Op>) -> bool {
        false
    }
}
