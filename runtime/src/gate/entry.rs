//! What the gate can do with a call, and where its assembly does it.

use super::labels::{self, Label};
use super::{clock, filters, lanes, ring0};
use crate::calls::route::{Clock, Filter, Operation};
use crate::calls::{VALUE_COUNT, VALUES};
use crate::thread::state::offset;
use bt_translator::layout::Answer;

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
    Filter(Filter),
    /// Asks the vDSO.
    Clock(Clock),
    /// Asks the descriptor's lane.
    Lane(Operation),
    /// The same; without a lane Rust has something to report before the call is made.
    LaneOrReport(Operation),
    /// Enters ring 0 where its site is known there.
    Ring0,
}

/// Calls that stubs and the gate's assembly answer with a value of 32 bits from the thread's state.
#[allow(clippy::indexing_slicing, reason = "evaluated at compile time, where a wrong index is an error of the build")]
pub static ANSWERS: [Answer; VALUE_COUNT] = {
    let mut answers = [answer(0); VALUE_COUNT];
    let mut at = 0;
    while at < VALUE_COUNT {
        answers[at] = answer(VALUES[at]);
        at += 1;
    }
    answers
};

const fn answer(number: u32) -> Answer {
    let value = offset::displacement(offset::ANSWERS + 4 * number as usize);
    Answer { number, value, count: offset::displacement(offset::ANSWERED + 8 * number as usize) }
}

/// Where the gate's assembly does that.
#[must_use]
pub fn entry_address(entry: CallEntry) -> u64 {
    labels::address(match entry {
        CallEntry::Pass => Label::Pass,
        CallEntry::Slow => Label::Slow,
        CallEntry::Answer => Label::Answer,
        CallEntry::Filter(filter) => return filters::entry(filter),
        CallEntry::Clock(clock) => return clock::entry(clock),
        CallEntry::Lane(operation) => return lanes::entry(operation),
        CallEntry::LaneOrReport(operation) => return lanes::reporting_entry(operation),
        CallEntry::Ring0 => return ring0::entry(),
    })
}
