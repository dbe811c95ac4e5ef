//! A model of facts about names, small enough that every order of steps can be tried: a path `d/n` is looked up here while another
//! process exchanges the directory `d`, mounts something over it, or makes `n`.
//!
//! It has two directories, 0 and 1, that can be `d`, and a mount, 2, that can lie over it. `n` is in 1 and 2, and is made in 0 at
//! some time. What must hold: the answer "absent" is given only if no call had returned before the look-up began, since when it is
//! wrong. With one of the rules of `runtime/COHERENCE.md` broken, the search finds an order that gives such an answer.

use std::collections::HashSet;

/// A rule that can be broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Broken {
    None,
    /// The directory that `d` is in is looked at before it is watched.
    LookBeforeWatch,
    /// The directory that `d` is in is not watched.
    NoFirstWatch,
    /// `d` is not watched.
    NoSecondWatch,
    /// Mounts are not in the set.
    NoMounts,
    /// Whether mounts have changed is not asked when facts are renewed.
    NoMountsAsked,
    /// What was told while the request was made anew is not applied to facts.
    TrustWhileArming,
    /// Nothing is looked at after the request is made. Does no harm, likewise.
    LookBeforeArming,
    /// It is not asked whether something was told while the request was made.
    NotAskedForLate,
    /// What was told is read while a request is under way that may be late.
    DrainWhileLate,
    /// The tail is not compared after the kernel was asked.
    NoLastCompare,
    /// The second walk is not made. Does no harm while everything is watched before it is looked at.
    NoSecondWalk,
}

/// Calls that the other process makes.
const CHANGES: u8 = 3;
/// Look-ups made here.
const LOOKS: u8 = 3;

/// A call of the other process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Change {
    /// `d` is the other directory now.
    Exchange,
    /// The mount appears, or goes.
    Mount,
    /// `n` is made in directory 0.
    Make,
}

/// Where it is in its call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Changer {
    Begins,
    Changed(Change),
    Told,
}

/// Where this process is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Looker {
    Enters,
    Answers,
    WatchesFirst,
    LooksFirst,
    WatchesSecond,
    LooksSecond,
    Drains,
    Arms,
    /// In io_submit(2), which holds the context's lock now and then.
    Submits,
    AsksMounts,
    WalksAgain,
    AsksKernel,
    Compares,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct State {
    // The world.
    directory: u8,
    is_mounted: bool,
    is_made: bool,
    // The kernel's side of the watches.
    first_watched: bool,
    /// Directories 0, 1 and the mount's.
    watched: [bool; 3],
    /// What inotify holds concerns the fact.
    event: bool,
    /// The open files of mountinfo have not been told yet: that in the set, that which is asked.
    mounts_changed: [bool; 2],
    armed: bool,
    /// The request is left to a work item.
    is_late: bool,
    tail: u8,
    // The other process.
    changer: Changer,
    changes: u8,
    /// `n` has been there, as far as calls that had returned say.
    returned_present: bool,
    // This process.
    looker: Looker,
    looks: u8,
    fact: bool,
    epoch: Option<u8>,
    /// The request that is under way may be late.
    is_doubtful: bool,
    /// The tail when the request was made; whether what is being established still holds; the directory first seen.
    next: (u8, bool, u8),
    /// What the walk and the kernel said.
    seen_present: bool,
    /// At the begin of the look-up every call that had returned said that `n` is there.
    was_present: bool,
}

impl State {
    const FIRST: Self = Self {
        directory: 0,
        is_mounted: false,
        is_made: false,
        first_watched: false,
        watched: [false; 3],
        event: false,
        mounts_changed: [false; 2],
        armed: false,
        is_late: false,
        tail: 0,
        changer: Changer::Begins,
        changes: 0,
        returned_present: false,
        looker: Looker::Enters,
        looks: 0,
        fact: false,
        epoch: None,
        is_doubtful: false,
        next: (0, false, 0),
        seen_present: false,
        was_present: false,
    };

    /// What `d` leads to.
    fn here(&self) -> u8 {
        if self.is_mounted { 2 } else { self.directory }
    }

    fn is_present(&self) -> bool {
        self.here() != 0 || self.is_made
    }

