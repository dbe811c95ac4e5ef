//! The table of facts that threads look into without a lock.
//!
//! A slot is valid while its version is odd. Whoever holds the lock of [`super::facts`] fills a slot and then makes it valid,
//! and makes it invalid before it is filled anew; a reader looks at the version before and after.

use super::request::{PATH_WORDS, Path, Request};
use crate::mem::guest;
use crate::sys::Errno;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering, fence};

/// Facts at most.
pub(super) const SLOTS: usize = 512;

/// One fact: what is asked, and the answer.
#[repr(C, align(64))]
struct Slot {
    version: AtomicU64,
    hash: AtomicU64,
    nr: AtomicU64,
    options: AtomicU64,
    /// As the call returns it.
    result: AtomicU64,
    path: [AtomicU64; PATH_WORDS],
}

impl Slot {
    const fn empty() -> Self {
        Self {
            version: AtomicU64::new(0),
            hash: AtomicU64::new(0),
            nr: AtomicU64::new(0),
            options: AtomicU64::new(0),
            result: AtomicU64::new(0),
            path: [const { AtomicU64::new(0) }; PATH_WORDS],
        }
    }

    fn invalidate(&self) {
        let version = self.version.load(Ordering::Relaxed);
        if version & 1 != 0 {
            self.version.store(version + 1, Ordering::SeqCst);
        }
    }
}

/// Made with the first fact, and never freed: a thread may be looking.
static TABLE: AtomicPtr<Slot> = AtomicPtr::new(core::ptr::null_mut());
/// The tail with which facts are good; [`NONE`] while none is.
static EPOCH: AtomicU64 = AtomicU64::new(NONE);
const NONE: u64 = u64::MAX;
/// Address of the eight bytes of the ring whose upper half is the tail.
static TAIL_AT: AtomicU64 = AtomicU64::new(0);

fn slots() -> &'static [Slot] {
    let table = TABLE.load(Ordering::Acquire);
    // SAFETY: leaked by `make`.
    if table.is_null() { &[] } else { unsafe { core::slice::from_raw_parts(table, SLOTS) } }
}

/// Makes the table, if there is none.
pub(super) fn make() {
    if slots().is_empty() {
        let mut slots = Vec::with_capacity(SLOTS);
        slots.resize_with(SLOTS, Slot::empty);
        TABLE.store(Box::leak(slots.into_boxed_slice()).as_mut_ptr(), Ordering::Release);
    }
}

/// What the table says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// The answer.
    Answer(Result<u64, Errno>),
    /// There is a fact, but something was changed since it was looked at.
    Old,
    /// Nothing.
    Nothing,
}

/// The two places where a fact with such a hash can be.
#[inline]
pub(super) fn places(hash: u64) -> [usize; 2] {
    let first = usize::try_from(hash >> 32).unwrap_or(0) % SLOTS;
    [first, first ^ 1]
}

fn options(request: Request) -> u64 {
    let [first, second] = request.options;
    u64::from(first) | u64::from(second) << 32
}

/// The tail of the ring. The ring may be gone: then the facts are as well, and whatever is read is compared once more.
#[inline]
pub(super) fn tail() -> Option<u64> {
    guest::read::<u64>(TAIL_AT.load(Ordering::Relaxed)).map(|words| words >> 32)
}

/// The answer to a request, if it is known.
#[inline]
pub(super) fn find(request: Request, path: &Path, hash: u64) -> Found {
    let slots = slots();
    for place in places(hash) {
        let Some(slot) = slots.get(place) else { break };
        let version = slot.version.load(Ordering::Acquire);
        let is_this = version & 1 != 0
            && slot.hash.load(Ordering::Relaxed) == hash
            && slot.nr.load(Ordering::Relaxed) == u64::from(request.nr)
            && slot.options.load(Ordering::Relaxed) == options(request)
            && slot.path.iter().zip(&path.words).take(path.used).all(|(a, b)| a.load(Ordering::Relaxed) == *b);
        if !is_this {
            continue;
        }
        let result = slot.result.load(Ordering::Relaxed);
        let epoch = EPOCH.load(Ordering::Acquire);
        if epoch == NONE || tail() != Some(epoch) {
            return Found::Old;
        }
        // The tail is read before the version: a change that had returned has moved the one, and a fact that was ended
        // since then has another of the other.
        fence(Ordering::Acquire);
        if slot.version.load(Ordering::Relaxed) != version {
            return Found::Nothing;
        }
        return Found::Answer(crate::sys::raw::check(result.cast_signed()));
    }
    Found::Nothing
}

/// Fills a slot.
pub(super) fn put(place: usize, request: Request, path: &Path, hash: u64, result: u64) {
    let Some(slot) = slots().get(place) else { return };
    slot.invalidate();
    fence(Ordering::Release);
    let version = slot.version.load(Ordering::Relaxed);
    slot.hash.store(hash, Ordering::Relaxed);
    slot.nr.store(u64::from(request.nr), Ordering::Relaxed);
    slot.options.store(options(request), Ordering::Relaxed);
    slot.result.store(result, Ordering::Relaxed);
    for (to, from) in slot.path.iter().zip(path.words) {
        to.store(from, Ordering::Relaxed);
    }
    slot.version.store(version + 1, Ordering::Release);
}

/// Makes a slot invalid.
pub(super) fn clear(place: usize) {
    if let Some(slot) = slots().get(place) {
        slot.invalidate();
    }
}

/// The call whose fact a slot holds, if it is valid.
pub(super) fn is_valid(place: usize) -> bool {
    slots().get(place).is_some_and(|slot| slot.version.load(Ordering::Relaxed) & 1 != 0)
}

/// Facts are good while the tail is this; `None`: they are not.
pub(super) fn set_epoch(epoch: Option<u32>) {
    EPOCH.store(epoch.map_or(NONE, u64::from), Ordering::SeqCst);
}

/// Where the ring's tail is.
pub(super) fn set_tail(tail: *const core::sync::atomic::AtomicU32) {
    const HALF: u64 = 4;
    TAIL_AT.store((tail.addr() as u64).saturating_sub(HALF), Ordering::Relaxed);
}

/// Facts are good at this moment.
pub(super) fn is_current() -> bool {
    let epoch = EPOCH.load(Ordering::Acquire);
    epoch != NONE && tail() == Some(epoch)
}
