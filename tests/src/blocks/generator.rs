//! A block under construction: what the parts of the generator share.

use iced_x86::InstructionInfoFactory;

use super::block::{Planned, Specs};
use super::encoding::has_stray_prefix;
use super::opcodes::{Encoded, Spec};
use super::places::{self, Region};
use super::random::Random;

/// Number of a place in the block.
pub(super) type Label = usize;

/// A field that waits for a label.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixup {
    pub(super) at: usize,
    /// 1 or 4: relative to its end. 8: absolute.
    pub(super) len: usize,
    pub(super) label: Label,
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
    pub(super) undefined_flags: u32,
    pub(super) ever_undefined: u32,
    pub(super) fs_at_start: u64,
    pub(super) gs_at_start: u64,
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

impl<'a> Generator<'a> {
    /// An empty block.
    pub(super) fn new(index: u64, mut random: Random, specs: &'a Specs, info: &'a mut InstructionInfoFactory) -> Self {
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

    /// Random operands for an instruction.
    pub(super) fn sample(&mut self, spec: Spec) -> Option<Encoded> {
        let no_stray_prefix = self.specs.no_stray_prefix;
        (0..100).find_map(|_| {
            let encoded = spec.encode(&mut self.random)?;
            (!no_stray_prefix || !has_stray_prefix(&encoded.bytes)).then_some(encoded)
        })
    }

    /// Appends an instruction with its moves.
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
}
