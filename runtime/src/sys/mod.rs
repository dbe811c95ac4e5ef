//! The kernel's side: raw calls, numbers, and structures as the kernel lays them out.

pub mod cpu;
pub mod raw;
pub mod types;

pub use raw::{Errno, syscall};
