//! One unit's extent: the way that the guest's code will most likely take from a pc on.
//!
//! Jumps, calls and returns are followed, so that a loop with its calls into libraries becomes one piece; the other
//! side of a conditional branch becomes a unit of its own when it is first taken.

mod write;

use crate::liveness::{Effect, mark};
use alloc::vec::Vec;
use bt_shim::uapi::{Kind, Op};
use bt_translator::decode::{Class, Insn, decode_into};

/// Instructions of a unit at most: what lies further on may never be executed.
const MAX_INSNS: usize = 120;
/// Bytes of code that are read at a time.
const WINDOW_BYTES: usize = 128;
/// Calls within calls that are followed.
const MAX_DEPTH: usize = 16;
const MAX_INSN_LEN: usize = 15;

/// What a builder asks of its surroundings.
pub trait Outside {
    /// Copies guest code at `pc` that may be translated; returns how many bytes.
    fn read_code(&mut self, pc: u64, buf: &mut [u8]) -> usize;
    /// The eight bytes at `address`, a pointer that a jump reads.
    fn read_pointer(&mut self, address: u64) -> Option<u64>;
    /// The pc has code already.
    fn has_code(&mut self, pc: u64) -> bool;
    /// What is to be asked of the arguments of call `number` before ring 0 makes it; false: it is ring 3's.
    fn check_call(&mut self, number: u32, checks: &mut Vec<Op>) -> bool;
}

/// With what a unit is entered at a `syscall`. Where the number is loaded is not part of the unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    /// This number, mostly: checked there.
    Number(u32),
    /// Any number.
    Any,
}

/// A unit.
#[derive(Debug, Default)]
pub struct Unit {
    /// The operations.
    pub ops: Vec<Op>,
    /// Pcs at which its blocks begin.
    pub entries: Vec<u64>,
    /// System calls in it.
    pub calls: usize,
    effects: Vec<Effect>,
}

impl Unit {
    /// Ends the unit before operation `n`, which cannot be made: ring 3 goes on there.
    pub fn end_before(&mut self, n: usize) {
        let Some(&Op { at, len, .. }) = self.ops.get(n) else { return };
        self.ops.truncate(n);
        self.ops.push(Op { at, len, ..Op::new(Kind::Leave) });
        let kept = self.ops.iter().filter(|op| op.kind == Kind::Block).count();
        self.entries.truncate(kept);
    }
}

/// One instruction on the way.
struct Step {
    pc: u64,
    insn: Insn,
    bytes: [u8; MAX_INSN_LEN],
    /// Where an indirect branch is expected to lead, or 0.
    hint: u64,
    /// The step after it is not the next instruction in memory.
    turns: bool,
}

/// Code at hand.
struct Window {
    at: u64,
    len: usize,
    bytes: [u8; WINDOW_BYTES],
}

impl Window {
    const EMPTY: Self = Self { at: 0, len: 0, bytes: [0; WINDOW_BYTES] };

    /// The bytes from `pc` on: at least the longest instruction's length where there are that many.
    fn at(&mut self, pc: u64, outside: &mut dyn Outside) -> &[u8] {
        let skip = usize::try_from(pc.wrapping_sub(self.at)).unwrap_or(usize::MAX);
        if skip > self.len || self.len - skip < MAX_INSN_LEN {
            self.len = outside.read_code(pc, &mut self.bytes).min(WINDOW_BYTES);
            self.at = pc;
            return self.bytes.get(..self.len).unwrap_or(&[]);
        }
        self.bytes.get(skip..self.len).unwrap_or(&[])
    }
}

