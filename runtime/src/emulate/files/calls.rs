//! Calls on a promoted description that the lane's assembly left to Rust.

use super::lane::{FileLane, READS};
use super::{burst, dismantle, get, try_renew, writes};
use crate::calls::route::Operation;
use crate::calls::{self, Mark};
use crate::emulate::call::{Call, Outcome, pass, prepare_outputs};
use crate::emulate::explain::refused;
use crate::sys::Fd;
use crate::thread::shared::use_of;
use crate::thread::state::ThreadState;
use core::sync::atomic::Ordering;
use linux_raw_sys::general as k;

/// Makes a read, write or seek of a promoted description by the kernel, if its descriptor has a file's lane.
pub fn answer(call: &mut Call<'_>) -> Option<Outcome> {
    let fd = call.int(0);
    let operation = call.operation();
    let is_write = calls::is(call.nr, Mark::Writes);
    // A write or a seek that the kernel makes needs no knowledge.
    let file = get(fd)?;
    if !file.is_current() && !is_write && operation != Some(Operation::Lseek) {
        try_renew(file);
    }
    if is_write {
        burst::report_others(file);
        // The watch tells of it, too.
        file.changed_by_us.store(true, Ordering::SeqCst);
    }
    let has_place = matches!(operation, Some(Operation::Pread | Operation::Pwrite));
    let (file, outcome) = if has_place {
        let file = get(fd)?;
        prepare_outputs(call);
        (file, call.pass())
    } else {
        at_offset(call, fd)?
    };
    if call.is_answered {
        return Some(outcome);
    }
    if is_write {
        written(file, fd, call.nr);
    } else if operation != Some(Operation::Lseek) {
        read(call.ts, file, fd);
    }
    Some(outcome)
}

/// Makes a call that moves the offset, as the only one. `None`: while this thread waited another one gave the description back.
fn at_offset(call: &mut Call<'_>, fd: i32) -> Option<(&'static FileLane, Outcome)> {
    loop {
        // As long as the lane is there: from now on this thread moves the offset only under its lock.
        call.ts.shared.says(use_of(fd, true));
        let Some(file) = get(fd) else {
            // Said before it is looked for once more, because somebody may be about to give it a lane again.
            call.ts.shared.says(use_of(fd, false));
            get(fd)?;
            continue;
        };
        if !file.has_offset {
            call.ts.shared.says(use_of(fd, false));
            prepare_outputs(call);
            return Some((file, call.pass()));
        }
        let _offset = file.lock_offset();
        if get(fd).is_none_or(|found| !core::ptr::eq(found, file)) {
            continue;
        }
        if call.operation() == Some(Operation::Lseek) && is_seek_to_itself(call) {
            let offset = file.lane.offset.load(Ordering::Relaxed);
            return Some((file, call.answered(Ok(offset))));
        }
        prepare_outputs(call);
        return Some((file, make_at_offset(call, file, fd)));
    }
}

/// Has the kernel make a call that moves the offset, which stays here.
fn make_at_offset(call: &mut Call<'_>, file: &FileLane, fd: i32) -> Outcome {
    let same_at_a_place = match call.operation() {
        Some(Operation::Read) => k::__NR_pread64,
        Some(Operation::Write) => k::__NR_pwrite64,
        _ => {
            file.hand_back_offset(fd);
            let outcome = call.pass();
            file.take_offset(fd);
            return outcome;
        }
    };
    let offset = file.lane.offset.load(Ordering::Relaxed);
    let [descriptor, buffer, length, ..] = call.args;
    let outcome = pass(call.ts, same_at_a_place, &[descriptor, buffer, length, offset, 0, 0]);
    if let Outcome::Done(Ok(transferred)) = outcome {
        file.lane.offset.store(offset + transferred, Ordering::Relaxed);
    }
    outcome
}

/// The kernel has made a write.
fn written(file: &'static FileLane, fd: i32, nr: u32) {
    file.reads_are_free.store(false, Ordering::Relaxed);
    if !file.may_write {
        return dismantle(fd);
    }
    if file.waits() {
        return file.set_code();
    }
    if let Err(reason) = writes::begin(file, fd) {
        refused(nr, fd, reason);
        dismantle(fd);
    }
}

/// The kernel has made a read: those that follow may move no time any more.
fn read(ts: &mut ThreadState, file: &FileLane, fd: i32) {
    file.lane.budget.store(READS, Ordering::Relaxed);
    ts.lane_budget = u64::from(READS);
    file.real_reads.fetch_add(1, Ordering::Relaxed);
    let is_known = file.reads_are_free.load(Ordering::Relaxed) || file.bursts.load(Ordering::Relaxed);
    if !is_known && file.is_current() && Fd(fd).stat().is_ok_and(|stat| file.are_reads_free(&stat)) {
        file.reads_are_free.store(true, Ordering::Relaxed);
        file.set_code();
    }
}

/// lseek(fd, 0, SEEK_CUR) while the lane's assembly does not answer.
fn is_seek_to_itself(call: &Call<'_>) -> bool {
    /// SEEK_CUR (lseek(2)).
    const CURRENT: i32 = 1;
    call.arg(1) == 0 && call.int(2) == CURRENT
}
