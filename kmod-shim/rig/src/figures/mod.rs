//! `bt-vm --bench`: figures in instructions.
//!
//! The machine runs with `-icount shift=0`: the time stamp counter then advances by one with each
//! instruction of guest and kernel, and figures are the same in every run.

mod calls;
mod kernel_code;
mod operations;
mod programs;
mod region;
mod report;
mod table;
mod ticks;

pub use table::FIGURES;
