//! `--trace`: one line per call, printed when it is done (before it, for those that do not come back).

use crate::calls::{self, Mark};
use crate::emulate::call::{Memory, Outcome, encode};
use crate::observe::trace::{Line, format_call, format_result};
use crate::options;
use crate::process::TRACE_FD;
use crate::process::descriptors::move_up;
use crate::sys;
use crate::sys::{Fd, fs};
use core::sync::atomic::Ordering;

/// Bytes of one line.
const LINE_BYTES: usize = 2048;

/// Opens what `--trace` writes to: the file, or a copy of standard error that survives the guest closing it.
pub fn start() {
    let options = options::get();
    if !options.trace {
        return;
    }
    let fd = if options.trace_path[0] == 0 {
        Fd::STDERR.0
    } else {
        match core::ffi::CStr::from_bytes_until_nul(&options.trace_path).map(|path| fs::open_to_append(path, 0)) {
            Ok(Ok(fd)) => fd.0,
            _ => crate::report::fatal("the file of --trace cannot be opened"),
        }
    };
    let high = move_up(fd).unwrap_or(fd);
    if high != fd && fd != 2 {
        Fd(fd).close();
    }
    TRACE_FD.store(high, Ordering::Relaxed);
}

fn print(line: &mut Line<'_>) {
    Fd(TRACE_FD.load(Ordering::Relaxed)).write_all(line.finish());
}

/// Makes the call's line: `run` carries the call out.
pub fn traced(nr: u32, args: &[u64; 6], run: impl FnOnce() -> Outcome) -> Outcome {
    let mut buf = [0u8; LINE_BYTES];
    let mut line = Line::new(&mut buf);
    format_call(&mut line, &Memory, Some(sys::process::gettid()), u64::from(nr), args);
    if calls::is(nr, Mark::Leaves) {
        print(&mut line);
        return run();
    }
    let outcome = run();
    // The child of a fork prints its own return under its own number.
    match outcome {
        Outcome::Done(Ok(0)) if calls::is(nr, Mark::Forks) => return outcome,
        Outcome::Done(result) => format_result(&mut line, &Memory, u64::from(nr), args, encode(result).cast_signed()),
        Outcome::Interrupted => format_result(&mut line, &Memory, u64::from(nr), args, ERESTARTSYS),
        Outcome::Tail | Outcome::Elsewhere => {}
    }
    print(&mut line);
    outcome
}

/// include/linux/errno.h: what strace shows for a call that is made again after a signal handler.
const ERESTARTSYS: i64 = -512;

/// An exec is about to succeed: the image that would print its line is replaced.
pub fn before_exec(nr: u32, args: &[u64; 6]) {
    if !options::get().trace {
        return;
    }
    let mut buf = [0u8; LINE_BYTES];
    let mut line = Line::new(&mut buf);
    format_call(&mut line, &Memory, Some(sys::process::gettid()), u64::from(nr), args);
    format_result(&mut line, &Memory, u64::from(nr), args, 0);
    print(&mut line);
}
