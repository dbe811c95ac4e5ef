//! Facts about files that the kernel ends by a store into this memory (runtime/COHERENCE.md, "Watching").
//!
//! One owner for the process: an inotify instance in an epoll set, and one request of Linux AIO that waits on the set. A
//! change of a watched file wakes the set, and the request completes in the context of the process that makes the change,
//! before its call returns: [`tail`] has another value then. A fact is good while the tail is what it was when the fact
//! was established.

mod context;
#[cfg(test)]
mod model;
mod name;

use crate::emulate::seeded::{Bug, is_planted};
use crate::mem::lock::Mutex;
use crate::sys::{Errno, Fd};
use alloc::vec::Vec;
use context::Context;
use core::ffi::CStr;
use core::mem::take;
use core::sync::atomic::{AtomicU32, Ordering};
use linux_raw_sys::general as k;
pub use name::Name;

/// What ends a fact about a regular file: its length or its contents through a call; its mode, owner, links, times.
const FILE: u32 = k::IN_MODIFY | k::IN_ATTRIB | k::IN_ONESHOT;

/// Times that the request is made anew for one look at facts: whoever changes files all the time is not waited for.
const TRIES: u32 = 4;

/// What ends facts about names: of a directory its entries and its rights, and that it is removed, moved or unmounted.
const DIRECTORY: u32 = k::IN_CREATE
    | k::IN_DELETE
    | k::IN_MOVED_FROM
    | k::IN_MOVED_TO
    | k::IN_ATTRIB
    | k::IN_DELETE_SELF
    | k::IN_MOVE_SELF
    | k::IN_ONLYDIR
    | k::IN_DONT_FOLLOW;
/// Of a file that is found by name, its rights.
const RIGHTS: u32 = k::IN_ATTRIB | k::IN_DELETE_SELF | k::IN_DONT_FOLLOW;

/// Events that wait for whoever holds facts about names; more are not kept apart.
const MAX_WAITING: usize = 1024;

/// The context, and what it has told one kind of facts when the other was looked at.
struct Watching {
    context: Context,
    /// Watches that are over, for `emulate::files`.
    ended: Vec<Number>,
    all_ended: bool,
    /// What was told of all watches, for `emulate::names`.
    told: Vec<Told>,
    all_told: bool,
    /// Watches that facts about names depend on.
    of_names: Vec<Number>,
}

static CONTEXT: Mutex<Option<Watching>> = Mutex::new(None);

impl Watching {
    fn new() -> Result<Self, Errno> {
        let context = Context::new()?;
        Ok(Self {
            context,
            ended: Vec::new(),
            all_ended: false,
            told: Vec::new(),
            all_told: false,
            of_names: Vec::new(),
        })
    }

    /// Reads what was told, and has the next change told; the tail then.
    ///
    /// What was told is read only while no request is under way: a request that is late completes because of it.
    fn renew(&mut self) -> Option<u32> {
        for _ in 0..TRIES {
            if let Some((tail, is_late)) = self.context.armed() {
                // Nothing was told since it was made.
                return (!is_late).then_some(tail);
            }
            self.drain();
            let Some(tail) = self.context.arm() else { continue };
            let mounts = self.context.have_mounts_changed();
            self.all_told |= mounts;
            if is_planted(Bug::TrustNamesWhileArming) || !self.context.is_told_meanwhile(mounts) {
                return Some(tail);
            }
        }
        None
    }

    fn drain(&mut self) {
        let Self { context, ended, all_ended, told, all_told, of_names } = self;
        let read = context.drain(|watch, events, name| {
            if watch == -1 {
                (*all_ended, *all_told) = (true, true);
                return;
            }
            let number = Number(watch);
            if of_names.contains(&number) {
                if told.len() < MAX_WAITING {
                    told.push(Told { number, events, name: (!name.is_empty()).then(|| Name::of(name)) });
                } else {
                    *all_told = true;
                }
            }
            // Of a watch that is removed the kernel tells too.
            if events != k::IN_IGNORED && name.is_empty() && !*all_ended {
                ended.push(number);
                // A process that has no files watched never takes them.
                *all_ended = ended.len() == MAX_WAITING;
            }
        });
        if read.is_err() {
            (self.all_ended, self.all_told) = (true, true);
        }
        self.all_told |= self.context.have_mounts_changed();
    }
}

/// A watch, by its number (inotify(7)).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Number(pub i32);

/// The word that tells whether facts are good, as long as any is watched; null before.
#[must_use]
pub fn tail() -> *const AtomicU32 {
    CONTEXT.lock().as_ref().map_or(core::ptr::null(), |watching| watching.context.tail())
}

/// [`tail`] has this value.
#[must_use]
pub fn is_now(epoch: u32) -> bool {
    // SAFETY: the word exists while the context is locked.
    CONTEXT
        .lock()
        .as_ref()
        .is_some_and(|watching| unsafe { (*watching.context.tail()).load(Ordering::Acquire) } == epoch)
}

