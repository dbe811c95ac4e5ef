//! Instructions that are carried out by the runtime: rare ones whose effect does not fit emitted code.

use super::leave::Exit;
use crate::engine::{cpuid, redirect};
use crate::mem::guest;
use crate::thread::registers::Gpr;
use crate::thread::state::ThreadState;
use bt_translator::decode::{Insn, Prefixes, decode};
use bt_translator::translation::ExitKind;

/// Selectors of 64-bit user code and data (arch/x86/include/asm/segment.h).
const USER_CS: u64 = 0x33;
const USER_DS: u64 = 0x2b;
/// Flags that user code can change with `iret` at privilege level 3 (Intel SDM vol. 2, IRET): the arithmetic
/// flags, TF, DF, NT, AC, ID.
const IRET_FLAGS: u64 = 0x0024_4dd5;
/// TF of RFLAGS.
const TRAP_FLAG: u64 = 1 << 8;
/// NT of RFLAGS: with it `iret` faults in 64-bit mode.
const NESTED_TASK: u64 = 1 << 14;
/// Selector of 32-bit user code, without the privilege level.
const USER32_CS: u64 = 0x20;

/// Carries out the instruction at the guest's pc.
pub fn run(ts: &mut ThreadState, kind: ExitKind) -> Exit {
    let pc = ts.regs.rip;
    let mut bytes = [0u8; 16];
    let got = guest::read_bytes(pc, &mut bytes);
    let Some(insn) = bytes.get(..got).and_then(|b| decode(b).ok()) else {
        // The code changed under us: look again.
        redirect(ts, pc);
        return Exit::Resumed;
    };
    let next = pc + u64::from(insn.len);
    match kind {
        ExitKind::Iret if insn.rex_w() => {
            let rsp = ts.regs[Gpr::Rsp];
            let frame: Option<[u64; 5]> = guest::read(rsp);
            if let Some([rip, cs, flags, sp, ss]) = frame
                && ts.regs.rflags & (NESTED_TASK | TRAP_FLAG) == 0
                && cs & 0xffff == USER_CS
                && ss & 0xffff == USER_DS
            {
                ts.regs.rflags = ts.regs.rflags & !IRET_FLAGS | flags & IRET_FLAGS;
                ts.regs[Gpr::Rsp] = sp;
                // With the trap flag the CPU reports the first step after the next instruction.
                ts.last_step = rip;
                redirect(ts, rip);
                return Exit::Resumed;
            }
            // Anything else faults, is a step of the guest's, or leaves 64-bit mode: in place, where the CPU decides.
            Exit::Step
        }
        ExitKind::GsSelector => {
            // Only the null selectors make sense in 64-bit code, and all they do is clear the base.
            let value = ts.regs[Gpr::numbered(insn.rm())];
            if insn.map == 0 && insn.opcode == 0x8e && !insn.has_memory_operand() && value & 0xfffc == 0 {
                ts.guest_gs_base = 0;
                redirect(ts, next);
                return Exit::Resumed;
            }
            Exit::Unsupported("loading the gs selector")
        }
        ExitKind::Far => match far(ts, &insn, &bytes, pc, next) {
            Far::Done => Exit::Resumed,
            Far::Elsewhere => Exit::Unsupported("a far transfer or 32-bit return"),
            // It faults, or cuts the address: in place, where the CPU decides.
            Far::Other => Exit::Step,
        },
        ExitKind::Int80 => Exit::Int80 { next },
        ExitKind::Iret => Exit::Unsupported("a far transfer or 32-bit return"),
        ExitKind::Unsupported => {
            Exit::Unsupported("this instruction (sysenter, or a string or gather access through gs)")
        }
        ExitKind::Direct | ExitKind::Step => {
            redirect(ts, pc);
            Exit::Resumed
        }
    }
}

/// What became of a far transfer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Far {
    /// It was carried out.
    Done,
    /// It leaves 64-bit code.
    Elsewhere,
    /// Neither.
    Other,
}

/// A far return, jump or call, carried out if it stays in 64-bit code.
fn far(ts: &mut ThreadState, insn: &Insn, bytes: &[u8; 16], pc: u64, next: u64) -> Far {
    match far_target(ts, insn, bytes, pc) {
        Some(Target { cs, .. }) if cs & 0xfffc == USER32_CS => Far::Elsewhere,
        Some(Target { to, cs: USER_CS }) if carry_out(ts, insn, bytes, next).is_some() => {
            redirect(ts, to);
            Far::Done
        }
        _ => Far::Other,
    }
}

/// Where a far transfer leads.
struct Target {
    to: u64,
    cs: u64,
}

/// Bytes of a far transfer's offset. Intel's CPUs take 64-bit pointers from memory, AMD's do not (AMD APM vol. 3, CALL
/// and JMP, far).
fn offset_bytes(insn: &Insn) -> u64 {
    let is_return = matches!(insn.opcode, 0xca | 0xcb);
    if insn.rex_w() && (is_return || cpuid::is_intel()) { 8 } else { 4 }
}

fn far_target(ts: &ThreadState, insn: &Insn, bytes: &[u8; 16], pc: u64) -> Option<Target> {
    let size = offset_bytes(insn);
    if insn.prefixes.contains(Prefixes::OPSIZE) {
        return None;
    }
    let at = if matches!(insn.opcode, 0xca | 0xcb) { ts.regs[Gpr::Rsp] } else { operand(ts, insn, bytes, pc)? };
    let to = if size == 8 { guest::read::<u64>(at)? } else { u64::from(guest::read::<u32>(at)?) };
    let selector = guest::read::<[u8; 2]>(at + size)?;
    Some(Target { to, cs: u64::from(u16::from_le_bytes(selector)) })
}

/// Address of the operand in memory; `None` if there is none, or one that is not followed.
fn operand(ts: &ThreadState, insn: &Insn, bytes: &[u8; 16], pc: u64) -> Option<u64> {
    if !insn.has_memory_operand() {
        return None;
    }
    let r = |n: u8| Some(ts.regs[Gpr::numbered(n)]);
    let at = if insn.is_rip_relative() {
        insn.rip_target(pc, bytes)
    } else {
        let index = insn.index().map_or(Some(0), r)?;
        insn.base()
            .map_or(Some(0), r)?
            .wrapping_add(index.wrapping_mul(u64::from(insn.scale())))
            .wrapping_add_signed(insn.disp(bytes))
    };
    if insn.prefixes.contains(Prefixes::SEG_GS) {
        return Some(at.wrapping_add(ts.guest_gs_base));
    }
    (!insn.prefixes.intersects(Prefixes::SEG_FS.union(Prefixes::ADDRSIZE))).then_some(at)
}

/// What a far transfer does to the stack.
fn carry_out(ts: &mut ThreadState, insn: &Insn, bytes: &[u8; 16], next: u64) -> Option<()> {
    let size = offset_bytes(insn);
    let rsp = ts.regs[Gpr::Rsp];
    if matches!(insn.opcode, 0xca | 0xcb) {
        let release = if insn.opcode == 0xca { insn.imm(bytes).cast_unsigned() & 0xffff } else { 0 };
        ts.regs[Gpr::Rsp] = rsp + 2 * size + release;
    } else if insn.modrm_group() == 3 {
        // A call pushes cs and the return address, each as wide as the operand.
        let frame = rsp - 2 * size;
        if size == 8 {
            guest::write(frame, &[next, USER_CS])?;
        } else {
            guest::write(frame, &[u32::try_from(next & 0xffff_ffff).ok()?, 0x33])?;
        }
        ts.regs[Gpr::Rsp] = frame;
    }
    Some(())
}
