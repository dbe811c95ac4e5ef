//! The kernel's side: raw calls, numbers, and structures as the kernel lays them out.

pub mod cpu;
pub mod errno;
pub mod plain;
pub mod process;
pub mod raw;
pub mod shim;
pub mod signal;
pub mod types;

pub use errno::Errno;
