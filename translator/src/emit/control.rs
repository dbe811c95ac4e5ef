//! Jumps, the system call, padding and traps.

use super::operand::{Encoded, GS, Opcode};
use super::{Code, JMP_NEAR, Label};

/// A branch whose last four bytes are its displacement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Branch {
    opcode: u16,
    opcode_len: u8,
}

impl Branch {
    /// `jmp`
    pub(crate) const JMP: Self = Self { opcode: JMP_NEAR as u16, opcode_len: 1 };
    /// `xbegin`: where the CPU goes when the transaction aborts.
    pub(crate) const XBEGIN: Self = Self { opcode: 0xf8c7, opcode_len: 2 };

    /// `jcc` with this condition, 0 to 15.
    #[inline]
    pub(crate) const fn jcc(condition: u8) -> Self {
        Self { opcode: 0x0f | (0x80 | condition as u16 & 15) << 8, opcode_len: 2 }
    }

    /// Bytes before the displacement.
    #[inline]
    pub(crate) fn opcode_len(self) -> u64 {
        u64::from(self.opcode_len)
    }
}

/// ModRM.reg of `FF`: an indirect jump.
const FF_JMP: u8 = 4;

impl Code {
    /// A branch to `target`. `None` when it is out of reach: the displacement is zero then.
    #[inline(always)]
    pub(crate) fn branch(&mut self, branch: Branch, target: u64) -> Option<()> {
        let rel = self.rel32_after(branch.opcode_len() + 4, target);
        let insn = Encoded::short(branch.opcode, branch.opcode_len, rel.unwrap_or(0));
        self.copy_start(&insn.window(), insn.len());
        rel.map(|_| ())
    }

    /// `jmp label` with a displacement of one byte.
    #[inline]
    pub(crate) fn jmp_short(&mut self, label: &mut Label) {
        self.append(Encoded::fixed([0xeb, 0]));
        self.refer_short(label);
    }

    /// `jrcxz label`: jumps if rcx is zero. It has a displacement of one byte only.
    #[inline]
    pub(crate) fn jrcxz(&mut self, label: &mut Label) {
        self.append(Encoded::fixed([0xe3, 0]));
        self.refer_short(label);
    }

    /// `jmp gs:[offset]`
    #[inline]
    pub(crate) fn jmp_gs(&mut self, offset: i32) {
        self.append(Opcode::narrow(0xff).with(GS).absolute(FF_JMP, offset));
    }

    /// `jmp [index*8 + address]`, the address below 2 GiB; the index cannot be rsp.
    #[inline]
    pub(crate) fn jmp_index8(&mut self, index: u8, address: u32) {
        self.append(Opcode::narrow(0xff).index8(FF_JMP, index, address.cast_signed()));
    }

    /// `jmp [rip + 0]`: through the eight bytes that follow it.
    #[inline]
    pub fn jmp_through_next(&mut self) {
        self.append(Opcode::narrow(0xff).rip(FF_JMP, 0));
    }

    /// `syscall`
    #[inline]
    pub(crate) fn syscall(&mut self) {
        self.append(Encoded::fixed([0x0f, 0x05]));
    }

    /// `int3`: what fills gaps that nothing leads to.
    #[inline]
    pub fn int3(&mut self) {
        self.append(Encoded::fixed([0xcc]));
    }

    /// A `nop` of one byte.
    #[inline]
    pub(super) fn nop(&mut self) {
        self.append(Encoded::fixed([0x90]));
    }

    /// A `nop` of two bytes.
    #[inline]
    pub(super) fn nop2(&mut self) {
        self.append(Encoded::fixed([0x66, 0x90]));
    }

    /// A `nop` of three bytes: `nop dword [rax]`.
    #[inline]
    pub(super) fn nop3(&mut self) {
        self.append(Encoded::fixed([0x0f, 0x1f, 0x00]));
    }
}
