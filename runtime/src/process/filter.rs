//! Seccomp filters that the guest sets: which calls of the runtime's own they let through (seccomp(2)).
//!
//! A filter is a program of the classic packet filter (include/uapi/linux/filter.h; kernel/seccomp.c,
//! `seccomp_check_filter`, says which instructions). The runtime runs it for what it would ask the kernel for, and does
//! without where the answer would not be that the call is made.

use crate::sys::mem;
use crate::sys::plain::Plain;
use core::sync::atomic::{AtomicU32, Ordering};
use linux_raw_sys::general as k;
use linux_raw_sys::prctl as p;

/// One instruction: `struct sock_filter`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Instruction {
    /// What to do.
    pub code: u16,
    /// Instructions to skip if a comparison holds, and if not.
    pub skip: [u8; 2],
    /// Its operand.
    pub operand: u32,
}
// SAFETY: integers without padding.
unsafe impl Plain for Instruction {}

/// Instructions of the longest filter (BPF_MAXINSNS).
pub const MAX_INSTRUCTIONS: usize = 4096;

/// AUDIT_ARCH_X86_64 (include/uapi/linux/audit.h).
const ARCHITECTURE: u32 = 0xc000_003e;
/// SECCOMP_RET_ALLOW and SECCOMP_RET_LOG, and the bits that say which action a result is.
const RET_ALLOW: u32 = 0x7fff_0000;
const RET_LOG: u32 = 0x7ffc_0000;
const ACTION: u32 = 0xffff_0000;

/// The words of `struct seccomp_data` for a call from anywhere.
#[expect(clippy::cast_possible_truncation, reason = "splits words")]
fn data(nr: u32, args: [u64; 6]) -> [u32; 16] {
    let mut words = [0; 16];
    let [number, architecture, _, _, rest @ ..] = &mut words;
    (*number, *architecture) = (nr, ARCHITECTURE);
    for (pair, arg) in rest.chunks_exact_mut(2).zip(args) {
        if let [low, high] = pair {
            (*low, *high) = (arg as u32, (arg >> 32) as u32);
        }
    }
    words
}

/// What the filter returns for the call; `None` for what is no filter.
fn run(filter: &[Instruction], nr: u32, args: [u64; 6]) -> Option<u32> {
    let data = data(nr, args);
    let word = |offset: u32| data.get(offset as usize / 4).copied();
    let (mut a, mut x, mut memory, mut pc) = (0u32, 0u32, [0u32; 16], 0usize);
    loop {
        let insn = filter.get(pc)?;
        pc += 1;
        let cell = insn.operand as usize;
        // Class, and for arithmetic and jumps the operation and where the operand is from.
        match insn.code {
            // ld [k], ld #k, ld M[k], ld len; the same for x.
            0x20 => a = word(insn.operand)?,
            0x00 => a = insn.operand,
            0x60 => a = *memory.get(cell)?,
            0x80 => a = 64,
            0x01 => x = insn.operand,
            0x61 => x = *memory.get(cell)?,
            0x81 => x = 64,
            0x02 => *memory.get_mut(cell)? = a,
            0x03 => *memory.get_mut(cell)? = x,
            // tax, txa.
            0x07 => x = a,
            0x87 => a = x,
            // ret #k, ret a.
            0x06 => return Some(insn.operand),
            0x16 => return Some(a),
            // ja
            0x05 => pc = pc.checked_add(cell)?,
            code if code & 7 == 4 => a = arithmetic(code & 0xf0, a, if code & 8 == 0 { insn.operand } else { x })?,
            code if code & 7 == 5 => {
                let with = if code & 8 == 0 { insn.operand } else { x };
                let holds = match code & 0xf0 {
                    0x10 => a == with,
                    0x20 => a > with,
                    0x30 => a >= with,
                    0x40 => a & with != 0,
                    _ => return None,
                };
                let [if_so, if_not] = insn.skip;
                pc += usize::from(if holds { if_so } else { if_not });
            }
            _ => return None,
        }
    }
}

fn arithmetic(operation: u16, a: u32, b: u32) -> Option<u32> {
    Some(match operation {
        0x00 => a.wrapping_add(b),
        0x10 => a.wrapping_sub(b),
        0x20 => a.wrapping_mul(b),
        0x30 => a.checked_div(b)?,
        0x40 => a | b,
        0x50 => a & b,
        0x60 => a.checked_shl(b).unwrap_or(0),
        0x70 => a.checked_shr(b).unwrap_or(0),
        0x80 => a.wrapping_neg(),
        0xa0 => a ^ b,
        _ => return None,
    })
}

/// The filter lets the call through.
fn lets_through(filter: &[Instruction], nr: u32, args: [u64; 6]) -> bool {
    matches!(run(filter, nr, args).map(|result| result & ACTION), Some(RET_ALLOW | RET_LOG))
}

/// What the runtime does for itself that a filter can forbid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Own {
    /// Changing the signal mask.
    Mask = 1,
    /// Writing the figures of `--stats`.
    Report = 2,
    /// Memory that is made executable.
    Code = 4,
    /// Memory that does not count as data.
    Grows = 8,
    /// Pages made ahead.
    Populates = 16,
    /// Having calls from outside the runtime dispatched, for `--strict`.
    Dispatch = 32,
}

const EVERYTHING: u32 = {
    use Own as O;
    let often = O::Mask as u32 | O::Report as u32 | O::Code as u32;
    often | O::Grows as u32 | O::Populates as u32 | O::Dispatch as u32
};

/// Set of [`Own`] that no filter so far, nor the strict mode, forbids.
static ALLOWED: AtomicU32 = AtomicU32::new(EVERYTHING);

/// The runtime may do it.
#[must_use]
pub fn allows(own: Own) -> bool {
    ALLOWED.load(Ordering::Relaxed) & own as u32 != 0
}

