//! The host signal handler: where the thread was, and what follows from it.

use super::context::{regs_of, set_regs, unpack_flags};
use super::deliver::{deliver, enter_dispatcher, force_default};
use super::{ALL_BUT_FAULTS, blame, kept, natively, step};
use crate::emulate::files::burst;
use crate::engine::direct::doubt;
use crate::engine::direct::strict::missed_site;
use crate::engine::recover::Step;
use crate::engine::translate::invalidate::WriteFault;
use crate::engine::{Engine, lock};
use crate::gate::classify::{self, classify};
use crate::gate::labels::{Label, address};
use crate::gate::region::Region;
use crate::gate::{clock, filters, lanes, ring0};
use crate::mem::guest;
use crate::sys::Errno;
use crate::sys::raw::guest_call_return;
use crate::sys::signal::{queue_to_self, set_mask};
use crate::sys::types::{SigInfo, UContext, sig};
use crate::thread::registers::{Gpr, Regs};
use crate::thread::state::{HostHandler, StepFrom, ThreadState, current};
use linux_raw_sys::general as k;

/// Trap number of a page fault (Intel SDM vol. 3, table 6-1), and the write bit of its error code.
const TRAP_PAGE_FAULT: u64 = 14;
const SYSCALL_BYTES: u64 = 2;
const TRAP_GENERAL_PROTECTION: u64 = 13;
const ERROR_WRITE: u64 = 2;
/// The bit of an instruction fetch.
const ERROR_FETCH: u64 = 16;
/// si_code of a SIGTRAP by the trap flag (sigaction(2)).
const TRAP_TRACE: i32 = 2;
/// si_code of a SIGTRAP by a breakpoint of another kind.
const TRAP_BRKPT: i32 = 1;
const ICEBP: u8 = 0xf1;
/// The trap flag in RFLAGS.
const TF: u64 = 1 << 8;
/// si_code of a SIGSYS by a seccomp filter (seccomp(2)).
const SYS_SECCOMP: i32 = 1;

/// Entered by the kernel (through `asm::signal_entry`) on the thread's alternate stack with every signal but SIGSEGV
/// and SIGBUS blocked. Those may come while it runs, also between its end and the thread's going on.
///
/// # Safety
/// Only the kernel calls it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bt_on_signal(signal: i32, info: *mut SigInfo, uc: *mut UContext) {
    // SAFETY: the kernel passes the frame it built; gs is the thread's (signals are blocked until it is).
    let (ts, info, uc) = unsafe { (&mut *current(), &*info, &mut *uc) };
    // Raised by an instruction, not by kill(2) and relatives, whose codes are not positive (sigaction(2)).
    let synchronous =
        info.code > 0 && matches!(signal, sig::SIGSEGV | sig::SIGBUS | sig::SIGFPE | sig::SIGILL | sig::SIGTRAP);
    if burst::takes(signal, info, !crate::process::image::contains(uc.mc.rip) && !ts.is_on_host_stack(uc.mc.rsp)) {
        return;
    }
    if ts.is_on_host_stack(uc.mc.rsp) {
        let Some(info) = kept::opened(ts, signal, info) else { return };
        if synchronous {
            arrived(ts, signal, &info, uc, synchronous);
        } else if !natively::is_request(&info) {
            kept::arrived_in_handler(ts, signal, &info, uc);
        }
        return;
    }
    let is_from_guest = ts.in_vdso == 0 && !crate::process::image::contains(uc.mc.rip);
    ts.host_handler = HostHandler { context: &raw mut *uc, is_from_guest };
    if let Some(info) = kept::opened(ts, signal, info) {
        arrived(ts, signal, &info, uc, synchronous);
    }
    kept::mark_end(uc);
    kept::handler_ends(ts, uc);
}

/// What becomes of a signal that finds the thread in the state `uc`. No lock may be held by the thread, unless it is in the
/// runtime.
pub(super) fn arrived(ts: &mut ThreadState, signal: i32, info: &SigInfo, uc: &mut UContext, synchronous: bool) {
    if ts.in_vdso != 0 {
        // In the vDSO for a call (`gate::clock`), or in the gate for a call that the vDSO makes.
        if synchronous {
            uc.mc.rip = clock::lost();
        } else {
            requeue(ts, signal, info, uc);
        }
        return;
    }
    if crate::process::image::contains(uc.mc.rip) {
        if synchronous {
            return fault_in_runtime(ts, signal, info, uc);
        }
        return in_runtime(ts, signal, info, uc);
    }
    in_guest_code(ts, signal, info, uc, synchronous);
}

/// What a fault in place leads to.
enum Elsewhere {
    /// Nothing of ours: it is the guest's.
    No,
    /// The thread goes on in place at its pc, which is that of a stub now, or with memory that it may write now.
    InPlace,
    /// The thread translates from here on.
    Dispatcher,
}

