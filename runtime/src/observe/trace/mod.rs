//! Lines about system calls, as strace(1) prints them.
//!
//! A line is written in two steps, because what a call returns through its arguments is known only
//! after it: [`format_call`] writes up to the first such argument, [`format_result`] the rest. What an
//! argument is comes from the [table](crate::calls); nothing here knows a call by its number.

#![deny(unsafe_code)]

mod argument;
mod date;
mod errno;
mod line;
mod printer;
mod record;
mod result;
mod shape;
mod signal;
mod socket;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail by panicking")]
mod tests;
mod text;

use crate::calls::{Arg, MAX_ARGS, Ret, Signature, name, row};
use printer::Printer;

pub use crate::calls::GuestMemory;
pub use line::Line;

/// The arguments and the result of a call; a number without a row has six plain ones.
fn signature(nr: u64, args: &[u64; MAX_ARGS]) -> Signature {
    match row(nr) {
        Some(row) => row.signature(args),
        None => Signature { args: [Arg::Hex; MAX_ARGS], ret: Ret::Int },
    }
}

/// Appends the thread that a line is about, as `strace -f` does.
fn format_pid(line: &mut Line<'_>, pid: Option<u32>) {
    let Some(pid) = pid else { return };
    line.text("[pid ");
    for least in [10_000, 1000, 100, 10] {
        if pid < least {
            line.text(" ");
        }
    }
    line.unsigned(u64::from(pid));
    line.text("] ");
}

/// Appends a call's name.
fn format_name(line: &mut Line<'_>, nr: u64) {
    match name(nr) {
        Some(name) => line.text(name),
        None => {
            line.text("syscall_");
            line.hex(nr);
        }
    }
}

/// Writes a call as far as it is known before it: `openat(AT_FDCWD, "/etc/passwd", O_RDONLY`.
///
/// The line of a call that does not come back is complete: `exit_group(0)                           = ?`.
pub fn format_call(line: &mut Line<'_>, mem: &dyn GuestMemory, pid: Option<u32>, nr: u64, args: &[u64; MAX_ARGS]) {
    format_pid(line, pid);
    format_name(line, nr);
    line.text("(");
    let signature = signature(nr, args);
    let mut printer = Printer { line, mem, args, result: None };
    let mut is_first = true;
    for (arg, value) in known_args(&signature, args) {
        printer.separate(is_first);
        is_first = false;
        if arg.is_shown_twice() {
            printer.argument(arg, value);
        }
        if arg.is_known_after() {
            printer.keep_length(&signature);
            break;
        }
        printer.argument(arg, value);
    }
    if signature.ret == Ret::Never {
        line.begin_result();
        line.text(" = ?");
    }
}

/// Writes what is known only after a call: arguments that it returned, and its result.
///
/// The line of a call that does not come back is left as it is.
pub fn format_result(line: &mut Line<'_>, mem: &dyn GuestMemory, nr: u64, args: &[u64; MAX_ARGS], result: i64) {
    let signature = signature(nr, args);
    if signature.ret == Ret::Never {
        return;
    }
    let mut printer = Printer { line, mem, args, result: Some(result) };
    let mut is_first = true;
    for (arg, value) in known_args(&signature, args).skip_while(|(arg, _)| !arg.is_known_after()) {
        printer.separate(is_first);
        if is_first && arg.is_shown_twice() {
            printer.changed_argument(arg, value);
        } else {
            printer.argument(arg, value);
        }
        is_first = false;
    }
    printer.line.begin_result();
    printer.text(" = ");
    printer.returned(&signature, result);
}

/// Ends a line after [`format_call`] whose call has not come back while another line is to be printed.
pub fn format_unfinished(line: &mut Line<'_>) {
    line.text(" <unfinished ...>");
}

/// Begins the line that continues an unfinished one; [`format_result`] goes on with it.
pub fn format_resumed(line: &mut Line<'_>, pid: Option<u32>, nr: u64) {
    format_pid(line, pid);
    line.text("<... ");
    format_name(line, nr);
    line.text(" resumed>");
}

/// The arguments that are shown, with their values.
fn known_args(signature: &Signature, args: &[u64; MAX_ARGS]) -> impl Iterator<Item = (Arg, u64)> {
    signature
        .args
        .into_iter()
        .zip(*args)
        .take_while(|(arg, _)| *arg != Arg::End)
        .filter(|(arg, _)| *arg != Arg::Ignored)
}
