//! What the runtime tells of itself and its guest: statistics and traces.

pub mod stats;
pub mod trace;
pub mod trace_line;
