//! What belongs into one unit: the way the guest's code will most likely take from a pc on.
//!
//! Jumps, calls and returns are followed, so that a loop with its calls into libraries becomes one piece; the other side of a
//! conditional branch becomes a unit of its own when it is first taken.

use super::liveness::{Effect, mark};
use super::lower::{Lowered, Place};
use crate::decode::{Class, Insn, decode_into};
use alloc::vec::Vec;
use bt_shim::uapi::{ANY_CALL, CALLS, Kind, Op};

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
    /// The instruction behind it is not the next one.
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

    /// Follows the code from `pc` on; returns the pc at which another unit or ring 3 goes on, if it does not end by itself.
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
                // Nothing is translated there: as a hint it stands for not known.
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

    fn write(&mut self, entry: Option<Entry>, end: Option<u64>, outside: &mut dyn Outside) {
        self.unit.ops.clear();
        self.unit.effects.clear();
        self.unit.entries.clear();
        self.unit.calls = 0;
        let mut block = 0;
        let steps = core::mem::take(&mut self.steps);
        for (n, step) in steps.iter().enumerate() {
            // Behind the entry the blocks are those of code like any other.
            if n == 0 || n == 1 && entry.is_some() || self.heads.binary_search(&step.pc).is_ok() {
                block = step.pc;
                self.unit.entries.push(block);
                self.push(Op { imm: block, ..Op::new(Kind::Block) }, Effect::NONE);
            }
            if let (0, Some(entry)) = (n, entry) {
                self.write_entry(step, entry, outside);
            } else {
                self.write_step(step, block, outside);
            }
        }
        self.steps = steps;
        if let Some(end) = end
            && self.unit.ops.last().is_some_and(|op| op.kind != Kind::Leave)
        {
            self.push(Op { imm: end, ..Op::new(Kind::Jump) }, Effect::LEAVES);
        }
    }

    fn push(&mut self, op: Op, effect: Effect) {
        self.unit.ops.push(op);
        self.unit.effects.push(effect);
    }

    fn write_step(&mut self, step: &Step, block: u64, outside: &mut dyn Outside) {
        let insn = &step.insn;
        let bytes = step.bytes.get(..usize::from(insn.len)).unwrap_or(&[]);
        let place = Place { pc: step.pc, block, insn, bytes };
        let target = insn.rel_target(step.pc, bytes);
        let next = step.pc.wrapping_add(u64::from(insn.len));
        let leave = place.op(Kind::Leave);
        match insn.class {
            _ if insn.is_vendor_dependent() => self.push(leave, Effect::LEAVES),
            Class::Jcc(condition) => {
                self.push(Op { opcode: condition, imm: target, ..place.op(Kind::Jcc) }, Effect::LEAVES);
            }
            // The target's block comes next.
            Class::Jmp => {}
            // So it does here, or the walk ended: the jump behind leads there.
            Class::Call if step.turns => {
                self.push(Op { imm: next, ..place.op(Kind::Push) }, Effect::NONE);
            }
            Class::Call => self.push(Op { imm: target, ..place.op(Kind::Call) }, Effect::LEAVES),
            Class::Ret => {
                let more = i32::try_from(insn.imm(bytes) & 0xffff).unwrap_or(0);
                self.push(Op { disp: more, imm: step.hint, ..place.op(Kind::Ret) }, Effect::LEAVES);
            }
            Class::JmpInd | Class::CallInd => {
                let kind = if insn.class == Class::JmpInd { Kind::JumpTo } else { Kind::CallTo };
                let mut op = Op { imm: step.hint, ..place.op(kind) };
                if !insn.has_memory_operand() {
                    op.reg = insn.rm();
                } else if !place.address(&mut op) {
                    op = leave;
                }
                self.push(op, Effect::LEAVES);
            }
            Class::Syscall => self.write_call(&place, self.known_number(), outside),
            Class::Plain | Class::Rdtsc => {
                let effect = insn.flag_effect();
                let effect = Effect { read: effect.read, write: effect.write };
                match place.lower() {
                    Lowered::Nothing => {}
                    Lowered::One(op) => self.push(op, effect),
                    Lowered::Two(first, second) => {
                        self.push(first, effect);
                        self.push(second, effect);
                    }
                    Lowered::No => self.push(leave, Effect::LEAVES),
                }
            }
            _ => self.push(leave, Effect::LEAVES),
        }
    }

    /// The call that a unit is entered at.
    fn write_entry(&mut self, step: &Step, entry: Entry, outside: &mut dyn Outside) {
        const RAX: u8 = 0;
        const NOT_EQUAL: u8 = 5;
        let bytes = step.bytes.get(..usize::from(step.insn.len)).unwrap_or(&[]);
        let place = Place { pc: step.pc, block: step.pc, insn: &step.insn, bytes };
        if step.insn.class != Class::Syscall {
            self.push(place.op(Kind::Leave), Effect::LEAVES);
            return;
        }
        let Entry::Number(number) = entry else { return self.write_call(&place, None, outside) };
        let check = Op { reg: RAX, opcode: NOT_EQUAL, size: 4, imm: u64::from(number), ..place.op(Kind::Check) };
        self.push(check, Effect::LEAVES);
        self.write_call(&place, Some(number), outside);
    }

    /// A system call.
    fn write_call(&mut self, place: &Place<'_>, number: Option<u32>, outside: &mut dyn Outside) {
        self.checks.clear();
        let Some(number) = number else {
            self.unit.calls += 1;
            return self.push(Op { imm: ANY_CALL, ..place.op(Kind::Syscall) }, Effect::LEAVES);
        };
        if number as usize >= CALLS {
            return self.push(place.op(Kind::Leave), Effect::LEAVES);
        }
        let mut checks = core::mem::take(&mut self.checks);
        if outside.check_call(number, &mut checks) {
            for check in &checks {
                let at = place.op(Kind::Check);
                self.push(Op { at: at.at, len: at.len, ..*check }, Effect::LEAVES);
            }
            self.unit.calls += 1;
        }
        self.checks = checks;
        self.push(Op { imm: u64::from(number), ..place.op(Kind::Syscall) }, Effect::LEAVES);
    }

    /// The constant that the operations since the block's begin have left in eax: MOV and XOR, and what leaves rax alone.
    fn known_number(&self) -> Option<u32> {
        for op in self.unit.ops.iter().rev() {
            match op.kind {
                Kind::Insn if op.map == 0 && op.opcode == 0xb8 && op.reg == 0 && op.prefix == 0 => {
                    return u32::try_from(op.imm & 0xffff_ffff).ok();
                }
                Kind::Insn if op.map == 0 && op.opcode == 0xc7 && op.rm == 0 && op.prefix == 0 => {
                    return u32::try_from(op.imm & 0xffff_ffff).ok();
                }
                Kind::Insn
                    if op.map == 0
                        && matches!(op.opcode, 0x31 | 0x33)
                        && op.reg == 0
                        && op.rm == 0
                        && op.prefix == 0 =>
                {
                    return Some(0);
                }
                Kind::Insn | Kind::Lea | Kind::Pop if writes_rax(op) => return None,
                Kind::Insn | Kind::Lea | Kind::Pop | Kind::Push => {}
                _ => return None,
            }
        }
        None
    }
}

