//! The process and its threads, as the runtime itself asks the kernel for them.

use super::raw::syscall;
use linux_raw_sys::general as k;

/// exit_group(2).
pub fn exit_group(code: i32) -> ! {
    loop {
        #[expect(clippy::cast_sign_loss, reason = "the kernel takes the low 32 bits")]
        // SAFETY: does not return.
        let _ = unsafe { syscall(k::__NR_exit_group, [code as u64]) };
    }
}

/// gettid(2).
#[must_use]
pub fn gettid() -> u32 {
    // SAFETY: no arguments.
    unsafe { syscall(k::__NR_gettid, []) }.map_or(0, |v| u32::try_from(v).unwrap_or(0))
}

/// getpid(2).
#[must_use]
pub fn getpid() -> u32 {
    // SAFETY: no arguments.
    unsafe { syscall(k::__NR_getpid, []) }.map_or(0, |v| u32::try_from(v).unwrap_or(0))
}

/// sched_yield(2).
pub fn sched_yield() {
    // SAFETY: no arguments.
    let _ = unsafe { syscall(k::__NR_sched_yield, []) };
}

/// Real and effective user id, real and effective group id of the calling thread (credentials(7)).
#[must_use]
pub fn credentials() -> [u32; 4] {
    [k::__NR_getuid, k::__NR_geteuid, k::__NR_getgid, k::__NR_getegid].map(|nr| {
        // SAFETY: no arguments; these calls cannot fail.
        unsafe { syscall(nr, []) }.map_or(0, |id| u32::try_from(id).unwrap_or(0))
    })
}
