//! The instructions on a unit's way as operations.

use super::{Builder, Entry, Outside, Step};
use crate::liveness::Effect;
use crate::lower::{Lowered, Place};
use bt_shim::uapi::{ANY_CALL, CALLS, Kind, Op};
use bt_translator::decode::Class;

impl Builder {
    /// Makes operations of the steps. `end` is the pc at which another unit goes on.
    pub(super) fn write(&mut self, entry: Option<Entry>, end: Option<u64>, outside: &mut dyn Outside) {
        self.unit.ops.clear();
        self.unit.effects.clear();
        self.unit.entries.clear();
        self.unit.calls = 0;
        let mut block = 0;
        let steps = core::mem::take(&mut self.steps);
        for (n, step) in steps.iter().enumerate() {
            // After the entry the blocks are those of code like any other.
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
            // So it does here, or the walk ended: the jump at the end of the unit leads there.
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

    /// The constant that the operations since the block's begin have left in eax: MOV and XOR, and what leaves rax
    /// alone.
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
