//! Runtime of bt-run.
#![cfg_attr(not(test), no_std)]

pub mod syscall;
pub mod trace;
