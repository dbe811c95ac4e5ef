//! Facts about files that the kernel ends by a store into this memory (runtime/COHERENCE.md, "Watching").
//!
//! One owner for the process: an inotify instance in an epoll set, and one request of Linux AIO that waits on the set. A
//! change of a watched file wakes the set, and the request completes in the context of the process that makes the change,
//! before its call returns: [`tail`] has another value then. A fact is good while the tail is what it was when the fact
//! was established.

mod context;
#[cfg(test)]
mod model;

use crate::emulate::seeded::{Bug, is_planted};
use crate::mem::lock::Mutex;
use crate::sys::{Errno, Fd};
use alloc::vec::Vec;
use context::Context;
use core::sync::atomic::AtomicU32;
use linux_raw_sys::general as k;

/// What ends a fact about a regular file: its length or its contents through a call; its mode, owner, links, times.
const FILE: u32 = k::IN_MODIFY | k::IN_ATTRIB | k::IN_ONESHOT;

/// Times that the request is made anew for one look at facts: whoever changes files all the time is not waited for.
const TRIES: u32 = 4;

static CONTEXT: Mutex<Option<Context>> = Mutex::new(None);

/// A watch, by its number (inotify(7)).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Number(pub i32);

/// The word that tells whether facts are good, as long as any is watched; null before.
#[must_use]
pub fn tail() -> *const AtomicU32 {
    CONTEXT.lock().as_ref().map_or(core::ptr::null(), Context::tail)
}

/// Watches an open file, until the first change. What is established of it after this call, and before the next change,
/// ends with [`tail`].
///
/// # Errors
/// The kernel's: a limit, or no right to read the file.
pub fn add(file: Fd) -> Result<Number, Errno> {
    let mut guard = CONTEXT.lock();
    let context = match &mut *guard {
        Some(context) => context,
        none => none.insert(Context::new()?),
    };
    context.inotify().add_watch(file.link().path(), FILE | k::IN_MASK_ADD).map(Number)
}

/// Ends a watch that nothing depends on any more.
pub fn remove(watch: Number) {
    if let Some(context) = &*CONTEXT.lock() {
        context.inotify().remove_watch(watch.0);
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
    let Some(context) = &mut *CONTEXT.lock() else { return changes };
    for _ in 0..TRIES {
        let read = context.drain(|watch, events| match watch {
            -1 => changes.all = true,
            // Of a watch that is removed the kernel tells too.
            _ if events == k::IN_IGNORED => {}
            watch => changes.ended.push(Number(watch)),
        });
        if read.is_err() {
            changes.all = true;
        }
        changes.epoch = context.arm();
        if changes.epoch.is_some() {
            break;
        }
    }
    if is_planted(Bug::KeepFactOverChange) {
        changes.ended.clear();
    }
    changes
}

/// In the child of a fork: the watches, the set and the request are the parent's.
pub fn forget() {
    if let Some(context) = CONTEXT.lock().take() {
        context.forget();
    }
}

/// Gives back what the kernel limits: nothing is watched any more.
pub fn close() {
    if let Some(context) = CONTEXT.lock().take() {
        context.close();
    }
}

/// Something is watched, or was.
#[must_use]
pub fn exists() -> bool {
    CONTEXT.lock().is_some()
}
