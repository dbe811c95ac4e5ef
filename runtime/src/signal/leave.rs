//! Leaving the runtime through `rt_sigreturn(2)`: with signals requeued, or with a state `bt_leave` cannot set.

use super::context::set_regs;
use crate::gate::asm;
use crate::sys::types::{
    FP_XSTATE_MAGIC1, FP_XSTATE_MAGIC2, FPX_SW_OFFSET, FpxSwBytes, McContext, StackT, UC_FLAGS, UContext,
};
use crate::thread::held::never_blocked;
use crate::thread::state::{ALT_STACK_BYTES, ThreadState};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU32, Ordering};

/// cs and ss of 64-bit user code (arch/x86/include/asm/segment.h).
const USER_CS: u16 = 0x33;
const USER_SS: u16 = 0x2b;
/// Room for any vector state without AMX tiles, which need a permission we would see (arch_prctl(2)
/// ARCH_REQ_XCOMP_PERM).
const XSAVE_ROOM: usize = 12 * 1024;

/// Bytes of a state's legacy part and of the header after it (Intel SDM vol. 1, 13.4.1 and 13.4.2).
pub(super) const LEAST_XSAVE_BYTES: u32 = 576;

/// Where a vector state is put: as much of it as the state has bytes, which are few of these, so that nothing is
/// written beforehand.
#[repr(C, align(64))]
pub(super) struct Area(MaybeUninit<[u8; XSAVE_ROOM]>);

impl Area {
    /// Bytes that it has.
    pub(super) const BYTES: usize = XSAVE_ROOM;

    /// One that holds nothing.
    pub(super) const fn new() -> Self {
        Self(MaybeUninit::uninit())
    }

    /// Its address.
    pub(super) fn address(&mut self) -> u64 {
        self.0.as_mut_ptr() as u64
    }
}

static XSAVE_BYTES: AtomicU32 = AtomicU32::new(0);

/// Bytes of the vector state the CPU saves (CPUID leaf 0xD). Asked once: in a virtual machine a CPUID is slow.
fn xsave_size() -> u32 {
    let known = XSAVE_BYTES.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    let size = core::arch::x86_64::__cpuid_count(0xd, 0).ebx.max(LEAST_XSAVE_BYTES);
    XSAVE_BYTES.store(size, Ordering::Relaxed);
    size
}

/// Leaves with the guest's registers, at `pc`, with `flags` or-ed into RFLAGS and the signal mask `mask`. All signals
/// must be blocked, or those that are not must be ours to survive.
pub fn leave(ts: &mut ThreadState, pc: u64, flags: u64, mask: u64) -> ! {
    let mut area = Area::new();
    let uc = context(ts, pc, flags, mask, &mut area);
    go(&uc)
}

/// Leaves for native code at the guest's `pc`, with the guest's own `mask`, alternate stack and `gs`: the thread does not
/// come back. All signals must be blocked, and nothing of the runtime's may be in the guest's way.
pub fn for_good(ts: &mut ThreadState, pc: u64, mask: u64) -> ! {
    let mut area = Area::new();
    let mut uc = context(ts, pc, 0, mask, &mut area);
    uc.mask = mask;
    #[expect(clippy::cast_possible_truncation, reason = "the flags fit")]
    let flags = (ts.alt_stack.flags as u32).cast_signed();
    uc.stack = StackT { sp: ts.alt_stack.sp, flags, pad: 0, size: ts.alt_stack.size };
    ts.restore_gs();
    go(&uc)
}

/// Goes on with the context.
pub(super) fn go(uc: &UContext) -> ! {
    // SAFETY: signals are blocked; the context is complete.
    unsafe { asm::sigreturn(core::ptr::from_ref(uc) as u64) }
}

/// What rt_sigreturn(2) is to set: the guest's registers, at `pc`, with `flags` or-ed into RFLAGS and the signal mask
/// `mask`. The guest's vector state is saved to `area`.
pub(super) fn context(ts: &ThreadState, pc: u64, flags: u64, mask: u64, area: &mut Area) -> UContext {
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
    let base = area.address();
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
    // SAFETY: the area is ours; the software bytes and the closing magic lie inside it, and xsave leaves both alone. It
    // writes one word of the header, whose others are to be 0 (Intel SDM vol. 1, 13.4.2), and no state that is the
    // initial one, which is not read either.
    unsafe {
        let at =
            |offset: u64| core::ptr::with_exposed_provenance_mut::<u8>(usize::try_from(base + offset).unwrap_or(0));
        at(0).write_bytes(0, LEAST_XSAVE_BYTES as usize);
        at(FPX_SW_OFFSET).cast::<FpxSwBytes>().write_unaligned(sw);
        at(u64::from(size)).cast::<u32>().write_unaligned(FP_XSTATE_MAGIC2);
        asm::save_vectors(base);
    }
    uc
}

fn xgetbv() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: XSAVE is enabled by every kernel on a CPU that has it; the loader checked.
    unsafe {
        core::arch::asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") high, options(nostack, nomem, preserves_flags));
    }
    u64::from(high) << 32 | u64::from(low)
}