/// A signal while the thread runs guest code, in place or from the cache. `synchronous`: an instruction raised it.
fn in_guest_code(ts: &mut ThreadState, signal: i32, info: &SigInfo, uc: &mut UContext, synchronous: bool) {
    let mut regs = regs_of(&uc.mc);
    let interrupted_pc = uc.mc.rip;
    let is_fault = synchronous && signal == sig::SIGSEGV;
    let mut engine = lock();
    let recovered = engine.recover(ts, &mut regs);
    let in_cache = recovered.is_some();
    if in_cache && is_fault && uc.mc.trapno == TRAP_PAGE_FAULT && uc.mc.err & ERROR_WRITE != 0 {
        match engine.write_fault(uc.mc.cr2, Some(regs.rip)) {
            WriteFault::NotOurs => {}
            WriteFault::Retry => return,
            WriteFault::Step => {
                drop(engine);
                set_regs(&mut uc.mc, &regs);
                step::begin(ts, uc);
                return;
            }
            WriteFault::Again => {
                drop(engine);
                set_regs(&mut uc.mc, &regs);
                return enter_dispatcher(ts, uc);
            }
        }
    }
    if !in_cache && let Some(site) = missed_site(signal, info, uc) {
        match engine.enter_missed_site(site, uc.mc.rax) {
            Some(at) => uc.mc.rip = at,
            None => {
                ts.is_translating = true;
                uc.mc.rip = site;
                drop(engine);
                enter_dispatcher(ts, uc);
            }
        }
        return;
    }
    if !in_cache && is_fault && !ts.is_translating {
        match fault_in_place(&mut engine, ts, uc) {
            Elsewhere::No => {}
            Elsewhere::InPlace => return,
            Elsewhere::Dispatcher => {
                drop(engine);
                return enter_dispatcher(ts, uc);
            }
        }
    }
    let is_fetch = is_fault && uc.mc.trapno == TRAP_PAGE_FAULT && uc.mc.err & ERROR_FETCH != 0;
    if !in_cache && is_fetch && ts.stepping != 0 && ts.step_opened == 0 && engine.open_for_step(uc.mc.rip) {
        ts.step_opened = uc.mc.rip;
        return;
    }
    let stepped = is_step(signal, info, uc);
    let at_stub = stepped && engine.begins_stub(interrupted_pc);
    drop(engine);
    if stepped && !is_guests_step(ts, regs.rip, interrupted_pc, recovered, at_stub) {
        return;
    }
    if !in_cache && ts.stepping != 0 {
        return step::ended(ts, signal, info, uc, synchronous);
    }
    set_regs(&mut uc.mc, &regs);
    let mut info = *info;
    let [address, ..] = &mut info.fields;
    let filtered = signal == sig::SIGSYS && info.code == SYS_SECCOMP;
    if (synchronous || filtered) && *address == interrupted_pc {
        // si_addr of SIGFPE, SIGILL and SIGTRAP is the instruction's address, si_call_addr the one after a stub's call.
        *address = regs.rip;
    }
    deliver(ts, signal, &info, uc, synchronous || filtered);
}

/// A SIGSEGV in place: a branch into what was patched, or code that must not run in place.
fn fault_in_place(engine: &mut Engine, ts: &mut ThreadState, uc: &mut UContext) -> Elsewhere {
    let pc = uc.mc.rip;
    if uc.mc.trapno == TRAP_GENERAL_PROTECTION
        && let Some(at) = engine.enter_patch(pc)
    {
        if at != pc {
            uc.mc.rip = at;
            return Elsewhere::InPlace;
        }
        ts.is_translating = true;
    }
    if uc.mc.trapno == TRAP_PAGE_FAULT {
        // An instruction may begin before what is withheld.
        if uc.mc.err & ERROR_FETCH != 0 && engine.is_withheld(pc) {
            doubt::visited(ts);
        } else if uc.mc.err & ERROR_WRITE != 0 && engine.write_fault(uc.mc.cr2, None) != WriteFault::NotOurs {
            return Elsewhere::InPlace;
        }
    }
    if ts.is_translating { Elsewhere::Dispatcher } else { Elsewhere::No }
}

