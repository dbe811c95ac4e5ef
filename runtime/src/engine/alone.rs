//! Memory calls beside each other, and alone.
//!
//! A call that changes what the engines know of memory, or may do so, is made *alone*: under the engines' lock, from
//! before the kernel's call until it is noted, while no other thread makes a call about memory in the runtime. All
//! others, which are about data only, are made *beside* each other, without a lock: a thread says in its own state that
//! it is making one ([`Beside::enter`]), looks whether somebody is alone, and only then asks whether the call concerns
//! the engines. Who wants to be alone says so first, and then waits until nobody is beside ([`alone`]). Either sees the
//! other (Dekker), so for every such pair of calls one is wholly before the other, as if both had taken the lock. In
//! particular
//!
//! * a call that was found to be about data cannot unmap or replace what another thread makes executable meanwhile, so no
//!   code in the caches survives its unmapping;
//! * no thread finds code executable in place before it has been searched: execute access is given alone only;
//! * [`CONCERNS`] holds still while it is asked, but for what the dispatcher adds of the caches' own memory, which it
//!   maps where nothing is.
//!
//! A call beside must be about memory that [`CONCERNS`] does not touch, may give no execute access, and for shared
//! mappings leaves a note in the thread's state ([`SharedMaps`](crate::thread::shared_maps)): whoever is alone gathers
//! these first, and then the map of code is what it would be if every call had been noted in it. What replaces or
//! unmaps memory of which some thread may have a note is made alone, unless the note is the thread's own and about
//! just that memory. The note is made after the kernel's call, when the address is known, and taken back after the
//! other; both calls end beside, so nobody who is alone sees a mapping without its note.
//!
//! A thread of another process in this memory (vfork(2)) is never beside: it can be killed by itself. A signal that
//! comes meanwhile waits, as everywhere in the runtime. Before a fork(2) the thread is alone, so that the child finds no
//! thread beside that it does not have, and no note of one.
//!
//! Left as natively: a munmap(2) of a *hole* that races with another thread's mmap(2), whose mapping the kernel puts
//! there. One of the two threads has given back memory that it did not have.

use super::{Engine, Locked, lock};
use crate::mem::concerns::CONCERNS;
use crate::sys::{futex, mem};
use crate::thread::registry;
use crate::thread::shared::Shared;
use crate::thread::shared_maps::{self, Place};
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, Ordering};

/// Not 0 while somebody is alone, or waits to be.
static ALONE: AtomicU32 = AtomicU32::new(0);
/// Counts threads that left while somebody waited to be alone.
static LEFT: AtomicU32 = AtomicU32::new(0);

/// A call under way beside those of other threads.
pub struct Beside<'a>(&'a Shared);

impl<'a> Beside<'a> {
    /// Begins; not while somebody is alone. The engines' lock must not be taken before it ends.
    #[must_use]
    pub fn enter(shared: &'a Shared) -> Option<Self> {
        if shared.is_foreign() {
            return None;
        }
        shared.beside.store(1, Ordering::SeqCst);
        let beside = Self(shared);
        (ALONE.load(Ordering::SeqCst) == 0).then_some(beside)
    }

    /// `start..end` holds nothing that the engines, or the runtime at all, have to do with.
    #[must_use]
    pub fn is_data(&self, start: u64, end: u64) -> bool {
        !mem::may_be_own(start, end) && !CONCERNS.touch(start, end)
    }

    /// As [`is_data`](Self::is_data), and it can be unmapped or replaced by what is private: what there is a note of is
    /// the thread's own. `Some` then, with its place.
    #[must_use]
    pub fn may_go(&self, start: u64, end: u64) -> Option<Option<Place>> {
        if !self.is_data(start, end) {
            return None;
        }
        if !shared_maps::may_hold(start, end) {
            return Some(None);
        }
        self.0.shared_maps.find(start, end).map(Some)
    }

    /// What there was a note of is gone.
    pub fn forget(&self, place: Place) {
        let _ = self.0.shared_maps.take(place);
    }

    /// A place to note a shared mapping of `len` bytes, if there is one.
    #[must_use]
    pub fn room(&self, len: u64) -> Option<Place> {
        if shared_maps::is_small(len) { self.0.shared_maps.room() } else { None }
    }

    /// A shared mapping without code is new.
    pub fn note(&self, place: Place, range: (u64, u64), prot: u32) {
        self.0.shared_maps.note(place, range, prot);
    }
}

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        self.0.beside.store(0, Ordering::SeqCst);
        if ALONE.load(Ordering::SeqCst) != 0 {
            LEFT.fetch_add(1, Ordering::Release);
            futex::wake_one(&LEFT);
        }
    }
}

/// The engines, while no other thread makes a call about memory.
pub struct Alone(Locked);

/// Takes the engines' lock and waits until no thread is beside; then gathers what they have noted.
#[must_use]
pub fn alone() -> Alone {
    let mut engine = lock();
    ALONE.store(1, Ordering::SeqCst);
    loop {
        // Who leaves after this look changes the word that is waited for.
        let left = LEFT.load(Ordering::Acquire);
        if !registry::any(|shared| shared.beside.load(Ordering::SeqCst) != 0) {
            break;
        }
        futex::wait(&LEFT, left);
    }
    registry::any(|shared| {
        shared.shared_maps.take_all().for_each(|((start, end), prot)| engine.mapped(start, end, prot, true));
        false
    });
    Alone(engine)
}

impl Drop for Alone {
    fn drop(&mut self) {
        // The lock is given up after this.
        ALONE.store(0, Ordering::SeqCst);
    }
}

impl Deref for Alone {
    type Target = Engine;
    fn deref(&self) -> &Engine {
        &self.0
    }
}

impl DerefMut for Alone {
    fn deref_mut(&mut self) -> &mut Engine {
        &mut self.0
    }
}
