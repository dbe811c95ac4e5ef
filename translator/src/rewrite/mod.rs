//! One small module for each reason not to copy an instruction, and one for copying.

pub(crate) mod branch;
pub(crate) mod copy;
pub(crate) mod cpuid;
pub(crate) mod indirect;
pub(crate) mod rebase;
pub(crate) mod rip_relative;
pub(crate) mod segment;
pub(crate) mod site;
pub(crate) mod syscall;
