//! `--perf-map`: tells perf(1) which guest code a piece of the cache stands for (tools/perf/Documentation/jit-interface.txt).

use crate::report::Text;
use crate::sys::process;
use crate::sys::raw;
use core::fmt::Write;
use linux_raw_sys::general as k;

/// Appends `start size name` to /tmp/perf-PID.map. The file is opened for each line: no descriptor is held that a guest could
/// meet, and this option is for measuring, not for speed.
pub fn note(start: u64, len: u64, tag: u64) {
    let mut path = Text::default();
    let _ = write!(path, "/tmp/perf-{}.map\0", process::getpid());
    let flags = u64::from(k::O_WRONLY | k::O_CREAT | k::O_APPEND | k::O_CLOEXEC | k::O_NOFOLLOW);
    let cwd = i64::from(k::AT_FDCWD).cast_unsigned();
    // SAFETY: the path is NUL-terminated.
    let fd = unsafe { raw::syscall(k::__NR_openat, [cwd, path.as_bytes().as_ptr() as u64, flags, 0o644]) };
    let Some(fd) = fd.ok().and_then(|fd| i32::try_from(fd).ok()) else { return };
    let mut line = Text::default();
    let _ = writeln!(line, "{start:x} {len:x} guest_{tag:x}");
    raw::write_all(fd, line.as_bytes());
    raw::close(fd);
}
