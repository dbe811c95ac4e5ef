//! The guest's `rt_sigreturn(2)`: its frame, taken over by the kernel from a copy of ours.

use super::leave::{Area, LEAST_XSAVE_BYTES};
use super::{alt_stack, kept};
use crate::gate::asm;
use crate::gate::labels::{Label, address};
use crate::mem::guest;
use crate::process::filter::{self, Own};
use crate::sys::process;
use crate::sys::signal::set_mask;
use crate::sys::types::{FP_XSTATE_MAGIC1, FPX_SW_OFFSET, FpxSwBytes, RtSigFrame, StackT};
use crate::thread::held::never_blocked;
use crate::thread::registers::Gpr;
use crate::thread::state::{ALT_STACK_BYTES, ThreadState};

/// What the kernel wants the vector state aligned to (Intel SDM vol. 1, 13.4).
const ALIGNMENT: usize = 64;
/// Bytes of the legacy part (Intel SDM vol. 1, 13.4.1).
const FXSAVE_BYTES: usize = 512;
/// Bytes of the magic number after the state.
const MAGIC2_BYTES: usize = 4;
/// The trap flag in RFLAGS.
const TF: u64 = 1 << 8;

/// Why the call was not carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// The frame cannot be read: SIGSEGV is to be raised.
    BadFrame,
    /// A signal came first.
    Interrupted,
}

/// Carries it out; returns only if it cannot.
pub fn sigreturn(ts: &mut ThreadState) -> Stopped {
    let mut area = Area::new();
    let rsp = ts.regs[Gpr::Rsp];
    // The restorer was reached by `ret`, which popped the frame's first word.
    let Some(mut frame): Option<RtSigFrame> = guest::read(rsp.wrapping_sub(8)) else { return Stopped::BadFrame };
    let guest_fp = frame.uc.mc.fpstate;
    if guest_fp != 0 {
        // What lies askew the kernel is to find askew.
        let to = area.address() + guest_fp % ALIGNMENT as u64;
        let len = bytes_to_restore(guest_fp) as u64;
        if guest::copy_across(to, guest_fp, len) != len {
            return Stopped::BadFrame;
        }
        frame.uc.mc.fpstate = to;
    }
    if filter::allows(Own::Mask) {
        set_mask(!0);
    }
    if ts.requeued != 0 {
        return Stopped::Interrupted;
    }
    // Nothing may interrupt from here on: the state in the thread structure is not the guest's any more.
    ts.set_kept_mask(frame.uc.mask);
    if !alt_stack::is(ts, &frame.uc.stack) {
        // As sigaltstack(2), errors ignored (kernel/signal.c, restore_altstack): before Linux 6.12 on the stack that is
        // returned to.
        let sp = if process::kernel_release() >= (6, 12) { rsp } else { frame.uc.mc.rsp };
        let _ = alt_stack::set(ts, sp, &frame.uc.stack, alt_stack::OLD_MIN_BYTES);
    }
    kept::queue_unblocked(ts);
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
    unsafe { asm::sigreturn(&raw const frame.uc as u64) }
}

/// Bytes of the vector state at `fpstate` that the kernel will read (arch/x86/kernel/fpu/signal.c,
/// `check_xstate_in_sigframe`): what is not usable as a whole it takes for the legacy part alone.
fn bytes_to_restore(fpstate: u64) -> usize {
    let described: Option<FpxSwBytes> = guest::read(fpstate.wrapping_add(FPX_SW_OFFSET));
    let Some(sw) = described.filter(|sw| sw.magic1 == FP_XSTATE_MAGIC1 && sw.xstate_size <= sw.extended_size) else {
        return FXSAVE_BYTES;
    };
    let len = usize::try_from(sw.xstate_size).unwrap_or(usize::MAX);
    // At any distance from a boundary of `ALIGNMENT` bytes it has room.
    if (LEAST_XSAVE_BYTES as usize..Area::BYTES - ALIGNMENT - MAGIC2_BYTES).contains(&len) {
        len + MAGIC2_BYTES
    } else {
        FXSAVE_BYTES
    }
}
