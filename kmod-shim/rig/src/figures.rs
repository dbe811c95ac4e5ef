//! `bt-vm --bench`: figures in instructions.
//!
//! The machine runs with `-icount shift=0`: the time stamp counter then advances by one with each
//! instruction of guest and kernel, and figures are the same in every run.

use std::arch::asm;
use std::arch::x86_64::{_mm_lfence, _rdtsc};

use anyhow::Result;

use crate::cases::{Case, case};
use crate::command::Bench;
use crate::kmsg;
use crate::protocol::Message;

/// Every figure, in the order in which they are measured.
pub const FIGURES: &[Case] = &[case("getppid", getppid)];

/// Reports a figure of the running case.
pub fn report(bench: &Bench, key: &str, value: u64) -> Result<()> {
    Ok(kmsg::say(&Message::Figure { name: bench.name.clone(), key: key.to_owned(), value })?)
}

/// Ticks of `rounds` loops, the smallest of them: a timer interrupt strikes some, not all.
pub fn least_ticks(rounds: usize, mut body: impl FnMut()) -> u64 {
    let mut least = u64::MAX;
    for _ in 0..rounds {
        let before = ticks();
        body();
        least = least.min(ticks().wrapping_sub(before));
    }
    least
}

/// The time stamp counter, read when everything before is done.
fn ticks() -> u64 {
    // SAFETY: every x86-64 CPU has both instructions; neither touches memory.
    unsafe {
        _mm_lfence();
        _rdtsc()
    }
}

/// A system call that does next to nothing, from ring 3.
fn getppid(bench: &Bench) -> Result<()> {
    const CALLS: u64 = 1000;
    const ROUNDS: usize = 20;
    let empty = least_ticks(ROUNDS, || {
        for _ in 0..CALLS {
            // SAFETY: an empty statement that the compiler must not remove; it sets up what `syscall` below does.
            unsafe {
                asm!("", inlateout("rax") libc::SYS_getppid => _, out("rcx") _, out("r11") _,
                    options(nostack));
            }
        }
    });
    let calls = least_ticks(ROUNDS, || {
        for _ in 0..CALLS {
            // SAFETY: getppid(2) has no arguments and cannot fail; `syscall` changes rax, rcx and r11 only.
            unsafe {
                asm!("syscall", inlateout("rax") libc::SYS_getppid => _, out("rcx") _, out("r11") _,
                    options(nostack));
            }
        }
    });
    report(bench, "ring3", (calls - empty) / CALLS)
}