/// Watches an open file, until the first change. What is established of it after this call, and before the next change,
/// ends with [`tail`].
///
/// # Errors
/// The kernel's: a limit, or no right to read the file.
pub fn add(file: Fd) -> Result<Number, Errno> {
    let mut guard = CONTEXT.lock();
    let watching = match &mut *guard {
        Some(watching) => watching,
        none => none.insert(Watching::new()?),
    };
    watching.context.inotify().add_watch(file.link().path(), FILE | k::IN_MASK_ADD).map(Number)
}

/// Ends a watch that no file's lane depends on any more.
pub fn remove(watch: Number) {
    if let Some(watching) = &*CONTEXT.lock()
        && !watching.of_names.contains(&watch)
    {
        watching.context.inotify().remove_watch(watch.0);
    }
}

/// Has facts about names end with [`tail`], as well: watches the tree of mounts.
///
/// # Errors
/// The kernel's.
pub fn begin_names() -> Result<(), Errno> {
    let mut guard = CONTEXT.lock();
    let watching = match &mut *guard {
        Some(watching) => watching,
        none => none.insert(Watching::new()?),
    };
    if is_planted(Bug::SkipMountWatch) { Ok(()) } else { watching.context.add_mounts() }
}

/// Watches what lies at a path for facts about names: a directory with its entries, or a file's rights.
///
/// # Errors
/// The kernel's.
pub fn add_name(path: &CStr, is_directory: bool) -> Result<Number, Errno> {
    let mut guard = CONTEXT.lock();
    let watching = guard.as_mut().ok_or(Errno::EBADF)?;
    let events = if is_directory { DIRECTORY } else { RIGHTS };
    let number = watching.context.inotify().add_watch(path, events | k::IN_MASK_ADD).map(Number)?;
    if !watching.of_names.contains(&number) {
        watching.of_names.push(number);
    }
    Ok(number)
}

/// No fact about a name depends on the watch any more: it ends, unless it is `of_file`, a lane's, as well.
pub fn remove_name(number: Number, of_file: bool) {
    let mut guard = CONTEXT.lock();
    let Some(watching) = guard.as_mut() else { return };
    watching.of_names.retain(|&other| other != number);
    if !of_file {
        watching.context.inotify().remove_watch(number.0);
    }
}

/// What a look at the watches found.
#[derive(Debug)]
pub struct Changes {
    /// Watches that are over; none of them is left if `all`.
    pub ended: Vec<Number>,
    /// The kernel lost count.
    pub all: bool,
    /// Facts that are established from here on are good while the tail has this value. `None`: files change all the time, or
    /// the kernel takes no request.
    pub epoch: Option<u32>,
}

/// Looks at what was changed, and has the next change told. Nothing is trusted from before the call to after the facts that are
/// left were established once more.
#[must_use]
pub fn renew() -> Changes {
    let mut changes = Changes { ended: Vec::new(), all: false, epoch: None };
    let Some(watching) = &mut *CONTEXT.lock() else { return changes };
    changes.epoch = watching.renew();
    changes.ended = take(&mut watching.ended);
    changes.all = take(&mut watching.all_ended);
    if is_planted(Bug::KeepFactOverChange) {
        changes.ended.clear();
    }
    changes
}

/// What the kernel has told of a watch.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// Which.
    pub number: Number,
    /// The events (inotify(7)).
    pub events: u32,
    /// The entry of the directory that it is about; without one it is about the watched directory or file itself.
    pub name: Option<Name>,
}

/// What a look at the watches of names found.
#[derive(Debug)]
pub struct NameChanges {
    /// What was told of them.
    pub told: Vec<Told>,
    /// Every fact is over: the kernel lost count, or mounts have changed.
    pub all: bool,
    /// As [`Changes::epoch`].
    pub epoch: Option<u32>,
}

/// As [`renew`], for facts about names. What was told while files were looked at is in it: it was told before the request
/// was made that is under way.
#[must_use]
pub fn renew_names() -> NameChanges {
    let mut changes = NameChanges { told: Vec::new(), all: true, epoch: None };
    let Some(watching) = &mut *CONTEXT.lock() else { return changes };
    changes.epoch = watching.renew();
    changes.told = take(&mut watching.told);
    changes.all = take(&mut watching.all_told);
    changes
}

/// In the child of a fork: the watches, the set and the request are the parent's.
pub fn forget() {
    if let Some(watching) = CONTEXT.lock().take() {
        watching.context.forget();
    }
}

/// Gives back what the kernel limits: nothing is watched any more.
pub fn close() {
    if let Some(watching) = CONTEXT.lock().take() {
        watching.context.close();
    }
}

/// Something is watched, or was.
#[must_use]
pub fn exists() -> bool {
    CONTEXT.lock().is_some()
}

/// Held while forking, so that the child finds it whole.
pub fn with_lock<R>(f: impl FnOnce() -> R) -> R {
    let _guard = CONTEXT.lock();
    f()
}
