//! The guest's alternate signal stack, a value that the runtime keeps: the kernel has one of ours (sigaltstack(2)).

use crate::sys::Errno;
use crate::sys::types::{AltStack, StackT};
use crate::thread::state::ThreadState;
use core::sync::atomic::{AtomicU64, Ordering};

/// What the kernel accepts since there are signals (MINSIGSTKSZ, arch/x86/include/uapi/asm/signal.h).
pub const OLD_MIN_BYTES: u64 = 2048;
/// The thread is on it.
pub const SS_ONSTACK: u64 = 1;
/// There is none.
pub const SS_DISABLE: u64 = 2;
/// It is given up while a handler runs.
pub const SS_AUTODISARM: u64 = 1 << 31;

static SMALLEST: AtomicU64 = AtomicU64::new(OLD_MIN_BYTES);

/// Smallest alternate stack that sigaltstack(2) accepts, in bytes.
#[must_use]
pub fn min_bytes() -> u64 {
    SMALLEST.load(Ordering::Relaxed)
}

/// The kernel told another value, in bytes (getauxval(3), AT_MINSIGSTKSZ).
pub fn set_min_bytes(bytes: u64) {
    SMALLEST.store(bytes, Ordering::Relaxed);
}

/// Sets it, for a thread with the stack pointer `sp`; smaller ones than `min` bytes are refused (kernel/signal.c,
/// `do_sigaltstack`).
///
/// # Errors
/// EPERM: the thread is on it. EINVAL: flags that do not exist. ENOMEM: too small.
pub fn set(ts: &mut ThreadState, sp: u64, new: &StackT, min: u64) -> Result<(), Errno> {
    if on_alt_stack(ts, sp) {
        return Err(Errno::EPERM);
    }
    let flags = u64::from(new.flags.cast_unsigned());
    ts.alt_stack = match flags & !SS_AUTODISARM {
        SS_DISABLE => AltStack { sp: 0, flags, size: 0 },
        SS_ONSTACK | 0 if new.size >= min => AltStack { sp: new.sp, flags, size: new.size },
        SS_ONSTACK | 0 => return Err(Errno::ENOMEM),
        _ => return Err(Errno::EINVAL),
    };
    Ok(())
}

/// It is what `stack` says already.
#[must_use]
pub fn is(ts: &ThreadState, stack: &StackT) -> bool {
    const KEPT: u64 = SS_DISABLE | SS_AUTODISARM;
    let flags = u64::from(stack.flags.cast_unsigned());
    (ts.alt_stack.sp, ts.alt_stack.size, ts.alt_stack.flags & KEPT) == (stack.sp, stack.size, flags & KEPT)
}

/// sas_ss_flags (include/linux/sched/signal.h): what sigaltstack(2) reports.
#[must_use]
pub fn alt_flags(ts: &ThreadState, sp: u64) -> u64 {
    if ts.alt_stack.size == 0 || ts.alt_stack.flags & SS_DISABLE != 0 {
        SS_DISABLE
    } else if on_alt_stack(ts, sp) {
        SS_ONSTACK
    } else {
        0
    }
}

/// on_sig_stack (include/linux/sched/signal.h).
#[must_use]
pub fn on_alt_stack(ts: &ThreadState, sp: u64) -> bool {
    ts.alt_stack.flags & (SS_AUTODISARM | SS_DISABLE) == 0
        && sp > ts.alt_stack.sp
        && sp - ts.alt_stack.sp <= ts.alt_stack.size
}
