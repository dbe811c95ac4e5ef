//! A small assembler: the only place that knows how an emitted instruction is encoded.
//!
//! [`Code`] is a buffer with the address at which it will run. Its methods are named after the instruction that they
//! append and its operands, destination first: `mov_load_*` reads memory, `mov_store_*` writes it, `*_gs` is an
//! absolute offset from the gs base, `*_abs` an absolute address below 2 GiB, `*_base` a register, `*_base_index` the
//! sum of two. Registers are numbered as instructions encode them (`gpr`). A jump within the code leads to a
//! `Label`.
//!
//! * `code`: the buffer, constants, alignment, and bytes of the guest's own instructions;
//! * `label`: places in the code that displacements are filled in for;
//! * `operand`: how operands are encoded (Intel SDM vol. 2, chapter 2);
//! * `data`: moves, address computation, stack;
//! * `control`: jumps, calls into the kernel, traps;
//! * `guest`: instructions of ours with an operand of the guest's;
//! * `overwrite`: what is written over the guest's own code.

mod code;
mod control;
mod data;
mod guest;
mod label;
mod operand;
mod overwrite;
#[cfg(test)]
mod tests;

pub use code::Code;
pub(crate) use control::Branch;
pub(crate) use label::Label;
pub use overwrite::{JMP_NEAR, JMP_NEAR_BYTES, encode_jmp_near, traps};

/// General registers by encoding.
pub(crate) mod gpr {
    pub(crate) const RAX: u8 = 0;
    pub(crate) const RCX: u8 = 1;
    pub(crate) const RDX: u8 = 2;
    pub(crate) const RBX: u8 = 3;
    pub(crate) const RSP: u8 = 4;
    pub(crate) const RSI: u8 = 6;
    pub(crate) const RDI: u8 = 7;
    pub(crate) const R8: u8 = 8;
    pub(crate) const R9: u8 = 9;
    pub(crate) const R10: u8 = 10;
    pub(crate) const R11: u8 = 11;
    pub(crate) const R12: u8 = 12;
    pub(crate) const R13: u8 = 13;
    pub(crate) const R14: u8 = 14;
    pub(crate) const R15: u8 = 15;
}
