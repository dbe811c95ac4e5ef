//! Where a thread goes on that has been in ring 0, or that could go there.

use super::regions::Made;
use super::sites::{LOOK_EVERY, Verdict};
use crate::engine::{Engine, Locked, lock};
use crate::mem::guest;
use crate::options;
use crate::report::say;
use crate::thread::registers::Gpr;
use crate::thread::state::{INTERRUPTED, ThreadState};
use bt_shim::uapi::{REASONS, Reason};
use core::sync::atomic::Ordering;

const SYSCALL_BYTES: u64 = 2;
/// Units made in a row without a call in between: then this is no loop that makes calls.
const IDLE_UNITS: u64 = 48;
/// Calls before the next look after somebody watched the thread's calls, or ring 0 could not be had.
const LATER: u64 = 1 << 16;
/// RFLAGS: CF, PF, AF, ZF, SF, OF, and the bits that are always set in ring 3 (bit 1, IF).
const ARITHMETIC: u64 = 0x8d5;
const ALWAYS: u64 = 0x202;

/// Looks at a call that did not enter ring 0: called when [`ThreadState::ring0_left`] has come to zero.
#[cold]
pub fn look(ts: &mut ThreadState) {
    ts.ring0_left = LOOK_EVERY;
    if ts.shared.is_foreign() || ts.is_translating {
        ts.ring0_left = LATER;
        return;
    }
    let mut engine = lock();
    let next = ts.regs.rip;
    if engine.ring0.refused.is_some() {
        ts.ring0_left = LATER;
    } else if engine.ring0.sites.look(next) == Verdict::Enter {
        #[expect(clippy::cast_possible_truncation, reason = "the kernel reads eax")]
        let number = Some(ts.regs[Gpr::Rax] as u32);
        let pc = next.wrapping_sub(SYSCALL_BYTES);
        let entry = number.and_then(|number| engine.entry_at(pc, number));
        if entry.is_some() && engine.make_code(pc, entry) == Made::Code {
            engine.ring0.sites.enter(next);
            engine.ring0.stats.sites += 1;
        } else {
            engine.ring0.sites.take_out(next);
        }
    }
}

/// Entry from the gate: ring 0 was left, with `result` of the lseek(2), or was not entered ([`INTERRUPTED`]). Returns
/// whether the thread goes back at once; else it goes on at `resume`.
///
/// # Safety
/// Only the gate calls it, with the calling thread's own state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bt_on_ring0_leave(ts: *mut ThreadState, result: i64) -> bool {
    // SAFETY: the gate passes the calling thread's own state.
    let ts = unsafe { &mut *ts };
    let mut engine = lock();
    let reason = Reason::of(ts.run.reason);
    // A run that failed, or was none, wrote nothing.
    let calls = if result == INTERRUPTED || reason.is_none() { 0 } else { ts.run.calls };
    if calls != 0 {
        ts.ring0_made += calls;
        ts.ring0_idle = 0;
    }
    if let Some(count) = reason.and_then(|reason| engine.ring0.stats.leaves.get_mut((reason as usize).wrapping_sub(1)))
    {
        *count += 1;
    }
    if result != INTERRUPTED && reason == Some(Reason::InCall) {
        end_call(ts, result);
    }
    if goes_back(ts, &mut engine, result, reason, calls) {
        return true;
    }
    explain(ts, &mut engine, reason);
    settle(ts, &mut engine);
    go_on(ts, engine, reason.filter(|_| result == 0));
    false
}

/// The call that ring 0 was left in is over, and the lseek(2)'s result is its.
fn end_call(ts: &mut ThreadState, result: i64) {
    let next = ts.regs.rip.wrapping_add(SYSCALL_BYTES);
    ts.regs.rip = next;
    ts.regs[Gpr::Rax] = result.cast_unsigned();
    ts.regs[Gpr::Rcx] = next;
    let flags = ts.regs.rflags & ARITHMETIC | ALWAYS;
    ts.regs[Gpr::R11] = flags;
}

/// Ring 0 can go on.
fn goes_back(ts: &mut ThreadState, engine: &mut Engine, result: i64, reason: Option<Reason>, calls: u64) -> bool {
    if result == INTERRUPTED || ts.requeued != 0 {
        return false;
    }
    match reason {
        Some(Reason::InCall) => true,
        Some(Reason::Missing) if result == 0 => {
            ts.ring0_idle += 1;
            let pc = ts.regs.rip;
            #[expect(clippy::cast_possible_truncation, reason = "the kernel reads eax")]
            let number = ts.regs[Gpr::Rax] as u32;
            ts.ring0_idle < IDLE_UNITS && engine.make_code(pc, engine.entry_at(pc, number)) == Made::Code
        }
        // A timer tick or the like, in code that does make calls.
        Some(Reason::Work) if result == 0 => calls != 0,
        _ => false,
    }
}

/// `--explain`: why ring 3 goes on, once for each place.
fn explain(ts: &ThreadState, engine: &mut Engine, reason: Option<Reason>) {
    if !options::get().explain {
        return;
    }
    let Some((_, word)) = REASONS.iter().find(|(known, _)| Some(*known) == reason) else { return };
    if engine.ring0.explained.insert(ts.regs.rip) {
        let mut bytes = [0u8; 16];
        let got = guest::read_bytes(ts.regs.rip, &mut bytes);
        engine.direct.undo(ts.regs.rip, &mut bytes);
        let code = bytes.get(..got).unwrap_or(&[]);
        say(format_args!("ring 0 was left at {:#x}, {word}: {code:02x?}", ts.regs.rip));
    }
}

/// One entry is over: figures, and whether the site is to enter again.
fn settle(ts: &mut ThreadState, engine: &mut Engine) {
    let calls = core::mem::take(&mut ts.ring0_made);
    ts.ring0_idle = 0;
    engine.ring0.stats.entries += 1;
    engine.ring0.stats.calls += calls;
    let site = ts.next_pc;
    if engine.ring0.sites.judge(site, calls) {
        engine.ring0.stats.dropped_sites += 1;
    }
}

/// Points `resume` at where the thread goes on in ring 3.
fn go_on(ts: &mut ThreadState, mut engine: Locked, reason: Option<Reason>) {
    let pc = ts.regs.rip;
    if reason == Some(Reason::Watched) {
        // A tracer, a filter: it would see our calls too.
        engine.ring0.sites.forget();
        ts.ring0_left = LATER;
    }
    match reason {
        // Watched is also who wants to enter anywhere.
        Some(Reason::Native | Reason::Checked | Reason::Watched) if engine.is_call(pc) => {
            let next = pc.wrapping_add(SYSCALL_BYTES);
            engine.resume_at(ts, next);
            if !ts.is_translating {
                // The gate makes the call as if it came from its stub, without asking for ring 0 again.
                make_call(ts, next);
                return;
            }
        }
        // The lseek(2) itself failed: the thread may not.
        None if ts.requeued == 0 && ts.run.reason == 0 => engine.ring0.give_up(),
        _ => {}
    }
    engine.resume_at(ts, pc);
}

/// The thread is about to make the call after which is `next`; `resume` says where that is.
fn make_call(ts: &mut ThreadState, next: u64) {
    let resume = ts.resume;
    ts.regs[Gpr::Rcx] = next;
    ts.regs[Gpr::R11] = resume;
    let nr = ts.regs[Gpr::Rax];
    let entry = usize::try_from(nr).ok().and_then(|nr| ts.shared.plain_entries.get(nr));
    ts.resume = entry.map_or(ts.enter_slow, |entry| entry.load(Ordering::Relaxed));
}
