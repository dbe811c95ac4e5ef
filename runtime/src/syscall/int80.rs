//! `int 0x80`: the 32-bit system call entry, reached from 64-bit code.

use crate::emulate::call::Outcome;
use crate::engine::redirect;
use crate::thread::registers::Gpr;
use crate::thread::state::ThreadState;
use linux_raw_sys::general as k;

/// Calls whose arguments mean the same in both ABIs: (32-bit number, 64-bit number).
/// arch/x86/entry/syscalls/syscall_32.tbl.
const SAME: [(u32, u32); 14] = [
    (1, k::__NR_exit),
    (3, k::__NR_read),
    (4, k::__NR_write),
    (6, k::__NR_close),
    (19, k::__NR_lseek),
    (20, k::__NR_getpid),
    (24, k::__NR_getuid),
    (37, k::__NR_kill),
    (41, k::__NR_dup),
    (47, k::__NR_getgid),
    (64, k::__NR_getppid),
    (158, k::__NR_sched_yield),
    (224, k::__NR_gettid),
    (252, k::__NR_exit_group),
];

/// Numbers from here on do not exist.
const FIRST_UNKNOWN: u32 = 512;

/// Carries out the call; the guest continues at `next`.
pub fn run(ts: &mut ThreadState, next: u64) {
    let [rax, rcx, rdx, rbx, _, rbp, rsi, rdi, ..] = ts.regs.gpr;
    // The 32-bit entry truncates all arguments (entry_64_compat.S).
    let low = |v: u64| v & 0xffff_ffff;
    let number = u32::try_from(low(rax)).unwrap_or(u32::MAX);
    let Some(&(_, nr)) = SAME.iter().find(|(n, _)| *n == number) else {
        // Above every number of the 32-bit table ENOSYS is the kernel's own answer.
        if number < FIRST_UNKNOWN {
            crate::report::say(format_args!(
                "32-bit system call {number} by int 0x80 is not supported: answered with ENOSYS"
            ));
        }
        ts.regs[Gpr::Rax] = (-38i64).cast_unsigned();
        redirect(ts, next);
        return;
    };
    let args = [low(rbx), low(rcx), low(rdx), low(rsi), low(rdi), low(rbp)];
    let pc = ts.regs.rip;
    match super::run_whole(ts, nr, &args) {
        Outcome::Done(result) | Outcome::Answered(result) => {
            ts.regs[Gpr::Rax] = result.cast_unsigned();
            redirect(ts, next);
        }
        Outcome::Interrupted => redirect(ts, pc),
        Outcome::Tail | Outcome::Elsewhere => {}
    }
}
