//! Makes blocks: random instructions whose memory operands are steered by moves put before them.

use iced_x86::{FlowControl, InstructionInfoFactory};

use super::flow::{Fixup, is_construct};
use super::opcodes::{Encoded, Spec};
use super::places::{self, ARENA_BYTES, Region};
use super::random::{Random, mix};
use super::steer::has_stray_prefix;

/// State components that blocks save and restore (SDM vol. 1 13.1): x87 to ZMM, no PKRU.
pub(crate) const COMPONENTS: u64 = 0xe7;

/// One instruction of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planned {
    /// Offset in the code.
    pub(crate) offset: usize,
    /// Number of the spec.
    pub(crate) spec: usize,
}

/// A block, ready to be written and run.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) index: u64,
    pub(crate) base: u64,
    pub(crate) code: Vec<u8>,
    /// Instructions that are executed and covered; not the moves before them.
    pub(crate) planned: Vec<Planned>,
    /// Flags with undefined values at the end.
    pub(crate) undefined_flags: u32,
    pub(crate) has_flow: bool,
    pub(crate) fs: u64,
    pub(crate) gs: u64,
    /// Where the stack pointer begins.
    pub(crate) rsp: u64,
    /// Of the initial state.
    pub(crate) seed: u64,
}

/// What can be chosen from.
#[derive(Debug)]
pub(crate) struct Specs {
    pub(crate) list: Vec<Spec>,
    /// Numbers of those that can complete.
    pub(crate) running: Vec<usize>,
    /// Numbers of those that always fault, but not with #UD.
    pub(crate) faulting: Vec<usize>,
    /// Prefixes without effect stand nowhere: no REX before another prefix, no segment beside fs or gs.
    pub(crate) no_stray_prefix: bool,
}

/// A block under construction.
pub(crate) struct Generator<'a> {
    pub(super) specs: &'a Specs,
    pub(super) info: &'a mut InstructionInfoFactory,
    pub(super) random: Random,
    pub(super) base: u64,
    pub(super) code: Vec<u8>,
    pub(super) planned: Vec<Planned>,
    pub(super) fixups: Vec<Fixup>,
    pub(super) labels: Vec<Option<usize>>,
    pub(super) has_flow: bool,
    /// The stack pointer is known to be well inside an arena.
    pub(super) rsp_is_good: bool,
    pub(super) region: &'static Region,
    undefined_flags: u32,
    ever_undefined: u32,
    fs_at_start: u64,
    gs_at_start: u64,
    /// Segment bases where they are known.
    pub(super) fs: Option<u64>,
    pub(super) gs: Option<u64>,
}

/// An instruction with the moves that make its operands what they are meant to be.
pub(crate) struct Steered {
    pub(super) before: Vec<u8>,
    pub(super) encoded: Encoded,
    pub(super) after: Vec<u8>,
    /// Linear address of the memory operand.
    pub(super) address: Option<u64>,
}

/// What a steered instruction must not do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// No memory operand outside the arenas.
    pub(crate) no_fault: bool,
    /// Leaves rsp, rcx and the segment bases alone, and needs no moves.
    pub(crate) is_calm: bool,
    /// Bytes that will be emitted before it.
    pub(crate) lead: u64,
}

/// Where block `index` of `seed` lies and what it holds. The same for everybody who has the same `specs`.
pub(crate) fn block(seed: u64, index: u64, specs: &Specs, info: &mut InstructionInfoFactory) -> Block {
    let picks = picks(seed, index, specs);
    for attempt in 0.. {
        let random = Random::new(mix(seed ^ mix(index)) ^ attempt);
        let mut generator = Generator::new(index, random, specs, info);
        for &pick in &picks {
            generator.emit(pick);
        }
        if let Some(block) = generator.finish(index) {
            return block;
        }
    }
    unreachable!("attempts are not limited")
}

/// A block of the one instruction, to see whether the CPU has it.
pub(crate) fn probe(
    index: u64,
    number: usize,
    attempt: u64,
    specs: &Specs,
    info: &mut InstructionInfoFactory,
) -> Option<Block> {
    let random = Random::new(mix(number as u64) ^ attempt << 32);
    let mut generator = Generator::new(index, random, specs, info);
    generator.emit(number);
    generator.finish(index)
}

