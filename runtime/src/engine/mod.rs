//! The engines: where the guest's code runs, and how its system calls are caught.

pub mod direct;
pub mod translate;
