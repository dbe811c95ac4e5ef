//! The gate: the ways between guest code and the runtime.
//!
//! [`asm`] holds the assembly and the register contract of each entry, [`lanes`] that of calls answered by descriptor, [`clock`] that of calls
//! answered by the vDSO, [`filters`] that of calls that only seldom concern the runtime, [`ring0`] that of calls at which ring 0 is entered; [`region`] tells a signal handler where
//! in it a thread was stopped.

pub mod asm;
pub mod clock;
pub mod filters;
pub mod lane;
pub mod lanes;
pub mod region;
pub mod ring0;

use crate::emulate::sample;
use crate::thread::state::{ThreadState, offset};
use bt_translator::layout::Answer;
use linux_raw_sys::general as k;

/// What the gate does with a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallEntry {
    /// Passes it to the kernel without entering Rust.
    Pass,
    /// Enters Rust.
    Slow,
    /// Answers it with the value in the thread's state.
    Answer,
    /// Passes it on or enters Rust, as a look at its arguments says.
    Filter(filters::Filter),
    /// Asks the vDSO.
    Clock(clock::Function),
    /// Asks the descriptor's lane.
    Lane(lanes::Operation),
    /// Enters ring 0 where its site is known there.
    Ring0,
}

/// Calls that stubs and the gate's assembly answer with a value of 32 bits from the thread's state.
pub static ANSWERS: [Answer; 6] = [
    answer(k::__NR_getpid),
    answer(k::__NR_gettid),
    answer(k::__NR_getuid),
    answer(k::__NR_geteuid),
    answer(k::__NR_getgid),
    answer(k::__NR_getegid),
];

const fn answer(number: u32) -> Answer {
    let value = offset_i32(offset::ANSWERS + 4 * number as usize);
    Answer { number, value, count: offset_i32(offset::ANSWERED + 8 * number as usize) }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "offsets in a structure of a few pages"
)]
const fn offset_i32(offset: usize) -> i32 {
    offset as i32
}

/// Where the gate's assembly does that.
#[must_use]
pub fn entry_address(entry: CallEntry) -> u64 {
    region::address(match entry {
        CallEntry::Pass => region::Label::Pass,
        CallEntry::Slow => region::Label::Slow,
        CallEntry::Answer => region::Label::Answer,
        CallEntry::Filter(filter) => return filter.entry(),
        CallEntry::Clock(function) => return function.entry(),
        CallEntry::Lane(operation) => return lanes::entry(operation),
        CallEntry::Ring0 => return ring0::entry(),
    })
}

/// Fills in the entry points that emitted code jumps to.
pub fn set_entries(ts: &mut ThreadState) {
    ts.enter_exit = region::address(region::Label::EnterExit);
    ts.enter_lookup = region::address(region::Label::EnterLookup);
    ts.enter_gate = region::address(region::Label::EnterGate);
    ts.enter_slow = region::address(region::Label::Slow);
    crate::policy::apply_to(ts);
    sample::begin(ts);
    crate::engine::ring0::sites::give(ts);
    ts.enter_cpuid = region::address(region::Label::EnterCpuid);
}
