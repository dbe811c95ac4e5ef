//! Signals that the guest blocks and the kernel does not (SIGNALS.md, "Kept signals").

use super::ALL_BUT_FAULTS;
use crate::gate::facts::{Fact, holds};
use crate::gate::routes::learn;
use crate::sys::Errno;
use crate::sys::signal::{self, queue_to_self, queue_to_thread, set_mask};
use crate::sys::types::{SigInfo, UContext, sig};
use crate::thread::held::{self, OF_PROCESS, SIGNALS};
use crate::thread::registry;
use crate::thread::shared::Shared;
use crate::thread::state::ThreadState;
use core::sync::atomic::{AtomicU32, Ordering, compiler_fence, fence};

/// si_code of kill(2) and of tgkill(2) (sigaction(2)).
const SI_USER: i32 = 0;
const SI_TKILL: i32 = -6;
/// si_code of a signal whose own siginfo is in its thread's slot. The guest may queue signals with the same code: an
/// envelope bears a seal besides.
const ENVELOPE: i32 = -0x6274;

/// An address of the runtime's, which no guest is told: envelopes are opened before anybody sees them.
fn seal() -> u64 {
    &raw const OF_PROCESS as u64
}

/// The thread that took the last signal of the process that the first thread did not take.
static LAST_TAKER: AtomicU32 = AtomicU32::new(0);

/// Signals that are held for the thread, or that it could take of the process's.
fn pending(ts: &ThreadState) -> u64 {
    let of_process = if ts.shared.is_foreign() { 0 } else { OF_PROCESS.mask() };
    ts.shared.held.mask() | of_process
}

