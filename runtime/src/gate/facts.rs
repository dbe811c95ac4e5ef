//! Facts about the process on which it depends what the gate does with its calls.
//!
//! Each is held here and nowhere else. [`routes::learn`](super::routes::learn) is the one way to change one, because
//! the routes of all calls follow from them.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// A fact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Fact {
    /// A seccomp filter is or will be in force: it must see the guest's calls, so none is answered.
    Filtered = 1,
    /// Some page of the guest's is write-protected: the gate looks at what calls write.
    OutputsWatched = 1 << 1,
    /// Some descriptor has, or had, a lane.
    LanesAsked = 1 << 2,
    /// Some file has, or had, a lane: calls about descriptors come to Rust.
    FilesPromoted = 1 << 3,
    /// Some pipe's or eventfd's contents are held in the process.
    PipesHeld = 1 << 4,
    /// User and group ids may change without a call of this process.
    CredentialsUnknown = 1 << 5,
    /// A descriptor of ours has a low number: the gate leaves descriptors to Rust.
    OwnDescriptorsLow = 1 << 6,
    /// Another process shares the table of descriptors, or something may change it unseen: nothing is known of
    /// descriptors.
    DescriptorsShared = 1 << 7,
    /// The process has, or had, a second thread.
    Threaded = 1 << 8,
    /// A signal that the guest blocks waits in the runtime: the kernel is told of it for each call.
    SignalsHeld = 1 << 9,
    /// A descriptor of ours takes a number below the guest's limit: where the guest finds none free ours give way.
    OwnDescriptorsInside = 1 << 10,
    /// Writes were answered of which nobody was told yet: before a call is passed on Rust sees to it.
    WritesHeld = 1 << 11,
    /// The kernel does not let us place the program's break: the runtime keeps it.
    BreakKept = 1 << 12,
}

static FACTS: AtomicU32 = AtomicU32::new(0);

/// The fact is true.
#[must_use]
pub fn holds(fact: Fact) -> bool {
    FACTS.load(Ordering::Relaxed) & fact as u32 != 0
}

/// Makes a fact true or false. Returns whether routes may depend on the change.
pub(super) fn set(fact: Fact, is_true: bool) -> bool {
    let bit = fact as u32;
    let before =
        if is_true { FACTS.fetch_or(bit, Ordering::Relaxed) } else { FACTS.fetch_and(!bit, Ordering::Relaxed) };
    (before & bit != 0) != is_true
}

/// Calls some of whose answers are known by name (`emulate::names`): a bit for each number.
static NAMES: [AtomicU64; 8] = [const { AtomicU64::new(0) }; 8];

fn names_word(nr: u64) -> Option<&'static AtomicU64> {
    usize::try_from(nr / 64).ok().and_then(|word| NAMES.get(word))
}

/// Some answers of the call are known by name.
#[must_use]
pub fn has_names(nr: u64) -> bool {
    names_word(nr).is_some_and(|word| word.load(Ordering::Relaxed) >> (nr % 64) & 1 != 0)
}

/// Sets whether some are. Returns whether that changed.
pub(super) fn set_names(nr: u64, has: bool) -> bool {
    let bit = 1 << (nr % 64);
    names_word(nr).is_some_and(|word| {
        let before = if has { word.fetch_or(bit, Ordering::Relaxed) } else { word.fetch_and(!bit, Ordering::Relaxed) };
        (before & bit != 0) != has
    })
}
