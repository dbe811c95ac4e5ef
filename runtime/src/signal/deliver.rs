//! Building the guest's signal frame (arch/x86/kernel/signal_64.c, `x64_setup_rt_frame`; signal.c, `get_sigframe`).

use super::alt_stack::{SS_AUTODISARM, SS_DISABLE, alt_flags, on_alt_stack};
use super::{action, kept, natively};
use crate::engine::lock;
use crate::gate::labels::{Label, address};
use crate::mem::guest;
use crate::sys::signal::{queue_to_self, set_default};
use crate::sys::types::{
    AltStack, FPX_SW_OFFSET, FpxSwBytes, RtSigFrame, SigAction, SigInfo, StackT, UContext, sa, sig,
};
use crate::thread::held::never_blocked;
use crate::thread::shared::add;
use crate::thread::state::ThreadState;
use linux_raw_sys::general as k;

const RED_ZONE: u64 = 128;
/// Bytes of the xsave area's legacy part, all there is without `FpxSwBytes`.
const FXSAVE_BYTES: u64 = 512;
/// Flags cleared for a handler: DF, RF, TF (signal.c, `handle_signal`).
const CLEARED_FLAGS: u64 = 1 << 10 | 1 << 16 | 1 << 8;

/// Delivers a signal to the guest. `uc` holds the guest's state, pc included; on return it holds what the thread
/// continues with.
pub fn deliver(ts: &mut ThreadState, signal: i32, info: &SigInfo, uc: &mut UContext, synchronous: bool) {
    if natively::is_request(info) {
        // Not from here, where the kernel has the runtime's stack for signals in use.
        kept::stop_on_the_way_out(ts, uc);
        return enter_dispatcher(ts, uc);
    }
    let guest_action = action::get(signal);
    let is_blocked = ts.kept_mask() & sig::bit(signal) != 0;
    if action::is_default_or_ignored(&guest_action) || is_blocked {
        return undeliverable(ts, signal, info, uc, &guest_action, synchronous);
    }
    add(&ts.shared.signals, 1);
    let action = guest_action;
    if action.flags & sa::RESETHAND != 0 {
        action::reset(signal);
    }
    // The mask the guest returns to; in a call with a temporary mask it is the one before that (sigsuspend(2)).
    let old_mask = ts.mask_to_restore.unwrap_or(uc.mask & !never_blocked() | ts.kept_mask());
    let mut new_mask = uc.mask | action.mask;
    if action.flags & sa::NODEFER == 0 {
        new_mask |= sig::bit(signal);
    }
    if build_frame(ts, &action, info, uc, old_mask, signal).is_none() {
        return without_frame(ts, signal, uc);
    }
    ts.mask_to_restore = None;
    ts.set_kept_mask(ts.kept_mask() | new_mask);
    uc.mask = new_mask & !never_blocked();
    // Into the dispatcher by the look-up routine: target in rcx, the guest's rcx and r11 in their slots.
    let [.., r11, _, _, _, _] = uc.mc.r8_15;
    ts.slot_rcx = uc.mc.rcx;
    ts.slot_r11 = r11;
    uc.mc.rcx = action.handler;
    uc.mc.rip = address(Label::EnterLookup);
}

/// A frame that cannot be built is a SIGSEGV, for which another handler may have another stack; one for that signal
/// itself ends the process (kernel/signal.c, `force_sigsegv`).
fn without_frame(ts: &mut ThreadState, signal: i32, uc: &mut UContext) {
    let info = segv_of_the_kernel();
    let is_blocked = ts.kept_mask() & sig::bit(sig::SIGSEGV) != 0;
    if signal != sig::SIGSEGV && !is_blocked && !action::is_default_or_ignored(&action::get(sig::SIGSEGV)) {
        return deliver(ts, sig::SIGSEGV, &info, uc, true);
    }
    force_default(sig::SIGSEGV);
    uc.mask &= !sig::bit(sig::SIGSEGV);
    let _ = queue_to_self(sig::SIGSEGV, &info);
}

