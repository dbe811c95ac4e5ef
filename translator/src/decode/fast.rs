//! The length of the commonest instructions, by two table look-ups.
//!
//! Most instructions of a program are copied, and for those nothing but the length is wanted. What is not certain to be
//! such an instruction gets 0 and goes through [`decode`](super::decode).

/// The instruction is copied whatever its operands, if they are not RIP-relative.
const YES: u8 = 1;
/// It has a ModRM byte.
const MODRM: u8 = 2;
/// It ends with an immediate of one byte.
const IMM8: u8 = 4;
/// It ends with an immediate of four bytes (two with `66`, which is left to the decoder).
const IMM32: u8 = 8;
/// ModRM.reg must be 0 (`C6`, `C7`: the others are XABORT and XBEGIN).
const REG0: u8 = 16;
/// ModRM.reg must be 2 or more (`F6`, `F7`: TEST has an immediate).
const REG2: u8 = 32;
/// ModRM.reg must be 0, 1 or 6 (`FF`: INC, DEC, PUSH; the others branch).
const REG016: u8 = 64;
/// REX.W makes the immediate eight bytes: left to the decoder (`B8`–`BF`).
const NOT_W: u8 = 128;

#[allow(clippy::indexing_slicing, reason = "evaluated at compile time, where a bad index does not build")]
const fn fill<const N: usize>(mut table: [u8; 256], opcodes: [u8; N], value: u8) -> [u8; 256] {
    let mut i = 0;
    while i < N {
        table[opcodes[i] as usize] = value;
        i += 1;
    }
    table
}

#[allow(clippy::indexing_slicing, reason = "evaluated at compile time, where a bad index does not build")]
const fn range(mut table: [u8; 256], from: u8, to: u8, value: u8) -> [u8; 256] {
    let mut i = from as usize;
    while i <= to as usize {
        table[i] = value;
        i += 1;
    }
    table
}

#[allow(clippy::indexing_slicing, reason = "evaluated at compile time, where a bad index does not build")]
const ONE_BYTE: [u8; 256] = {
    let mut t = [0; 256];
    let mut op = 0;
    while op < 0x40 {
        t = range(t, op, op + 3, YES | MODRM);
        t[op as usize + 4] = YES | IMM8;
        t[op as usize + 5] = YES | IMM32;
        op += 8;
    }
    t = range(t, 0x50, 0x5f, YES);
    t = fill(t, [0x63, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0xd0, 0xd1, 0xd2, 0xd3], YES | MODRM);
    t = fill(t, [0x68, 0xa9], YES | IMM32);
    t = fill(t, [0x69], YES | MODRM | IMM32);
    t = fill(t, [0x6a, 0xa8], YES | IMM8);
    t = fill(t, [0x6b, 0x80, 0x83, 0xc0, 0xc1], YES | MODRM | IMM8);
    t = fill(t, [0x81], YES | MODRM | IMM32);
    t = fill(t, [0x90, 0x98, 0x99, 0xc9], YES);
    t = range(t, 0xb0, 0xb7, YES | IMM8);
    t = range(t, 0xb8, 0xbf, YES | IMM32 | NOT_W);
    t[0xc6] = YES | MODRM | IMM8 | REG0;
    t[0xc7] = YES | MODRM | IMM32 | REG0;
    t = fill(t, [0xf6, 0xf7], YES | MODRM | REG2);
    t[0xff] = YES | MODRM | REG016;
    t
};

const TWO_BYTE: [u8; 256] = {
    let mut t = [0; 256];
    t = range(t, 0x40, 0x4f, YES | MODRM);
    t = range(t, 0x90, 0x9f, YES | MODRM);
    t = fill(t, [0x1f, 0x28, 0x54, 0x57, 0xa3, 0xab, 0xaf, 0xb3, 0xb6, 0xb7, 0xbb, 0xbe, 0xbf], YES | MODRM);
    t = fill(t, [0xb0, 0xb1, 0xc0, 0xc1], YES | MODRM);
    t = range(t, 0xc8, 0xcf, YES);
    t
};

#[inline(always)]
fn at(bytes: &[u8; 16], i: usize) -> u8 {
    bytes.get(i & 15).copied().unwrap_or(0)
}

/// Length of the instruction at the start of `bytes` if it is one that is copied as it is, else 0.
#[inline]
#[must_use]
pub(crate) fn copied_len(bytes: &[u8; 16]) -> usize {
    let mut i = 0;
    let mut op = at(bytes, 0);
    let mut rex = 0;
    if op & 0xf0 == 0x40 {
        rex = op;
        i = 1;
        op = at(bytes, 1);
    }
    let mut entry = ONE_BYTE.get(usize::from(op)).copied().unwrap_or(0);
    if op == 0x0f {
        i += 1;
        entry = TWO_BYTE.get(usize::from(at(bytes, i))).copied().unwrap_or(0);
    }
    if entry & YES == 0 || entry & NOT_W != 0 && rex & 8 != 0 {
        return 0;
    }
    i += 1;
    if entry & MODRM != 0 {
        let modrm = at(bytes, i);
        i += 1;
        let reg = modrm >> 3 & 7;
        let refused = entry & REG0 != 0 && reg != 0
            || entry & REG2 != 0 && reg < 2
            || entry & REG016 != 0 && !matches!(reg, 0 | 1 | 6);
        if refused {
            return 0;
        }
        let (mode, rm) = (modrm >> 6, modrm & 7);
        if mode != 3 {
            let mut disp = match mode {
                1 => 1,
                2 => 4,
                _ => 0,
            };
            if rm == 4 {
                if mode == 0 && at(bytes, i) & 7 == 5 {
                    disp = 4;
                }
                i += 1;
            } else if mode == 0 && rm == 5 {
                return 0;
            }
            i += disp;
        }
    }
    i + if entry & IMM32 != 0 { 4 } else { usize::from(entry & IMM8 != 0) }
}

#[cfg(test)]
mod tests {
    use super::super::{Class, decode};
    use super::copied_len;

    #[test]
    fn agrees_with_the_decoder() {
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut seen = 0;
        for round in 0..3_000_000u32 {
            let (a, b) = (next().to_le_bytes(), next().to_le_bytes());
            let mut bytes = [0u8; 16];
            bytes[..8].copy_from_slice(&a);
            bytes[8..].copy_from_slice(&b);
            match round % 4 {
                0 => bytes[0] = 0x40 | bytes[0] & 15,
                1 => bytes[0] = 0x0f,
                2 => (bytes[0], bytes[1]) = (0x40 | bytes[0] & 15, 0x0f),
                _ => {}
            }
            let len = copied_len(&bytes);
            if len == 0 {
                continue;
            }
            seen += 1;
            let decoded = decode(&bytes);
            assert!(decoded.is_ok(), "{bytes:02x?} is {:?}, not {len} bytes long", decoded.err());
            let Ok(insn) = decoded else { continue };
            assert_eq!(usize::from(insn.len), len, "{bytes:02x?}");
            assert_eq!(insn.class, Class::Plain, "{bytes:02x?}");
            assert!(!insn.is_rip_relative(), "{bytes:02x?}");
        }
        assert!(seen > 500_000, "only {seen} instructions took the fast way");
    }
}
