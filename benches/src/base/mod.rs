//! The machine and arithmetic: what knows nothing of benchmarks.

pub(crate) mod counters;
pub(crate) mod cpus;
pub(crate) mod directories;
pub(crate) mod host;
pub(crate) mod inputs;
pub(crate) mod process;
pub(crate) mod programs;
pub(crate) mod stats;
