//! Signals. The essay that comes before this code is `runtime/SIGNALS.md`.

pub mod action;
pub mod alt_stack;
pub mod blame;
pub mod context;
pub mod deliver;
pub mod host;
pub mod leave;
pub mod sigreturn;
pub mod step;

/// Every signal: what the kernel masks while a host handler runs, without those that runtime code itself can raise.
pub const ALL_BUT_FAULTS: u64 = !(crate::sys::types::sig::bit(11) | crate::sys::types::sig::bit(7));

/// Signals that the kernel never blocks, because the runtime needs them at any time: SIGSEGV, with `--strict` SIGSYS.
/// The guest's bits are kept in [`kept_mask`](crate::thread::state::ThreadState::kept_mask).
#[must_use]
pub fn never_blocked() -> u64 {
    use crate::sys::types::sig;
    let strict = if crate::options::get().strict { sig::bit(sig::SIGSYS) } else { 0 };
    sig::bit(sig::SIGSEGV) | strict
}
