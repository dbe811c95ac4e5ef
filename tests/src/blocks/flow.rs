//! Control flow in blocks: forward branches, short loops, calls that return, targets in registers and in memory.

use iced_x86::{Code, FlowControl, Mnemonic, Register};

use super::block::Planned;
use super::encoding::{has_prefix, offsets, put_move};
use super::generator::{Fixup, Generator, Label, Limits};
use super::opcodes::{Encoded, Form};

/// True for near branches, which need something to lead to.
pub(super) fn is_construct(code: Code) -> bool {
    code.is_jcc_short_or_near()
        || code.is_jmp_short_or_near()
        || code.is_jmp_near_indirect()
        || code.is_call_near()
        || code.is_call_near_indirect()
        || code.is_loop()
        || code.is_loopcc()
        || code.is_jcx_short()
        || matches!(code, Code::Retnq | Code::Retnq_imm16)
}

const CALM: Limits = Limits { no_fault: true, is_calm: true, lead: 0 };
/// Bytes of [`Generator::store_address`].
const STORE_BYTES: u64 = 18;

impl Generator<'_> {
    fn new_label(&mut self) -> Label {
        self.labels.push(None);
        self.labels.len() - 1
    }

    fn place(&mut self, label: Label) {
        self.labels[label] = Some(self.code.len());
    }

    /// Fills in what waited; `None` if a short branch became too long.
    pub(super) fn resolve(&mut self) -> Option<()> {
        for fixup in std::mem::take(&mut self.fixups) {
            let to = self.labels[fixup.label]?;
            let field = self.code.get_mut(fixup.at..fixup.at + fixup.len)?;
            let value = if fixup.len == 8 {
                self.base + to as u64
            } else {
                let distance = to as i64 - (fixup.at + fixup.len) as i64;
                if fixup.len == 1 {
                    i8::try_from(distance).ok()?;
                }
                distance.cast_unsigned()
            };
            field.copy_from_slice(value.to_le_bytes().get(..fixup.len)?);
        }
        Some(())
    }

    /// Appends a branch whose last field leads to `label`.
    fn branch(&mut self, encoded: &Encoded, number: usize, label: Label) {
        let offset = self.code.len();
        self.planned.push(Planned { offset, spec: number });
        let len = offsets(&encoded.bytes).immediate_size();
        self.code.extend(&encoded.bytes);
        self.fixups.push(Fixup { at: self.code.len() - len, len, label });
    }

    /// `jmp label`, which is not what is tested.
    fn skip_to(&mut self, label: Label) {
        self.code.extend([0xe9, 0, 0, 0, 0]);
        self.fixups.push(Fixup { at: self.code.len() - 4, len: 4, label });
    }

    /// `mov register, label`
    fn move_label(&mut self, register: Register, label: Label) {
        let at = self.code.len();
        put_move(&mut self.code, register, u64::MAX);
        self.fixups.push(Fixup { at: at + 2, len: 8, label });
    }

    /// Up to two instructions that may or may not be executed.
    fn maybe_executed(&mut self) {
        let (rsp, fs, gs) = (self.rsp_is_good, self.fs, self.gs);
        for _ in 0..self.random.below(3) {
            let limits = if self.random.one_in(2) { CALM } else { Limits { no_fault: true, ..Limits::default() } };
            let _ = self.emit_filler(limits);
        }
        self.rsp_is_good &= rsp;
        self.fs = self.fs.filter(|_| self.fs == fs);
        self.gs = self.gs.filter(|_| self.gs == gs);
    }

    /// Appends a construct around the branch.
    pub(super) fn emit_flow(&mut self, number: usize) -> Option<()> {
        let spec = self.specs.list[number];
        let encoded = self.sample(spec)?;
        // Near branches with an operand-size prefix depend on the vendor.
        if has_prefix(&encoded.bytes, 0x66) {
            return None;
        }
        let flow = spec.code.flow_control();
        match flow {
            FlowControl::ConditionalBranch => self.conditional(&encoded, number),
            FlowControl::UnconditionalBranch => {
                let label = self.new_label();
                self.branch(&encoded, number, label);
                self.junk();
                self.place(label);
            }
            FlowControl::Call => self.call(Some((&encoded, number)), None)?,
            FlowControl::Return => self.call(None, Some((encoded, number)))?,
            _ => self.indirect(encoded, number, flow == FlowControl::IndirectCall)?,
        }
        self.has_flow = true;
        Some(())
    }

    /// Bytes that are never executed.
    fn junk(&mut self) {
        for _ in 0..self.random.below(6) {
            let byte = self.random.byte();
            self.code.push(byte);
        }
    }

    fn conditional(&mut self, encoded: &Encoded, number: usize) {
        let counts = matches!(
            encoded.insn.mnemonic(),
            Mnemonic::Loop | Mnemonic::Loope | Mnemonic::Loopne | Mnemonic::Jrcxz | Mnemonic::Jecxz
        );
        if counts && !self.random.one_in(4) {
            let count = self.random.below(4);
            put_move(&mut self.code, Register::RCX, count);
        }
        let label = self.new_label();
        if encoded.insn.is_loop() && self.random.one_in(2) {
            // Backwards, with a count that ends soon.
            let count = 1 + self.random.below(6);
            put_move(&mut self.code, Register::RCX, count);
            self.place(label);
            let _ = self.emit_filler(CALM);
            self.branch(encoded, number, label);
        } else {
            self.branch(encoded, number, label);
            self.maybe_executed();
            self.place(label);
        }
    }

    fn good_stack(&mut self) {
        if !self.rsp_is_good {
            let arena = self.random.pick(self.region.arenas);
            put_move(&mut self.code, Register::RSP, arena + 0x2000);
            self.rsp_is_good = true;
        }
    }

    /// A call of a function that comes after it. One of the two is what is tested.
    fn call(&mut self, call: Option<(&Encoded, usize)>, ret: Option<(Encoded, usize)>) -> Option<()> {
        let function = self.new_label();
        let end = self.new_label();
        let is_pushed = ret.is_some() && self.random.one_in(3);
        if is_pushed {
            // A return that no call belongs to.
            let register = self.random.pick(&[Register::RAX, Register::R12]);
            self.good_stack();
            self.move_label(register, end);
            self.code.extend(if register == Register::RAX { &[0x50][..] } else { &[0x41, 0x54] });
        } else {
            self.good_stack();
            match call {
                Some((encoded, number)) => self.branch(encoded, number, function),
                None => {
                    self.code.extend([0xe8, 0, 0, 0, 0]);
                    self.fixups.push(Fixup { at: self.code.len() - 4, len: 4, label: function });
                }
            }
            let _ = self.emit_filler(CALM);
            self.skip_to(end);
            self.junk();
        }
        self.place(function);
        let _ = self.emit_filler(CALM);
        match ret {
            Some((mut encoded, number)) => {
                if encoded.insn.code() == Code::Retnq_imm16 {
                    let at = encoded.bytes.len() - 2;
                    encoded.bytes.truncate(at);
                    let pop = self.random.below(9) * 8;
                    encoded.bytes.extend(pop.to_le_bytes().get(..2)?);
                }
                self.planned.push(Planned { offset: self.code.len(), spec: number });
                self.code.extend(encoded.bytes);
            }
            None => self.code.push(0xc3),
        }
        self.place(end);
        Some(())
    }

    /// `mov rax, label; mov [address], rax`, always of the same length.
    fn store_address(&mut self, label: Label, address: u64) -> Option<()> {
        self.move_label(Register::RAX, label);
        if i32::try_from(address.cast_signed()).is_ok() {
            self.code.extend([0x48, 0x89, 0x04, 0x25]);
            self.code.extend(address.to_le_bytes().get(..4)?);
        } else {
            self.code.extend([0x3e, 0x48, 0x89, 0x05]);
            let distance = address.wrapping_sub(self.here() + 4);
            i32::try_from(distance.cast_signed()).ok()?;
            self.code.extend(distance.to_le_bytes().get(..4)?);
        }
        Some(())
    }

    fn indirect(&mut self, encoded: Encoded, number: usize, is_call: bool) -> Option<()> {
        let function = self.new_label();
        let is_memory = self.specs.list[number].form == Form::Memory;
        let before = self.code.len();
        if is_memory {
            let limits = Limits { no_fault: true, lead: STORE_BYTES, ..Limits::default() };
            let rsp = self.rsp_is_good;
            let steered = self.steer(encoded, limits)?;
            let stored = steered.address.and_then(|address| self.store_address(function, address));
            if stored.is_none() || (self.code.len() - before) as u64 != STORE_BYTES {
                // As if nothing had been tried.
                self.code.truncate(before);
                self.fixups.retain(|fixup| fixup.at < before);
                self.rsp_is_good = rsp;
                return None;
            }
            self.push(steered, number, true);
        } else {
            let register = encoded.insn.op0_register();
            if register == Register::RSP {
                if is_call {
                    return None;
                }
                self.rsp_is_good = false;
            } else if is_call {
                self.good_stack();
            }
            self.move_label(register, function);
            self.planned.push(Planned { offset: self.code.len(), spec: number });
            self.code.extend(encoded.bytes);
        }
        if is_call {
            let end = self.new_label();
            let _ = self.emit_filler(CALM);
            self.skip_to(end);
            self.place(function);
            let _ = self.emit_filler(CALM);
            self.code.push(0xc3);
            self.place(end);
        } else {
            self.junk();
            self.place(function);
        }
        Some(())
    }
}
