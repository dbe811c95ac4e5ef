//! When writes of a promoted file are answered in place (runtime/COHERENCE.md, "Writes").

use super::lane::FileLane;
use super::list::{Work, work};
use super::{burst, dismantle_in, get, renew_in};
use crate::emulate::explain::Reason;
use crate::gate::facts::{Fact, holds};

/// A write of this file has just been made by the kernel: those that follow are answered in place, if that can be. `fd` is one of
/// its descriptors.
///
/// # Errors
/// It cannot be: the file is to be given back.
pub(super) fn begin(file: &'static FileLane, fd: i32) -> Result<(), Reason> {
    let work = work();
    if get(fd).is_none_or(|found| !core::ptr::eq(found, file)) {
        return Err(Reason::Watch);
    }
    // It may do so: what is reported later is reported.
    file.touch(fd).map_err(|_| Reason::Rights)?;
    renew_in(&work, None, Some(file));
    if get(fd).is_none_or(|found| !core::ptr::eq(found, file)) {
        return Err(Reason::Watch);
    }
    if !file.is_current() {
        // Something else is being changed just now.
        file.wait_a_little();
        return Ok(());
    }
    burst::join(file, fd)
}

/// A call is about to be passed on: whoever it could tell of a write finds the write's times, and no tick comes while it is made.
/// Files whose bursts did not pay are the kernel's again.
pub fn end() {
    if holds(Fact::WritesHeld) {
        end_in(&work());
    }
}

fn end_in(work: &Work) {
    while let Some(file) = burst::first() {
        let fd = file.burst_fd();
        if !burst::leave(file) {
            dismantle_in(work, fd);
        }
    }
}

/// The program's own timers are in question: there is none of ours.
pub fn without_timer() {
    let work = work();
    end_in(&work);
    burst::delete_timer();
}
