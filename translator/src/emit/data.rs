//! Moves, address computation and the stack. None of them changes a flag.

use super::operand::{Encoded, FS, GS, OPSIZE, Opcode};
use super::{Code, Label};

const LEA: Opcode = Opcode::wide(0x8d);
/// Memory to register.
const MOV_LOAD: Opcode = Opcode::wide(0x8b);
const MOV32_LOAD: Opcode = Opcode::narrow(0x8b);
/// Register to register or memory.
const MOV_STORE: Opcode = Opcode::wide(0x89);
const MOV32_STORE: Opcode = Opcode::narrow(0x89);
const MOV32_STORE_LONG: Opcode = Opcode::narrow_long(0x89);
/// An immediate of four bytes to register or memory.
const MOV_IMM: Opcode = Opcode::wide(0xc7);
const MOV32_IMM: Opcode = Opcode::narrow(0xc7);
/// An immediate of the operand's size to a register in the opcode.
const MOV_FULL_IMM: Opcode = Opcode::wide(0xb8);
const MOV32_FULL_IMM: Opcode = Opcode::narrow(0xb8);
/// ModRM.reg of `F7`: not.
const F7_NOT: u8 = 2;
/// ModRM.reg of `FF`: push.
const FF_PUSH: u8 = 6;
const MOVZX_BYTE: Opcode = Opcode::two_byte(0xb6);
const MOVZX_WORD: Opcode = Opcode::two_byte(0xb7);

impl Code {
    /// `mov reg, gs:[offset]`
    #[inline]
    pub(crate) fn mov_load_gs(&mut self, reg: u8, offset: i32) {
        self.append(MOV_LOAD.with(GS).absolute(reg, offset));
    }

    /// `mov gs:[offset], reg`
    #[inline]
    pub(crate) fn mov_store_gs(&mut self, offset: i32, reg: u8) {
        self.append(MOV_STORE.with(GS).absolute(reg, offset));
    }

    /// `mov reg32, gs:[offset]`
    #[inline]
    pub(crate) fn mov32_load_gs(&mut self, reg: u8, offset: i32) {
        self.append(MOV32_LOAD.with(GS).absolute(reg, offset));
    }

    /// `mov gs:[offset], reg32`
    #[inline]
    pub(crate) fn mov32_store_gs(&mut self, offset: i32, reg: u8) {
        self.append(MOV32_STORE.with(GS).absolute(reg, offset));
    }

    /// `mov gs:[offset], reg32`, as long for every register.
    #[inline]
    pub(crate) fn mov32_store_gs_long(&mut self, offset: i32, reg: u8) {
        self.append(MOV32_STORE_LONG.with(GS).absolute(reg, offset));
    }

    /// `mov dword gs:[offset], value`
    #[inline]
    pub(crate) fn mov32_store_gs_imm(&mut self, offset: i32, value: i32) {
        self.append(MOV32_IMM.with(GS).absolute(0, offset).then32(value));
    }

    /// `mov reg, gs:[index*8 + offset]`; the index cannot be rsp.
    #[inline]
    pub(crate) fn mov_load_gs_index8(&mut self, reg: u8, index: u8, offset: i32) {
        self.append(MOV_LOAD.with(GS).index8(reg, index, offset));
    }

    /// `mov gs:[index*8 + offset], reg`; the index cannot be rsp.
    #[inline]
    pub(crate) fn mov_store_gs_index8(&mut self, index: u8, offset: i32, reg: u8) {
        self.append(MOV_STORE.with(GS).index8(reg, index, offset));
    }

    /// `mov reg, [base]`
    #[inline]
    pub(crate) fn mov_load_base(&mut self, reg: u8, base: u8) {
        self.append(MOV_LOAD.base(reg, base));
    }

    /// `mov reg, fs:[base]`
    #[inline]
    pub(crate) fn mov_load_fs_base(&mut self, reg: u8, base: u8) {
        self.append(MOV_LOAD.with(FS).base(reg, base));
    }

    /// `mov reg, [base + index]`; the index cannot be rsp.
    #[inline]
    pub(crate) fn mov_load_base_index(&mut self, reg: u8, base: u8, index: u8) {
        self.append(MOV_LOAD.base_index(reg, base, index));
    }

    /// `mov to32, from32`, which clears the upper half; as long for every register.
    #[inline]
    pub(crate) fn mov32_long(&mut self, to: u8, from: u8) {
        self.append(MOV32_STORE_LONG.registers(from, to));
    }

    /// `mov reg, value` in the shortest form.
    #[inline]
    pub(crate) fn mov_imm(&mut self, reg: u8, value: u64) {
        if let Ok(v) = u32::try_from(value) {
            self.mov32_imm(reg, v);
        } else if let Ok(v) = i32::try_from(value.cast_signed()) {
            self.append(MOV_IMM.registers(0, reg).then32(v));
        } else {
            self.append(MOV_FULL_IMM.opcode_register(reg).then64(value));
        }
    }

