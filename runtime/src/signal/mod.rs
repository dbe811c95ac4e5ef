//! Signals. The essay that comes before this code is `runtime/SIGNALS.md`.

pub mod action;
pub mod alt_stack;
pub mod blame;
pub mod context;
pub mod deliver;
pub mod host;
pub mod kept;
pub mod leave;
pub mod natively;
pub mod sigreturn;
pub mod step;
pub mod waiting;

/// Every signal: what the kernel masks while a host handler runs, without those that runtime code itself can raise.
pub const ALL_BUT_FAULTS: u64 = !(crate::sys::types::sig::bit(11) | crate::sys::types::sig::bit(7));
