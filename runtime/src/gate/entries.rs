//! What the gate calls in Rust. The gate lies below the layers that define these functions, so it knows them by their
//! symbols only.

use crate::sys::types::{SigInfo, UContext};
use crate::thread::state::ThreadState;

#[allow(improper_ctypes, reason = "both sides are Rust, and only the address of the state crosses")]
unsafe extern "C" {
    /// A fragment was left by an exit that leads nowhere yet; `id` is the exit's (`syscall::entry`).
    pub(super) fn bt_on_exit(ts: *mut ThreadState, id: u32);
    /// The look-up routine does not know the guest pc in the thread state (`engine::translate::dispatch`).
    pub(super) fn bt_on_lookup_miss(ts: *mut ThreadState);
    /// The guest executes `cpuid` (`engine::cpuid`).
    pub(super) fn bt_on_cpuid(ts: *mut ThreadState);
    /// The guest makes a system call that assembly does not carry out (`syscall::entry`).
    pub(super) fn bt_on_syscall(ts: *mut ThreadState);
    /// The guest has duplicated a descriptor, and the new one is not noted yet (`syscall::entry`).
    pub(super) fn bt_on_duplicate(ts: *mut ThreadState);
    /// Ring 0 was left with this result of its lseek(2). Returns whether it is entered again (`engine::ring0::leave`).
    pub(super) fn bt_on_ring0_leave(ts: *mut ThreadState, result: i64) -> bool;
    /// The runtime is left while signals are requeued (`signal::leave`). Does not return.
    pub(super) fn bt_leave_requeued(ts: *mut ThreadState) -> !;
    /// The kernel delivers a signal (`signal::host`).
    pub(super) fn bt_on_signal(signal: i32, info: *mut SigInfo, context: *mut UContext);
}