    /// `mov reg32, value`, of which the last four bytes are the value.
    #[inline]
    pub(crate) fn mov32_imm(&mut self, reg: u8, value: u32) {
        self.append(MOV32_FULL_IMM.opcode_register(reg).then32(value.cast_signed()));
    }

    /// `mov reg16, value`
    #[inline]
    pub(crate) fn mov16_imm(&mut self, reg: u8, value: u16) {
        let [low, high] = value.to_le_bytes();
        self.append(MOV32_FULL_IMM.with(OPSIZE).opcode_register(reg).then(low).then(high));
    }

    /// `movzx reg32, byte [address]`, the address below 2 GiB.
    #[inline]
    pub(crate) fn movzx_byte_abs(&mut self, reg: u8, address: u32) {
        self.append(MOVZX_BYTE.absolute(reg, address.cast_signed()));
    }

    /// `movzx reg32, byte [base + address]`, the address below 2 GiB.
    #[inline]
    pub(crate) fn movzx_byte_base(&mut self, reg: u8, base: u8, address: u32) {
        self.append(MOVZX_BYTE.base32(reg, base, address.cast_signed()));
    }

    /// `movzx reg32, word gs:[offset]`
    #[inline]
    pub(crate) fn movzx_word_gs(&mut self, reg: u8, offset: i32) {
        self.append(MOVZX_WORD.with(GS).absolute(reg, offset));
    }

    /// `movzx to32, from16`
    #[inline]
    pub(crate) fn movzx_word(&mut self, to: u8, from: u8) {
        self.append(MOVZX_WORD.registers(to, from));
    }

    /// `lea reg, [base + index]`; the index cannot be rsp.
    #[inline]
    pub(crate) fn lea_base_index(&mut self, reg: u8, base: u8, index: u8) {
        self.append(LEA.base_index(reg, base, index));
    }

    /// `lea reg, [base + index + disp]` with a displacement of one byte; the index cannot be rsp.
    #[inline]
    pub(crate) fn lea_base_index_disp8(&mut self, reg: u8, base: u8, index: u8, disp: i8) {
        self.append(LEA.base_index8(reg, base, index, disp));
    }

    /// `lea reg, [base + disp]` with a displacement of one byte.
    #[inline]
    pub(crate) fn lea_base_disp8(&mut self, reg: u8, base: u8, disp: i8) {
        self.append(LEA.base8(reg, base, disp));
    }

    /// `lea reg, [base + disp]` with a displacement of four bytes.
    #[inline]
    pub(crate) fn lea_base_disp32(&mut self, reg: u8, base: u8, disp: i32) {
        self.append(LEA.base32(reg, base, disp));
    }

    /// `lea reg, [label]`, relative to the next instruction.
    #[inline]
    pub(crate) fn lea_rip(&mut self, reg: u8, label: &mut Label) {
        self.append(LEA.rip(reg, 0));
        self.refer_near(label);
    }

    /// `reg` = the address `value`: `lea reg, [rip + …]` where that is shorter and reaches, else `mov reg, value`.
    #[inline]
    pub(crate) fn load_address(&mut self, reg: u8, value: u64) {
        const LEN_BYTES: u64 = 7;
        match self.rel32_after(LEN_BYTES, value) {
            Some(rel) if u32::try_from(value).is_err() => self.append(LEA.rip(reg, rel)),
            _ => self.mov_imm(reg, value),
        }
    }

    /// `not reg`: every bit is changed, and no flag.
    #[inline]
    pub(crate) fn not(&mut self, reg: u8) {
        self.append(Opcode::wide(0xf7).registers(F7_NOT, reg));
    }

    /// `push value`, sign-extended.
    #[inline]
    pub(crate) fn push_imm(&mut self, value: i32) {
        self.append(Encoded::fixed([0x68]).then32(value));
    }

    /// `push qword [address]`, relative to the next instruction. `None` when the address is out of reach.
    #[inline]
    pub(crate) fn push_rip(&mut self, address: u64) -> Option<()> {
        const LEN_BYTES: u64 = 6;
        let rel = self.rel32_after(LEN_BYTES, address);
        self.append(Opcode::narrow(0xff).rip(FF_PUSH, rel.unwrap_or(0)));
        rel.map(|_| ())
    }

    /// `pop reg`
    #[inline]
    pub(crate) fn pop(&mut self, reg: u8) {
        self.append(Opcode::narrow(0x58).opcode_register(reg));
    }

    /// `pushfq`
    #[inline]
    pub(crate) fn pushfq(&mut self) {
        self.append(Encoded::fixed([0x9c]));
    }
}
