//! What the runtime says when it cannot go on.

use crate::sys::raw;
use crate::sys::types::{SigInfo, UContext};
use crate::thread::state::ThreadState;
use core::fmt::{self, Write};

/// A line of text on the stack; what does not fit is cut.
pub struct Text {
    bytes: [u8; 512],
    len: usize,
}

impl Default for Text {
    fn default() -> Self {
        Self { bytes: [0; 512], len: 0 }
    }
}

impl Text {
    /// The bytes so far.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}

impl Write for Text {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        for b in s.bytes() {
            if let Some(slot) = self.bytes.get_mut(self.len) {
                *slot = b;
                self.len += 1;
            }
        }
        Ok(())
    }
}

/// Bytes of a path, printed as they are where they are printable.
pub struct Bytes<'a>(pub &'a [u8]);

impl fmt::Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            for b in chunk.invalid() {
                write!(f, "\\x{b:02x}")?;
            }
        }
        Ok(())
    }
}

/// Prints `bt-run: …` on standard error.
pub fn say(args: fmt::Arguments<'_>) {
    let mut text = Text::default();
    let _ = writeln!(text, "bt-run: {args}");
    raw::write_all(2, text.as_bytes());
}

/// Something the user must put right: one line, exit status 126.
pub fn fatal(what: &str) -> ! {
    say(format_args!("{what}"));
    raw::exit_group(126)
}

/// An error of ours: says so and how to report it, and dies by SIGABRT.
pub fn internal(what: &str) -> ! {
    say(format_args!(
        "internal error: {what} (engine translate, pid {}); please report this line with the program and its arguments",
        raw::getpid()
    ));
    die()
}

/// A fault in runtime code.
pub fn runtime_fault(signal: i32, info: &SigInfo, uc: &UContext) -> ! {
    let (base, _) = crate::process::image::range();
    // SAFETY: gs is installed before the first host handler can run.
    let guest = unsafe { (*crate::thread::state::current()).regs.rip };
    say(format_args!(
        "internal error: signal {signal} code {} at bt-run+{:#x}, address {:#x}, guest pc {guest:#x}, engine translate, pid {}; please report this line with the program and its arguments",
        info.code,
        uc.mc.rip.wrapping_sub(base),
        uc.mc.cr2,
        raw::getpid()
    ));
    die()
}

/// An instruction or a call that bt-run cannot run: one line, then SIGILL as the guest's end.
pub fn unsupported(ts: &ThreadState, what: &str) -> ! {
    say(format_args!("cannot run {what} at guest pc {:#x} (engine translate)", ts.regs.rip));
    die()
}

fn die() -> ! {
    crate::signal::action::make_fatal(crate::sys::types::sig::SIGABRT);
    crate::signal::leave::set_mask(0);
    // SAFETY: ends the process.
    unsafe {
        let _ =
            raw::syscall(linux_raw_sys::general::__NR_tgkill, [u64::from(raw::getpid()), u64::from(raw::gettid()), 6]);
    }
    raw::exit_group(134)
}
