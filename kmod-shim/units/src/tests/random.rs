//! Units from any bytes.

use super::{BASE, Builder, Entry, Memory, Unit, show};
use alloc::format;
use alloc::vec::Vec;
use bt_shim::uapi::{Kind, MAX_OPS};

/// xorshift64*
fn next(random: &mut u64) -> u64 {
    *random ^= *random >> 12;
    *random ^= *random << 25;
    *random ^= *random >> 27;
    random.wrapping_mul(0x2545_f491_4f6c_dd1d)
}

/// Opcodes that units are about: random bytes alone seldom get beyond the first few instructions.
const COMMON: [&[u8]; 14] = [
    &[0xe8],
    &[0xe9, 0, 0, 0, 0],
    &[0xeb],
    &[0x75],
    &[0x74],
    &[0xc3],
    &[0xff, 0x25],
    &[0xff, 0x15],
    &[0x0f, 0x05],
    &[0xb8, 1, 0, 0, 0],
    &[0x48, 0x8b],
    &[0x89, 0xc8],
    &[0xf3, 0xa4],
    &[0x55],
];

#[test]
fn whatever_the_code_is_units_begin_with_a_block_and_end() {
    let mut random = 0x1234_5678_9abc_def1_u64;
    let mut builder = Builder::new();
    for round in 0..20_000 {
        let start = random;
        let mut code = Vec::new();
        while code.len() < 250 {
            let word = next(&mut random);
            let bytes = word.to_le_bytes();
            if round % 2 == 1 && bytes[7] < 200 {
                code.extend_from_slice(COMMON[usize::from(bytes[6]) % COMMON.len()]);
                // A displacement that stays near.
                code.push(bytes[5] & 0x1f);
            } else {
                code.extend_from_slice(&bytes[..4]);
            }
        }
        // Also where pcs and addresses wrap.
        let base = [BASE, 1, u64::MAX - 100, 0x7fff_ffff_f000][usize::from(next(&mut random).to_le_bytes()[7]) % 4];
        let mut memory = Memory::of(&[(base, &code)]);
        memory.has_code.push(base.wrapping_add(200));
        for target in 0..8 {
            memory.pointers.push((base.wrapping_add(target), base.wrapping_add(3 * target)));
        }
        let entry =
            [None, Some(Entry::Any), Some(Entry::Number(1))][usize::from(next(&mut random).to_le_bytes()[7]) % 3];
        let unit = builder.build(base, entry, &mut memory);
        check(unit, base, &format!("random {start:#x}"));
        let len = unit.ops.len();
        if len > 1 {
            let end = 1 + usize::try_from(next(&mut random) >> 33).unwrap_or(0) % (len - 1);
            builder.unit_mut().end_before(end);
            check(builder.unit_mut(), base, &format!("random {start:#x}, ended before {end}"));
        }
    }
}

fn check(unit: &Unit, base: u64, context: &str) {
    let (Some(first), Some(last)) = (unit.ops.first(), unit.ops.last()) else { return };
    assert_eq!((first.kind, first.imm), (Kind::Block, base), "{context}");
    let ends = [Kind::Jump, Kind::JumpTo, Kind::Call, Kind::CallTo, Kind::Ret, Kind::Leave];
    assert!(ends.contains(&last.kind), "{context}: {:#?}", show(unit));
    assert!(unit.ops.len() <= MAX_OPS, "{context}");
    let blocks = unit.ops.iter().filter(|op| op.kind == Kind::Block).map(|op| op.imm);
    assert!(blocks.eq(unit.entries.iter().copied()), "{context}");
}
