//! What the CPU and the kernel offer.

use core::sync::atomic::{AtomicBool, Ordering};

static FSGSBASE: AtomicBool = AtomicBool::new(false);

/// AT_HWCAP2 bit 1: user code may use wrgsbase (Documentation/arch/x86/x86_64/fsgs.rst).
pub fn set_hwcap2(hwcap2: u64) {
    FSGSBASE.store(hwcap2 & 2 != 0, Ordering::Relaxed);
}

/// wrgsbase works.
#[must_use]
pub fn has_fsgsbase() -> bool {
    FSGSBASE.load(Ordering::Relaxed)
}
