//! All thread states of this address space.

use super::state::ThreadState;
use crate::mem::lock::Mutex;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

/// A thread state in the list.
#[derive(Clone, Copy)]
struct Entry(*mut ThreadState);
// SAFETY: the list only holds addresses; what is read through them is single words.
unsafe impl Send for Entry {}

struct Registry {
    all: Vec<Entry>,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry { all: Vec::new() });

fn in_use(entry: Entry) -> &'static AtomicU32 {
    // SAFETY: blocks in the list stay mapped; the word is only accessed atomically here and by the exit path.
    unsafe { AtomicU32::from_ptr(&raw mut (*entry.0).in_use) }
}

/// A state for a new thread: a block that an ended thread left, or a new one. The gate has to prepare it (`gate::prepare`).
#[must_use]
pub fn acquire() -> Option<*mut ThreadState> {
    let mut registry = REGISTRY.lock();
    for &entry in &registry.all {
        if in_use(entry).compare_exchange(0, 1, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            // SAFETY: nobody uses the block; the fields below are all that outlives a thread.
            unsafe {
                let (this, sp) = (entry.0, (*entry.0).runtime_sp);
                core::ptr::write_bytes(this.cast::<u8>(), 0, core::mem::size_of::<ThreadState>());
                ThreadState::initialise(this, sp);
            }
            return Some(entry.0);
        }
    }
    let ts = ThreadState::allocate().ok()?;
    registry.all.push(Entry(ts));
    Some(ts)
}

/// Frees the state of a child that is gone.
pub fn release(ts: *mut ThreadState) {
    in_use(Entry(ts)).store(0, Ordering::Release);
}

/// In the child of a fork: this thread is the only one.
///
/// # Safety
/// Only there.
pub unsafe fn after_fork(me: *mut ThreadState) {
    for &entry in &REGISTRY.lock().all {
        if entry.0 != me {
            in_use(entry).store(0, Ordering::Release);
        }
    }
}

/// Held while forking, so that the child finds the list whole.
pub fn with_lock<R>(f: impl FnOnce() -> R) -> R {
    let _guard = REGISTRY.lock();
    f()
}

/// Calls `f` for every thread in use.
pub fn for_each(mut f: impl FnMut(&ThreadState)) {
    for &entry in &REGISTRY.lock().all {
        if in_use(entry).load(Ordering::Acquire) != 0 {
            // SAFETY: blocks in the list stay mapped; counters may be a little old.
            f(unsafe { &*entry.0 });
        }
    }
}

/// As [`for_each`], to set words that the threads read: each is written by one store.
pub fn for_each_mut(mut f: impl FnMut(&mut ThreadState)) {
    for &entry in &REGISTRY.lock().all {
        if in_use(entry).load(Ordering::Acquire) != 0 {
            // SAFETY: blocks in the list stay mapped; the caller writes aligned words that their thread only reads.
            f(unsafe { &mut *entry.0 });
        }
    }
}

/// Address ranges of all blocks.
pub fn for_each_block(mut f: impl FnMut(u64, u64)) {
    for &entry in &REGISTRY.lock().all {
        // SAFETY: as in `for_each`.
        let (start, len) = unsafe { (*entry.0).block() };
        f(start, start + len);
    }
}

/// The oldest flush that every other thread of this address space has seen: none of them is in a cache that was flushed
/// then or before. The calling thread is in the runtime.
pub fn oldest_epoch() -> u64 {
    // SAFETY: gs is installed.
    let me = unsafe { super::state::current() };
    REGISTRY
        .lock()
        .all
        .iter()
        .filter(|&&e| e.0 != me && in_use(e).load(Ordering::Acquire) != 0)
        // SAFETY: as in `for_each`.
        .map(|e| unsafe { (&raw const (*e.0).epoch).read_volatile() })
        .min()
        .unwrap_or(u64::MAX)
}
