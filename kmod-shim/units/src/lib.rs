//! Units of operations for the btshim kernel module, which makes ring-0 code from them.
//!
//! What the machine code looks like is the module's affair: where registers are kept, how addresses are masked, where
//! it polls. Here is decided what belongs together (`trace`), what each instruction is as an operation (`lower`), and
//! where the flags' values are needed (`liveness`). What has no operation ends in a `Leave`: ring 3 goes on at that
//! instruction.
//!
//! Decoding is `bt_translator`'s, the form of an operation `bt_shim`'s. The crate makes no system call and owns no
//! global.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![warn(unreachable_pub)]
// The code runs on guest threads, where a panic would end the guest.
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable)
)]

extern crate alloc;

mod liveness;
mod lower;
#[cfg(test)]
mod tests;
mod trace;

pub use trace::{Builder, Entry, Outside, Unit};
