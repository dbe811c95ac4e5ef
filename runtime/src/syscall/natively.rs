//! A process goes on natively, in the middle of its program: who traces it is to see the program, not the runtime
//! (ptrace(2)).
//!
//! The guest is about to execute its `syscall` again, which the kernel then finds there. What the runtime holds is the
//! kernel's and the guest's again: patches, protections, descriptions, signals that wait, actions, the alternate stack,
//! the mask, `gs`. The runtime's memory stays behind, unused.

use crate::emulate::call::Call;
use crate::emulate::{self, pipes};
use crate::engine;
use crate::engine::direct::strict;
use crate::gate::allowed;
use crate::gate::facts::{Fact, holds};
use crate::observe::stats;
use crate::process::descriptors::PLACES;
use crate::signal::{action, kept, leave};
use crate::sys::Fd;
use crate::sys::signal::set_mask;
use crate::syscall::memory;
use crate::thread::registry;
use core::sync::atomic::Ordering;

/// Bytes of `syscall`.
const SYSCALL_BYTES: u64 = 2;

/// Leaves the runtime for good, if nobody else is in it, and has the guest make the call itself; `reason` is how the
/// figures end. Returns where that cannot be, with nothing changed.
pub fn go_on(call: &mut Call<'_>, reason: &str) {
    if call.ts.shared.is_foreign()
        || holds(Fact::Filtered)
        || allowed::is_chosen()
        || memory::has_own_brk()
        || threads() != 1
    {
        return;
    }
    let mask = set_mask(!0);
    if call.ts.requeued != 0 || !engine::lock().restore_all() {
        set_mask(mask);
        return;
    }
    pipes::hand_back_all();
    emulate::leave();
    stats::finish(reason);
    strict::disarm();
    for place in PLACES {
        let fd = place.swap(-1, Ordering::Relaxed);
        if fd >= 0 {
            Fd(fd).close();
        }
    }
    kept::hand_back(call.ts);
    let mask = mask | call.ts.kept_mask();
    action::leave();
    let pc = call.ts.regs.rip - SYSCALL_BYTES;
    leave::for_good(call.ts, pc, mask)
}

/// Threads of the process.
fn threads() -> usize {
    let mut threads = 0;
    registry::for_each(|_| threads += 1);
    threads
}
