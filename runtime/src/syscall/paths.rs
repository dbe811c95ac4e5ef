//! `/proc/self/exe`: the guest sees its own program, not bt-run.

use crate::calls::{self, Mark};
use crate::emulate::call::{Call, Outcome, prepare_outputs};
use crate::emulate::descriptors::{self, Origin};
use crate::emulate::files;
use crate::gate::routes::note_own_descriptors;
use crate::mem::guest;
use crate::process::EXE_FD;
use crate::process::descriptors::make_room;
use crate::report::Text;
use crate::sys::fd::FdLink;
use crate::sys::{Errno, Fd, process};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write;
use core::sync::atomic::{AtomicPtr, Ordering};
use linux_raw_sys::general as k;

/// The path at `addr` names our own executable link: `/proc/self/exe`, `/proc/thread-self/exe`, `/proc/PID/exe` of this
/// process.
#[must_use]
pub fn names_own_exe(addr: u64) -> bool {
    let mut buf = [0u8; 64];
    let Some(Ok(path)) = guest::read_cstr(addr, &mut buf) else { return false };
    let Some(rest) = path.strip_prefix(b"/proc/") else { return false };
    let Some(who) = rest.strip_suffix(b"/exe") else { return false };
    match who {
        b"self" | b"thread-self" => true,
        digits => {
            let mut pid = 0u32;
            for d in digits {
                if !d.is_ascii_digit() {
                    return false;
                }
                pid = pid.wrapping_mul(10).wrapping_add(u32::from(d - b'0'));
            }
            !digits.is_empty() && pid == process::getpid()
        }
    }
}

/// `exe`, relative to a descriptor of this process's directory in /proc.
fn is_exe_in_own_proc(dir: u64, path: u64) -> bool {
    let mut buf = [0u8; 5];
    if !matches!(guest::read_cstr(path, &mut buf), Some(Ok(b"exe"))) {
        return false;
    }
    let mut buf = [0u8; 32];
    #[expect(clippy::cast_possible_truncation, reason = "the kernel reads edi")]
    let directory = Fd((dir as u32).cast_signed()).target(&mut buf);
    let mut own = Text::default();
    let _ = write!(own, "/proc/{}", process::getpid());
    directory == own.as_bytes()
}

/// The link of the guest's program file.
#[must_use]
pub fn exe_link() -> FdLink {
    Fd(EXE_FD.load(Ordering::Relaxed)).link()
}

/// The program's path, where its descriptor had to give way; NUL-terminated. Never freed: other threads may be reading
/// it.
static EXE_NAME: AtomicPtr<Vec<u8>> = AtomicPtr::new(core::ptr::null_mut());

fn exe_name() -> Option<&'static [u8]> {
    let name = EXE_NAME.load(Ordering::Acquire);
    // SAFETY: leaked by `keep_exe_name`, never changed.
    if name.is_null() { None } else { Some(unsafe { &*name }) }
}

/// The descriptor of the program's file is about to be lost: its name will do.
pub fn keep_exe_name() {
    let mut name = vec![0u8; k::PATH_MAX as usize];
    let len = Fd(EXE_FD.load(Ordering::Relaxed)).target(&mut name).len();
    if len == 0 {
        return;
    }
    name.truncate(len);
    name.push(0);
    EXE_NAME.store(Box::into_raw(Box::new(name)), Ordering::Release);
}

/// The call for the program's file by its name.
fn by_name(call: &mut Call<'_>, path_arg: usize, name: &'static [u8]) -> Outcome {
    if matches!(call.nr, k::__NR_readlink | k::__NR_readlinkat) {
        let (to, size) = (call.arg(path_arg + 1), usize::try_from(call.int(path_arg + 2)).unwrap_or(0));
        let told = name.get(..(name.len() - 1).min(size)).unwrap_or(&[]);
        if size == 0 {
            return Outcome::Done(Err(Errno::EINVAL));
        }
        return Outcome::Done(if guest::write_bytes(to, told) == told.len() {
            Ok(told.len() as u64)
        } else {
            Err(Errno::EFAULT)
        });
    }
    let mut args = call.args;
    if let Some(arg) = args.get_mut(path_arg) {
        *arg = name.as_ptr() as u64;
    }
    call.pass_with(&args)
}

#[inline(always)]
fn own_exe_or_pass(call: &mut Call<'_>, path_arg: usize) -> Outcome {
    prepare_outputs(call);
    if !may_name_exe(call.arg(path_arg)) {
        return if calls::is(call.nr, Mark::Opens) { call.pass() } else { Outcome::Tail };
    }
    let by_directory = path_arg == 1 && is_exe_in_own_proc(call.arg(0), call.arg(1));
    if EXE_FD.load(Ordering::Relaxed) >= 0 && (by_directory || names_own_exe(call.arg(path_arg))) {
        let link = exe_link();
        let mut args = call.args;
        if let Some(arg) = args.get_mut(path_arg) {
            *arg = link.path().as_ptr() as u64;
        }
        return call.pass_with(&args);
    }
    if let Some(name) = exe_name().filter(|_| by_directory || names_own_exe(call.arg(path_arg))) {
        return by_name(call, path_arg, name);
    }
    if calls::is(call.nr, Mark::Opens) { call.pass() } else { Outcome::Tail }
}

/// A path that begins in another way cannot be the link; most do.
fn may_name_exe(path: u64) -> bool {
    guest::read::<[u8; 4]>(path).is_none_or(|start| start == *b"/pro" || start == *b"exe\0")
}

/// readlink(2).
pub fn readlink(call: &mut Call<'_>) -> Outcome {
    own_exe_or_pass(call, 0)
}

/// readlinkat(2).
pub fn readlinkat(call: &mut Call<'_>) -> Outcome {
    own_exe_or_pass(call, 1)
}

/// Calls whose first argument is a path: open(2), stat(2), access(2).
pub fn first_path(call: &mut Call<'_>) -> Outcome {
    let outcome = own_exe_or_pass(call, 0);
    let outcome = again_without_leases(call, 0, outcome);
    note_open(call, outcome)
}

/// Calls whose second argument is a path: openat(2), openat2(2), statx(2), newfstatat(2), faccessat(2).
pub fn second_path(call: &mut Call<'_>) -> Outcome {
    let outcome = own_exe_or_pass(call, 1);
    let outcome = again_without_leases(call, 1, outcome);
    note_open(call, outcome)
}

/// An open with O_NONBLOCK does not wait for a lease of ours to be given up (fcntl(2), "Leases").
fn again_without_leases(call: &mut Call<'_>, path_arg: usize, outcome: Outcome) -> Outcome {
    if outcome != Outcome::Done(Err(Errno::EAGAIN)) || call.ts.shared.is_foreign() || !files::any() {
        return outcome;
    }
    files::dismantle_all();
    own_exe_or_pass(call, path_arg)
}

/// A descriptor that this process has opened leads to a description of its own.
fn note_open(call: &Call<'_>, outcome: Outcome) -> Outcome {
    if let Outcome::Done(Ok(fd)) = outcome
        && calls::is(call.nr, Mark::Opens)
        && !call.ts.shared.is_foreign()
    {
        descriptors::opened(fd, Origin::File);
        if i32::try_from(fd).is_ok_and(make_room) {
            note_own_descriptors();
        }
    }
    outcome
}
