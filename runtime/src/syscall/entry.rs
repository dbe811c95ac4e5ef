//! Where the gate arrives in Rust with a system call, or out of the code cache with what is not translated.

use super::{int80, run, run_whole};
use crate::emulate::call::{Call, Outcome, encode};
use crate::emulate::{follow, sample};
use crate::engine::translate::dispatch::left_by_exit;
use crate::engine::translate::leave::Exit;
use crate::engine::{CODE_CHANGES, redirect, ring0};
use crate::gate::allowed;
use crate::gate::facts::{Fact, holds};
use crate::gate::labels::{Label, address};
use crate::observe::{stats, trace_line};
use crate::options;
use crate::report;
use crate::signal::kept;
use crate::signal::step::step_in_place;
use crate::thread::registers::Gpr;
use crate::thread::shared::{Shared, add};
use crate::thread::state::ThreadState;
use core::sync::atomic::Ordering;

/// Entry from the gate.
///
/// # Safety
/// Only the gate calls it, with the calling thread's own state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bt_on_syscall(ts: *mut ThreadState) {
    // SAFETY: the gate passes the calling thread's own state.
    let ts = unsafe { &mut *ts };
    ts.regs[Gpr::R11] = ts.regs.rflags;
    let resume = ts.resume;
    // Built in its place, and not copied: what was just stored in words cannot be loaded in pairs without a wait.
    let mut call = Call::of(ts);
    let nr = call.nr;
    let changes = CODE_CHANGES.load(Ordering::Acquire);
    if allowed::is_chosen() && call.ts.ring0_left == 0 {
        ring0::leave::look(call.ts);
    }
    if sample::count(call.ts.shared, nr) {
        sample::look(call.ts.shared, nr, &call.args);
    }
    let mut outcome = if holds(Fact::SignalsHeld) && kept::take_unblocked(call.ts) {
        // A signal of the process's, which another thread blocked: it comes before the call.
        Outcome::Interrupted
    } else if options::get().stats_time {
        stats::timed(nr, || run_whole(&mut call))
    } else if options::get().trace {
        let args = call.args;
        trace_line::traced(nr, &args, || run_whole(&mut call))
    } else {
        run(&mut call)
    };
    if outcome == Outcome::Tail && (CODE_CHANGES.load(Ordering::Acquire) != changes || holds(Fact::SignalsHeld)) {
        // What the gate would return to may be gone, or the kernel is to be told something first.
        outcome = Call::of(call.ts).pass();
    }
    if call.is_answered {
        count_answered(call.ts.shared, nr);
    }
    finish(ts, outcome, nr, resume, changes);
}

/// The gate has counted the call among those that pass.
fn count_answered(shared: &Shared, nr: u32) {
    if let (Some(passed), Some(answered)) = (shared.counts.get(nr as usize), shared.answered.get(nr as usize)) {
        add(passed, 1_u64.wrapping_neg());
        add(answered, 1);
    }
}

fn finish(ts: &mut ThreadState, outcome: Outcome, nr: u32, resume: u64, changes: u64) {
    if outcome != Outcome::Tail {
        // After a call that the gate makes it does this.
        ts.shared.lane_use.store(0, Ordering::Relaxed);
    }
    match outcome {
        Outcome::Done(result) => {
            ts.regs[Gpr::Rax] = encode(result);
            ts.resume = resume;
            if CODE_CHANGES.load(Ordering::Acquire) != changes {
                let pc = ts.regs.rip;
                redirect(ts, pc);
            }
        }
        Outcome::Interrupted => {
            ts.regs[Gpr::Rax] = u64::from(nr);
            let pc = ts.regs.rip - 2;
            redirect(ts, pc);
        }
        Outcome::Tail => {
            ts.tail_resume = resume;
            ts.resume = address(Label::Tail);
        }
        Outcome::Elsewhere => {}
    }
    note_step(ts);
}

/// Entry from the gate: the guest has duplicated a descriptor (rdi), and the new one (rax) is to be noted.
///
/// # Safety
/// Only the gate calls it, with the calling thread's own state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bt_on_duplicate(ts: *mut ThreadState) {
    // SAFETY: the gate passes the calling thread's own state.
    let ts = unsafe { &mut *ts };
    #[expect(clippy::cast_possible_truncation, reason = "the kernel reads edi")]
    let old = (ts.regs[Gpr::Rdi] as u32).cast_signed();
    follow::duplicated(old, ts.regs[Gpr::Rax]);
    note_step(ts);
}

/// The kernel returns from a call with TF set: the CPU reports no step before the next instruction was executed.
fn note_step(ts: &mut ThreadState) {
    if ts.regs.rflags & TRAP_FLAG != 0 {
        ts.last_step = ts.regs.rip;
    }
}

/// TF of RFLAGS.
const TRAP_FLAG: u64 = 1 << 8;

/// Entry from the gate: the exit of a fragment that leads nowhere yet, by its id.
///
/// # Safety
/// Only the gate calls it, with the calling thread's own state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bt_on_exit(ts: *mut ThreadState, id: u32) {
    // SAFETY: the gate passes the calling thread's own state.
    let ts = unsafe { &mut *ts };
    match left_by_exit(ts, id) {
        Exit::Resumed => {}
        Exit::Step => step_in_place(ts),
        Exit::Int80 { next } => int80::run(ts, next),
        Exit::Unsupported(what) => report::unsupported(ts, what),
    }
}
