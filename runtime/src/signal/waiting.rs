//! Leaving the runtime with a signal that came while the guest's state was not whole.

use super::host::{arrived, trapped_number};
use super::leave::{Area, context, go};
use super::{action, kept, natively};
use crate::process::filter::{self, Own};
use crate::sys::signal::{queue_to_self, set_mask};
use crate::sys::types::sig;
use crate::thread::held::never_blocked;
use crate::thread::state::ThreadState;

/// Called by `bt_leave` when a signal waits. `resume` and the registers are what the thread continues with: as if the
/// signal came there.
///
/// # Safety
/// Only the gate calls it, with the calling thread's own state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bt_leave_requeued(ts: *mut ThreadState) -> ! {
    // SAFETY: the gate passes the calling thread's own state.
    let ts = unsafe { &mut *ts };
    let mut mask = ts.saved_mask;
    natively::leave_if_asked(ts, mask);
    // A call with a temporary mask: the signals it let through are taken under it, and return to the mask before.
    if let Some(temporary) = ts.temporary_mask.take() {
        ts.mask_to_restore = Some(mask & !never_blocked() | ts.kept_mask());
        ts.set_kept_mask(temporary);
        mask = temporary;
    }
    kept::settle(ts);
    ts.requeued = 0;
    let mut area = Area::new();
    let mut uc = context(ts, ts.resume, 0, mask, &mut area);
    if let Some(info) = ts.waiting.take_if(|info| is_deliverable(info.signo, mask)) {
        if let Some(number) = trapped_number(&info) {
            uc.mc.rax = number;
        }
        arrived(ts, info.signo, &info, &mut uc, false);
    }
    if filter::allows(Own::Mask) {
        set_mask(!0);
    }
    if let Some(info) = ts.waiting.take_if(|_| ts.requeued == 0) {
        // The guest blocks it meanwhile, or has no handler any more.
        let _ = queue_to_self(info.signo, &info);
    }
    kept::queue_unblocked(ts);
    go(&uc)
}

/// The guest has a handler for the signal, and does not block it.
fn is_deliverable(signal: i32, mask: u64) -> bool {
    mask & sig::bit(signal) == 0 && !action::is_default_or_ignored(&action::get(signal))
}
