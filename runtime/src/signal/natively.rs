//! A process goes on natively, in the middle of its program: who traces it is to see the program, not the runtime
//! (ptrace(2)).
//!
//! What the runtime holds is the kernel's and the guest's again: patches, protections, descriptions, signals that wait,
//! actions, the alternate stack, the mask, `gs`. The runtime's memory stays behind, unused.
//!
//! A process that asks to be traced does it before its call (`syscall::process`). One that is attached to is asked by its
//! tracer (`syscall::attach`), who writes to [`REQUEST`] and has a signal of his own arrive.

use super::{action, kept, leave};
use crate::emulate::{self, pipes};
use crate::engine;
use crate::engine::direct::strict;
use crate::gate::allowed;
use crate::gate::facts::{Fact, holds};
use crate::observe::stats;
use crate::process::descriptors::PLACES;
use crate::process::image;
use crate::sys::Fd;
use crate::sys::signal::set_mask;
use crate::sys::types::{SigInfo, sig};
use crate::thread::registry;
use crate::thread::state::ThreadState;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// si_code of the signal that a tracer has arrive.
pub const LEAVE: i32 = -0x6275;
/// The signal: one that is never blocked.
pub const SIGNAL: i32 = sig::SIGSEGV;

/// What a tracer asks for: [`MARK`], and one of the states below.
pub static REQUEST: [AtomicU64; 2] = [AtomicU64::new(MARK), AtomicU64::new(NONE)];

/// Tells a tracer that this is a process of bt-run's.
pub const MARK: u64 = u64::from_le_bytes(*b"bt-leave");
/// Nobody has asked.
pub const NONE: u64 = 0;
/// The process is to leave.
pub const ASKED: u64 = 1;
/// It runs natively with its next return to the guest.
pub const LEFT: u64 = 2;

fn state() -> &'static AtomicU64 {
    let [_, state] = &REQUEST;
    state
}

/// The process cannot do without the runtime.
static IS_BOUND: AtomicBool = AtomicBool::new(false);

/// The runtime keeps something that the kernel cannot.
pub fn bind() {
    IS_BOUND.store(true, Ordering::Relaxed);
}

/// The process has been asked to leave.
#[must_use]
pub fn is_asked() -> bool {
    state().load(Ordering::Relaxed) == ASKED
}

/// The signal is a tracer's request.
#[must_use]
pub fn is_request(info: &SigInfo) -> bool {
    info.code == LEAVE && is_asked()
}

fn can_leave(ts: &ThreadState) -> bool {
    let mut threads = 0;
    registry::for_each(|_| threads += 1);
    let is_bound = IS_BOUND.load(Ordering::Relaxed) || allowed::is_chosen();
    threads == 1 && !is_bound && !ts.shared.is_foreign() && !holds(Fact::Filtered)
}

/// Leaves the runtime for good, if nobody else is in it, and goes on at the guest's `pc` with the guest's registers in the
/// thread state. `mask` is the guest's in the kernel, if the thread's is another one; `reason` is how the figures end.
/// Returns where that cannot be, with nothing changed.
pub fn go_on(ts: &mut ThreadState, pc: u64, mask: Option<u64>, reason: &str) {
    if !can_leave(ts) {
        return;
    }
    let now = set_mask(!0);
    if mask.is_none() && ts.requeued != 0 || !engine::lock().restore_all() {
        set_mask(now);
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
    if let Some(info) = ts.waiting.take() {
        let _ = crate::sys::signal::queue_to_self(info.signo, &info);
    }
    kept::hand_back(ts);
    let mask = mask.unwrap_or(now) | ts.kept_mask();
    action::leave();
    state().store(LEFT, Ordering::Relaxed);
    leave::for_good(ts, pc, mask)
}

/// On the way out of the runtime to `resume`: goes on natively if a tracer has asked for it. `mask` is the guest's in the
/// kernel.
pub fn leave_if_asked(ts: &mut ThreadState, mask: u64) {
    if !is_asked() || ts.in_vdso != 0 || image::contains(ts.resume) {
        return;
    }
    let mut regs = ts.regs;
    regs.rip = ts.resume;
    let _ = engine::lock().recover(ts, &mut regs);
    let before = ts.regs;
    ts.regs = regs;
    go_on(ts, regs.rip, Some(mask), "traced");
    ts.regs = before;
    state().store(NONE, Ordering::Relaxed);
}