/// The operation may write rax. Errs towards yes.
fn writes_rax(op: &Op) -> bool {
    if op.kind == Kind::Lea || op.kind == Kind::Pop {
        return op.reg == 0;
    }
    // The common forms that name both registers; CMP and TEST write none.
    let plain = op.encoding == 0 && op.map == 0 && matches!(op.opcode, 0x00..=0x3b | 0x63 | 0x84..=0x8b);
    let compares = matches!(op.opcode, 0x38..=0x3b | 0x84 | 0x85);
    // Those of map 0F whose operands are vector registers and memory, or that only compare.
    let vector = op.map == 1
        && match op.opcode {
            0x10..=0x17 | 0x28..=0x2b | 0x2e..=0x2f | 0x51..=0x76 | 0x7f | 0xc2 | 0xc6 => true,
            // But PMOVMSKB.
            0xd0..=0xfe => op.opcode != 0xd7,
            _ => false,
        };
    let sets = op.map == 0 && matches!(op.opcode, 0xb8 | 0xc7 | 0x80 | 0x81 | 0x83);
    if vector || plain && compares {
        return false;
    }
    if plain && op.opcode & 7 < 4 {
        return op.reg == 0 || op.rm == 0;
    }
    if sets {
        return if op.opcode == 0xb8 { op.reg == 0 } else { op.rm == 0 };
    }
    true
}
