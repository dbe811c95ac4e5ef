//! Memory that a fork's child does not have as its parent has it (madvise(2)).

use crate::mem::concerns::CONCERNS;
use crate::mem::spans::Spans;
use alloc::vec::Vec;

/// What a fork's child may find other than it is. More may be noted than is true: the child looks.
#[derive(Default, Debug)]
pub struct Inheritance {
    /// MADV_DONTFORK.
    pub left_out: Spans,
    /// MADV_WIPEONFORK.
    pub wiped: Spans,
}

/// What is noted of a mapping that moves.
pub struct Marks([Vec<(u64, u64)>; 2]);

impl Inheritance {
    /// What was mapped at `start..end` is gone.
    pub fn forget(&mut self, start: u64, end: u64) {
        self.left_out.remove(start, end);
        self.wiped.remove(start, end);
    }

    /// Something is noted of `start..end`.
    #[must_use]
    pub fn holds(&self, start: u64, end: u64) -> bool {
        [&self.left_out, &self.wiped].iter().any(|spans| spans.within(start, end).next().is_some())
    }

    /// What is noted of `len` bytes at `start`.
    #[must_use]
    pub fn marks(&self, start: u64, len: u64) -> Marks {
        Marks([&self.left_out, &self.wiped].map(|spans| spans.within(start, start.saturating_add(len)).collect()))
    }

    /// A mapping that was at `old` is at `new` now, with its marks.
    pub fn put(&mut self, marks: Marks, old: u64, new: u64) {
        for (spans, marked) in [&mut self.left_out, &mut self.wiped].into_iter().zip(marks.0) {
            for (start, end) in marked {
                spans.insert(start - old + new, end - old + new);
                CONCERNS.add(start - old + new, end - old + new);
            }
        }
    }
}
