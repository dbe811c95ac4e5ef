//! Calls that take paths: those that end at the process's own `exe` link are led to the program's file ([`own_exe`]);
//! what is opened is noted.

use super::own_exe::{self, Led, Path};
use crate::calls::{self, Link, Mark, Row};
use crate::emulate::call::{Call, Outcome, prepare_outputs};
use crate::emulate::descriptors::{self, Origin};
use crate::emulate::{self, fdinfo, files, names, pipes};
use crate::gate::routes::note_own_descriptors;
use crate::mem::guest;
use crate::process::descriptors::make_room;
use crate::sys::{Errno, Fd};
use linux_raw_sys::general as k;

/// A call that has no handler of its own: passed on, led where its paths have to be.
#[inline(always)]
pub fn pass_on(call: &mut Call<'_>) -> Outcome {
    prepare_outputs(call);
    led(call).unwrap_or(Outcome::Tail)
}

/// open(2), openat(2), openat2(2).
pub fn open(call: &mut Call<'_>) -> Outcome {
    let outcome = make_open(call);
    note_open(call, outcome)
}

/// inotify_add_watch(2): where what the kernel allows is used up, ours is given back.
pub fn watch(call: &mut Call<'_>) -> Outcome {
    let outcome = make_open(call);
    if outcome != Outcome::Done(Err(Errno::ENOSPC)) || call.ts.shared.is_foreign() || !emulate::watch::exists() {
        return outcome;
    }
    emulate::leave();
    make_open(call)
}

#[inline(always)]
fn make_open(call: &mut Call<'_>) -> Outcome {
    prepare_outputs(call);
    match led(call) {
        Some(outcome) => outcome,
        None => call.pass(),
    }
}

/// The call, if one of its paths names the process's own `exe` link, made with the program's file for it.
#[inline(always)]
fn led(call: &mut Call<'_>) -> Option<Outcome> {
    if !calls::traits(u64::from(call.nr))?.may_follow() {
        return None;
    }
    let row = calls::row(u64::from(call.nr))?;
    if row.links().any(|link| own_exe::ends_in_name(call.arg(link.arg()))) { make_led(call, row) } else { None }
}

#[cold]
fn make_led(call: &mut Call<'_>, row: &Row) -> Option<Outcome> {
    let mut paths = [Path::empty(), Path::empty()];
    let mut args = call.args;
    let mut any = None;
    for (link, path) in row.links().zip(&mut paths) {
        let at = link.arg();
        if let Some(follows) = follows(call, link)
            && own_exe::ends_in_name(call.arg(at))
            && path.read(call.arg(at)).is_some()
            && let Some(led) = own_exe::lead(directory(call, row, at), path, follows)
        {
            if led == Led::ToName && link.is_read() {
                return Some(Outcome::Done(own_exe::tell(path, call.arg(at + 1), call.int(at + 2))));
            }
            any = Some(led);
            if let Some(arg) = args.get_mut(at) {
                *arg = path.as_c_str().as_ptr() as u64;
            }
        }
    }
    any.map(|_| call.pass_with(&args))
}

/// What the path in argument `at` is relative to.
fn directory(call: &Call<'_>, row: &Row, at: usize) -> Fd {
    row.directory_arg(at).map_or(Fd::CWD, |dir| Fd(call.int(dir)))
}

/// Whether the call goes on where a link at the path's end leads. `None`: the link is neither followed nor read, or the
/// kernel is to refuse what the call does.
fn follows(call: &Call<'_>, link: Link) -> Option<bool> {
    let flags = match call.nr {
        k::__NR_open => call.arg(1),
        k::__NR_openat => call.arg(2),
        k::__NR_openat2 => flags_of_how(call.arg(2))?,
        _ => 0,
    };
    // With O_PATH the link itself is opened; it is read by its descriptor.
    link.is_followed(&call.args).then_some(!link.is_read() && flags & u64::from(k::O_NOFOLLOW) == 0)
}

/// openat2(2), `struct open_how`: flags of an open that does not write and forbids nothing about links. What it forbids
/// the kernel is to find in the guest's own path.
fn flags_of_how(how: u64) -> Option<u64> {
    const TO_WRITE: u64 = (k::O_WRONLY | k::O_RDWR | k::O_TRUNC) as u64;
    let [flags, _, resolve] = guest::read::<[u64; 3]>(how)?;
    (flags & TO_WRITE == 0 && resolve & !u64::from(k::RESOLVE_CACHED) == 0).then_some(flags)
}

/// A descriptor that this process has opened leads to a description of its own.
fn note_open(call: &Call<'_>, outcome: Outcome) -> Outcome {
    if let Outcome::Done(result) = outcome
        && !call.ts.shared.is_foreign()
    {
        names::opened(result);
    }
    if let Outcome::Done(Ok(fd)) = outcome
        && calls::is(call.nr, Mark::Opens)
        && !call.ts.shared.is_foreign()
    {
        descriptors::opened(fd, Origin::File);
        let Ok(fd) = i32::try_from(fd) else { return outcome };
        if files::any()
            && let Some(shown) = fdinfo::shown_by(fd)
        {
            files::dismantle(shown);
        }
        if is_event_control(call, fd) {
            pipes::event::leave_to_kernel();
        }
        if make_room(fd) {
            note_own_descriptors();
        }
    }
    outcome
}

/// What was opened as `fd` gives eventfds to a control group to hold (Documentation/admin-guide/cgroup-v1/cgroups.rst,
/// 2.4, "Notification API"): nothing shows which.
fn is_event_control(call: &Call<'_>, fd: i32) -> bool {
    const NAME: &[u8] = b"/cgroup.event_control";
    let is_name = |at: usize| own_exe::last_bytes(call.arg(at)) == Some(*b"trol");
    let Some(row) = calls::row(u64::from(call.nr)) else { return false };
    let mut path = [0u8; 512];
    row.links().any(|link| is_name(link.arg()))
        && descriptors::file_system(fd) == u64::from(k::CGROUP_SUPER_MAGIC)
        && Fd(fd).target(&mut path).ends_with(NAME)
}
