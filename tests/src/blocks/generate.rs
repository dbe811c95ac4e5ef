//! Makes blocks: random instructions whose memory operands are steered by moves put before them.

use iced_x86::InstructionInfoFactory;

use super::block::{Block, Specs};
use super::flow::is_construct;
use super::frame::leave_address;
use super::generator::{Generator, Limits};
use super::places::{self, ARENA_BYTES};
use super::random::{Random, mix};

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

impl Generator<'_> {
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

    fn finish(mut self, index: u64) -> Option<Block> {
        // The way out needs no register: `jmp [rip]` with the address after it.
        self.code.extend([0xff, 0x25, 0, 0, 0, 0]);
        self.code.extend(leave_address().to_le_bytes());
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
