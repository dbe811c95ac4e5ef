//! The gate: the ways between guest code and the runtime.
//!
//! [`asm`] holds the assembly and the register contract of each entry; [`region`] tells a signal handler where
//! in it a thread was stopped.

pub mod asm;
pub mod region;

use crate::thread::state::ThreadState;
use core::sync::atomic::{AtomicU8, Ordering};

/// Number of table entries with a fast path byte.
pub const FAST_ENTRIES: usize = crate::thread::state::COUNTED_CALLS;

/// One byte for each system call number: 1 = the gate's assembly passes it to the kernel without entering Rust.
/// Cleared as a whole when something must see every call (`--trace`).
pub static FAST: [AtomicU8; FAST_ENTRIES] = [const { AtomicU8::new(0) }; FAST_ENTRIES];

/// Allows or forbids the fast path for the call `nr`.
pub fn set_fast(nr: usize, fast: bool) {
    if let Some(byte) = FAST.get(nr) {
        byte.store(u8::from(fast), Ordering::Relaxed);
    }
}

/// Fills in the entry points that emitted code jumps to.
pub fn set_entries(ts: &mut ThreadState) {
    ts.enter_exit = region::address(region::Label::EnterExit);
    ts.enter_lookup = region::address(region::Label::EnterLookup);
    ts.enter_gate = region::address(region::Label::EnterGate);
    ts.enter_cpuid = region::address(region::Label::EnterCpuid);
}
