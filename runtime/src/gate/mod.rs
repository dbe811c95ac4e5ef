//! The gate: the ways between guest code and the runtime.
//!
//! [`asm`] holds the assembly and the register contract of each entry; [`region`] tells a signal handler where
//! in it a thread was stopped.

pub mod asm;
pub mod region;

use crate::thread::state::{ANSWERED_CALLS, ThreadState, offset};
use bt_translator::layout::Answer;
use linux_raw_sys::general as k;

/// What the gate does with a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallEntry {
    /// Passes it to the kernel without entering Rust.
    Pass,
    /// Enters Rust.
    Slow,
    /// Answers getpid(2).
    Getpid,
}

/// Calls that stubs and the gate's assembly answer, in the order of [`ThreadState::answered`].
pub static ANSWERS: [Answer; ANSWERED_CALLS] =
    [Answer { number: k::__NR_getpid, value: offset_i32(offset::PID), count: offset_i32(offset::ANSWERED) }];

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
        CallEntry::Getpid => region::Label::Getpid,
    })
}

/// Fills in the entry points that emitted code jumps to.
pub fn set_entries(ts: &mut ThreadState) {
    ts.enter_exit = region::address(region::Label::EnterExit);
    ts.enter_lookup = region::address(region::Label::EnterLookup);
    ts.enter_gate = region::address(region::Label::EnterGate);
    crate::policy::apply_to(ts);
    ts.enter_cpuid = region::address(region::Label::EnterCpuid);
}
