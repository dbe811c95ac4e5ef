//! The guest's `rt_sigreturn(2)`: its frame, taken over by the kernel from a copy of ours.

use super::deliver::xsave_bytes;
use super::never_blocked;
use crate::gate::asm;
use crate::gate::labels::{Label, address};
use crate::mem::guest;
use crate::sys::signal::set_mask;
use crate::sys::types::AltStack;
use crate::sys::types::{RtSigFrame, StackT};
use crate::thread::registers::Gpr;
use crate::thread::state::{ALT_STACK_BYTES, ThreadState};

const XSAVE_ROOM: usize = 12 * 1024;
/// The trap flag in RFLAGS.
const TF: u64 = 1 << 8;

#[repr(C, align(64))]
struct Area([u8; XSAVE_ROOM]);

/// Carries it out. Returns only if the frame cannot be read: SIGSEGV is to be raised.
pub fn sigreturn(ts: &mut ThreadState) {
    let mut area = Area([0; XSAVE_ROOM]);
    let rsp = ts.regs[Gpr::Rsp];
    // The restorer was reached by `ret`, which popped the frame's first word.
    let Some(mut frame): Option<RtSigFrame> = guest::read(rsp.wrapping_sub(8)) else { return };
    let guest_fp = frame.uc.mc.fpstate;
    if guest_fp != 0 {
        let len = usize::try_from(xsave_bytes(guest_fp)).unwrap_or(usize::MAX);
        let Some(copy) = area.0.get_mut(..len) else { return };
        if guest::read_bytes(guest_fp, copy) != len {
            return;
        }
        frame.uc.mc.fpstate = &raw const area as u64;
    }
    // Nothing may interrupt from here on: the state in the thread structure is not the guest's any more.
    set_mask(super::ALL_BUT_FAULTS);
    ts.requeued = 0;
    let StackT { sp, flags, size, .. } = frame.uc.stack;
    restore_alt_stack(ts, sp, flags, size);
    ts.kept_mask = frame.uc.mask & never_blocked();
    frame.uc.mask &= !never_blocked();
    frame.uc.stack = StackT { sp: ts.alt_stack_base(), flags: 0, pad: 0, size: ALT_STACK_BYTES };
    let pc = frame.uc.mc.rip;
    if frame.uc.mc.rflags & TF != 0 {
        // The CPU reports no step before the next instruction was executed.
        ts.last_step = pc;
    }
    let [.., r11, _, _, _, _] = frame.uc.mc.r8_15;
    ts.slot_rcx = frame.uc.mc.rcx;
    ts.slot_r11 = r11;
    frame.uc.mc.rcx = pc;
    frame.uc.mc.rip = address(Label::EnterLookup);
    // SAFETY: signals are blocked; the frame is complete, and the kernel checks what the guest put into it.
    unsafe { asm::sigreturn(&raw const frame.uc as u64, 0) }
}

/// restore_altstack (kernel/signal.c): as sigaltstack(2), errors ignored.
fn restore_alt_stack(ts: &mut ThreadState, sp: u64, flags: i32, size: u64) {
    let flags = u64::from(flags.cast_unsigned());
    let mode = flags & 0x7fff_ffff;
    if mode & 2 != 0 {
        ts.alt_stack = AltStack { sp: 0, flags: 2, size: 0 };
    } else if size >= 2048 {
        ts.alt_stack = AltStack { sp, flags: flags & (1 << 31), size };
    }
}