/// The guest's own trap flag raised a signal at its `pc`. Returns whether that is a step of the guest's: it counts its
/// instructions, not ours. `recovered` is what the cache's code does at `cache_pc`, nothing in place; `at_stub` says
/// that a stub begins there.
fn is_guests_step(ts: &mut ThreadState, pc: u64, cache_pc: u64, recovered: Option<Step>, at_stub: bool) -> bool {
    if recovered.is_some() {
        // A string instruction is reported after each element, a jump to itself each time.
        let is_repeated = ts.step_cache_pc == cache_pc;
        ts.step_from = StepFrom::Cache;
        if recovered == Some(Step::Begins) {
            ts.step_cache_pc = cache_pc;
        }
        if at_stub {
            // After the jump that a patch consists of: the guest has executed nothing yet.
            return false;
        }
        if recovered == Some(Step::Calls) {
            // The kernel returns with the flag set: the next step is reported after the instruction that follows the
            // call.
            ts.last_step = pc + SYSCALL_BYTES;
        }
        if recovered != Some(Step::Begins) || ts.last_step == pc && !is_repeated {
            return false;
        }
        ts.last_step = pc;
    } else if !ts.is_translating {
        // In place. The jump that led here may have been ours: then the guest has executed nothing yet.
        let is_again = match core::mem::take(&mut ts.step_from) {
            StepFrom::Runtime => true,
            StepFrom::Cache => ts.last_step == pc,
            StepFrom::Guest => false,
        };
        ts.last_step = pc;
        return !is_again;
    }
    true
}

/// A seccomp filter trapped a call: in rax the guest finds its number again (`syscall_rollback`, kernel/seccomp.c).
pub fn trapped_number(info: &SigInfo) -> Option<u64> {
    // After si_call_addr: si_syscall and si_arch, of 32 bits each.
    let [_, number_and_arch, ..] = info.fields;
    (info.signo == sig::SIGSYS && info.code == SYS_SECCOMP).then_some(number_and_arch & 0xffff_ffff)
}

/// The trap flag raised it. A hypervisor may lose the reason of a debug exception, rarely; the kernel then takes it for
/// that of the one-byte instruction `icebp` (F1; `exc_debug_user` in arch/x86/kernel/traps.c).
fn is_step(signal: i32, info: &SigInfo, uc: &UContext) -> bool {
    let lost = || uc.mc.rflags & TF != 0 && guest::read::<u8>(uc.mc.rip.wrapping_sub(1)) != Some(ICEBP);
    signal == sig::SIGTRAP && (info.code == TRAP_TRACE || info.code == TRAP_BRKPT && lost())
}

/// A signal that somebody sent, while the thread runs runtime code.
fn in_runtime(ts: &mut ThreadState, signal: i32, info: &SigInfo, uc: &mut UContext) {
    let region = classify(uc.mc.rip);
    let mut info = *info;
    let [address_field, ..] = &mut info.fields;
    let behind_ours = [address(Label::SyscallEnd), filters::call_end()];
    let behind_rusts = [address(Label::CallReturn), guest_call_return()];
    let filtered = signal == sig::SIGSYS && info.code == SYS_SECCOMP;
    if filtered && behind_ours.contains(address_field) {
        // si_call_addr is the guest's instruction, not the gate's.
        *address_field = ts.next_pc;
    } else if filtered && behind_rusts.contains(address_field) {
        *address_field = ts.next_pc;
        // Nothing was done. What the guest finds in rax comes with the signal.
        uc.mc.rax = Errno::ENOSYS.as_result().cast_unsigned();
    } else if filtered && region == Region::Runtime {
        // A filter for the guest's calls traps one of the runtime's own: that fails, and has another way.
        uc.mc.rax = Errno::EPERM.as_result().cast_unsigned();
        return;
    }
    let info = &info;
    let mut regs = regs_of(&uc.mc);
    match region {
        Region::BeforeCallLive => before_call(&mut regs, uc.mc.rcx),
        Region::BeforeCall | Region::OnCall => before_call(&mut regs, ts.next_pc),
        Region::BeforeCallRaxSaved => {
            regs[Gpr::Rax] = ts.regs[Gpr::Rax];
            before_call(&mut regs, ts.next_pc);
        }
        Region::BeforeCallFlagsSaved => {
            regs[Gpr::Rax] = ts.regs[Gpr::Rax];
            regs.rflags = unpack_flags(ts.slot_flags, regs.rflags);
            before_call(&mut regs, ts.next_pc);
        }
        Region::AnsweringOffStack => {
            regs[Gpr::Rsp] = ts.regs[Gpr::Rsp];
            before_call(&mut regs, ts.next_pc);
        }
        Region::AfterCall => {
            regs.rip = ts.next_pc;
            regs[Gpr::Rcx] = ts.next_pc;
        }
        Region::AfterCallNoted => {
            regs.rip = ts.next_pc;
            regs[Gpr::Rcx] = ts.next_pc;
            regs[Gpr::R11] = ts.slot_r11;
        }
        Region::CallWindow => {
            uc.mc.rip = address(Label::CallInterrupted);
            return requeue(ts, signal, info, uc);
        }
        Region::Ring0Window => {
            // The kernel makes a call again that had a time limit: so must the guest.
            if uc.mc.rax == u64::from(k::__NR_restart_syscall) {
                ts.regs[Gpr::Rax] = uc.mc.rax;
            }
            uc.mc.rip = ring0::interrupted();
            return requeue(ts, signal, info, uc);
        }
        Region::LookupCheck => {
            uc.mc.rip = address(Label::LookupCheck);
            return requeue(ts, signal, info, uc);
        }
        Region::LaneCheck => {
            uc.mc.rip = lanes::Code::Check.address();
            return requeue(ts, signal, info, uc);
        }
        Region::Leave => {
            uc.mc.rip = address(Label::Leave);
            return requeue(ts, signal, info, uc);
        }
        Region::Runtime => return requeue(ts, signal, info, uc),
    }
    set_regs(&mut uc.mc, &regs);
    deliver(ts, signal, info, uc, filtered);
}

