//! Signals that the guest blocks and the kernel does not (SIGNALS.md, "Kept signals").

use super::ALL_BUT_FAULTS;
use crate::gate::facts::{Fact, holds};
use crate::gate::routes::learn;
use crate::sys::signal::{self, queue_to_self, queue_to_thread, set_mask};
use crate::sys::types::{SigInfo, UContext, sig};
use crate::thread::held::{self, OF_PROCESS, SIGNALS};
use crate::thread::registry;
use crate::thread::state::ThreadState;
use core::sync::atomic::Ordering;

/// si_code of kill(2) and of tgkill(2) (sigaction(2)).
const SI_USER: i32 = 0;
const SI_TKILL: i32 = -6;
/// si_code of a signal whose own siginfo is in [`OF_PROCESS`].
const ENVELOPE: i32 = -0x6274;

/// Signals that are held for the thread, or that it could take of the process's.
fn pending(ts: &ThreadState) -> u64 {
    let of_process = if ts.shared.is_foreign() { 0 } else { OF_PROCESS.mask() };
    ts.shared.held.mask() | of_process
}

/// Puts what the thread's guest does not block into the kernel's queue. All signals must be blocked.
pub fn queue_unblocked(ts: &ThreadState) {
    let unblocked = pending(ts) & !ts.kept_mask();
    for signal in SIGNALS.into_iter().filter(|&signal| unblocked & sig::bit(signal) != 0) {
        if let Some(info) = ts.shared.held.take(signal) {
            let _ = queue_to_self(signal, &info);
        }
        if !ts.shared.is_foreign()
            && let Some(info) = OF_PROCESS.take(signal)
        {
            let _ = queue_to_self(signal, &info);
        }
    }
}

/// After the guest's mask has changed: the thread leaves the runtime with what is not blocked any more. Returns whether
/// there is such a signal.
pub fn take_unblocked(ts: &mut ThreadState) -> bool {
    let found = pending(ts) & !ts.kept_mask() != 0;
    if found && ts.requeued == 0 {
        ts.saved_mask = set_mask(ALL_BUT_FAULTS);
        ts.requeued = 1;
    }
    found
}

/// Finds the right place for each signal that the thread holds and blocks: a thread that takes it, if it was sent to the
/// process; and has calls show the kernel what is held. No lock may be held.
pub fn settle(ts: &ThreadState) {
    let blocked = ts.shared.held.mask() & ts.kept_mask();
    if blocked != 0 && !ts.shared.is_foreign() {
        for signal in SIGNALS.into_iter().filter(|&signal| blocked & sig::bit(signal) != 0) {
            if let Some(info) = ts.shared.held.take(signal) {
                place(ts, signal, &info);
            }
        }
    }
    if blocked != 0 || holds(Fact::SignalsHeld) {
        let mut any = OF_PROCESS.mask() != 0;
        registry::for_each(|thread| any |= thread.held.mask() != 0);
        learn(Fact::SignalsHeld, any);
    }
}

/// As the kernel chooses (kernel/signal.c, `complete_signal`): what was sent to the process goes to any thread that does
/// not block it. Nobody but its sender can tell a kill(2) anew, so such a thread gets it in an envelope.
fn place(ts: &ThreadState, signal: i32, info: &SigInfo) {
    if info.code == SI_TKILL || info.code > SI_USER {
        return ts.shared.held.put(signal, info);
    }
    let mut taker = None;
    registry::for_each(|thread| {
        if !thread.is_foreign() && thread.kept_mask() & sig::bit(signal) == 0 {
            taker = Some(thread.tid.load(Ordering::Relaxed));
        }
    });
    OF_PROCESS.put(signal, info);
    if let Some(tid) = taker {
        let envelope = SigInfo { code: ENVELOPE, ..*info };
        let _ = queue_to_thread(ts.pid, tid, signal, &envelope);
    }
}

/// What a signal is that has arrived: itself, or what its envelope stands for, if no other thread has taken that.
pub fn opened(ts: &ThreadState, signal: i32, info: &SigInfo) -> Option<SigInfo> {
    if info.code == ENVELOPE && !ts.shared.is_foreign() { OF_PROCESS.take(signal) } else { Some(*info) }
}

/// A signal comes while the host handler runs, or after its end: what that leads to is in the handler's own context.
pub fn arrived_in_handler(ts: &mut ThreadState, signal: i32, info: &SigInfo, uc: &mut UContext) {
    ts.shared.held.put(signal, info);
    if !ts.host_handler.is_running {
        // SAFETY: the handler's frame lies on the stack below which this one runs, and has not been taken back.
        let context = unsafe { &mut *ts.host_handler.context };
        handler_ends(ts, context);
        uc.mask = !0;
    }
}

/// The host handler ends with the context `uc`: signals that have come meanwhile are taken there.
pub fn handler_ends(ts: &mut ThreadState, uc: &mut UContext) {
    let held = ts.shared.held.mask();
    let is_new = held & !ts.kept_mask() != 0 || held != 0 && !holds(Fact::SignalsHeld);
    if ts.requeued != 0 || !is_new {
        return;
    }
    if ts.host_handler.is_from_guest {
        settle(ts);
        set_mask(!0);
        queue_unblocked(ts);
    } else {
        ts.requeued = 1;
        ts.saved_mask = uc.mask;
        uc.mask = ALL_BUT_FAULTS;
    }
}

/// The guest ignores the signals in `mask` from now on: what is pending of them is gone (kernel/signal.c,
/// `do_sigaction`).
pub fn discard(ts: &ThreadState, mask: u64) {
    ts.shared.held.discard(mask);
    if !ts.shared.is_foreign() {
        OF_PROCESS.discard(mask);
        registry::for_each(|thread| thread.held.discard(mask));
    }
}

/// The image begins, with the handlers installed: what the kernel blocks of the signals that the runtime needs is kept
/// here from now on. What is pending of them arrives, and is held.
pub fn start(ts: &ThreadState) {
    let kept = held::never_blocked();
    ts.set_kept_mask(signal::unblock(kept));
}

/// In the child of a fork, where nothing is pending (fork(2)).
pub fn forget(ts: &mut ThreadState) {
    ts.waiting = None;
    discard(ts, held::never_blocked());
    settle(ts);
}
