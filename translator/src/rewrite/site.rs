//! An instruction that is being rewritten, and how code leaves its fragment there.

use crate::addr::GuestPc;
use crate::decode::Insn;
use crate::emit::{Branch, gpr};
use crate::layout::Layout;
use crate::translation::{ExitDesc, ExitKind, Recover, Translation};

/// Bytes of a displacement or immediate that is filled in later.
const DISPLACEMENT_BYTES: u32 = 4;

/// What the pass does after an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// Goes on with the next instruction.
    Continue,
    /// Goes on; what follows is a new basic block.
    NewBlock,
    /// Goes on only to translate the return point of a call: nothing falls through.
    ReturnPoint,
    /// Ends the fragment.
    End,
}

/// An instruction that is being rewritten, and the fragment that it goes into.
pub(crate) struct Site<'a> {
    /// The emitted code's surroundings.
    pub(crate) layout: &'a Layout,
    /// The fragment's tag.
    pub(crate) tag: GuestPc,
    /// The instruction's guest pc.
    pub(crate) pc: GuestPc,
    /// Its decoded form.
    pub(crate) insn: &'a Insn,
    /// Its bytes.
    pub(crate) bytes: &'a [u8],
    /// The fragment.
    pub(crate) out: &'a mut Translation,
}

impl Site<'_> {
    /// Guest pc of the next instruction.
    #[must_use]
    pub(crate) fn next(&self) -> GuestPc {
        self.pc.plus(u64::from(self.insn.len))
    }

    /// Notes that the next hot byte belongs to this instruction.
    pub(crate) fn mark(&mut self, recover: Recover) {
        self.out.mark(self.tag, self.pc, recover);
    }

    /// Notes that the next hot byte belongs to the instruction at `pc`.
    pub(crate) fn mark_at(&mut self, pc: GuestPc, recover: Recover) {
        self.out.mark(self.tag, pc, recover);
    }

    /// Emits a branch that leaves the fragment, its stub, and the record of the exit.
    pub(crate) fn exit(&mut self, branch: Branch, kind: ExitKind, target: GuestPc) {
        emit_exit(self.layout, self.out, branch, kind, target);
    }

    /// Ends the fragment here with an exit of `kind` at this instruction.
    pub(crate) fn leave_to_runtime(&mut self, kind: ExitKind) -> Next {
        self.mark(Recover::At);
        self.exit(Branch::JMP, kind, self.pc);
        Next::End
    }
}

/// Emits a branch that leaves a fragment, its stub, and the record of the exit.
pub(crate) fn emit_exit(layout: &Layout, out: &mut Translation, branch: Branch, kind: ExitKind, target: GuestPc) {
    out.hot.align_patch(branch.opcode_len());
    if out.in_place {
        let reached = out.hot.branch(branch, target.0).is_some();
        out.refused |= kind != ExitKind::Direct || !reached;
        return;
    }
    let (stub, stub_at) = (out.cold.offset(), out.cold.here().0);
    out.cold.mov_store_gs(layout.slot_rcx, gpr::RCX);
    // The exit's id, which the runtime fills in.
    out.cold.mov32_imm(gpr::RCX, 0);
    let id_at = out.cold.offset() - DISPLACEMENT_BYTES;
    out.cold.jmp_gs(layout.enter_exit);
    // The stub is in the same zone as the code, within reach.
    let _ = out.hot.branch(branch, stub_at);
    let site = out.hot.offset() - DISPLACEMENT_BYTES;
    out.exits.push(ExitDesc { kind, target, site, stub, id_at });
}
