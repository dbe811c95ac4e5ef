//! The state a block starts with and the state it leaves.
//!
//! Not compared: the x87 instruction and data pointers and opcode (FIP, FDP, FOP). They name where the last x87
//! instruction was executed, which is a copy under a translator; programs do not look at them, and no translator keeps
//! them.

use std::fmt::Write as _;

use super::block::Block;
use super::random::{Random, mix};

/// State components that blocks save and restore (SDM vol. 1 13.1): x87 to ZMM, no PKRU.
pub(crate) const COMPONENTS: u64 = 0xe7;

/// Bytes of a state area: more than the components need.
pub(crate) const AREA_BYTES: usize = 4096;
pub(crate) const REGISTER_NAMES: [&str; 16] =
    ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];
const RSP: usize = 4;
const XSTATE_BV: usize = 512;
const MXCSR: usize = 24;
const FLAGS_ARITHMETIC: u64 = 0x8d5;
const FLAG_DF: u64 = 1 << 10;
const FLAG_RF: u64 = 1 << 16;
const FLAG_AC: u64 = 1 << 18;
const FLAG_ID: u64 = 1 << 21;

/// A state area, aligned as `xsave` wants it.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(crate) struct Area(pub(crate) [u8; AREA_BYTES]);

/// Where the state components lie (SDM vol. 1 13.4.3).
#[derive(Clone, Debug)]
pub(crate) struct Components {
    /// Those that the CPU and the kernel give us.
    pub(crate) enabled: u64,
    /// Number, offset, bytes.
    list: Vec<(u32, usize, usize)>,
}

impl Components {
    /// Asks the CPU.
    pub(crate) fn find(enabled: u64) -> Self {
        let enabled = enabled & COMPONENTS;
        let mut list = vec![(0, 32, 128), (1, 160, 256)];
        for number in 2..8 {
            if enabled >> number & 1 != 0 {
                let leaf = std::arch::x86_64::__cpuid_count(0xd, number);
                list.push((number, leaf.ebx as usize, leaf.eax as usize));
            }
        }
        Self { enabled, list }
    }

    /// A random state to begin with.
    pub(crate) fn random(&self, random: &mut Random) -> Area {
        let mut area = Area([0; AREA_BYTES]);
        let mut present = self.enabled;
        for &(number, offset, len) in &self.list {
            if random.one_in(24) {
                present &= !(1 << number);
            }
            for chunk in area.0[offset..offset + len].chunks_mut(8) {
                let value = interesting(random).to_le_bytes();
                chunk.copy_from_slice(&value[..chunk.len()]);
            }
        }
        if present & 0xe0 != 0 && self.enabled & 0xe0 != 0 {
            present |= self.enabled & 0xe0;
        }
        for register in area.0[32..160].chunks_mut(16) {
            // 80 bits; normal numbers of a moderate size, mostly.
            if !random.one_in(3) {
                register[7] |= 0x80;
                let exponent = 0x3fc0 + random.below(0x80);
                register[8..10].copy_from_slice(&exponent.to_le_bytes()[..2]);
            }
            register[10..].fill(0);
        }
        // Control word: rounding and precision at random, exceptions masked, mostly.
        let masks = if random.one_in(12) { random.below(64) } else { 0x3f };
        let control = 0x40 | masks | random.below(16) << 8;
        let status = random.below(8) << 11 | random.next() & 0x4700;
        area.0[..2].copy_from_slice(&control.to_le_bytes()[..2]);
        area.0[2..4].copy_from_slice(&status.to_le_bytes()[..2]);
        area.0[4] = random.pick(&[0, 0xff, 0x3c, random.clone().byte()]);
        area.0[MXCSR..MXCSR + 4].copy_from_slice(&mxcsr(random).to_le_bytes());
        area.0[XSTATE_BV..XSTATE_BV + 8].copy_from_slice(&present.to_le_bytes());
        area
    }

    /// Brings a saved area into the one form that can be compared.
    pub(crate) fn canonical(&self, area: &mut [u8; AREA_BYTES]) {
        let mut present = [0; 8];
        present.copy_from_slice(&area[XSTATE_BV..XSTATE_BV + 8]);
        let present = u64::from_le_bytes(present);
        area[6..24].fill(0);
        if present & 1 == 0 {
            area[..6].copy_from_slice(&[0x7f, 3, 0, 0, 0, 0]);
        }
        let mut used = vec![false; AREA_BYTES];
        used[..32].fill(true);
        for &(number, offset, len) in &self.list {
            if present >> number & 1 != 0 {
                used[offset..offset + len].fill(true);
            }
        }
        for (byte, used) in area.iter_mut().zip(used) {
            if !used {
                *byte = 0;
            }
        }
    }
}

