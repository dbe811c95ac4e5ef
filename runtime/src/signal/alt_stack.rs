//! The least size of an alternate signal stack.

use core::sync::atomic::{AtomicU64, Ordering};

/// What the kernel accepts since there are signals (MINSIGSTKSZ, arch/x86/include/uapi/asm/signal.h).
const MIN_BYTES: u64 = 2048;

static SMALLEST: AtomicU64 = AtomicU64::new(MIN_BYTES);

/// Smallest alternate stack that sigaltstack(2) accepts, in bytes.
#[must_use]
pub fn min_bytes() -> u64 {
    SMALLEST.load(Ordering::Relaxed)
}

/// The kernel told another value, in bytes (getauxval(3), AT_MINSIGSTKSZ).
pub fn set_min_bytes(bytes: u64) {
    SMALLEST.store(bytes, Ordering::Relaxed);
}
