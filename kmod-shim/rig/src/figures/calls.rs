//! System calls from ring 3 and from ring 0, and the way between the two.
//!
//! A call's cost is the difference of two loops that have everything but the call in common. "Over the handler" is what
//! remains of it without the instructions of the kernel's own handler, from its first to its return: what any caller
//! pays.

use std::arch::asm;

use anyhow::{Result, bail};
use bt_shim::uapi::{CALLS, Kind, Op, RUN, Reason, Run, flags};

use super::kernel_code::KernelCode;
use super::region::{BASE, COUNT, FLAGS, ROUNDS, Region, rounded};
use super::report::{report, report_against};
use super::ticks::least_ticks;
use crate::command::Bench;
use crate::protocol::Target;

/// One of those that are never given out: __x64_sys_ni_syscall() answers ("don't use numbers 387 through 423",
/// arch/x86/entry/syscalls/syscall_64.tbl).
const UNASSIGNED: i64 = 400;

/// Ticks of a loop with an instruction, of 20 rounds the best.
macro_rules! loop_ticks {
    ($instruction:literal, $number:expr, $arguments:expr) => {
        least_ticks(ROUNDS, || {
            let [first, second, third]: [u64; 3] = $arguments;
            // SAFETY: calls that write no memory but the structure that a Run has been given the address of;
            // `syscall` changes rax, rcx and r11 only.
            unsafe {
                asm!("2:", "mov rax, {number}", $instruction, "dec {count}", "jnz 2b",
                    number = in(reg) $number, count = inout(reg) COUNT => _,
                    in("rdi") first, in("rsi") second, in("rdx") third,
                    out("rax") _, out("rcx") _, out("r11") _, options(nostack));
            }
        })
    };
}

/// Instructions of a system call from ring 3, the `syscall` among them.
fn from_ring3(number: i64, arguments: [u64; 3]) -> i64 {
    let calls = loop_ticks!("syscall", number, arguments);
    rounded(calls - loop_ticks!("", number, arguments), COUNT)
}

/// A system call that does next to nothing, from ring 3.
pub fn getppid(bench: &Bench) -> Result<()> {
    report(bench, "ring3", from_ring3(libc::SYS_getppid, [0; 3]))
}

/// One that does nothing: what the way into the kernel and back costs.
pub fn empty_call(bench: &Bench) -> Result<()> {
    let code = KernelCode::open()?;
    report(bench, "ring3", from_ring3(UNASSIGNED, [0; 3]))?;
    report(bench, "ni_syscall_body", code.body(NI_SYSCALL)?)
}

const NI_SYSCALL: &str = "__x64_sys_ni_syscall";
const GETPPID: &str = "__x64_sys_getppid";

/// Instructions of the handler of getppid(2).
///
/// The two calls from ring 3 differ in their handlers, and in the comparisons by which newer kernels find one
/// (x64_sys_call()): both are counted in the kernel's code, as far as it has no data to depend on.
fn own_work(bench: &Bench) -> Result<i64> {
    let code = KernelCode::open()?;
    let dispatch = code.dispatch(libc::SYS_getppid, GETPPID)?;
    let empty_dispatch = code.dispatch(UNASSIGNED, NI_SYSCALL)?;
    report(bench, "dispatch_getppid", dispatch)?;
    report(bench, "dispatch_unassigned", empty_dispatch)?;
    let more = from_ring3(libc::SYS_getppid, [0; 3]) - from_ring3(UNASSIGNED, [0; 3]);
    Ok(more - dispatch + empty_dispatch + code.body(NI_SYSCALL)?)
}

/// A call inside a region.
pub fn call(bench: &Bench) -> Result<()> {
    let own = own_work(bench)?;
    report(bench, "handlers_own_work", own)?;
    let call = between_loops(
        &[
            0xb8, 110, 0, 0, 0, // mov eax, SYS_getppid
            0x0f, 0x05, // syscall
            0x48, 0x83, 0xeb, 0x01, // sub rbx, 1
            0x75, 0xf3, // jne the begin
            0x0f, 0x0b, // ud2
        ],
        &[
            0xb8, 110, 0, 0, 0, //
            0x48, 0x83, 0xeb, 0x01, //
            0x75, 0xf5, //
            0x0f, 0x0b, //
        ],
    )?;
    report(bench, "ring0", call)?;
    report_against(bench, "over_handler", call - own, Target::AtMost(25))
}

/// The same with a vector instruction before each call.
///
/// The vector registers are held from a vector instruction to the next call. So the loop with calls takes hold of them
/// and lets go of them each time round; that without holds them throughout, and only asks whether it does, as the other
/// does too. Their difference is the call with taking hold and letting go.
pub fn call_with_vectors(bench: &Bench) -> Result<()> {
    let own = own_work(bench)?;
    let with = [
        0x66, 0x0f, 0xef, 0xc0, // pxor xmm0, xmm0
        0xb8, 110, 0, 0, 0, // mov eax, SYS_getppid
        0x0f, 0x05, // syscall
        0x48, 0x83, 0xeb, 0x01, // sub rbx, 1
        0x75, 0xef, // jne the begin
        0x0f, 0x0b, // ud2
    ];
    let without = [
        0x66, 0x0f, 0xef, 0xc0, //
        0xb8, 110, 0, 0, 0, //
        0x48, 0x83, 0xeb, 0x01, //
        0x75, 0xf1, //
        0x0f, 0x0b, //
    ];
    let call = between_loops(&with, &without)?;
    report(bench, "ring0", call)?;
    report_against(bench, "over_handler", call - own, Target::AtMost(50))?;
    // The translator keeps flags before vector instructions, which may leave ring 0. What that costs:
    let region = |code: &[u8]| Region::load_changed(code, vector_needs_no_flags);
    let call = region(&with)?.per_round(1)? - region(&without)?.per_round(0)?;
    report_against(bench, "over_handler_flags_dead", call - own, Target::AtMost(50))
}

fn vector_needs_no_flags(ops: &mut [Op]) {
    const PXOR: u8 = 0xef;
    for op in ops.iter_mut().filter(|op| op.kind == Kind::Insn && op.map == 1 && op.opcode == PXOR) {
        op.flags |= flags::DEAD;
    }
}

/// What the first loop has more than the second, each time round.
fn between_loops(with: &[u8], without: &[u8]) -> Result<i64> {
    Ok(Region::load(with)?.per_round(1)? - Region::load(without)?.per_round(0)?)
}

/// Into a region that does nothing and back, the whole system call.
pub fn enter_and_leave(bench: &Bench) -> Result<()> {
    let region = Region::load(&[0x0f, 0x0b])?; // ud2
    let device = u64::from(region.fd().cast_unsigned());
    let mut counts = [0_u64; CALLS];
    let mut run = Run { pc: BASE, flags: FLAGS, ..Run::default() };
    let enter = |run: &mut Run| {
        let ticks = from_ring3(libc::SYS_lseek, [device, std::ptr::from_mut(run) as u64, u64::from(RUN)]);
        match Reason::of(run.reason) {
            Some(Reason::Untranslated) if run.pc == BASE => Ok(ticks),
            reason => bail!("left by {reason:?} at {:#x}", run.pc),
        }
    };
    report_against(bench, "all", enter(&mut run)?, Target::AtMost(700))?;
    run.counts = counts.as_mut_ptr() as u64;
    report_against(bench, "all_counting_calls", enter(&mut run)?, Target::AtMost(700))?;
    // What the device answers with EINVAL.
    report(bench, "empty_lseek", from_ring3(libc::SYS_lseek, [device, 0, libc::SEEK_DATA.cast_unsigned().into()]))
}
