//! How the client of the kernel module (`bt-shim`) makes system calls here.

use super::raw;
use bt_shim::{Errno, Host, uapi};
use core::ffi::CStr;
use linux_raw_sys::general as k;

/// The runtime's own way into the kernel.
pub struct Kernel;

impl Host for Kernel {
    fn open(&self, path: &CStr) -> Result<i32, Errno> {
        raw::open(path, k::O_RDWR | k::O_CLOEXEC).map_err(|errno| Errno(i32::from(errno.0)))
    }

    fn ioctl<T>(&self, fd: i32, request: u32, argument: &mut T) -> Result<u64, Errno> {
        let address = core::ptr::from_mut(argument) as u64;
        // SAFETY: the client gives each request the structure that its number names.
        unsafe { raw::syscall(k::__NR_ioctl, [u64::from(fd.cast_unsigned()), u64::from(request), address]) }
            .map_err(|errno| Errno(i32::from(errno.0)))
    }

    fn close(&self, fd: i32) {
        raw::close(fd);
    }
}

/// Drops all code without looking at what is known of it.
pub fn clear(fd: i32) {
    if fd >= 0 {
        let _ = Kernel.ioctl(fd, uapi::CLEAR, &mut ());
    }
}