/// Writes the frame and sets the handler's registers; `None` if the stack cannot be written, or there would be no way
/// back.
fn build_frame(
    ts: &mut ThreadState,
    action: &SigAction,
    info: &SigInfo,
    uc: &mut UContext,
    old_mask: u64,
    signal: i32,
) -> Option<()> {
    if action.flags & sa::RESTORER == 0 {
        return None;
    }
    let stack = StackT {
        sp: ts.alt_stack.sp,
        flags: i32::try_from(alt_flags(ts, uc.mc.rsp) & 0x7fff_ffff).unwrap_or(0)
            | if ts.alt_stack.flags & SS_AUTODISARM != 0 { i32::MIN } else { 0 },
        pad: 0,
        size: ts.alt_stack.size,
    };
    let on_alt = on_alt_stack(ts, uc.mc.rsp);
    let mut sp = uc.mc.rsp - RED_ZONE;
    if action.flags & sa::ONSTACK != 0 && !on_alt && ts.alt_stack.flags & SS_DISABLE == 0 && ts.alt_stack.size != 0 {
        sp = ts.alt_stack.sp + ts.alt_stack.size;
    }
    let entering_alt = sp > ts.alt_stack.sp && sp - ts.alt_stack.sp <= ts.alt_stack.size;
    let xsave_bytes = xsave_bytes(uc.mc.fpstate);
    let mut fpstate = 0;
    if uc.mc.fpstate != 0 {
        sp = (sp - xsave_bytes) & !63;
        fpstate = sp;
    }
    sp -= core::mem::size_of::<RtSigFrame>() as u64;
    sp = (sp & !15) - 8;
    if (on_alt || entering_alt && action.flags & sa::ONSTACK != 0) && ts.alt_stack.size != 0 && sp < ts.alt_stack.sp {
        // The alternate stack overflows (signal.c: "return an always-bogus address").
        return None;
    }
    let mut frame = RtSigFrame { pretcode: action.restorer, uc: *uc, info: *info };
    frame.uc.link = 0;
    frame.uc.stack = stack;
    frame.uc.mask = old_mask;
    frame.uc.mc.oldmask = old_mask;
    frame.uc.mc.fpstate = fpstate;
    // Code on a writable stack may have been translated.
    lock().release_range(sp, fpstate.max(sp) + xsave_bytes + 512);
    if fpstate != 0 {
        copy_area(uc.mc.fpstate, fpstate, xsave_bytes)?;
    }
    guest::write(sp, &frame)?;
    if ts.alt_stack.flags & SS_AUTODISARM != 0 {
        ts.alt_stack = AltStack { sp: 0, flags: SS_DISABLE, size: 0 };
    }
    uc.mc.rdi = u64::from(signal.cast_unsigned());
    uc.mc.rax = 0;
    let frame_at = |offset: usize| sp + offset as u64;
    uc.mc.rsi = frame_at(core::mem::offset_of!(RtSigFrame, info));
    uc.mc.rdx = frame_at(core::mem::offset_of!(RtSigFrame, uc));
    uc.mc.rsp = sp;
    uc.mc.rflags &= !CLEARED_FLAGS;
    uc.mc.fpstate = 0;
    Some(())
}

/// Copies a vector state area from our signal stack to the guest's.
fn copy_area(from: u64, to: u64, len: u64) -> Option<()> {
    // SAFETY: the kernel built the area with this length on our signal stack.
    let area = unsafe {
        core::slice::from_raw_parts(
            core::ptr::with_exposed_provenance::<u8>(usize::try_from(from).ok()?),
            usize::try_from(len).ok()?,
        )
    };
    (guest::write_bytes(to, area) == area.len()).then_some(())
}

/// Bytes of the vector state area at `fpstate`.
#[must_use]
pub fn xsave_bytes(fpstate: u64) -> u64 {
    if fpstate == 0 {
        return 0;
    }
    let sw: Option<FpxSwBytes> = guest::read(fpstate + FPX_SW_OFFSET);
    match sw {
        Some(sw) if sw.magic1 == crate::sys::types::FP_XSTATE_MAGIC1 && sw.extended_size >= 512 => {
            u64::from(sw.extended_size)
        }
        _ => FXSAVE_BYTES,
    }
}

/// The guest has no handler, or has blocked the signal (which only reaches us for those that the kernel never blocks).
fn undeliverable(
    ts: &mut ThreadState,
    signal: i32,
    info: &SigInfo,
    uc: &mut UContext,
    action: &SigAction,
    synchronous: bool,
) {
    if synchronous {
        // force_sig: a synchronous fault that is ignored or blocked ends the process. The context is the guest's. Should
        // a filter forbid the queueing, a fault comes again by itself, in place.
        force_default(signal);
        uc.mask &= !sig::bit(signal);
        let _ = queue_to_self(signal, info);
        return;
    }
    if ts.kept_mask() & sig::bit(signal) != 0 {
        ts.shared.held.put(signal, info);
        kept::settle(ts);
    } else if !action::is_ignored(action) {
        force_default(signal);
        let _ = queue_to_self(signal, info);
        return;
    }
    // Nothing happened: go on through the dispatcher.
    enter_dispatcher(ts, uc);
}

/// Makes the thread continue at the guest state in `uc`.
pub fn enter_dispatcher(ts: &mut ThreadState, uc: &mut UContext) {
    let [.., r11, _, _, _, _] = uc.mc.r8_15;
    ts.slot_rcx = uc.mc.rcx;
    ts.slot_r11 = r11;
    uc.mc.rcx = uc.mc.rip;
    uc.mc.rip = address(Label::EnterLookup);
}

/// The kernel takes its default action the next time the signal comes.
pub fn force_default(signal: i32) {
    crate::observe::stats::finish("signal");
    set_default(signal);
}

/// Raises a SIGSEGV that the guest cannot block or ignore, from the runtime (kernel/signal.c, `force_sig`).
pub fn force_segv(ts: &mut ThreadState) {
    if action::is_ignored(&action::get(sig::SIGSEGV)) || ts.kept_mask() & sig::bit(sig::SIGSEGV) != 0 {
        force_default(sig::SIGSEGV);
        let _ = action::set(sig::SIGSEGV, Some(&SigAction::default()));
        ts.set_kept_mask(ts.kept_mask() & !sig::bit(sig::SIGSEGV));
    }
    ts.shared.held.put(sig::SIGSEGV, &segv_of_the_kernel());
    let _ = kept::take_unblocked(ts);
}

/// What the kernel tells of a SIGSEGV that no address caused.
#[must_use]
pub fn segv_of_the_kernel() -> SigInfo {
    SigInfo { signo: sig::SIGSEGV, errno: 0, code: k::SI_KERNEL.cast_signed(), pad: 0, fields: [0; 14] }
}
