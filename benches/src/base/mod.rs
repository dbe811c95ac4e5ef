//! The machine and arithmetic: what knows nothing of benchmarks.

pub mod counters;
pub mod cpus;
pub mod host;
pub mod inputs;
pub mod process;
pub mod programs;
pub mod stats;