/// The guest is about to execute its `syscall`, two bytes before `next`.
fn before_call(regs: &mut Regs, next: u64) {
    regs.rip = next - 2;
    regs[Gpr::Rcx] = next;
    regs[Gpr::R11] = regs.rflags;
}

/// Has a signal wait until the guest's state is whole (SIGNALS.md, rule 2).
fn requeue(ts: &mut ThreadState, signal: i32, info: &SigInfo, uc: &mut UContext) {
    kept::stop_on_the_way_out(ts, uc);
    if natively::is_request(info) {
        return;
    }
    if signal == sig::SIGSEGV || signal == sig::SIGBUS {
        // Not blocked in the runtime: kept here until leaving, when it can be.
        ts.shared.held.put(signal, info);
    } else if ts.waiting.is_none() {
        ts.waiting = Some(*info);
    } else {
        let _ = queue_to_self(signal, info);
    }
}

/// The runtime itself faulted: in a copy of guest memory, which survives it, or by a bug.
fn fault_in_runtime(ts: &mut ThreadState, signal: i32, info: &SigInfo, uc: &mut UContext) {
    if let Some(pc) = guest::fixup(uc.mc.rip).or_else(|| classify::fixup(uc.mc.rip)) {
        // Runtime code that writes guest memory releases protected pages first, so this is the guest's bad pointer.
        uc.mc.rip = pc;
        return;
    }
    let is_fetch = uc.mc.trapno == TRAP_PAGE_FAULT && uc.mc.err & ERROR_FETCH != 0;
    if is_fetch && uc.mc.cr2 == uc.mc.rip {
        // Nothing of the runtime's leads out of its code: the guest has jumped to memory that is none of its own.
        return deliver(ts, signal, info, uc, true);
    }
    // None of the runtime's own instructions raises SIGTRAP.
    if signal == sig::SIGTRAP {
        // The guest's own trap flag, on its way through the gate. The CPU reports no step between a `syscall` and the
        // instruction after it: the kernel returns with the flag already set.
        ts.step_from = StepFrom::Runtime;
        ts.step_cache_pc = 0;
        let pc = uc.mc.rip;
        if (address(Label::Syscall)..address(Label::GateEnd)).contains(&pc) || filters::is_at_or_behind_call(pc) {
            ts.last_step = ts.next_pc;
        }
        return;
    }
    if uc.mc.rip == address(Label::EnterLookup) {
        // The state a guest's rt_sigreturn gave the kernel cannot be run (a null cs, say): the kernel blames its pc.
        uc.mc.rip = uc.mc.rcx;
        uc.mc.rcx = ts.slot_rcx;
        let [.., r11, _, _, _, _] = &mut uc.mc.r8_15;
        *r11 = ts.slot_r11;
        return deliver(ts, signal, info, uc, true);
    }
    let leaving = (address(Label::Leave)..address(Label::LeaveEnd)).contains(&uc.mc.rip);
    if leaving && !is_canonical(ts.resume) {
        // The last jump out of the runtime, to where the guest wanted to go, raised the #GP, so this CPU blames the
        // branch. One that blames the target has a pc outside the runtime here, and the guest is given just that.
        let mut regs = regs_of(&uc.mc);
        regs.rip = ts.resume;
        // The search reads guest memory at addresses that are only guesses: a fault there must reach this handler
        // again.
        set_mask(ALL_BUT_FAULTS);
        blame::find_branch(&mut regs, ts.guest_gs_base);
        set_regs(&mut uc.mc, &regs);
        return deliver(ts, signal, info, uc, true);
    }
    force_default(signal);
    crate::report::runtime_fault(signal, info, uc);
}

/// Bits 47 to 63 are equal, or 56 to 63 where the CPU has five levels of page tables; a jump to anything else is a #GP.
fn is_canonical(address: u64) -> bool {
    let high = address >> 47;
    high == 0 || high == (1 << 17) - 1
}
