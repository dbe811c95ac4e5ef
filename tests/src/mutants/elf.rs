//! Mutations of an ELF file: of what describes the program, not of its code.

use crate::blocks::Random;

const HEADER_BYTES: usize = 64;
const ENTRY_BYTES: usize = 56;
const PT_LOAD: u64 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const PT_NOTE: u32 = 4;
const PT_GNU_EH_FRAME: u32 = 0x6474_e550;
/// Types that the kernel or the runtime look at.
const TYPES: [u32; 10] = [0, 1, 2, 3, 4, 6, 7, 0x6474_e551, 0x6474_e552, 0x6474_e553];

/// Fields of the ELF header: where, and how many bytes.
const HEADER_FIELDS: [(usize, usize); 14] = [
    (4, 1),
    (5, 1),
    (6, 1),
    (7, 1),
    (16, 2),
    (18, 2),
    (20, 4),
    (24, 8),
    (32, 8),
    (40, 8),
    (48, 4),
    (52, 2),
    (54, 2),
    (56, 2),
];
/// Fields of a program header.
const ENTRY_FIELDS: [(usize, usize); 8] = [(0, 4), (4, 4), (8, 8), (16, 8), (24, 8), (32, 8), (40, 8), (48, 8)];

/// Interpreters that are none, or others.
const INTERPRETERS: [&[u8]; 11] = [
    b"/lib64/ld-linux-x86-64.so.2\0",
    b"/lib64/ld-linux-x86-64.so.2",
    b"/lib64//ld-linux-x86-64.so.2\0",
    b"/lib64/ld-linux.so.2\0",
    b"/no/such/file\0",
    b"/bin\0",
    b"/dev/null\0",
    b"/etc/passwd\0",
    b"\0",
    b"ld.so\0",
    b"/lib64/ld-linux-x86-64.so.2\0 and more\0",
];

/// One mutated program.
pub fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.below(3) {
        match random.below(20) {
            0..=3 => {
                let (at, len) = random.pick(&HEADER_FIELDS);
                change(bytes, at, len, random);
            }
            4..=9 => {
                let entries = entries(bytes);
                if !entries.is_empty() {
                    let (field, len) = random.pick(&ENTRY_FIELDS);
                    change(bytes, random.pick(&entries) + field, len, random);
                }
            }
            10 => change_type(bytes, random),
            11 => swap_entries(bytes, random),
            12 => interpreter(bytes, random),
            13..=14 => within(bytes, PT_DYNAMIC, random),
            15 => within(bytes, PT_NOTE, random),
            16..=18 => tables(bytes, random),
            _ => cut(bytes, random),
        }
    }
}

fn number(bytes: &[u8], at: usize, len: usize) -> u64 {
    let mut value = [0; 8];
    if let (Some(to), Some(from)) = (value.get_mut(..len), bytes.get(at..at + len)) {
        to.copy_from_slice(from);
    }
    u64::from_le_bytes(value)
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(to) = bytes.get_mut(at..at + value.len()) {
        to.copy_from_slice(value);
    }
}

/// Where the program headers are.
fn entries(bytes: &[u8]) -> Vec<usize> {
    let count = usize::try_from(number(bytes, 56, 2)).unwrap_or(0).min(100);
    let start = usize::try_from(number(bytes, 32, 8)).unwrap_or(usize::MAX);
    (0..count)
        .filter_map(|index| start.checked_add(index * ENTRY_BYTES))
        .filter(|&at| at >= HEADER_BYTES && at.checked_add(ENTRY_BYTES).is_some_and(|end| end <= bytes.len()))
        .collect()
}

/// The range of the file that a segment of a type holds.
fn segment(bytes: &[u8], kind: u32) -> Option<(usize, usize)> {
    let entry = entries(bytes).into_iter().find(|&at| number(bytes, at, 4) == u64::from(kind))?;
    let (start, len) = (number(bytes, entry + 8, 8), number(bytes, entry + 32, 8));
    let (start, len) = (usize::try_from(start).ok()?, usize::try_from(len).ok()?);
    (len > 0 && start.checked_add(len)? <= bytes.len()).then_some((start, len))
}

