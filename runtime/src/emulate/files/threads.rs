//! What the other threads of the process may be doing with a descriptor (runtime/COHERENCE.md, "Threads").
//!
//! A thread says what it is about to use ([`Shared::lane_use`]) before it looks for the lane, by two plain instructions. Whoever changes
//! what is found there has every thread execute a barrier (membarrier(2)) and looks at what they have said: a thread that found what was
//! there before has said so by then.

use crate::gate::facts::{Fact, holds};
use crate::sys::process;
use crate::thread::registry;
use crate::thread::shared::{ANY, POSITIONAL, Shared, use_of};
use crate::thread::state::current;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};

const PRIVATE_EXPEDITED: u64 = 1 << 3;
const REGISTER_PRIVATE_EXPEDITED: u64 = 1 << 4;

/// The process is registered for the barrier because the runtime uses it. The kernel keeps that over a fork.
static IS_REGISTERED: AtomicBool = AtomicBool::new(false);
/// Threads that are making a child process.
static FORKING: AtomicU32 = AtomicU32::new(0);

/// The process has threads, or had some.
#[must_use]
pub fn any() -> bool {
    holds(Fact::Threaded)
}

/// The kernel offers the barrier.
#[must_use]
pub fn can_be_stopped() -> bool {
    if !has_registered_barrier() && process::membarrier(REGISTER_PRIVATE_EXPEDITED).is_ok() {
        IS_REGISTERED.store(true, Ordering::Relaxed);
    }
    has_registered_barrier()
}

/// The runtime has registered the process, or one that it descends from.
#[must_use]
pub fn has_registered_barrier() -> bool {
    IS_REGISTERED.load(Ordering::Relaxed)
}

/// Every thread executes a full barrier.
pub fn barrier() {
    fence(Ordering::SeqCst);
    if any() {
        let _ = process::membarrier(PRIVATE_EXPEDITED);
    }
}

fn find(mut is_wanted: impl FnMut(u32) -> bool) -> bool {
    // SAFETY: gs is the thread's own.
    let me: *const Shared = unsafe { (*current()).shared };
    let mut found = false;
    registry::for_each(|thread| {
        found |= !core::ptr::eq(thread, me) && is_wanted(thread.lane_use.load(Ordering::SeqCst));
    });
    found
}

/// Waits a little until no other thread is making a call by which the offset of `fd` moves: those that come now find a lane that is locked.
/// `false`: one of them takes longer, or was stopped.
#[must_use]
pub fn stop_moving_offset_of(fd: i32) -> bool {
    const TRIES: u32 = 100;
    (0..TRIES).any(|_| {
        core::hint::spin_loop();
        !find(|used| used == ANY || used == use_of(fd, false))
    })
}

/// Another thread may be inside a lane that was found by `fd`.
#[must_use]
pub fn are_inside(fd: i32) -> bool {
    find(|used| used == ANY || used & !POSITIONAL == use_of(fd, false))
}

/// A child process is about to be made: descriptions are shared, those that are opened meanwhile among them.
pub fn begin_fork() {
    FORKING.fetch_add(1, Ordering::SeqCst);
}

/// It was made, or could not be. What is opened from here on is the process's own.
pub fn end_fork() {
    FORKING.fetch_sub(1, Ordering::SeqCst);
}

/// In the child.
pub fn forget_fork() {
    FORKING.store(0, Ordering::SeqCst);
}

/// A child process is being made.
#[must_use]
pub fn is_forking() -> bool {
    FORKING.load(Ordering::SeqCst) != 0
}
