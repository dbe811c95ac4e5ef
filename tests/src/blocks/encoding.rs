//! Bytes of single instructions: prefixes, fields, moves.

use iced_x86::{Decoder, DecoderOptions, Register};

/// Whether `wanted` is among the prefixes.
pub(super) fn has_prefix(bytes: &[u8], wanted: u8) -> bool {
    bytes
        .iter()
        .take_while(|&&byte| matches!(byte, 0x26 | 0x2e | 0x36 | 0x3e | 0x64..=0x67 | 0xf0 | 0xf2 | 0xf3 | 0x40..=0x4f))
        .any(|&byte| byte == wanted)
}

/// A REX prefix in front of another prefix, or two segments.
pub(super) fn has_stray_prefix(bytes: &[u8]) -> bool {
    let segments = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
    if segments.into_iter().filter(|&segment| has_prefix(bytes, segment)).count() > 1 {
        return true;
    }
    let is_rex = |byte: u8| matches!(byte, 0x40..=0x4f);
    let is_prefix = |byte: u8| is_rex(byte) || has_prefix(&[byte], byte);
    bytes.windows(2).take_while(|pair| is_prefix(pair[0])).any(|pair| is_rex(pair[0]) && is_prefix(pair[1]))
}

/// `mov r64, imm` in one of its forms.
pub(super) fn put_move(code: &mut Vec<u8>, register: Register, value: u64) {
    let [number, ..] = register.number().to_le_bytes();
    let (b, low) = (number >> 3, number & 7);
    match u32::try_from(value) {
        Ok(value) => {
            if b != 0 {
                code.push(0x41);
            }
            code.push(0xb8 | low);
            code.extend(value.to_le_bytes());
        }
        Err(_) => {
            code.extend([0x48 | b, 0xb8 | low]);
            code.extend(value.to_le_bytes());
        }
    }
}

/// Offset of the displacement or immediate field, by the decoder's word.
pub(super) fn offsets(bytes: &[u8]) -> iced_x86::ConstantOffsets {
    let mut decoder = Decoder::with_ip(64, bytes, 0, DecoderOptions::NONE);
    let insn = decoder.decode();
    decoder.get_constant_offsets(&insn)
}

/// Overwrites a field of `len` bytes.
pub(super) fn patch(bytes: &mut [u8], at: usize, value: u64, len: usize) -> Option<()> {
    bytes.get_mut(at..at + len)?.copy_from_slice(value.to_le_bytes().get(..len)?);
    Some(())
}
