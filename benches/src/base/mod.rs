//! The machine and arithmetic: what knows nothing of benchmarks.

pub mod host;
pub mod inputs;
pub mod os;
pub mod programs;
pub mod stats;
