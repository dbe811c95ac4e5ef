//! Whether memory of this process may be made executable.

use super::filter::{self, Own};
use crate::sys::{mem, process};
use linux_raw_sys::general as k;

/// Why a program runs natively where it may not.
pub const REASON: &str = "memory may not be made executable";

/// Neither the process (prctl(2), PR_SET_MDWE) nor a filter of the guest's forbids it.
#[must_use]
pub fn may_make_code() -> bool {
    !process::refuses_new_code() && filter::allows(Own::Code)
}

/// The same, found out by trying: also a filter from before bt-run and the system's policy have a say.
#[must_use]
pub fn can_make_code() -> bool {
    const PAGE: u64 = 4096;
    let prot = k::PROT_READ | k::PROT_WRITE | k::PROT_EXEC;
    may_make_code()
        && mem::mmap_anon(0, PAGE, prot, 0).is_ok_and(|at| {
            // SAFETY: just mapped.
            unsafe { mem::munmap(at, PAGE) };
            true
        })
}
