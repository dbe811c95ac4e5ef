//! Calls about descriptors: those of the runtime must neither be seen nor be lost, and what is known of the guest's is
//! followed.

use super::own_exe::{keep_exe_name, runtime_file};
use crate::emulate;
use crate::emulate::call::{Call, Outcome, prepare_outputs};
use crate::emulate::descriptors::Origin;
use crate::emulate::follow;
use crate::emulate::{descriptors as known, files, watch};
use crate::gate::filters::keeps_descriptors;
use crate::gate::routes::note_own_descriptors;
use crate::mem::guest;
use crate::process::descriptors::{PLACES, follow_limit, hidden, inside, is_hidden, move_up};
use crate::process::{EXE_FD, INOTIFY_FD, MOUNTS_ASKED_FD, MOUNTS_FD, RING0_FD, SELF_FD, TRACE_FD, WATCH_FD};
use crate::report::{Text, say};
use crate::sys;
use crate::sys::{Errno, Fd};
use core::fmt::Write;
use core::sync::atomic::{AtomicI32, Ordering};
use linux_raw_sys::general as k;
/// Flag of close_range(2) (include/uapi/linux/close_range.h).
const CLOSE_RANGE_CLOEXEC: u32 = 1 << 2;

/// close(2).
pub fn close(call: &mut Call<'_>) -> Outcome {
    if is_hidden(call.int(0)) {
        return Outcome::Done(Err(Errno::EBADF));
    }
    if !call.ts.shared.is_foreign() {
        follow::forget(call.int(0), call.int(0));
    }
    Outcome::Tail
}

/// close_range(2): around ours.
pub fn close_range(call: &mut Call<'_>) -> Outcome {
    let (first, last) = (call.int(0).cast_unsigned(), call.int(1).cast_unsigned());
    if first > last {
        return call.pass();
    }
    if !call.ts.shared.is_foreign() && call.arg(2) & u64::from(CLOSE_RANGE_CLOEXEC) == 0 {
        follow::forget(i32::try_from(first).unwrap_or(i32::MAX), i32::try_from(last).unwrap_or(i32::MAX));
    }
    let mut from = u64::from(first);
    for fd in hidden() {
        let Ok(fd) = u32::try_from(fd) else { continue };
        let fd = u64::from(fd);
        if from <= fd && fd <= u64::from(last) {
            if from < fd {
                let outcome = call.pass_with(&[from, fd - 1, call.arg(2), 0, 0, 0]);
                if !matches!(outcome, Outcome::Done(Ok(0))) {
                    return outcome;
                }
            }
            from = fd + 1;
        }
    }
    if from > u64::from(last) {
        return Outcome::Done(Ok(0));
    }
    call.pass_with(&[from, u64::from(last), call.arg(2), 0, 0, 0])
}

/// dup2(2), dup3(2): where the guest wants one of our numbers, ours moves.
pub fn dup2(call: &mut Call<'_>) -> Outcome {
    if is_hidden(call.int(0)) {
        return Outcome::Done(Err(Errno::EBADF));
    }
    let target = call.int(1);
    if is_hidden(target) {
        for place in PLACES.into_iter().filter(|place| place.load(Ordering::Relaxed) == target) {
            match move_up(target) {
                Some(moved) => place.store(moved, Ordering::Relaxed),
                None => give_way(place),
            }
            note_own_descriptors();
        }
    }
    // A call that fails costs what was known, no more.
    let is_ours = !call.ts.shared.is_foreign();
    if is_ours {
        follow::replaced(call.int(0), target);
    }
    let outcome = call.pass();
    if is_ours && let Outcome::Done(Ok(new)) = outcome {
        follow::duplicated(call.int(0), new);
    }
    outcome
}

/// The guest takes the number, and no other is free: ours goes.
fn give_way(place: &'static AtomicI32) {
    if core::ptr::eq(place, &raw const EXE_FD) {
        keep_exe_name();
    }
    if core::ptr::eq(place, &raw const SELF_FD) {
        // The own `exe` link is told by it, and it is opened anew when a program is started.
        let _ = runtime_file();
    }
    if core::ptr::eq(place, &raw const TRACE_FD) {
        say(format_args!("the program uses every descriptor: the trace ends"));
    }
    let of_emulation = [&INOTIFY_FD, &WATCH_FD, &MOUNTS_FD, &MOUNTS_ASKED_FD];
    if of_emulation.into_iter().any(|one| core::ptr::eq(one, place)) {
        emulate::leave();
    }
    place.store(-1, Ordering::Relaxed);
}

