//! A model of watching, small enough that every order of steps can be tried: another process changes a file twice while this one
//! reads it.
//!
//! A *version* stands for what a change changes. What must hold: an answer is of a version from which on no change had
//! returned when the answer was copied. The model is the protocol of `runtime/COHERENCE.md`, step by step; with one of its
//! rules broken, the search finds an order that gives an old answer.

use std::collections::HashSet;

/// A rule of the protocol that can be broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Broken {
    None,
    /// What was known before is trusted once the request is under way.
    TrustWithoutLooking,
    /// The tail is not compared after the copy.
    NoSecondLook,
    /// The watch is added after the request is under way, and the file not looked at again.
    WatchAfterLooking,
    /// What the kernel has told is not read before the request is made.
    NoDrain,
    /// A watch that has ended since it was added is taken for one.
    EndedWatch,
}

/// Changes that the other process makes.
const CHANGES: u8 = 2;
/// Reads that this process makes.
const READS: u8 = 3;

/// Where the other process is in its call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Changer {
    Begins,
    Changed,
    Told,
}

/// Where this process is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Reader {
    Enters,
    Copies,
    Compares,
    Watches,
    Drains,
    Arms,
    Looks,
    Trusts,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct State {
    // The kernel.
    version: u8,
    is_watched: bool,
    /// inotify holds an event.
    event: bool,
    /// The request is under way.
    armed: bool,
    tail: u8,
    // The other process.
    changer: Changer,
    returned: u8,
    // This process.
    reader: Reader,
    reads: u8,
    epoch: Option<u8>,
    known: u8,
    /// The epoch and version of what is being established.
    next: (u8, u8),
    /// The answer that was copied is of an old version.
    is_old: bool,
}

impl State {
    const FIRST: Self = Self {
        version: 0,
        is_watched: false,
        event: false,
        armed: false,
        tail: 0,
        changer: Changer::Begins,
        returned: 0,
        reader: Reader::Enters,
        reads: 0,
        epoch: None,
        known: 0,
        next: (0, 0),
        is_old: false,
    };

    /// The other process's next step.
    fn change(mut self) -> Option<Self> {
        match self.changer {
            Changer::Begins if self.version == CHANGES => return None,
            Changer::Begins => {
                self.version += 1;
                self.changer = Changer::Changed;
            }
            Changer::Changed => {
                if self.is_watched {
                    // IN_ONESHOT.
                    self.is_watched = false;
                    self.event = true;
                    if self.armed {
                        self.armed = false;
                        self.tail += 1;
                    }
                }
                self.changer = Changer::Told;
            }
            Changer::Told => {
                self.returned += 1;
                self.changer = Changer::Begins;
            }
        }
        Some(self)
    }

    fn arm(&mut self) {
        self.next.0 = self.tail;
        if self.event {
            // The set is ready: the request completes at once.
            self.tail += 1;
        } else {
            self.armed = true;
        }
    }

    /// This process's next step; `Err` if it answers with an old version.
    fn read(mut self, broken: Broken) -> Result<Option<Self>, Self> {
        let is_current = self.epoch == Some(self.tail);
        self.reader = match self.reader {
            Reader::Enters if self.reads == READS => return Ok(None),
            Reader::Enters if is_current => Reader::Copies,
            Reader::Enters if broken == Broken::WatchAfterLooking => Reader::Drains,
            Reader::Enters => Reader::Watches,
            Reader::Copies => {
                self.is_old = self.returned > self.known;
                Reader::Compares
            }
            Reader::Compares => {
                self.reads += 1;
                if (is_current || broken == Broken::NoSecondLook) && self.is_old {
                    return Err(self);
                }
                Reader::Enters
            }
            Reader::Watches => {
                self.is_watched = true;
                if broken == Broken::WatchAfterLooking { Reader::Trusts } else { Reader::Drains }
            }
            Reader::Drains if self.event && broken != Broken::NoDrain => {
                self.event = false;
                // What was told may be the end of the watch that was just added.
                if broken == Broken::EndedWatch { Reader::Arms } else { Reader::Watches }
            }
            Reader::Drains => Reader::Arms,
            Reader::Arms => {
                if !self.armed {
                    self.arm();
                }
                let completed = self.next.0 != self.tail;
                match broken {
                    _ if completed && broken != Broken::NoDrain => Reader::Drains,
                    Broken::TrustWithoutLooking => Reader::Trusts,
                    _ => Reader::Looks,
                }
            }
            Reader::Looks => {
                self.next.1 = self.version;
                if broken == Broken::WatchAfterLooking { Reader::Watches } else { Reader::Trusts }
            }
            Reader::Trusts => {
                // Without a drain the process waits for a tail that moves once more.
                self.epoch = Some(if broken == Broken::NoDrain { self.tail } else { self.next.0 });
                self.known = if broken == Broken::TrustWithoutLooking { self.known } else { self.next.1 };
                // What is not answered in the process is answered by the kernel: a read all the same.
                self.reads += 1;
                Reader::Enters
            }
        };
        self.reads = self.reads.min(READS);
        Ok(Some(self))
    }
}

/// The first state found in which an answer is old; the number of states without one.
fn search(broken: Broken) -> Result<usize, State> {
    let mut seen = HashSet::from([State::FIRST]);
    let mut open = vec![State::FIRST];
    while let Some(state) = open.pop() {
        for next in [state.change(), state.read(broken)?].into_iter().flatten() {
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    Ok(seen.len())
}

#[test]
fn no_order_of_steps_gives_an_old_answer() {
    let states = search(Broken::None).unwrap();
    assert!(states > 100, "only {states} states");
}

#[test]
fn each_rule_is_needed() {
    for broken in [
        Broken::TrustWithoutLooking,
        Broken::NoSecondLook,
        Broken::WatchAfterLooking,
        Broken::NoDrain,
        Broken::EndedWatch,
    ] {
        assert!(search(broken).is_err(), "{broken:?} does no harm");
    }
}
