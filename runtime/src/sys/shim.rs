//! How the client of the kernel module (`bt-shim`) makes system calls here.

use super::fd::Fd;
use super::fs;
use bt_shim::{Errno, Host, uapi};
use core::ffi::CStr;
use linux_raw_sys::general as k;

/// The runtime's own way into the kernel.
pub struct Kernel;

impl Host for Kernel {
    fn open(&self, path: &CStr) -> Result<i32, Errno> {
        fs::open(path, k::O_RDWR).map(|fd| fd.0).map_err(|errno| Errno(i32::from(errno.number())))
    }

    fn ioctl<T>(&self, fd: i32, request: u32, argument: &mut T) -> Result<u64, Errno> {
        // SAFETY: the client gives each request the structure that its number names.
        unsafe { Fd(fd).ioctl(request, argument) }.map_err(|errno| Errno(i32::from(errno.number())))
    }

    fn close(&self, fd: i32) {
        Fd(fd).close();
    }
}

/// Drops all code without looking at what is known of it.
pub fn clear(fd: i32) {
    if fd >= 0 {
        let _ = Kernel.ioctl(fd, uapi::CLEAR, &mut ());
    }
}