/// The guest finds no number free, and one of ours is below its limit, which cannot be raised: that is closed, if it can
/// be done without. Returns whether one was.
pub fn give_one_way() -> bool {
    let is_one_of = |place: &AtomicI32, those: [&AtomicI32; 2]| those.iter().any(|&one| core::ptr::eq(one, place));
    let can_go = |place: &&AtomicI32| !is_one_of(place, [&TRACE_FD, &RING0_FD]);
    // The lowest, as the kernel would give it.
    let lowest = inside().filter(can_go).min_by_key(|place| place.load(Ordering::Relaxed));
    let Some(place) = lowest else { return false };
    let fd = Fd(place.load(Ordering::Relaxed));
    give_way(place);
    // Others are closed with what they are for.
    if is_one_of(place, [&EXE_FD, &SELF_FD]) {
        fd.close();
    }
    true
}

/// dup(2).
pub fn dup(call: &mut Call<'_>) -> Outcome {
    if is_hidden(call.int(0)) {
        return Outcome::Done(Err(Errno::EBADF));
    }
    if !call.ts.shared.is_foreign() {
        follow::unfollow(call.int(0));
    }
    let outcome = call.pass();
    if !call.ts.shared.is_foreign()
        && let Outcome::Done(Ok(new)) = outcome
    {
        follow::duplicated(call.int(0), new);
    }
    outcome
}

/// fcntl(2): duplicates are followed; what asks or changes more than flags of the descriptor, or locks, finds the
/// description as the kernel knows it.
pub fn fcntl(call: &mut Call<'_>) -> Outcome {
    prepare_outputs(call);
    if call.ts.shared.is_foreign() {
        return Outcome::Tail;
    }
    match call.int(1).cast_unsigned() {
        k::F_DUPFD | k::F_DUPFD_CLOEXEC => {
            follow::unfollow(call.int(0));
            let outcome = call.pass();
            if let Outcome::Done(Ok(new)) = outcome {
                follow::duplicated(call.int(0), new);
            }
            outcome
        }
        k::F_GETFD | k::F_SETFD | k::F_GETFL | k::F_GETOWN | k::F_SETOWN | k::F_SETLEASE | k::F_GETLEASE => {
            Outcome::Tail
        }
        k::F_GETLK | k::F_SETLK | k::F_SETLKW | k::F_OFD_GETLK | k::F_OFD_SETLK | k::F_OFD_SETLKW => {
            if let Some(file) = files::get(call.int(0))
                && is_told_from_offset(call.arg(2))
            {
                let _offset = file.lock_offset();
                file.hand_back_offset(call.int(0));
            }
            Outcome::Tail
        }
        _ => {
            files::dismantle(call.int(0));
            Outcome::Tail
        }
    }
}

/// The place of the lock at `address` is counted from the description's offset (fcntl(2): l_whence is the second field of
/// `struct flock`).
fn is_told_from_offset(address: u64) -> bool {
    /// SEEK_CUR (lseek(2)).
    const CURRENT: [u8; 2] = 1i16.to_ne_bytes();
    guest::read::<[u8; 2]>(address.wrapping_add(2)).is_none_or(|whence| whence == CURRENT)
}

/// pipe(2), pipe2(2): both ends are ours.
pub fn pipe(call: &mut Call<'_>) -> Outcome {
    prepare_outputs(call);
    let outcome = call.pass();
    if outcome == Outcome::Done(Ok(0))
        && !call.ts.shared.is_foreign()
        && let Some(ends) = guest::read::<[u32; 2]>(call.arg(0))
    {
        for end in ends {
            known::opened(u64::from(end), Origin::Pipe);
        }
    }
    outcome
}

/// eventfd(2), eventfd2(2), whose argument with flags is `flags_arg`.
pub fn eventfd(call: &mut Call<'_>, flags_arg: Option<usize>) -> Outcome {
    /// EFD_SEMAPHORE (eventfd(2)).
    const SEMAPHORE: u64 = 1;
    let outcome = call.pass();
    let is_semaphore = flags_arg.is_some_and(|at| call.arg(at) & SEMAPHORE != 0);
    if let Outcome::Done(Ok(fd)) = outcome
        && !call.ts.shared.is_foreign()
    {
        known::opened(fd, if is_semaphore { Origin::Semaphore } else { Origin::Event });
    }
    outcome
}

/// epoll_ctl(2): a pipe or eventfd that is waited for this way stays the kernel's.
pub fn epoll_ctl(call: &mut Call<'_>) -> Outcome {
    let fd = call.int(2);
    if !call.ts.shared.is_foreign()
        && matches!(known::origin(fd), Some(Origin::Pipe | Origin::Event | Origin::Semaphore))
    {
        known::disown(fd);
    }
    Outcome::Tail
}

/// io_submit(2): the kernel will write to eventfds that requests name, and holds what they are about.
pub fn submit(call: &mut Call<'_>) -> Outcome {
    if !call.ts.shared.is_foreign() {
        known::share_all();
    }
    prepare_outputs(call);
    Outcome::Tail
}

/// inotify_init(2), inotify_init1(2), io_setup(2): where what the kernel allows is used up, ours is given back.
pub fn instance(call: &mut Call<'_>) -> Outcome {
    prepare_outputs(call);
    let outcome = call.pass();
    let is_used_up = matches!(outcome, Outcome::Done(Err(Errno::EMFILE | Errno::EAGAIN)));
    if is_used_up && watch::exists() && !call.ts.shared.is_foreign() {
        emulate::leave();
        return call.pass();
    }
    outcome
}