    fn wake(&mut self) {
        match self.armed {
            true if self.is_late || self.looker == Looker::Submits => self.is_late = true,
            true => {
                self.armed = false;
                self.tail += 1;
            }
            false => {}
        }
    }

    /// The work item looks whether the set is ready; otherwise the request goes on waiting.
    fn work(mut self) -> Option<Self> {
        if !self.is_late || self.looker == Looker::Submits {
            return None;
        }
        self.is_late = false;
        if self.event || self.mounts_changed[0] {
            self.armed = false;
            self.tail += 1;
        }
        self.mounts_changed[0] = false;
        Some(self)
    }

    /// The other process's next steps.
    fn change(self, broken: Broken) -> Vec<Self> {
        let mut next = self;
        match self.changer {
            Changer::Begins if self.changes == CHANGES => return Vec::new(),
            Changer::Begins => {
                next.changes += 1;
                // While a call is under way either answer is right.
                next.returned_present = false;
                return [Change::Exchange, Change::Mount, Change::Make]
                    .into_iter()
                    .filter(|&change| change != Change::Make || !self.is_made)
                    .map(|change| {
                        let mut next = next;
                        match change {
                            Change::Exchange => next.directory ^= 1,
                            Change::Mount => next.is_mounted ^= true,
                            Change::Make => next.is_made = true,
                        }
                        next.changer = Changer::Changed(change);
                        next
                    })
                    .collect();
            }
            Changer::Changed(change) => {
                let is_told = match change {
                    // The directories themselves are not told of it: it may be one above them that is renamed.
                    Change::Exchange => self.first_watched,
                    Change::Make => self.watched[0],
                    Change::Mount => false,
                };
                if is_told {
                    next.event = true;
                    next.wake();
                }
                if change == Change::Mount {
                    next.mounts_changed = [broken != Broken::NoMounts, true];
                    if broken != Broken::NoMounts {
                        next.wake();
                    }
                }
                next.changer = Changer::Told;
            }
            Changer::Told => {
                next.returned_present = self.is_present();
                next.changer = Changer::Begins;
            }
        }
        vec![next]
    }

    /// What is known is over.
    fn end(&mut self) {
        self.fact = false;
        self.next.1 = false;
    }

    /// The look-up is the kernel's.
    fn passes(&mut self) {
        self.looks += 1;
        self.looker = Looker::Enters;
    }

    /// The look at what was told is over.
    fn renewed(&mut self) {
        match self.epoch {
            Some(_) if self.fact => self.looker = Looker::Answers,
            Some(_) if self.next.1 => self.looker = Looker::WalksAgain,
            _ => {
                self.next.1 = false;
                self.passes();
            }
        }
    }