/// What a filter allows.
#[derive(Clone, Copy)]
pub struct Verdict(u32);

impl Verdict {
    /// The strict mode's: the process reads, writes, returns from handlers and ends (seccomp(2), SECCOMP_SET_MODE_STRICT).
    pub const STRICT_MODE: Self = Self(0);

    /// What it says of one thing.
    #[must_use]
    pub fn allows(self, own: Own) -> bool {
        self.0 & own as u32 != 0
    }

    /// The filter is in force.
    pub fn note(self) {
        ALLOWED.fetch_and(self.0, Ordering::Relaxed);
        for (own, kind) in [(Own::Grows, mem::GROWS), (Own::Populates, mem::POPULATES)] {
            if !self.allows(own) {
                mem::forbid(kind);
            }
        }
    }
}

/// Runs the filter for what the runtime would do.
#[must_use]
pub fn ask(filter: &[Instruction]) -> Verdict {
    const SOME_ADDRESS: u64 = 1 << 46;
    let sets_mask = [u64::from(k::SIG_SETMASK), SOME_ADDRESS, SOME_ADDRESS, 8, 0, 0];
    let mask = lets_through(filter, k::__NR_rt_sigprocmask, sets_mask);
    let opens = [u64::from(k::AT_FDCWD.cast_unsigned()), SOME_ADDRESS, u64::from(k::O_WRONLY | k::O_APPEND), 0, 0, 0];
    let others = [k::__NR_getpid, k::__NR_close, k::__NR_clock_gettime];
    let report = mask
        && lets_through(filter, k::__NR_openat, opens)
        && lets_through(filter, k::__NR_write, [2, SOME_ADDRESS, 1000, 0, 0, 0])
        && others.iter().all(|&nr| lets_through(filter, nr, [1, SOME_ADDRESS, 0, 0, 0, 0]));
    let open = u64::from(k::PROT_READ | k::PROT_WRITE | k::PROT_EXEC);
    let blank = u64::from(k::MAP_PRIVATE | k::MAP_ANONYMOUS);
    let closed = u64::from(k::PROT_READ | k::PROT_EXEC);
    let code = lets_through(filter, k::__NR_mmap, [0, 4096, open, blank, u64::MAX, 0])
        && lets_through(filter, k::__NR_mprotect, [SOME_ADDRESS, 4096, closed, 0, 0, 0]);
    let own = u64::from(k::MAP_PRIVATE | k::MAP_ANONYMOUS | k::MAP_FIXED | k::MAP_GROWSDOWN | k::MAP_NORESERVE);
    let kept = u64::from(k::PROT_READ | k::PROT_WRITE);
    let grows = lets_through(filter, k::__NR_mmap, [SOME_ADDRESS, 4096, kept, own, u64::MAX, 0]);
    let ahead = [SOME_ADDRESS, 4096, u64::from(k::MADV_POPULATE_WRITE), 0, 0, 0];
    let populates = lets_through(filter, k::__NR_madvise, ahead);
    let on = [u64::from(p::PR_SET_SYSCALL_USER_DISPATCH), u64::from(p::PR_SYS_DISPATCH_ON), SOME_ADDRESS, 4096, 0, 0];
    let dispatch = lets_through(filter, k::__NR_prctl, on);
    let bit = |allowed: bool, own: Own| if allowed { own as u32 } else { 0 };
    let seldom = bit(grows, Own::Grows) | bit(populates, Own::Populates) | bit(dispatch, Own::Dispatch);
    Verdict(bit(mask, Own::Mask) | bit(report, Own::Report) | bit(code, Own::Code) | seldom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insn(code: u16, skip: [u8; 2], operand: u32) -> Instruction {
        Instruction { code, skip, operand }
    }

    /// Allows one number; another one if its second argument's low half is less than 100.
    fn allow_list() -> [Instruction; 9] {
        [
            insn(0x20, [0, 0], 4),
            insn(0x15, [0, 5], ARCHITECTURE),
            insn(0x20, [0, 0], 0),
            insn(0x15, [4, 0], 14),
            insn(0x15, [0, 2], 9),
            insn(0x20, [0, 0], 24),
            insn(0x35, [0, 1], 100),
            insn(0x06, [0, 0], 0x8000_0000),
            insn(0x06, [0, 0], RET_ALLOW),
        ]
    }

    #[test]
    fn filters_decide_by_number_and_arguments() {
        let filter = allow_list();
        assert!(lets_through(&filter, 14, [0; 6]));
        assert!(!lets_through(&filter, 1, [0; 6]));
        assert!(lets_through(&filter, 9, [0, 99, 0, 0, 0, 0]));
        assert!(!lets_through(&filter, 9, [0, 100, 0, 0, 0, 0]));
    }

    #[test]
    fn memory_index_and_arithmetic_are_as_the_kernels() {
        let filter = [
            insn(0x00, [0, 0], 7),
            insn(0x02, [0, 0], 3),
            insn(0x61, [0, 0], 3),
            insn(0x87, [0, 0], 0),
            insn(0x24, [0, 0], 6),
            insn(0x0c, [0, 0], 0),
            insn(0x16, [0, 0], 0),
        ];
        assert_eq!(run(&filter, 0, [0; 6]), Some(49));
    }

    #[test]
    fn what_does_not_end_is_no_filter() {
        assert_eq!(run(&[insn(0x05, [0, 0], 5)], 0, [0; 6]), None);
        assert_eq!(run(&[insn(0xff, [0, 0], 0)], 0, [0; 6]), None);
        assert_eq!(run(&[], 0, [0; 6]), None);
        assert_eq!(run(&[insn(0x34, [0, 0], 0)], 0, [0; 6]), None);
    }
}
