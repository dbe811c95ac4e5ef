//! `--perf-map`: tells perf(1) which guest code a piece of the cache represents
//! (tools/perf/Documentation/jit-interface.txt).

use crate::report::Text;
use crate::sys::{fs, process};
use core::fmt::Write;
use linux_raw_sys::general as k;

/// Appends `start size name` to /tmp/perf-PID.map. The file is opened for each line: no descriptor is held that a guest
/// could meet, and this option is for measuring, not for speed.
pub fn note(start: u64, len: u64, tag: u64) {
    let mut path = Text::default();
    let _ = write!(path, "/tmp/perf-{}.map\0", process::getpid());
    let Ok(path) = core::ffi::CStr::from_bytes_until_nul(path.as_bytes()) else { return };
    let Ok(fd) = fs::open_to_append(path, k::O_NOFOLLOW) else { return };
    let mut line = Text::default();
    let _ = writeln!(line, "{start:x} {len:x} guest_{tag:x}");
    fd.write_all(line.as_bytes());
    fd.close();
}
