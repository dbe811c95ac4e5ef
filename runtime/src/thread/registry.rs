//! All thread states of this address space.

use super::shared::Shared;
use super::state::{self, Block, ThreadState};
use crate::mem::heap::{CHUNK_BYTES, HEAP};
use crate::mem::lock::Mutex;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

/// A thread's block. Blocks are never unmapped.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry(*mut Block);
// SAFETY: what is used by other threads through it is atomic.
unsafe impl Send for Entry {}

impl Entry {
    fn shared(self) -> &'static Shared {
        // SAFETY: blocks stay mapped, and this part is shared by all threads.
        unsafe { &(*self.0).shared }
    }

    fn is_in_use(self) -> bool {
        self.shared().in_use.load(Ordering::Acquire) != 0
    }
}

struct Registry {
    all: Vec<Entry>,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry { all: Vec::new() });

/// A state for a new thread: a block that an ended thread left, or a new one. The gate has to prepare it
/// (`gate::prepare`).
#[must_use]
pub fn acquire() -> Option<*mut ThreadState> {
    let mut registry = REGISTRY.lock();
    for &entry in &registry.all {
        let shared = entry.shared();
        if shared.in_use.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            shared.reset_figures(true);
            shared.begin();
            // SAFETY: nobody uses the state of a thread that is gone.
            return Some(unsafe {
                (&raw mut (*entry.0).state).write_bytes(0, 1);
                ThreadState::initialise(entry.0)
            });
        }
    }
    let ts = ThreadState::allocate().ok()?;
    registry.all.push(Entry(ts.cast()));
    Some(ts)
}

/// The state of the first thread, with which the heap gets its first chunk: one mapping.
///
/// # Safety
/// Before the first allocation.
#[must_use]
pub unsafe fn begin() -> Option<*mut ThreadState> {
    let (ts, chunk) = ThreadState::allocate_with(CHUNK_BYTES).ok()?;
    // SAFETY: the caller's promise; the memory was mapped for that.
    unsafe { HEAP.begin(chunk) };
    REGISTRY.lock().all.push(Entry(ts.cast()));
    Some(ts)
}

/// Frees the state of a child that is gone.
pub fn release(ts: *mut ThreadState) {
    Entry(ts.cast()).shared().in_use.store(0, Ordering::Release);
}

/// In the child of a fork: this thread is the only one.
///
/// # Safety
/// Only there.
pub unsafe fn after_fork(me: *mut ThreadState) {
    for &entry in &REGISTRY.lock().all {
        if entry != Entry(me.cast()) {
            entry.shared().in_use.store(0, Ordering::Release);
        }
    }
}

/// Held while forking, so that the child finds the list whole.
pub fn with_lock<R>(f: impl FnOnce() -> R) -> R {
    let _guard = REGISTRY.lock();
    f()
}

/// Calls `f` with what every thread in use shares.
pub fn for_each(f: impl FnMut(&'static Shared)) {
    for_each_after(|| {}, f);
}

/// As [`for_each`], after `first`: another thread's call of this function comes before or after both.
pub fn for_each_after(first: impl FnOnce(), mut f: impl FnMut(&'static Shared)) {
    let registry = REGISTRY.lock();
    first();
    for &entry in registry.all.iter().filter(|entry| entry.is_in_use()) {
        f(entry.shared());
    }
}

/// Calls `f` with what every block shares, until it says true; also with that of threads that are gone. Returns
/// whether it did.
pub fn any(f: impl FnMut(&'static Shared) -> bool) -> bool {
    REGISTRY.lock().all.iter().map(|entry| entry.shared()).any(f)
}

/// Address ranges of all blocks.
pub fn for_each_block(mut f: impl FnMut(u64, u64)) {
    for &entry in &REGISTRY.lock().all {
        let (start, len) = ThreadState::mapping(entry.0);
        f(start, start + len);
    }
}

/// The oldest flush that every other thread of this address space has seen: none of them is in a cache that was flushed
/// then or before. The calling thread is in the runtime.
pub fn oldest_epoch() -> u64 {
    // SAFETY: gs is installed.
    let me = Entry(unsafe { state::current() }.cast());
    let registry = REGISTRY.lock();
    let others = registry.all.iter().filter(|&&entry| entry != me && entry.is_in_use());
    others.map(|entry| entry.shared().epoch.load(Ordering::Acquire)).min().unwrap_or(u64::MAX)
}