/// Rounding at random, exceptions masked, mostly.
pub(crate) fn mxcsr(random: &mut Random) -> u32 {
    let masks = if random.one_in(12) { random.below(64) << 7 } else { 0x1f80 };
    let value = masks | random.next() & 0xe07f & if random.one_in(2) { 0xe000 } else { 0xffff };
    u32::try_from(value).unwrap_or(0x1f80)
}

/// Numbers that make arithmetic do something.
pub(crate) fn interesting(random: &mut Random) -> u64 {
    let bits = random.next();
    match random.below(8) {
        0 => bits & 0xff,
        1 => bits & 0x0000_00ff_0000_00ff,
        2 => (bits & 0xffff).wrapping_neg(),
        #[expect(clippy::cast_precision_loss, reason = "any number will do")]
        3 => ((bits >> 40) as f64 / 64.0).to_bits(),
        4 => {
            // Two floats of moderate size.
            let half = |bits: u64| 0x3f00_0000 + (bits & 0x80ff_ffff);
            half(bits) | half(bits >> 32) << 32
        }
        5 => 1 << (bits & 63),
        _ => bits,
    }
}

/// General registers and flags of a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Registers {
    pub(crate) gpr: [u64; 16],
    pub(crate) flags: u64,
    pub(crate) fs: u64,
    pub(crate) gs: u64,
}

impl Registers {
    /// What `block` begins with.
    pub(crate) fn initial(block: &Block, random: &mut Random) -> Self {
        let mut registers = Self {
            gpr: std::array::from_fn(|_| interesting(random)),
            flags: 0x202 | random.next() & FLAGS_ARITHMETIC,
            fs: block.fs,
            gs: block.gs,
        };
        registers.gpr[RSP] = block.rsp;
        for (flag, odds) in [(FLAG_DF, 4), (FLAG_AC, 24), (FLAG_ID, 4)] {
            if random.one_in(odds) {
                registers.flags |= flag;
            }
        }
        registers
    }
}

/// How a block ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It came to its end.
    Done,
    /// A fault.
    Signal { number: i32, code: i32, address: u64, pc: u64, trap: u64, error: u64 },
}

/// Everything that is compared.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) end: End,
    pub(crate) registers: Registers,
    pub(crate) area: Box<Area>,
    /// Hash of what changed in memory, 0 if nothing did.
    pub(crate) memory: u64,
}

/// Hash of bytes.
pub(crate) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(seed, |hash, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    })
}

impl Outcome {
    /// The flags that have a defined value.
    fn flags(&self, block: &Block) -> u64 {
        use iced_x86::RflagsBits as Bits;
        let undefined =
            [(Bits::CF, 0x1), (Bits::PF, 0x4), (Bits::AF, 0x10), (Bits::ZF, 0x40), (Bits::SF, 0x80), (Bits::OF, 0x800)]
                .iter()
                .filter(|(bit, _)| block.undefined_flags & bit != 0)
                .fold(0, |mask, (_, bit)| mask | bit);
        let resume = if self.end == End::Done { FLAG_RF } else { 0 };
        self.registers.flags & !undefined & !resume
    }

    /// The line that is compared.
    pub(crate) fn line(&self, block: &Block) -> String {
        let mut text = format!("{} ", block.index);
        match self.end {
            End::Done => text.push_str("done"),
            End::Signal { number, code, address, pc, trap, error } => {
                let pc = pc.wrapping_sub(block.base);
                let _ = write!(
                    text,
                    "signal {number} code {code} at +{pc:#x} address {address:#x} trap {trap} error {error:#x}"
                );
            }
        }
        let gpr = self.registers.gpr.iter().fold(0, |hash, &value| mix(hash ^ value));
        let bases = mix(self.registers.fs) ^ self.registers.gs;
        let _ = write!(
            text,
            " gpr {:08x} flags {:x} bases {:08x} vector {:08x} memory {:08x}",
            gpr >> 32,
            self.flags(block),
            bases >> 32,
            hash(1, &self.area.0) >> 32,
            self.memory >> 32,
        );
        text
    }

    /// The whole state, a register a line.
    pub(crate) fn details(&self, block: &Block) -> String {
        let mut text = format!("{}\n", self.line(block));
        for (name, value) in REGISTER_NAMES.iter().zip(self.registers.gpr) {
            let _ = writeln!(text, "{name} {value:016x}");
        }
        let _ = writeln!(
            text,
            "flags {:x} (undefined and ignored: {:x})",
            self.registers.flags,
            self.registers.flags & !self.flags(block)
        );
        let _ = writeln!(text, "fs {:x} gs {:x}", self.registers.fs, self.registers.gs);
        for (n, chunk) in self.area.0.chunks(16).enumerate() {
            if chunk.iter().any(|&byte| byte != 0) {
                let _ = write!(text, "xsave+{:03x} ", n * 16);
                for byte in chunk.iter().rev() {
                    let _ = write!(text, "{byte:02x}");
                }
                text.push('\n');
            }
        }
        text
    }
}