/// ioctl(2): devices may be given descriptors to hold (KVM_IRQFD, VHOST_SET_VRING_KICK …).
pub fn ioctl(call: &mut Call<'_>) -> Outcome {
    if !call.ts.shared.is_foreign() && !keeps_descriptors(call.int(1).cast_unsigned()) {
        known::share_all();
    }
    prepare_outputs(call);
    Outcome::Tail
}

/// io_uring_setup(2), io_uring_enter(2): a ring can close and install descriptors.
pub fn io_uring(call: &mut Call<'_>) -> Outcome {
    follow::give_up();
    prepare_outputs(call);
    call.pass()
}

/// pidfd_getfd(2): the descriptor may be one of our own.
pub fn get_from_process(call: &mut Call<'_>) -> Outcome {
    if !call.ts.shared.is_foreign() {
        files::dismantle_all();
        known::share_all();
    }
    call.pass()
}

/// sendmsg(2), sendmmsg(2), whose argument with the number of messages is `count_arg`: descriptors may be among what is
/// sent.
pub fn send(call: &mut Call<'_>, count_arg: Option<usize>) -> Outcome {
    // msg_controllen (recvmsg(2)) lies at byte 40 of a message.
    let count = count_arg.map_or(1, |at| call.arg(at).min(1024));
    let with_control = (0..count).any(|n| guest::read::<u64>(call.arg(1) + n * 64 + 40) != Some(0));
    if with_control && !call.ts.shared.is_foreign() {
        files::dismantle_all();
        known::share_all();
    }
    prepare_outputs(call);
    Outcome::Tail
}

/// setrlimit(2), prlimit64(2): when the guest may have more descriptors ours make room.
pub fn limit(call: &mut Call<'_>, resource_arg: usize) -> Outcome {
    prepare_outputs(call);
    let resource = call.int(resource_arg);
    if resource.cast_unsigned() == k::RLIMIT_FSIZE && !call.ts.shared.is_foreign() {
        files::dismantle_all();
    }
    let outcome = call.pass();
    if outcome == Outcome::Done(Ok(0)) && resource.cast_unsigned() == k::RLIMIT_NOFILE && !call.ts.shared.is_foreign() {
        follow_limit();
        note_own_descriptors();
    }
    outcome
}

/// getdents(2), getdents64(2): our descriptors do not show in the process's own /proc/PID/fd. `name_at` is the offset
/// of d_name in an entry, in bytes: the old structure has no d_type before it.
pub fn getdents(call: &mut Call<'_>, name_at: u64) -> Outcome {
    loop {
        prepare_outputs(call);
        let outcome = call.pass();
        let Outcome::Done(Ok(len)) = outcome else { return outcome };
        let kept = without_hidden(call, len, name_at);
        // Nothing left is not the end of the directory.
        if kept != 0 || len == 0 {
            return Outcome::Done(Ok(kept));
        }
    }
}

/// Takes our entries out of the guest's buffer; returns what is left, in bytes.
fn without_hidden(call: &Call<'_>, len: u64, name_at: u64) -> u64 {
    let buf = call.arg(1);
    let (mut from, mut to, mut checked) = (0, 0, false);
    while from < len {
        let Some([low, high]) = guest::read::<[u8; 2]>(buf + from + 16) else { return len };
        let entry_len = u64::from(u16::from_le_bytes([low, high]));
        if entry_len == 0 {
            return len;
        }
        let mut name = [0u8; 12];
        let number = match guest::read_cstr(buf + from + name_at, &mut name) {
            Some(Ok(name)) => core::str::from_utf8(name).ok().and_then(|n| n.parse::<i32>().ok()),
            _ => None,
        };
        let hide = number.is_some_and(is_hidden);
        if hide && !checked {
            if !is_own_fd_directory(call.int(0)) {
                return len;
            }
            checked = true;
        }
        if !hide {
            if from != to {
                let mut entry = [0u8; 512];
                let Some(bytes) = entry.get_mut(..usize::try_from(entry_len).unwrap_or(0)) else { return len };
                guest::read_bytes(buf + from, bytes);
                guest::write_bytes(buf + to, bytes);
            }
            to += entry_len;
        }
        from += entry_len;
    }
    to
}

/// The open directory is this process's fd or fdinfo directory.
fn is_own_fd_directory(fd: i32) -> bool {
    let mut buf = [0u8; 64];
    let path = Fd(fd).target(&mut buf);
    let mut own = Text::default();
    let _ = write!(own, "/proc/{}/", sys::process::getpid());
    path.strip_prefix(own.as_bytes())
        .is_some_and(|rest| matches!(rest.rsplit(|&b| b == b'/').next(), Some(b"fd" | b"fdinfo")))
}
