//! Waiting for a word to change (futex(2)).

use super::raw::syscall;
use core::sync::atomic::AtomicU32;
use linux_raw_sys::general as k;

/// A private futex is right even between processes that share the memory by CLONE_VM: they share the mm.
fn call(word: &AtomicU32, operation: u32, value: u32) {
    // SAFETY: the word outlives the call.
    let _ = unsafe {
        syscall(
            k::__NR_futex,
            [word.as_ptr() as u64, u64::from(operation | k::FUTEX_PRIVATE_FLAG), u64::from(value), 0],
        )
    };
}

/// Sleeps while the word is `value`, until it is woken or a signal comes.
pub fn wait(word: &AtomicU32, value: u32) {
    call(word, k::FUTEX_WAIT, value);
}

/// Wakes one sleeper.
pub fn wake_one(word: &AtomicU32) {
    call(word, k::FUTEX_WAKE, 1);
}
