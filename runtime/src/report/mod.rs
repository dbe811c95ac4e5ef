//! What the runtime says when it cannot go on.

mod text;

use crate::options;
use crate::sys;
use crate::sys::types::{SigInfo, UContext, sig};
use crate::sys::{Fd, signal};
use crate::thread::state::ThreadState;
use core::fmt::{self, Write};

pub use text::{Bytes, LongText, Text};

/// Prints `bt-run: …` on standard error.
pub fn say(args: fmt::Arguments<'_>) {
    let mut text = Text::default();
    let _ = writeln!(text, "bt-run: {args}");
    Fd::STDERR.write_all(text.as_bytes());
}

/// Something the user must put right: one line, exit status 126.
pub fn fatal(what: &str) -> ! {
    say(format_args!("{what}"));
    sys::process::exit_group(126)
}

/// An error of ours: says so and how to report it, and dies by SIGABRT.
pub fn internal(what: &str) -> ! {
    say(format_args!(
        "internal error: {what} (engine {}, pid {}); please report this line with the program and its arguments",
        options::get().engine.word(),
        sys::process::getpid()
    ));
    die()
}

/// A fault in runtime code.
pub fn runtime_fault(signal: i32, info: &SigInfo, uc: &UContext) -> ! {
    let (base, _) = crate::process::image::range();
    // SAFETY: gs is installed before the first host handler can run.
    let guest = unsafe { (*crate::thread::state::current()).regs.rip };
    say(format_args!(
        "internal error: signal {signal} code {} at bt-run+{:#x}, address {:#x}, guest pc {guest:#x}, engine {}, pid {}; please report this line with the program and its arguments",
        info.code,
        uc.mc.rip.wrapping_sub(base),
        uc.mc.cr2,
        options::get().engine.word(),
        sys::process::getpid()
    ));
    die()
}

/// An instruction or a call that bt-run cannot run: one line, then SIGILL as the guest's end.
pub fn unsupported(ts: &ThreadState, what: &str) -> ! {
    say(format_args!("cannot run {what} at guest pc {:#x} (engine {})", ts.regs.rip, options::get().engine.word()));
    die()
}

fn die() -> ! {
    // What a shell reports for a process that SIGABRT ended, should the signal not do it.
    const STATUS: i32 = 128 + sig::SIGABRT;
    signal::set_default(sig::SIGABRT);
    signal::set_mask(0);
    signal::raise(sig::SIGABRT);
    sys::process::exit_group(STATUS)
}
