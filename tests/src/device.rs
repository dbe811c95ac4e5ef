//! Surroundings of the kernel module's client and of the units that it loads, for programs with the C library.

use std::ffi::CStr;

use bt_shim::uapi::Op;
use bt_shim::{Errno, Host};
use bt_units::Outside;

/// System calls by the C library.
#[derive(Clone, Copy, Debug)]
pub struct Libc;

fn last_error() -> Errno {
    Errno(std::io::Error::last_os_error().raw_os_error().unwrap_or(0))
}

impl Host for Libc {
    fn open(&self, path: &CStr) -> Result<i32, Errno> {
        // SAFETY: a C string.
        let fd = unsafe { libc::open(path.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) };
        if fd < 0 { Err(last_error()) } else { Ok(fd) }
    }

    fn ioctl<T>(&self, fd: i32, request: u32, argument: &mut T) -> Result<u64, Errno> {
        // SAFETY: the client gives each request the structure that its number names.
        let result = unsafe { libc::ioctl(fd, request.into(), std::ptr::from_mut(argument)) };
        if result < 0 { Err(last_error()) } else { Ok(u64::from(result.cast_unsigned())) }
    }

    fn close(&self, fd: i32) {
        // SAFETY: the device's own descriptor.
        unsafe { libc::close(fd) };
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
