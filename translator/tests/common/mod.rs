//! Guest code in a buffer, and a layout with numbers that are easy to recognise.
#![allow(dead_code, reason = "each test uses a part")]

use bt_translator::addr::{CachePc, GuestPc};
use bt_translator::block::{Request, Translator};
use bt_translator::layout::{Answer, Layout};
use bt_translator::source::CodeSource;
use bt_translator::translation::Translation;

pub const LAYOUT: Layout = Layout {
    slot_rcx: 0x10,
    slot_r11: 0x18,
    slot_scratch: 0x20,
    slot_rsp: 0x60,
    runtime_sp: 0x68,
    guest_gs_base: 0x28,
    enter_exit: 0x40,
    enter_lookup: 0x48,
    enter_gate: 0x50,
    enter_cpuid: 0x58,
    enter_slow: 0x70,
    sampled: &[0],
    call_entries: 0x3000,
    stub_calls: 0x7ff8_0000,
    call_counts: 0x2000,
    stubs_call: true,
    answers: &[Answer { number: 39, value: 0x30, count: 0x38 }],
    ibtc: 0x7ff0_0000,
};
/// Where code lies in programs that are linked to be moved.
pub const HIGH: GuestPc = GuestPc(0x7f12_0040_1000);
/// Where it lies in others.
pub const LOW: GuestPc = GuestPc(0x40_1000);

/// Guest code at an address.
pub struct Code<'a> {
    pub at: GuestPc,
    pub bytes: &'a [u8],
}

impl CodeSource for Code<'_> {
    fn read(&mut self, pc: GuestPc, buf: &mut [u8]) -> usize {
        let from = usize::try_from(pc.since(self.at)).unwrap_or(usize::MAX);
        let rest = self.bytes.get(from..).unwrap_or_default();
        let len = rest.len().min(buf.len());
        buf[..len].copy_from_slice(&rest[..len]);
        len
    }

    fn is_known(&self, _: GuestPc) -> bool {
        false
    }
}

/// Translates `bytes` at `at`, with position maps, for a cache `distance` bytes below.
pub fn translate(at: GuestPc, bytes: &[u8], distance: u64, request: Request) -> Translation {
    let mut out = Translation { want_positions: true, ..Translation::default() };
    let hot_at = CachePc(at.0.wrapping_sub(distance));
    let cold_at = hot_at.plus(40 << 20);
    let mut code = Code { at, bytes };
    Translator::new(LAYOUT).translate(at, request, hot_at, cold_at, &mut code, &mut out);
    out
}

/// Numbers that are not good, but the same every time.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        println!("seed {seed:#x}");
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[7]
    }

    pub fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 33) % n
    }

    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// Fifteen bytes that are an instruction more often than random ones.
    pub fn instruction_bytes(&mut self) -> [u8; 15] {
        let mut bytes = [0; 15];
        let heads: [&[u8]; 16] = [
            &[],
            &[],
            &[],
            &[0x0f],
            &[0x0f],
            &[0x0f, 0x38],
            &[0x0f, 0x3a],
            &[0x66],
            &[0x66, 0x0f],
            &[0xf3, 0x0f],
            &[0xf2, 0x0f],
            &[0xc5],
            &[0xc4],
            &[0x62],
            &[0x65],
            &[0x67],
        ];
        let head = heads[self.index(heads.len())];
        let rex = self.below(3) == 0;
        let tail = (0..15).map(|_| self.byte()).collect::<Vec<u8>>();
        let mut at = 0;
        for &byte in head {
            if rex && byte == 0x0f && at < 14 {
                bytes[at] = 0x40 | tail[14] & 15;
                at += 1;
            }
            bytes[at] = byte;
            at += 1;
        }
        for byte in tail.into_iter().take(15 - at) {
            bytes[at] = byte;
            at += 1;
        }
        // Half of the operands in memory are relative to the pc.
        if self.below(4) == 0 {
            let modrm = 1 + self.index(6);
            bytes[modrm] = bytes[modrm] & 0x38 | 5;
        }
        bytes
    }
}
