//! Branches whose target is in the instruction.

use crate::addr::GuestPc;
use crate::block::{Next, Site};
use crate::decode::Class;
use crate::translation::{ExitKind, Recover};

fn target(site: &Site<'_>) -> GuestPc {
    GuestPc(site.insn.rel_target(site.pc.0, site.bytes))
}

/// `jcc`: the taken side is an exit, the other falls through.
pub fn conditional(site: &mut Site<'_>) -> Next {
    let Class::Jcc(condition) = site.insn.class else { return Next::End };
    site.mark(Recover::At);
    site.out.hot.align_patch(2);
    site.out.hot.put(&[0x0f, 0x80 | condition & 15]);
    let to = target(site);
    site.exit_here(ExitKind::Direct, to);
    Next::NewBlock
}

/// `jrcxz`, `loop` and relatives have an 8-bit displacement only: they jump over a jump.
pub fn counted(site: &mut Site<'_>) -> Next {
    site.mark(Recover::At);
    // The displacement is the last byte; prefixes and opcode stay.
    let (_, head) = site.bytes.split_last().unwrap_or((&0, &[]));
    // The field that is patched lies behind: head, two displacement bytes, two opcodes.
    site.out.hot.align_patch(head.len() as u64 + 4);
    site.out.hot.put(head);
    site.out.hot.put(&[2]); // taken: to the long jump
    let next = site.next();
    site.mark_at(next, Recover::At);
    site.out.hot.put(&[0xeb, 5]); // not taken: behind it
    let to = target(site);
    site.mark_at(to, Recover::At);
    site.out.hot.put(&[0xe9]);
    site.exit_here(ExitKind::Direct, to);
    Next::NewBlock
}

/// `jmp rel`
pub fn jump(site: &mut Site<'_>) -> Next {
    site.mark(Recover::At);
    site.out.hot.align_patch(1);
    site.out.hot.put(&[0xe9]);
    let to = target(site);
    site.exit_here(ExitKind::Direct, to);
    Next::End
}

/// `call rel`: pushes the guest's return address, by one 8-byte store, and jumps.
pub fn call(site: &mut Site<'_>) -> Next {
    site.mark(Recover::At);
    push_return(site);
    let to = target(site);
    site.mark_at(to, Recover::At);
    site.out.hot.align_patch(1);
    site.out.hot.put(&[0xe9]);
    site.exit_here(ExitKind::Direct, to);
    Next::ReturnPoint
}

/// Pushes the guest pc behind the instruction. An immediate where it fits, else from a constant beside the stubs:
/// no register is needed and the store is one of eight bytes, which the `ret` can be forwarded from.
pub fn push_return(site: &mut Site<'_>) {
    let next = site.next().0;
    let out = &mut *site.out;
    if let Ok(imm) = i32::try_from(next.cast_signed()) {
        out.hot.put(&[0x68]);
        out.hot.put32(imm);
        return;
    }
    while out.cold.here().0 % 8 != 0 {
        out.cold.put(&[0xcc]);
    }
    let constant = out.cold.here().0;
    out.cold.put(&next.to_le_bytes());
    out.hot.put(&[0xff, 0x35]);
    let _ = out.hot.put_rel32(constant, 0);
}

/// `xbegin`: when the transaction aborts the CPU goes to the exit.
pub fn xbegin(site: &mut Site<'_>) -> Next {
    site.mark(Recover::At);
    site.out.hot.align_patch(2);
    site.out.hot.put(&[0xc7, 0xf8]);
    let to = target(site);
    site.exit_here(ExitKind::Direct, to);
    Next::Continue
}
