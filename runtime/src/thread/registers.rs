//! The guest's integer registers.

use core::ops::{Index, IndexMut};

/// A general register, numbered as the instruction set encodes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[allow(missing_docs, reason = "register names")]
pub enum Gpr {
    Rax,
    Rcx,
    Rdx,
    Rbx,
    Rsp,
    Rbp,
    Rsi,
    Rdi,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
}

impl Gpr {
    const ALL: [Self; 16] = [
        Self::Rax,
        Self::Rcx,
        Self::Rdx,
        Self::Rbx,
        Self::Rsp,
        Self::Rbp,
        Self::Rsi,
        Self::Rdi,
        Self::R8,
        Self::R9,
        Self::R10,
        Self::R11,
        Self::R12,
        Self::R13,
        Self::R14,
        Self::R15,
    ];

    /// The register with an encoded number, of which the low four bits count.
    #[must_use]
    pub fn numbered(number: u8) -> Self {
        let [rax, ..] = Self::ALL;
        Self::ALL.get(usize::from(number & 15)).copied().unwrap_or(rax)
    }
}

/// The guest's integer state.
#[repr(C)]
#[derive(Clone, Copy, Default, Debug)]
pub struct Regs {
    /// rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 … r15.
    pub gpr: [u64; 16],
    /// The guest pc.
    pub rip: u64,
    /// RFLAGS.
    pub rflags: u64,
}

#[allow(clippy::indexing_slicing, reason = "there are as many places as registers, so no index is out of range")]
impl Index<Gpr> for Regs {
    type Output = u64;

    fn index(&self, register: Gpr) -> &u64 {
        &self.gpr[register as usize]
    }
}

#[allow(clippy::indexing_slicing, reason = "there are as many places as registers, so no index is out of range")]
impl IndexMut<Gpr> for Regs {
    fn index_mut(&mut self, register: Gpr) -> &mut u64 {
        &mut self.gpr[register as usize]
    }
}