    /// This process's next step; `Err` if it gives a wrong answer.
    fn look(mut self, broken: Broken) -> Result<Option<Self>, Self> {
        let is_current = self.epoch == Some(self.tail);
        match self.looker {
            Looker::Enters if self.looks == LOOKS => return Ok(None),
            Looker::Enters => {
                self.was_present = self.returned_present;
                self.looker = match (self.fact, is_current) {
                    (true, true) => Looker::Answers,
                    (true, false) => Looker::Drains,
                    (false, _) if broken == Broken::LookBeforeWatch => Looker::LooksFirst,
                    (false, _) => Looker::WatchesFirst,
                };
            }
            Looker::Answers => {
                // The table is read; what counts is what was true before the tail was.
                if self.fact && is_current && self.was_present && self.returned_present {
                    return Err(self);
                }
                self.passes();
            }
            Looker::WatchesFirst => {
                self.first_watched |= broken != Broken::NoFirstWatch;
                self.next.1 = true;
                self.looker = if broken == Broken::LookBeforeWatch { Looker::Drains } else { Looker::LooksFirst };
            }
            Looker::LooksFirst => {
                self.next.2 = self.here();
                self.looker = Looker::WatchesSecond;
            }
            Looker::WatchesSecond => {
                self.watched[usize::from(self.here())] |= broken != Broken::NoSecondWatch;
                self.looker = Looker::LooksSecond;
            }
            Looker::LooksSecond => {
                self.seen_present = self.is_present();
                if self.seen_present {
                    self.end();
                    self.passes();
                } else if broken == Broken::LookBeforeWatch {
                    self.looker = Looker::WatchesFirst;
                } else {
                    self.looker = Looker::Drains;
                }
            }
            Looker::Drains if self.armed && broken != Broken::DrainWhileLate => {
                // Nothing was told since the request was made, unless it is late.
                self.epoch = (!self.is_doubtful).then_some(self.next.0);
                self.renewed();
            }
            Looker::Drains => {
                self.epoch = None;
                if (self.event && broken != Broken::TrustWhileArming)
                    || (self.mounts_changed[1] && broken != Broken::NoMountsAsked)
                {
                    self.end();
                }
                self.event = false;
                self.mounts_changed[1] = false;
                self.looker = Looker::Arms;
            }
            Looker::Arms => {
                self.next.0 = self.tail;
                self.looker = Looker::Submits;
                // The set is ready already; a look at it tells the open file in it.
                if !self.armed && (self.event || self.mounts_changed[0]) {
                    self.tail += 1;
                    self.looker = Looker::Drains;
                } else {
                    self.armed = true;
                }
                self.mounts_changed[0] = false;
            }
            Looker::Submits => self.looker = Looker::AsksMounts,
            Looker::AsksMounts => {
                let has_mounts = self.mounts_changed[1] && broken != Broken::NoMountsAsked;
                if has_mounts {
                    self.end();
                }
                self.mounts_changed[1] = false;
                self.is_doubtful = (has_mounts || self.event) && broken != Broken::NotAskedForLate;
                if self.tail == self.next.0 {
                    self.epoch = (!self.is_doubtful).then_some(self.next.0);
                    self.renewed();
                } else {
                    self.looker = Looker::Drains;
                }
            }
            Looker::WalksAgain => {
                self.looker = Looker::AsksKernel;
                let is_walked = !matches!(broken, Broken::NoSecondWalk | Broken::LookBeforeArming);
                if is_walked && (self.here() != self.next.2 || self.is_present()) {
                    self.end();
                    self.passes();
                }
            }
            Looker::AsksKernel => {
                if broken != Broken::LookBeforeArming {
                    self.seen_present = self.is_present();
                }
                self.looker = Looker::Compares;
            }
            Looker::Compares => {
                let is_current = self.epoch == Some(self.tail) || broken == Broken::NoLastCompare;
                if is_current && !self.seen_present {
                    self.fact = true;
                    if broken == Broken::NoLastCompare {
                        self.epoch = Some(self.tail);
                    }
                }
                self.next.1 = false;
                self.passes();
            }
        }
        self.looks = self.looks.min(LOOKS);
        Ok(Some(self))
    }
}

/// The first state found in which an answer is wrong; the number of states without one.
fn search(broken: Broken) -> Result<usize, State> {
    let mut seen = HashSet::from([State::FIRST]);
    let mut open = vec![State::FIRST];
    while let Some(state) = open.pop() {
        for next in state.change(broken).into_iter().chain(state.work()).chain(state.look(broken)?) {
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    Ok(seen.len())
}

#[test]
fn no_order_of_steps_gives_a_wrong_answer() {
    let states = search(Broken::None).unwrap();
    assert!(states > 1000, "only {states} states");
}

#[test]
fn each_rule_is_needed() {
    for broken in [
        Broken::LookBeforeWatch,
        Broken::NoFirstWatch,
        Broken::NoSecondWatch,
        Broken::NoMounts,
        Broken::NoMountsAsked,
        Broken::TrustWhileArming,
        Broken::NotAskedForLate,
        Broken::DrainWhileLate,
        Broken::NoLastCompare,
    ] {
        assert!(search(broken).is_err(), "{broken:?} does no harm");
    }
}

/// Everything was watched before it was looked at first, and what was told between is applied. So looking once more finds nothing
/// new; it is there for what a kernel might do that is not in the model.
#[test]
fn looks_after_the_request_are_a_second_line() {
    for broken in [Broken::NoSecondWalk, Broken::LookBeforeArming] {
        assert!(search(broken).is_ok(), "{broken:?} does harm");
    }
}
