//! Files of /proc that show the process its own descriptions: `/proc/self/fdinfo/N` has the offset, and the count of an
//! eventfd (proc(5)). Their contents are made when they are read, so nothing is held of a description while such a file
//! is open.

use super::descriptors::{file_system, known, number};
use crate::sys::Fd;
use linux_raw_sys::general as k;

/// The descriptor that the open file `fd` shows, if it is such a file, of whatever process.
pub fn shown_by(fd: i32) -> Option<i32> {
    if file_system(fd) != u64::from(k::PROC_SUPER_MAGIC) {
        return None;
    }
    let mut buf = [0u8; 128];
    let mut steps = Fd(fd).target(&mut buf).rsplit(|&byte| byte == b'/');
    let (name, directory) = (steps.next()?, steps.next()?);
    if directory != b"fdinfo" {
        return None;
    }
    core::str::from_utf8(name).ok()?.parse().ok()
}

/// A file that shows the description of `fd` is open.
pub fn is_shown(fd: i32) -> bool {
    let own = number(fd);
    known().any(|other| number(other) != 0 && shown_by(other).is_some_and(|shown| number(shown) == own))
}
