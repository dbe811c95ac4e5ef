//! `int 0x80`: the 32-bit system call entry, reached from 64-bit code. Carried out are the calls whose rows give a
//! number for it.

use crate::calls;
use crate::emulate::call::{Call, Outcome, encode};
use crate::engine::redirect;
use crate::sys::Errno;
use crate::thread::registers::Gpr;
use crate::thread::state::ThreadState;

/// Numbers from here on do not exist.
const FIRST_UNKNOWN: u32 = 512;

/// Carries out the call; the guest continues at `next`.
pub fn run(ts: &mut ThreadState, next: u64) {
    let [rax, rcx, rdx, rbx, _, rbp, rsi, rdi, ..] = ts.regs.gpr;
    // The 32-bit entry truncates all arguments (entry_64_compat.S).
    let low = |v: u64| v & 0xffff_ffff;
    let number = u32::try_from(low(rax)).unwrap_or(u32::MAX);
    let same = calls::all().find(|row| row.number_of_int80() == Some(number));
    let Some(nr) = same.and_then(|row| u32::try_from(row.number()).ok()) else {
        // Above every number of the 32-bit table ENOSYS is the kernel's own answer.
        if number < FIRST_UNKNOWN {
            crate::report::say(format_args!(
                "32-bit system call {number} by int 0x80 is not supported: answered with ENOSYS"
            ));
        }
        ts.regs[Gpr::Rax] = encode(Err(Errno::ENOSYS));
        redirect(ts, next);
        return;
    };
    let args = [low(rbx), low(rcx), low(rdx), low(rsi), low(rdi), low(rbp)];
    let pc = ts.regs.rip;
    match super::run_whole(&mut Call { ts: &mut *ts, nr, args, is_answered: false }) {
        Outcome::Done(result) => {
            ts.regs[Gpr::Rax] = encode(result);
            redirect(ts, next);
        }
        Outcome::Interrupted => redirect(ts, pc),
        Outcome::Tail | Outcome::Elsewhere => {}
    }
}
