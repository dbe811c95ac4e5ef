//! Executing one instruction in place, with the trap flag (SIGNALS.md, "Single steps").

use super::context::{regs_of, set_regs};
use super::deliver::{deliver, enter_dispatcher};
use super::leave::leave;
use crate::engine::{lock, redirect};
use crate::sys::signal::set_mask;
use crate::sys::types::{SigInfo, UContext, sig};
use crate::thread::state::ThreadState;

const TF: u64 = 1 << 8;
/// Faults the instruction itself may raise must not be blocked: a blocked synchronous signal ends the process.
const OPEN: u64 = sig::bit(sig::SIGTRAP)
    | sig::bit(sig::SIGSEGV)
    | sig::bit(sig::SIGBUS)
    | sig::bit(sig::SIGILL)
    | sig::bit(sig::SIGFPE);

/// Executes the instruction at the guest's pc in place. From the runtime; returns only where a signal comes first.
pub fn step_in_place(ts: &mut ThreadState) {
    lock().count_step();
    let mask = set_mask(!0);
    if ts.requeued != 0 {
        let pc = ts.regs.rip;
        return redirect(ts, pc);
    }
    ts.step_mask = mask;
    ts.stepping = if ts.regs.rflags & TF != 0 { 2 } else { 1 };
    let pc = ts.regs.rip;
    leave(ts, pc, TF, !OPEN)
}

/// As [`step_in_place`], from the host signal handler: `uc` holds the guest's state.
pub fn begin(ts: &mut ThreadState, uc: &mut UContext) {
    lock().count_step();
    ts.step_mask = uc.mask;
    ts.stepping = if uc.mc.rflags & TF != 0 { 2 } else { 1 };
    uc.mask = !OPEN;
    uc.mc.rflags |= TF;
}

/// A signal came at a guest pc during a single step: the step is over, or the instruction faulted, or the signal is none
/// of the step's.
pub fn ended(ts: &mut ThreadState, signal: i32, info: &SigInfo, uc: &mut UContext, synchronous: bool) {
    if !synchronous && ts.step_mask & sig::bit(signal) != 0 {
        // It was pending, and the guest blocks it: it is pending again when the step is over.
        ts.shared.held.put(signal, info);
        return;
    }
    let own_trap = core::mem::take(&mut ts.stepping) == 2;
    let opened = core::mem::take(&mut ts.step_opened);
    if opened != 0 {
        lock().close_after_step(opened);
    }
    uc.mask = ts.step_mask;
    if !own_trap {
        uc.mc.rflags &= !TF;
    }
    if signal == sig::SIGTRAP && synchronous && !own_trap {
        let regs = regs_of(&uc.mc);
        set_regs(&mut uc.mc, &regs);
        enter_dispatcher(ts, uc);
        return;
    }
    deliver(ts, signal, info, uc, synchronous);
}
