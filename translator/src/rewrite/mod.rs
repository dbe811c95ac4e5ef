//! One small module for each reason not to copy an instruction, and one for copying.

pub mod branch;
pub mod copy;
pub mod cpuid;
pub mod indirect;
pub mod rebase;
pub mod rip_relative;
pub mod segment;
pub mod syscall;
