//! Calls about the process as a whole.

use super::attach;
use super::exec::tracer;
use crate::emulate::call::{Call, Outcome, prepare_outputs, put_user};
use crate::emulate::{self, identity};
use crate::engine::{lock, redirect};
use crate::gate::facts::Fact;
use crate::gate::routes::learn;
use crate::mem::guest;
use crate::observe::stats;
use crate::options::{self, EngineChoice};
use crate::process::filter::{self, Instruction, MAX_INSTRUCTIONS, Own, Verdict};
use crate::signal::natively;
use crate::sys::Errno;
use crate::sys::cpu::has_fsgsbase;
use crate::thread::registers::Gpr;
use alloc::vec::Vec;
use linux_raw_sys::general as k;

/// exit_group(2).
pub fn exit_group(call: &mut Call<'_>) -> Outcome {
    if !call.ts.shared.is_foreign() {
        emulate::leave();
        stats::finish("exit");
    } else {
        stats::thread_ended(call.ts.shared);
    }
    call.pass()
}

/// arch_prctl(2): fs is the guest's, gs is ours, the guest's gs base a value.
pub fn arch_prctl(call: &mut Call<'_>) -> Outcome {
    const ARCH_SET_GS: i32 = 0x1001;
    const ARCH_GET_FS: i32 = 0x1003;
    const ARCH_GET_GS: i32 = 0x1004;
    const ARCH_SET_CPUID: i32 = 0x1012;
    let to = call.arg(1);
    match call.int(0) {
        ARCH_SET_GS => {
            // The kernel refuses addresses outside user space.
            if call.arg(1) >= 0x7fff_ffff_f000 {
                return Outcome::Done(Err(Errno::EPERM));
            }
            call.ts.guest_gs_base = call.arg(1);
            if call.arg(1) != 0 && !call.ts.is_translating {
                // Its gs-relative instructions would find the runtime's data: from here on they are rewritten.
                call.ts.is_translating = true;
                call.ts.regs[Gpr::Rax] = 0;
                let pc = call.ts.regs.rip;
                redirect(call.ts, pc);
                return Outcome::Elsewhere;
            }
            Outcome::Done(Ok(0))
        }
        ARCH_GET_GS => {
            let base = call.ts.guest_gs_base;
            Outcome::Done(put_user(call.arg(1), &base).map(|()| 0))
        }
        ARCH_GET_FS => call.answer(move || {
            if !has_fsgsbase() {
                return None;
            }
            let base: u64;
            // SAFETY: reads a register, by an instruction that the CPU and the kernel allow.
            unsafe { core::arch::asm!("rdfsbase {}", out(reg) base, options(nostack, nomem, preserves_flags)) };
            Some(put_user(to, &base).map(|()| 0))
        }),
        // As a CPU without CPUID faulting: answers that are kept could not fault.
        ARCH_SET_CPUID if call.arg(1) == 0 => Outcome::Done(Err(Errno::ENODEV)),
        _ => {
            prepare_outputs(call);
            call.pass()
        }
    }
}

/// sched_get_priority_max(2), sched_get_priority_min(2): `real_time` is the limit of policies that have priorities, the
/// others' is 0 (kernel/sched/syscalls.c).
pub fn priority_limit(call: &mut Call<'_>, real_time: u64) -> Outcome {
    let policy = call.int(0).cast_unsigned();
    call.answer(|| match policy {
        k::SCHED_FIFO | k::SCHED_RR => Some(Ok(real_time)),
        k::SCHED_NORMAL | k::SCHED_BATCH | k::SCHED_IDLE | k::SCHED_DEADLINE => Some(Ok(0)),
        _ => None,
    })
}

/// prctl(2): what would break the runtime is answered here.
pub fn prctl(call: &mut Call<'_>) -> Outcome {
    const PR_SET_SYSCALL_USER_DISPATCH: i32 = 59;
    const PR_SET_TSC: i32 = 26;
    const PR_SET_MDWE: i32 = 65;
    const PR_SET_SECCOMP: i32 = 22;
    const SECCOMP_MODE_STRICT: u64 = 1;
    match call.int(0) {
        // Syscall User Dispatch would trap the runtime's own calls.
        PR_SET_SYSCALL_USER_DISPATCH if call.arg(1) != 0 => Outcome::Done(Err(Errno::EINVAL)),
        PR_SET_TSC => call.pass(),
        PR_SET_MDWE => {
            keep_room_for_code(call);
            call.pass()
        }
        PR_SET_SECCOMP => set_filter(call, call.arg(1) == SECCOMP_MODE_STRICT, call.arg(2)),
        _ => {
            prepare_outputs(call);
            call.pass()
        }
    }
}

