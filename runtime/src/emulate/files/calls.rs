//! Calls on a promoted description that the lane's assembly left to Rust.

use super::{READS, dismantle, get};
use crate::calls::route::Operation;
use crate::calls::{self, Mark};
use crate::emulate::call::{Call, Outcome, prepare_outputs};
use crate::emulate::keeper;
use crate::gate::lane::{REVOKED, TOUCH};
use crate::sys::Fd;
use core::sync::atomic::Ordering;

/// Makes a read, write or seek of a promoted description by the kernel, if its descriptor has a file's lane.
pub fn answer(call: &mut Call<'_>) -> Option<Outcome> {
    let fd = call.int(0);
    if get(fd)?.lane.state.load(Ordering::SeqCst) & REVOKED != 0 {
        dismantle(fd);
        return None;
    }
    if !get(fd)?.is_current() {
        super::renew(None);
    }
    let file = get(fd)?;
    file.lane.budget.store(READS, Ordering::Relaxed);
    let is_seek = call.operation() == Some(Operation::Lseek);
    if is_seek && is_seek_to_itself(call) {
        return Some(call.answered(Ok(file.lane.offset.load(Ordering::Relaxed))));
    }
    file.hand_back_offset(fd);
    prepare_outputs(call);
    let outcome = call.pass();
    file.take_offset(fd);
    let writes = calls::is(call.nr, Mark::Writes);
    if writes && file.watch.is_some() {
        // It was told of the change itself.
        dismantle(fd);
    } else if writes && Fd(fd).stat().ok().is_none_or(|stat| stat.size != file.lane.size.load(Ordering::Relaxed)) {
        dismantle(fd);
    } else if file.lane.state.load(Ordering::Relaxed) & TOUCH != 0 && !is_seek {
        // This access was the first of a burst.
        file.lane.state.fetch_and(!TOUCH, Ordering::SeqCst);
        keeper::stir(core::ptr::from_ref(file).cast_mut());
    }
    Some(outcome)
}

/// lseek(fd, 0, SEEK_CUR) while the lane's assembly does not answer, for instance because it is idle.
fn is_seek_to_itself(call: &Call<'_>) -> bool {
    /// SEEK_CUR (lseek(2)).
    const CURRENT: i32 = 1;
    call.arg(1) == 0 && call.int(2) == CURRENT
}