/// Puts what the thread's guest does not block into the kernel's queue. All signals must be blocked.
pub fn queue_unblocked(ts: &ThreadState) {
    let unblocked = pending(ts) & !ts.kept_mask();
    if unblocked == 0 {
        return;
    }
    // The kernel would drop a second one (kernel/signal.c, `legacy_queue`): the first looks for it when it has arrived. A
    // filter of the guest's need not let anybody ask.
    let in_kernel = if holds(Fact::Filtered) { 0 } else { signal::pending() };
    let unblocked = unblocked & !in_kernel;
    for signal in SIGNALS.into_iter().filter(|&signal| unblocked & sig::bit(signal) != 0) {
        let of_process = || if ts.shared.is_foreign() { None } else { OF_PROCESS.take(signal) };
        if let Some(info) = ts.shared.held.take(signal).or_else(of_process) {
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

/// Has the thread that is stopped in the state `uc` find something to do when it leaves the runtime.
pub fn stop_on_the_way_out(ts: &mut ThreadState, uc: &mut UContext) {
    if ts.requeued == 0 {
        ts.requeued = 1;
        ts.saved_mask = uc.mask;
    }
    uc.mask = ALL_BUT_FAULTS;
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

/// What was sent to the process goes to a thread that does not block it. Nobody but its sender can tell a kill(2) anew,
/// so such a thread is woken by an envelope.
fn place(ts: &ThreadState, signal: i32, info: &SigInfo) {
    if info.code == SI_TKILL || info.code > SI_USER {
        ts.shared.held.put(signal, info);
        return;
    }
    loop {
        let Some(taker) = taker(ts.pid, signal).filter(|taker| taker.held.put(signal, info)) else {
            // Everybody blocks it, or who would take it has one already: it is the next one's that looks.
            OF_PROCESS.put(signal, info);
            return;
        };
        // A thread that blocks it, or ends, does so before it looks.
        fence(Ordering::SeqCst);
        if taker.kept_mask() & sig::bit(signal) == 0 && wake(ts.pid, taker, signal) != Err(Errno::ESRCH)
            || taker.held.take(signal).is_none()
        {
            return;
        }
    }
}

/// Queues an envelope to the thread.
fn wake(pid: u32, thread: &Shared, signal: i32) -> Result<(), Errno> {
    let mut envelope = SigInfo { signo: signal, errno: 0, code: ENVELOPE, pad: 0, fields: [0; 14] };
    let [mark, ..] = &mut envelope.fields;
    *mark = seal();
    queue_to_thread(pid, thread.tid.load(Ordering::Relaxed), signal, &envelope)
}

/// The thread that the kernel would choose for what is sent to the process (kernel/signal.c, `complete_signal`): the
/// first thread, else the one that was chosen last, else the next one by age.
fn taker(pid: u32, signal: i32) -> Option<&'static Shared> {
    let last = LAST_TAKER.load(Ordering::Relaxed);
    // The process's id is that of its first thread.
    let rank = |thread: &Shared| {
        let tid = thread.tid.load(Ordering::Relaxed);
        if tid == pid { None } else { Some(tid.wrapping_sub(last)) }
    };
    let mut chosen: Option<&'static Shared> = None;
    registry::for_each(|thread| {
        let runs = !thread.is_foreign() && thread.tid.load(Ordering::Relaxed) != 0;
        let takes_it = runs && thread.kept_mask() & sig::bit(signal) == 0;
        if takes_it && chosen.is_none_or(|other| rank(thread) < rank(other)) {
            chosen = Some(thread);
        }
    });
    if let Some(tid) = chosen.map(|thread| thread.tid.load(Ordering::Relaxed)).filter(|&tid| tid != pid) {
        LAST_TAKER.store(tid, Ordering::Relaxed);
    }
    chosen
}

/// What a signal is that has arrived: itself, or what its envelope announces, if the thread has not found that already.
pub fn opened(ts: &ThreadState, signal: i32, info: &SigInfo) -> Option<SigInfo> {
    let [mark, ..] = info.fields;
    let is_envelope = info.code == ENVELOPE && mark == seal();
    if is_envelope { ts.shared.held.take(signal) } else { Some(*info) }
}

/// The thread ends, and what was sent to the process and has come to it is another's.
pub fn ends(ts: &ThreadState) {
    ts.set_kept_mask(!0);
    fence(Ordering::SeqCst);
    settle(ts);
}

/// `uc_link` of the context of a host handler that has come to its end. The kernel writes 0 there when it enters one
/// (arch/x86/kernel/signal_64.c, `x64_setup_rt_frame`), and does not read it.
const ENDED: u64 = 1;

/// The handler with this context looks at what is held from here on: what comes later it may not see.
pub fn mark_end(uc: &mut UContext) {
    // SAFETY: the field is the context's.
    unsafe { (&raw mut uc.link).write_volatile(ENDED) };
    compiler_fence(Ordering::SeqCst);
}

/// A signal comes while a host handler runs, which may have just begun, or has come to its end: then what the signal leads
/// to is in the handler's own context.
pub fn arrived_in_handler(ts: &mut ThreadState, signal: i32, info: &SigInfo, uc: &mut UContext) {
    ts.shared.held.put(signal, info);
    let context = ts.host_handler.context;
    // SAFETY: handlers have their frames at one place on the host stack, that of the one which was interrupted among
    // them: none other than this thread writes there.
    if !context.is_null() && unsafe { (&raw const (*context).link).read_volatile() } == ENDED {
        // SAFETY: the handler's frame lies on the stack below which this one runs, and has not been taken back.
        handler_ends(ts, unsafe { &mut *context });
        uc.mask = !0;
    }
}

/// The host handler ends with the context `uc`: signals that have come meanwhile are taken there.
pub fn handler_ends(ts: &mut ThreadState, uc: &mut UContext) {
    let is_new = pending(ts) & !ts.kept_mask() != 0 || ts.shared.held.mask() != 0 && !holds(Fact::SignalsHeld);
    if ts.requeued != 0 || ts.stepping != 0 || !is_new {
        return;
    }
    if ts.host_handler.is_from_guest {
        // First: what comes in the middle of what follows would find its lock taken.
        set_mask(!0);
        settle(ts);
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

/// Everything that is held is in the kernel's queue from here on. All signals must be blocked.
pub fn hand_back(ts: &ThreadState) {
    for signal in SIGNALS {
        for held in [&ts.shared.held, &OF_PROCESS] {
            if let Some(info) = held.take(signal) {
                let _ = queue_to_self(signal, &info);
            }
        }
    }
}

/// In the child of a fork, where nothing is pending (fork(2)).
pub fn forget(ts: &mut ThreadState) {
    ts.waiting = None;
    discard(ts, held::never_blocked());
    settle(ts);
}
