//! Branches whose target is in the instruction.

use crate::addr::GuestPc;
use crate::decode::Class;
use crate::emit::{Branch, Label};
use crate::rewrite::site::{Next, Site};
use crate::translation::{ExitKind, Recover};

fn target(site: &Site<'_>) -> GuestPc {
    GuestPc(site.insn.rel_target(site.pc.0, site.bytes))
}

const SHORT_JUMP_BYTES: u64 = 2;

/// `jcc`: the taken side is an exit, the other falls through.
pub(crate) fn conditional(site: &mut Site<'_>) -> Next {
    let Class::Jcc(condition) = site.insn.class else { return Next::End };
    site.mark(Recover::At);
    let to = target(site);
    site.exit(Branch::jcc(condition), ExitKind::Direct, to);
    Next::NewBlock
}

/// `jrcxz`, `loop` and relatives have an 8-bit displacement only: they jump over a jump.
pub(crate) fn counted(site: &mut Site<'_>) -> Next {
    site.mark(Recover::At);
    let (mut taken, mut not_taken) = (Label::new(), Label::new());
    // The field that is patched comes after the branch itself, a short jump and an opcode.
    site.out.hot.align_patch(u64::from(site.insn.len) + SHORT_JUMP_BYTES + Branch::JMP.opcode_len());
    site.out.hot.counted_branch(site.bytes, &mut taken);
    let next = site.next();
    site.mark_at(next, Recover::At);
    site.out.hot.jmp_short(&mut not_taken);
    site.out.hot.bind(&mut taken);
    let to = target(site);
    // To itself: the step is the one that arrives there.
    site.mark_at(to, if to == site.pc { Recover::OnTheWay } else { Recover::At });
    site.exit(Branch::JMP, ExitKind::Direct, to);
    site.out.hot.bind(&mut not_taken);
    Next::NewBlock
}

/// `jmp rel`
pub(crate) fn jump(site: &mut Site<'_>) -> Next {
    site.mark(Recover::At);
    let to = target(site);
    site.exit(Branch::JMP, ExitKind::Direct, to);
    Next::End
}

/// `call rel`: pushes the guest's return address, by one 8-byte store, and jumps.
pub(crate) fn call(site: &mut Site<'_>) -> Next {
    site.mark(Recover::At);
    push_return(site);
    let to = target(site);
    site.mark_at(to, Recover::At);
    site.exit(Branch::JMP, ExitKind::Direct, to);
    Next::ReturnPoint
}

/// Pushes the guest pc of the next instruction. An immediate where it fits, else from a constant beside the stubs:
/// no register is needed and the store is one of eight bytes, which the `ret` can be forwarded from.
pub(crate) fn push_return(site: &mut Site<'_>) {
    let next = site.next().0;
    let out = &mut *site.out;
    if let Ok(imm) = i32::try_from(next.cast_signed()) {
        out.hot.push_imm(imm);
        return;
    }
    while !out.cold.here().0.is_multiple_of(8) {
        out.cold.int3();
    }
    let constant = out.cold.here().0;
    out.cold.data64(next);
    let _ = out.hot.push_rip(constant);
}

/// `xbegin`: when the transaction aborts the CPU goes to the exit.
pub(crate) fn xbegin(site: &mut Site<'_>) -> Next {
    site.mark(Recover::At);
    let to = target(site);
    site.exit(Branch::XBEGIN, ExitKind::Direct, to);
    Next::Continue
}
