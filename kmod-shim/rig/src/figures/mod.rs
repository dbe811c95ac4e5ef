//! `bt-vm --bench`: figures in instructions.
//!
//! The machine runs with `-icount shift=0`: the time stamp counter then advances by one with each
//! instruction of guest and kernel, and figures are the same in every run.

mod calls;
mod kernel_code;
mod operations;
mod programs;

use std::arch::x86_64::{_mm_lfence, _rdtsc};
use std::time::Duration;

use anyhow::Result;

use crate::cases::{Case, case};
use crate::command::Bench;
use crate::kmsg;
use crate::protocol::{Message, Target};

/// Every figure, in the order in which they are measured.
pub const FIGURES: &[Case] = &[
    case("getppid", calls::getppid),
    case("empty_call", calls::empty_call),
    case("call", calls::call),
    case("call_with_vectors", calls::call_with_vectors),
    case("enter_and_leave", calls::enter_and_leave),
    case("operations", operations::operations),
    long("read_write_loop", programs::read_write_loop),
    long("getppid_loop", programs::getppid_loop),
    long("dd_bytes", programs::dd_bytes),
];

const fn long(name: &'static str, run: fn(&Bench) -> Result<()>) -> Case {
    Case { limit: Duration::from_secs(300), ..case(name, run) }
}

/// Reports a figure of the running case.
pub fn report(bench: &Bench, key: &str, value: i64) -> Result<()> {
    tell(bench, key, value, None)
}

/// Reports a figure that has a target.
pub fn report_against(bench: &Bench, key: &str, value: i64, target: Target) -> Result<()> {
    tell(bench, key, value, Some(target))
}

fn tell(bench: &Bench, key: &str, value: i64, target: Option<Target>) -> Result<()> {
    Ok(kmsg::say(&Message::Figure { name: bench.name.clone(), key: key.to_owned(), value, target })?)
}

/// Ticks of `rounds` loops, the smallest of them: a timer interrupt strikes some, not all.
pub fn least_ticks(rounds: usize, mut body: impl FnMut()) -> i64 {
    (0..rounds).map(|_| ticks_of(&mut body)).min().unwrap_or(0)
}

/// Ticks of one call of `body`.
pub fn ticks_of(body: impl FnOnce()) -> i64 {
    let before = ticks();
    body();
    ticks().wrapping_sub(before).cast_signed()
}

/// The time stamp counter, read when everything before is done.
fn ticks() -> u64 {
    // SAFETY: every x86-64 CPU has both instructions; neither touches memory.
    unsafe {
        _mm_lfence();
        _rdtsc()
    }
}
