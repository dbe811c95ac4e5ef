//! The kernel's side: system calls that the runtime makes for itself, typed, and structures as the kernel lays them
//! out.
//!
//! Numbers of system calls stand here and in the calls' rows only. Calls made on behalf of the guest pass the gate.

pub mod cpu;
pub mod errno;
pub mod fd;
pub mod fs;
pub mod futex;
pub mod mem;
pub mod notify;
pub mod plain;
pub mod process;
pub mod raw;
pub mod shim;
pub mod signal;
pub mod stat;
pub mod time;
pub mod types;

pub use errno::Errno;
pub use fd::Fd;
