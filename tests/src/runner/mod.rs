//! Runs tests, compares what they show, and reports.

mod case;
pub mod compare;
pub(crate) mod executable;
pub mod launch;
pub mod process;
mod suite;
mod verdict;

pub use suite::{Options, Totals, run};
pub use verdict::Verdict;