/// The instructions of a block: four in turn, so that all get their share, and up to eight at random.
fn picks(seed: u64, index: u64, specs: &Specs) -> Vec<usize> {
    const IN_TURN: u64 = 4;
    let mut random = Random::new(mix(seed ^ mix(index)) ^ 0x5eed);
    let n = specs.running.len() as u64;
    let at = |number: u64| {
        let (round, place) = (number / n, number % n);
        // Another order in every round: multiples of a number that has no divisor in common with n.
        let mut stride = (mix(seed ^ round) % n) | 1;
        while gcd(stride, n) != 1 {
            stride += 2;
        }
        let place = u128::from(place) * u128::from(stride) % u128::from(n);
        specs.running[usize::try_from(place).unwrap_or(0)]
    };
    let turns = if random.one_in(8) { 1 } else { IN_TURN };
    let mut picks: Vec<usize> = (0..turns).map(|slot| at(index * IN_TURN + slot)).collect();
    if turns == IN_TURN {
        let more = random.below(9);
        let more = if random.one_in(2) { 0 } else { more };
        for _ in 0..more {
            let place = usize::try_from(random.below(picks.len() as u64 + 1)).unwrap_or(0);
            picks.insert(place, at(random.below(n)));
        }
    }
    if index % 16 == 3 && !specs.faulting.is_empty() {
        picks.truncate(3);
        let turn = usize::try_from(index / 16).unwrap_or(0) % specs.faulting.len();
        picks.push(specs.faulting[turn]);
    }
    picks
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl<'a> Generator<'a> {
    fn new(index: u64, mut random: Random, specs: &'a Specs, info: &'a mut InstructionInfoFactory) -> Self {
        let region = places::region_of(index);
        let base = region.slot(index) + random.below(48);
        let fs = random.pick(region.arenas) + 8 * random.below(500);
        let gs = random.pick(region.arenas) + 8 * random.below(500);
        Self {
            specs,
            info,
            random,
            base,
            code: Vec::with_capacity(1024),
            planned: Vec::new(),
            fixups: Vec::new(),
            labels: Vec::new(),
            has_flow: false,
            rsp_is_good: true,
            region,
            undefined_flags: 0,
            ever_undefined: 0,
            fs_at_start: fs,
            gs_at_start: gs,
            fs: Some(fs),
            gs: Some(gs),
        }
    }

    /// Guest pc of the next byte.
    pub(super) fn here(&self) -> u64 {
        self.base + self.code.len() as u64
    }

    /// Appends an instruction of this kind, or its place in a construct of several.
    fn emit(&mut self, number: usize) {
        let spec = self.specs.list[number];
        for _ in 0..200 {
            let done = if is_construct(spec.code) {
                self.emit_flow(number)
            } else {
                self.emit_plain(number, Limits::default(), true)
            };
            if done.is_some() {
                return;
            }
        }
    }

    /// Appends any instruction that is not a branch and leaves the stack alone.
    pub(super) fn emit_filler(&mut self, limits: Limits) -> Option<()> {
        for _ in 0..400 {
            let n = self.random.below(self.specs.running.len() as u64);
            let number = self.specs.running[usize::try_from(n).unwrap_or(0)];
            let code = self.specs.list[number].code;
            if code.flow_control() == FlowControl::Next
                && !code.op_code().is_stack_instruction()
                && self.emit_plain(number, limits, false).is_some()
            {
                return Some(());
            }
        }
        None
    }

    fn emit_plain(&mut self, number: usize, limits: Limits, counted: bool) -> Option<()> {
        let spec = self.specs.list[number];
        let encoded = self.sample(spec)?;
        let steered = self.steer(encoded, limits)?;
        self.push(steered, number, counted);
        Some(())
    }

    pub(super) fn sample(&mut self, spec: Spec) -> Option<Encoded> {
        let no_stray_prefix = self.specs.no_stray_prefix;
        (0..100).find_map(|_| {
            let encoded = spec.encode(&mut self.random)?;
            (!no_stray_prefix || !has_stray_prefix(&encoded.bytes)).then_some(encoded)
        })
    }

    pub(super) fn push(&mut self, steered: Steered, number: usize, counted: bool) {
        self.code.extend(&steered.before);
        if counted {
            self.planned.push(Planned { offset: self.code.len(), spec: number });
        }
        self.code.extend(&steered.encoded.bytes);
        self.code.extend(&steered.after);
        let insn = &steered.encoded.insn;
        self.undefined_flags &= !(insn.rflags_written() | insn.rflags_cleared() | insn.rflags_set());
        self.undefined_flags |= insn.rflags_undefined();
        self.ever_undefined |= insn.rflags_undefined();
    }

    fn finish(mut self, index: u64) -> Option<Block> {
        // The way out needs no register: `jmp [rip]` with the address behind it.
        self.code.extend([0xff, 0x25, 0, 0, 0, 0]);
        self.code.extend(super::execute::leave_address().to_le_bytes());
        self.resolve()?;
        let end = self.region.slot(index) + places::SLOT_BYTES;
        if self.planned.is_empty() || self.here() > end {
            return None;
        }
        let stack = self.random.pick(self.region.arenas);
        let aligned = stack + ARENA_BYTES / 2 + 16 * self.random.below(16);
        let rsp = if self.random.one_in(12) { aligned + self.random.below(16) } else { aligned };
        let mut random = self.random.clone();
        Some(Block {
            index,
            base: self.base,
            code: self.code,
            planned: self.planned,
            // A branch may skip what defines a flag again.
            undefined_flags: if self.has_flow { self.ever_undefined } else { self.undefined_flags },
            has_flow: self.has_flow,
            fs: self.fs_at_start,
            gs: self.gs_at_start,
            rsp,
            seed: random.next(),
        })
    }
}
