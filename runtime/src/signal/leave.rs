//! Leaving the runtime through `rt_sigreturn(2)`: with signals requeued, or with a state `bt_leave` cannot set.

use super::context::set_regs;
use super::kept;
use crate::gate::asm;
use crate::sys::signal::set_mask;
use crate::sys::types::{
    FP_XSTATE_MAGIC1, FP_XSTATE_MAGIC2, FPX_SW_OFFSET, FpxSwBytes, McContext, StackT, UC_FLAGS, UContext,
};
use crate::thread::held::never_blocked;
use crate::thread::state::{ALT_STACK_BYTES, ThreadState};
use core::sync::atomic::{AtomicU32, Ordering};

/// cs and ss of 64-bit user code (arch/x86/include/asm/segment.h).
const USER_CS: u16 = 0x33;
const USER_SS: u16 = 0x2b;
/// Room for any vector state without AMX tiles, which need a permission we would see (arch_prctl(2)
/// ARCH_REQ_XCOMP_PERM).
const XSAVE_ROOM: usize = 12 * 1024;

/// Called by `bt_leave` when signals have been requeued. `resume` and the registers are what the thread continues with.
///
/// # Safety
/// Only the gate calls it, with the calling thread's own state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bt_leave_requeued(ts: *mut ThreadState) -> ! {
    // SAFETY: the gate passes the calling thread's own state.
    let ts = unsafe { &mut *ts };
    let mut mask = ts.saved_mask;
    // A call with a temporary mask: the signals it let through are taken under it, and return to the mask before.
    if let Some(temporary) = ts.temporary_mask.take() {
        ts.mask_to_restore = Some(mask & !never_blocked() | ts.kept_mask());
        ts.set_kept_mask(temporary);
        mask = temporary;
    }
    kept::settle(ts);
    set_mask(!0);
    kept::queue_unblocked(ts);
    ts.requeued = 0;
    let pc = ts.resume;
    leave(ts, pc, 0, mask)
}

#[repr(C, align(64))]
struct Area([u8; XSAVE_ROOM]);

static XSAVE_BYTES: AtomicU32 = AtomicU32::new(0);

/// Bytes of the vector state the CPU saves (CPUID leaf 0xD). Asked once: in a virtual machine a CPUID is slow.
fn xsave_size() -> u32 {
    let known = XSAVE_BYTES.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    let size = core::arch::x86_64::__cpuid_count(0xd, 0).ebx.max(576);
    XSAVE_BYTES.store(size, Ordering::Relaxed);
    size
}

/// Leaves with the guest's registers, at `pc`, with `flags` or-ed into RFLAGS and the signal mask `mask`. All signals
/// must be blocked, or those that are not must be ours to survive.
pub fn leave(ts: &mut ThreadState, pc: u64, flags: u64, mask: u64) -> ! {
    let mut area = Area([0; XSAVE_ROOM]);
    let base = &raw mut area as u64;
    let size = xsave_size();
    if size as usize + 4 > XSAVE_ROOM {
        crate::report::internal("the vector state of this CPU is larger than expected");
    }
    let sw = FpxSwBytes {
        magic1: FP_XSTATE_MAGIC1,
        extended_size: size + 4,
        // XCR0 is what user code may use.
        xfeatures: xgetbv(),
        xstate_size: size,
        pad: [0; 7],
    };
    let mut uc = UContext {
        flags: UC_FLAGS,
        link: 0,
        stack: StackT { sp: ts.alt_stack_base(), flags: 0, pad: 0, size: ALT_STACK_BYTES },
        mc: McContext { selectors: [USER_CS, 0, 0, USER_SS], fpstate: base, ..McContext::default() },
        mask: mask & !never_blocked(),
    };
    let mut regs = ts.regs;
    regs.rip = pc;
    regs.rflags |= flags;
    set_regs(&mut uc.mc, &regs);
    // SAFETY: the area is ours; the software bytes and the closing magic lie inside it, and xsave leaves both alone.
    unsafe {
        let at =
            |offset: u64| core::ptr::with_exposed_provenance_mut::<u8>(usize::try_from(base + offset).unwrap_or(0));
        at(FPX_SW_OFFSET).cast::<FpxSwBytes>().write_unaligned(sw);
        at(u64::from(size)).cast::<u32>().write_unaligned(FP_XSTATE_MAGIC2);
        asm::sigreturn(&raw const uc as u64, base)
    }
}

fn xgetbv() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: XSAVE is enabled by every kernel on a CPU that has it; the loader checked.
    unsafe {
        core::arch::asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") high, options(nostack, nomem, preserves_flags));
    }
    u64::from(high) << 32 | u64::from(low)
}

/// Blocks every signal; returns the guest's mask, also if signals were requeued already.
pub fn block_all(ts: &mut ThreadState) -> u64 {
    let old = set_mask(!0);
    if ts.requeued != 0 {
        ts.requeued = 0;
        return ts.saved_mask;
    }
    old
}