impl Default for Window {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// Builds units; keeps its buffers.
#[derive(Default)]
pub struct Builder {
    steps: Vec<Step>,
    heads: Vec<u64>,
    checks: Vec<Op>,
    window: Window,
    unit: Unit,
}

impl Builder {
    /// A builder without buffers.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            steps: Vec::new(),
            heads: Vec::new(),
            checks: Vec::new(),
            window: Window::EMPTY,
            unit: Unit { ops: Vec::new(), entries: Vec::new(), calls: 0, effects: Vec::new() },
        }
    }

    /// The unit built last.
    pub const fn unit_mut(&mut self) -> &mut Unit {
        &mut self.unit
    }

    /// The unit for `pc`. Empty if there is no code that could be translated.
    ///
    /// An `entry` says that the instruction at `pc` is a `syscall` at which the unit is entered.
    pub fn build(&mut self, pc: u64, entry: Option<Entry>, outside: &mut dyn Outside) -> &Unit {
        let end = self.walk(pc, entry.is_some(), outside);
        self.find_heads();
        self.write(entry, end, outside);
        mark(&mut self.unit.ops, &self.unit.effects);
        &self.unit
    }

    /// Follows the code from `pc` on; returns the pc at which another unit or ring 3 goes on, if it does not end by
    /// itself.
    fn walk(&mut self, pc: u64, enters_at_call: bool, outside: &mut dyn Outside) -> Option<u64> {
        self.steps.clear();
        self.window.len = 0;
        let mut returns: Vec<u64> = Vec::new();
        let mut pc = pc;
        loop {
            // A loop that comes back to the call has loaded its number: there it is a call like others.
            let seen = self.steps.get(usize::from(enters_at_call)..).unwrap_or(&[]);
            let comes_back = enters_at_call && self.steps.first().is_some_and(|first| first.pc == pc);
            let is_known =
                seen.iter().any(|step| step.pc == pc) || !self.steps.is_empty() && !comes_back && outside.has_code(pc);
            if is_known || self.steps.len() >= MAX_INSNS {
                return Some(pc);
            }
            let mut insn = Insn::default();
            let code = self.window.at(pc, outside);
            if decode_into(code, &mut insn).is_err() {
                return Some(pc);
            }
            let mut bytes = [0; MAX_INSN_LEN];
            for (to, from) in bytes.iter_mut().zip(code) {
                *to = *from;
            }
            let next = pc.wrapping_add(u64::from(insn.len));
            let mut step = Step { pc, insn, bytes, hint: 0, turns: false };
            let mut follow = Some(next);
            match insn.class {
                _ if insn.is_vendor_dependent() => follow = None,
                Class::Jmp => follow = Some(insn.rel_target(pc, &bytes)),
                Class::Call if returns.len() < MAX_DEPTH => {
                    returns.push(next);
                    follow = Some(insn.rel_target(pc, &bytes));
                }
                Class::Call => follow = None,
                Class::Ret => {
                    step.hint = returns.pop().unwrap_or(0);
                    follow = Some(step.hint).filter(|&hint| hint != 0);
                }
                Class::JmpInd | Class::CallInd => {
                    if insn.is_rip_relative() {
                        step.hint = outside.read_pointer(insn.rip_target(pc, &bytes)).unwrap_or(0);
                    }
                    if insn.class == Class::CallInd {
                        returns.push(next);
                    }
                    follow = Some(step.hint).filter(|&hint| hint != 0);
                }
                Class::Plain | Class::Rdtsc | Class::Jcc(_) | Class::Syscall => {}
                _ => follow = None,
            }
            step.turns = follow != Some(next);
            self.steps.push(step);
            match follow {
                // Nothing is translated there: as a hint it means that the target is not known.
                Some(0) => return Some(0),
                Some(follow) => pc = follow,
                None => return None,
            }
        }
    }

    /// Pcs of the unit that branches of the unit lead to.
    fn find_heads(&mut self) {
        self.heads.clear();
        let mut turned = false;
        for step in &self.steps {
            if turned {
                self.heads.push(step.pc);
            }
            turned = step.turns;
            if let Class::Jcc(_) | Class::Jmp | Class::Call = step.insn.class {
                self.heads.push(step.insn.rel_target(step.pc, &step.bytes));
            }
        }
        self.heads.sort_unstable();
        self.heads.dedup();
    }
}
