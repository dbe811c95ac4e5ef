//! What is written over the guest's own code, where one instruction is one array and no buffer is needed.

/// Opcode of `jmp rel32`.
pub const JMP_NEAR: u8 = 0xe9;
/// Bytes of `jmp rel32`.
pub const JMP_NEAR_BYTES: u64 = 5;

/// `jmp target` at the address `at`. `None` when the target is out of reach.
#[must_use]
pub fn encode_jmp_near(at: u64, target: u64) -> Option<[u8; 5]> {
    let origin = at.wrapping_add(JMP_NEAR_BYTES);
    let rel = i32::try_from(target.wrapping_sub(origin).cast_signed()).ok()?;
    let [b0, b1, b2, b3] = rel.to_le_bytes();
    Some([JMP_NEAR, b0, b1, b2, b3])
}

/// Instructions of one byte that raise #GP at user privilege (Intel SDM vol. 2): when one is executed, its address says
/// where control went.
pub mod traps {
    /// `hlt`
    pub const HLT: u8 = 0xf4;
    /// `cli`
    pub const CLI: u8 = 0xfa;
    /// `in al, dx`
    pub const IN_AL_DX: u8 = 0xec;
    /// `in eax, dx`
    pub const IN_EAX_DX: u8 = 0xed;
    /// `out dx, al`
    pub const OUT_DX_AL: u8 = 0xee;
    /// `out dx, eax`
    pub const OUT_DX_EAX: u8 = 0xef;
    /// `insb`
    pub const INSB: u8 = 0x6c;
    /// `insd`
    pub const INSD: u8 = 0x6d;
    /// `outsb`
    pub const OUTSB: u8 = 0x6e;
    /// `outsd`
    pub const OUTSD: u8 = 0x6f;
}