/// From now on no memory may be made executable: the engine has its own before. In place it needs some for code that is
/// loaded later and cannot be patched any more.
fn keep_room_for_code(call: &Call<'_>) {
    lock().keep_room(call.ts.regs.rip, call.ts.is_translating);
}

/// A seccomp filter, or the strict mode, from now on: what a filter is for must reach it.
fn set_filter(call: &mut Call<'_>, is_strict_mode: bool, program: u64) -> Outcome {
    emulate::leave();
    learn(Fact::Filtered, true);
    let verdict = if is_strict_mode { Verdict::STRICT_MODE } else { filter::ask(&filter_at(program)) };
    if !verdict.allows(Own::Report) {
        // There will be no other occasion.
        stats::finish("filter");
    }
    if !is_strict_mode && !verdict.allows(Own::Code) {
        keep_room_for_code(call);
    }
    prepare_outputs(call);
    let outcome = call.pass();
    if let Outcome::Done(Ok(_)) = outcome {
        verdict.note();
    }
    outcome
}

/// The instructions of a `struct sock_fprog` of the guest's.
fn filter_at(program: u64) -> Vec<Instruction> {
    let mut instructions = Vec::new();
    if let (Some(count), Some(at)) = (guest::read::<u16>(program), guest::read::<u64>(program + 8)) {
        let all = (0..u64::from(count)).take(MAX_INSTRUCTIONS);
        instructions.extend(all.map_while(|n| guest::read::<Instruction>(at.wrapping_add(n * 8))));
    }
    instructions
}

/// unshare(2).
pub fn unshare(call: &mut Call<'_>) -> Outcome {
    if call.arg(0) & u64::from(k::CLONE_NEWUSER) != 0 { identity::enter_namespace(call) } else { call.pass() }
}

/// seccomp(2): a filter that is set must see the calls it is for.
pub fn seccomp(call: &mut Call<'_>) -> Outcome {
    const SECCOMP_SET_MODE_STRICT: u64 = 0;
    const SECCOMP_SET_MODE_FILTER: u64 = 1;
    match call.arg(0) {
        SECCOMP_SET_MODE_STRICT => set_filter(call, true, 0),
        SECCOMP_SET_MODE_FILTER => set_filter(call, false, call.arg(2)),
        _ => {
            prepare_outputs(call);
            call.pass()
        }
    }
}

/// Bytes of `syscall`.
const SYSCALL_BYTES: u64 = 2;

/// ptrace(2): a process that asks to be traced goes on natively, or at least its next image does, so that its tracer sees
/// the program.
pub fn ptrace(call: &mut Call<'_>) -> Outcome {
    // Who is traced already is refused.
    if call.int(0) == 0 && tracer() == 0 {
        // The guest makes the call itself.
        let pc = call.ts.regs.rip - SYSCALL_BYTES;
        natively::go_on(call.ts, pc, None, "traced");
    }
    prepare_outputs(call);
    let outcome = call.pass();
    if matches!(outcome, Outcome::Done(Ok(_))) {
        match call.int(0) {
            0 => super::exec::TRACED.store(true, core::sync::atomic::Ordering::Relaxed),
            attach::ATTACH => attach::attached(call.int(1), 0, true),
            attach::SEIZE => attach::attached(call.int(1), call.arg(3), false),
            _ => {}
        }
    }
    outcome
}

/// rseq(2): under engine `translate` the program's critical sections are not where the kernel would look for them.
pub fn rseq(call: &mut Call<'_>) -> Outcome {
    if options::get().engine == EngineChoice::Translate {
        return Outcome::Done(Err(Errno::ENOSYS));
    }
    prepare_outputs(call);
    Outcome::Tail
}

/// membarrier(2): as a kernel without rseq(2) answers where that call is refused (programs take the one for a sign of
/// the other).
pub fn membarrier(call: &mut Call<'_>) -> Outcome {
    /// MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ and its registration.
    const RSEQ_COMMANDS: u64 = 1 << 7 | 1 << 8;
    let command = u64::from(call.int(0).cast_unsigned());
    let is_translating = options::get().engine == EngineChoice::Translate;
    if is_translating && command & RSEQ_COMMANDS != 0 {
        return Outcome::Done(Err(Errno::EINVAL));
    }
    let outcome = call.pass();
    match (outcome, command) {
        (Outcome::Done(Ok(offered)), 0) if is_translating => Outcome::Done(Ok(offered & !RSEQ_COMMANDS)),
        _ => outcome,
    }
}
