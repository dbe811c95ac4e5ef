//! A block, and the instructions that blocks are made of.

use super::opcodes::Spec;

/// One instruction of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planned {
    /// Offset in the code.
    pub(crate) offset: usize,
    /// Number of the spec.
    pub(crate) spec: usize,
}

/// A block, ready to be written and run.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) index: u64,
    pub(crate) base: u64,
    pub(crate) code: Vec<u8>,
    /// Instructions that are executed and covered; not the moves before them.
    pub(crate) planned: Vec<Planned>,
    /// Flags with undefined values at the end.
    pub(crate) undefined_flags: u32,
    pub(crate) has_flow: bool,
    pub(crate) fs: u64,
    pub(crate) gs: u64,
    /// Where the stack pointer begins.
    pub(crate) rsp: u64,
    /// Of the initial state.
    pub(crate) seed: u64,
}

/// What can be chosen from.
#[derive(Debug)]
pub(crate) struct Specs {
    pub(crate) list: Vec<Spec>,
    /// Numbers of those that can complete.
    pub(crate) running: Vec<usize>,
    /// Numbers of those that always fault, but not with #UD.
    pub(crate) faulting: Vec<usize>,
    /// There are no prefixes without effect: no REX before another prefix, no segment beside fs or gs.
    pub(crate) no_stray_prefix: bool,
}