/// What it does depends on itself alone. Its entry lies in a segment: elsewhere is what lies beside the program, natively
/// the vDSO or nothing, under bt-run its own code. And no segment has an alignment that only address 0 has, where natively
/// the programs of root lie.
pub fn stands_alone(bytes: &[u8]) -> bool {
    let entry = number(bytes, 24, 8);
    let is_wide = |at: usize| number(bytes, at, 4) == PT_LOAD && number(bytes, at + 48, 8) >= 1 << 47;
    if entries(bytes).into_iter().any(is_wide) {
        return false;
    }
    let is_inside = |at: usize| {
        let distance = entry.wrapping_sub(number(bytes, at + 16, 8));
        number(bytes, at, 4) == PT_LOAD && distance < number(bytes, at + 40, 8)
    };
    entries(bytes).into_iter().any(is_inside)
}

/// A field gets a value that may be near the one before, a limit, or anything.
fn change(bytes: &mut [u8], at: usize, len: usize, random: &mut Random) {
    let old = number(bytes, at, len);
    let page = 4096;
    let value = match random.below(12) {
        0 => 0,
        1 => 1,
        2 => u64::MAX,
        3 => old.wrapping_add(1),
        4 => old.wrapping_sub(1),
        5 => old.wrapping_add(page * (1 + random.below(8))),
        6 => old.wrapping_sub(page * (1 + random.below(8))),
        7 => old ^ 1 << random.below(8 * len as u64),
        8 => 1 << random.below(64),
        9 => (1 << (33 + random.below(31))) - random.below(2),
        10 => random.below(100),
        _ => random.next(),
    };
    put(bytes, at, &value.to_le_bytes()[..len]);
}

fn change_type(bytes: &mut [u8], random: &mut Random) {
    let entries = entries(bytes);
    if !entries.is_empty() {
        let kind = random.pick(&TYPES);
        put(bytes, random.pick(&entries), &kind.to_le_bytes());
    }
}

fn swap_entries(bytes: &mut [u8], random: &mut Random) {
    let entries = entries(bytes);
    if entries.is_empty() {
        return;
    }
    let (a, b) = (random.pick(&entries), random.pick(&entries));
    let one = bytes[a..a + ENTRY_BYTES].to_vec();
    bytes.copy_within(b..b + ENTRY_BYTES, a);
    put(bytes, b, &one);
}

/// The interpreter's path: another, at the file's end; or another byte in it.
fn interpreter(bytes: &mut Vec<u8>, random: &mut Random) {
    let entries = entries(bytes);
    let Some(&entry) = entries.iter().find(|&&at| number(bytes, at, 4) == u64::from(PT_INTERP)) else {
        // One more: in place of some other header.
        if let Some(&last) = entries.last() {
            put(bytes, last, &PT_INTERP.to_le_bytes());
            name_interpreter(bytes, last, random);
        }
        return;
    };
    if random.one_in(2) {
        within(bytes, PT_INTERP, random);
    } else {
        name_interpreter(bytes, entry, random);
    }
}

fn name_interpreter(bytes: &mut Vec<u8>, entry: usize, random: &mut Random) {
    let path = random.pick(&INTERPRETERS);
    let end = bytes.len() as u64;
    put(bytes, entry + 8, &end.to_le_bytes());
    put(bytes, entry + 32, &(path.len() as u64).to_le_bytes());
    bytes.extend_from_slice(path);
}

/// A byte or a word in the segment of a type.
fn within(bytes: &mut [u8], kind: u32, random: &mut Random) {
    if let Some((start, len)) = segment(bytes, kind) {
        let at = start + usize::try_from(random.below(len as u64)).unwrap_or(0);
        let width = if random.one_in(2) { 1 } else { 8 };
        let at = if width == 8 { at & !7 } else { at };
        change(bytes, at, width, random);
    }
}

/// The unwind tables: `.eh_frame_hdr`, and `.eh_frame`, which the linker places after it.
fn tables(bytes: &mut [u8], random: &mut Random) {
    let Some((start, len)) = segment(bytes, PT_GNU_EH_FRAME) else { return };
    let end = (start + len + 256).min(bytes.len());
    for _ in 0..1 + random.below(8) {
        let at = start + usize::try_from(random.below((end - start) as u64)).unwrap_or(0);
        let width = random.pick(&[1, 1, 2, 4]);
        change(bytes, at, width, random);
    }
}

/// The file ends early, or goes on.
fn cut(bytes: &mut Vec<u8>, random: &mut Random) {
    let len = bytes.len() as u64;
    let new = match random.below(4) {
        0 => random.below(200),
        1 => len & !4095,
        2 => random.below(len + 1),
        _ => len + random.below(10_000),
    };
    bytes.resize(usize::try_from(new).unwrap_or(0), 0);
}
