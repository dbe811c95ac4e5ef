//! Calls on a promoted description that the lane's assembly left to Rust.

use super::lane::FileLane;
use super::{READS, burst, dismantle, get, renew, writes};
use crate::calls::route::Operation;
use crate::calls::{self, Mark};
use crate::emulate::call::{Call, Outcome, prepare_outputs};
use crate::emulate::explain::refused;
use crate::sys::Fd;
use core::sync::atomic::Ordering;

/// Makes a read, write or seek of a promoted description by the kernel, if its descriptor has a file's lane.
pub fn answer(call: &mut Call<'_>) -> Option<Outcome> {
    let fd = call.int(0);
    if !get(fd)?.is_current() {
        renew(None);
    }
    let file = get(fd)?;
    file.lane.budget.store(READS, Ordering::Relaxed);
    let is_seek = call.operation() == Some(Operation::Lseek);
    if is_seek && is_seek_to_itself(call) {
        return Some(call.answered(Ok(file.lane.offset.load(Ordering::Relaxed))));
    }
    let is_write = calls::is(call.nr, Mark::Writes);
    if is_write {
        burst::report_others(file);
    }
    file.hand_back_offset(fd);
    prepare_outputs(call);
    let outcome = call.pass();
    file.take_offset(fd);
    if is_write {
        written(file, fd, call.nr);
    } else if !is_seek {
        read(file, fd);
    }
    Some(outcome)
}

/// The kernel has made a write.
fn written(file: &'static FileLane, fd: i32, nr: u32) {
    // The watch tells of it, too.
    file.changed_by_us.store(true, Ordering::Relaxed);
    let is_as_long = Fd(fd).stat().is_ok_and(|stat| stat.size == file.lane.size.load(Ordering::Relaxed));
    if !is_as_long || !file.may_write {
        return dismantle(fd);
    }
    if let Err(reason) = writes::begin(file, fd) {
        refused(nr, fd, reason);
        dismantle(fd);
    }
}

/// The kernel has made a read: those that follow may move no time any more.
fn read(file: &FileLane, fd: i32) {
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
