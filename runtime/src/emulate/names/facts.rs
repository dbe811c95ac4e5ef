//! Which watches each fact depends on, and what ends it.

use super::request::{Path, Request};
use super::table::{self, SLOTS};
use crate::emulate::files;
use crate::emulate::seeded::{Bug, is_planted};
use crate::emulate::watch::{self, Name, NameChanges, Number, Told};
use crate::mem::lock::{Guard, Mutex};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};
use linux_raw_sys::general as k;

/// Something that a walk has looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Step {
    /// The watch of a directory, or of the file at the path's end.
    pub watch: Number,
    /// The entry that was looked up in the directory.
    pub name: Option<Name>,
}

impl Step {
    /// What was told may concern what the step has found.
    fn is_ended_by(&self, told: &Told) -> bool {
        const ENTRIES: u32 = k::IN_CREATE | k::IN_DELETE | k::IN_MOVED_FROM | k::IN_MOVED_TO;
        self.watch == told.number
            && match (told.name, self.name) {
                // The directory or file itself.
                (None, _) => true,
                // Rights of an entry are told by its own watch, if they matter.
                (Some(_), _) if told.events & ENTRIES == 0 => false,
                (Some(entry), Some(name)) => entry.may_be(name),
                (Some(_), None) => false,
            }
    }
}

struct Fact {
    /// The call that it answers.
    nr: u32,
    /// Its slot in the table.
    place: usize,
    steps: Vec<Step>,
}

/// All facts, and what they depend on.
pub(super) struct Facts {
    facts: Vec<Fact>,
    /// Watches of these facts.
    watches: Vec<Number>,
    /// The steps of a fact that is being established.
    next: Vec<Step>,
    /// They hold still.
    next_holds: bool,
}

static FACTS: Mutex<Facts> =
    Mutex::new(Facts { facts: Vec::new(), watches: Vec::new(), next: Vec::new(), next_holds: false });

/// Calls of the process under way that change what its look-ups depend on.
static CHANGING: AtomicU32 = AtomicU32::new(0);

/// More events than this are not compared with each fact.
const MANY_EVENTS: usize = 64;

/// Access to the facts, if no other thread has it.
pub(super) fn try_lock() -> Option<Guard<'static, Facts>> {
    FACTS.try_lock()
}

/// Held while forking, so that the child finds them whole.
pub(super) fn with_lock<R>(f: impl FnOnce() -> R) -> R {
    let _guard = FACTS.lock();
    f()
}

/// A call of the process is about to change what its look-ups depend on: nothing is known until [`end_change`].
pub(super) fn begin_change() {
    CHANGING.fetch_add(1, Ordering::SeqCst);
    FACTS.lock().end_all();
}

/// The call is made.
pub(super) fn end_change() {
    CHANGING.fetch_sub(1, Ordering::SeqCst);
}

/// In the child of a fork: all of it is the parent's.
pub(super) fn forget() {
    CHANGING.store(0, Ordering::SeqCst);
    let mut facts = FACTS.lock();
    facts.end_all();
    facts.watches.clear();
}

/// Nothing is known any more; the watches go with their owner.
pub(super) fn close() {
    let mut facts = FACTS.lock();
    facts.end_all();
    facts.watches.clear();
}

impl Facts {
    /// Ends all of them.
    pub(super) fn end_all(&mut self) {
        table::set_epoch(None);
        for fact in self.facts.drain(..) {
            table::clear(fact.place);
        }
        self.next_holds = false;
    }

    /// Ends those that answer a call, and their watches.
    pub(super) fn end_call(&mut self, nr: u32) {
        self.end_where(|fact| fact.nr == nr);
        self.release();
    }

    fn end_where(&mut self, is_over: impl Fn(&Fact) -> bool) {
        self.facts.retain(|fact| {
            let stays = !is_over(fact);
            if !stays {
                table::clear(fact.place);
            }
            stays
        });
    }

    fn end(&mut self, is_over: impl Fn(&[Step]) -> bool) {
        self.end_where(|fact| is_over(&fact.steps));
        self.next_holds &= !is_over(&self.next);
    }

    /// Watches what lies at a path, which is about to be looked at.
    pub(super) fn watch(&mut self, path: &core::ffi::CStr, is_directory: bool) -> Option<Number> {
        let number = watch::add_name(path, is_directory).ok()?;
        if !self.watches.contains(&number) {
            self.watches.push(number);
        }
        Some(number)
    }

    /// Ends watches on which no fact depends any more.
    pub(super) fn release(&mut self) {
        let Self { facts, watches, .. } = self;
        let is_needed = |number: &Number| facts.iter().any(|f| f.steps.iter().any(|step| step.watch == *number));
        let unused: Vec<Number> = watches.iter().copied().filter(|number| !is_needed(number)).collect();
        watches.retain(|number| !unused.contains(number));
        for number in unused {
            watch::remove_name(number, files::is_watched(number));
        }
    }

    /// These steps are about to be established. Whether they hold is told by [`holds_next`](Self::holds_next) after
    /// [`renew`](Self::renew).
    pub(super) fn set_next(&mut self, steps: Vec<Step>) {
        self.next = steps;
        self.next_holds = true;
    }

    /// Nothing was told that concerns them.
    pub(super) fn holds_next(&self) -> bool {
        self.next_holds
    }

    /// Looks at what was changed, ends what depends on it, and has the next change told. Returns whether facts are good from
    /// here on, while the tail stays; how many events were told.
    pub(super) fn renew(&mut self) -> (bool, usize) {
        table::set_epoch(None);
        let NameChanges { told, all, epoch } = watch::renew_names();
        let count = told.len();
        if is_planted(Bug::TrustNamesWhileArming) {
            // As if what was told before had not been.
        } else if all {
            self.end_all();
        } else if count > MANY_EVENTS {
            self.end(|steps| steps.iter().any(|step| told.iter().any(|told| told.number == step.watch)));
        } else if count != 0 {
            self.end(|steps| steps.iter().any(|step| told.iter().any(|told| step.is_ended_by(told))));
        }
        // After a change began; it ends all facts.
        let may_set = CHANGING.load(Ordering::SeqCst) == 0;
        if !may_set {
            self.end_all();
        }
        table::set_epoch(epoch.filter(|_| may_set));
        (may_set && epoch.is_some(), count)
    }

    /// What was established is a fact, if nothing was changed since. `Err`: it was.
    pub(super) fn keep(&mut self, request: Request, path: &Path, hash: u64, result: u64) -> Result<(), ()> {
        if !self.next_holds || CHANGING.load(Ordering::SeqCst) != 0 || !table::is_current() {
            return Err(());
        }
        let [first, second] = table::places(hash);
        let place = if table::is_valid(first) && !table::is_valid(second) { second } else { first };
        self.facts.retain(|fact| fact.place != place);
        table::put(place, request, path, hash, result);
        self.facts.push(Fact { nr: request.nr, place, steps: core::mem::take(&mut self.next) });
        debug_assert!(self.facts.len() <= SLOTS);
        Ok(())
    }
}
