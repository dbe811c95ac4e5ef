//! A model of how threads share a promoted description, small enough that every order of steps can be tried: two threads read by
//! it, while a third gives it a lane and takes that away again, twice.
//!
//! A read takes the offset and moves it by one. What must hold: no two reads take the same place and none is left out, whether the
//! kernel has the offset or the lane; and nobody copies from a mapping that is gone. A thread's word about what it does, and what it finds,
//! may be out of order until a barrier: the word is a store, and a CPU may load before it is seen. The model is the protocol of
//! `runtime/COHERENCE.md`, "Threads"; with one of its rules broken, the search finds an order in which something does not hold.

use std::collections::HashSet;

/// A rule of the protocol that can be broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Broken {
    None,
    /// Whoever gives the lane an offset does not ask what others are doing.
    NobodyAsked,
    /// It asks without a barrier.
    NoBarrierBeforeAsking,
    /// Finding that others are, it lets the lane go before it is hidden.
    RefusedTooLate,
    /// The lane is hidden before the kernel has its offset.
    HiddenFirst,
    /// The offset moves without the lock.
    NoLock,
    /// Who gets the lock does not look whether the lane is still alive.
    DeadIsUsed,
    /// The mapping goes at once.
    BuriedAtOnce,
    /// It goes when nobody is inside, without a barrier before the question.
    NoBarrierBeforeBurial,
}

const THREADS: usize = 2;
const READS: u8 = 2;
/// Of both threads.
const ALL_READS: u8 = 4;
const LANES: u8 = 2;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Reader {
    Begins,
    /// It has said what it does; others may not see that yet.
    Said,
    InKernel,
    FoundLane,
    /// In Rust, which waits for the lock.
    Waits,
    Locked,
    /// It has read the offset, and not stored the next.
    Copied(u8),
    Ended,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Worker {
    Begins,
    Published,
    Asks,
    Refused,
    Holds,
    Takes,
    Hides,
    Asked,
    Ended,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct State {
    kernel: u8,
    lane: u8,
    published: bool,
    alive: bool,
    locked: bool,
    mapped: bool,
    readers: [Reader; THREADS],
    /// What the others see.
    seen: [bool; THREADS],
    reads: [u8; THREADS],
    /// Places that were taken, a bit each.
    taken: u8,
    worker: Worker,
    lanes: u8,
}

impl State {
    const FIRST: Self = Self {
        kernel: 0,
        lane: 7,
        published: false,
        alive: false,
        locked: false,
        mapped: false,
        readers: [Reader::Begins; THREADS],
        seen: [false; THREADS],
        reads: [0; THREADS],
        taken: 0,
        worker: Worker::Begins,
        lanes: 0,
    };

    /// A read has taken this place. `Err`: another one had.
    fn take(&mut self, thread: usize, place: u8) -> Result<(), Self> {
        if place >= 8 || self.taken & 1 << place != 0 {
            return Err(*self);
        }
        self.taken |= 1 << place;
        self.reads[thread] += 1;
        self.seen[thread] = false;
        self.readers[thread] = if self.reads[thread] == READS { Reader::Ended } else { Reader::Begins };
        Ok(())
    }

    /// What a thread may do next; nothing if it waits.
    fn read(mut self, thread: usize, broken: Broken) -> Result<Vec<Self>, Self> {
        let to = |mut state: Self, reader| {
            state.readers[thread] = reader;
            vec![state]
        };
        Ok(match self.readers[thread] {
            Reader::Begins => to(self, Reader::Said),
            Reader::Said => to(self, if self.published { Reader::FoundLane } else { Reader::InKernel }),
            Reader::InKernel => {
                let place = self.kernel;
                self.kernel += 1;
                self.take(thread, place)?;
                vec![self]
            }
            Reader::FoundLane if self.locked && broken != Broken::NoLock => to(self, Reader::Waits),
            Reader::FoundLane => {
                self.locked |= broken != Broken::NoLock;
                to(self, Reader::Locked)
            }
            Reader::Waits if self.locked => vec![],
            Reader::Waits if self.published || broken == Broken::DeadIsUsed => {
                // The kernel reads at the lane's offset.
                let place = self.lane;
                self.lane = self.lane.wrapping_add(1);
                self.take(thread, place)?;
                vec![self]
            }
            Reader::Waits => to(self, Reader::InKernel),
            Reader::Locked if !self.alive && broken != Broken::DeadIsUsed => {
                self.locked = false;
                to(self, Reader::Waits)
            }
            Reader::Locked if !self.mapped => return Err(self),
            Reader::Locked => to(self, Reader::Copied(self.lane)),
            Reader::Copied(place) => {
                self.lane = place.wrapping_add(1);
                self.locked = false;
                self.take(thread, place)?;
                vec![self]
            }
            Reader::Ended => vec![],
        })
    }

    /// A thread's word becomes visible.
    fn see(mut self, thread: usize) -> Option<Self> {
        let has_said = !matches!(self.readers[thread], Reader::Begins | Reader::Ended);
        if !has_said || self.seen[thread] {
            return None;
        }
        self.seen[thread] = true;
        Some(self)
    }

    fn barrier(&mut self) {
        for thread in 0..THREADS {
            if let Some(state) = self.see(thread) {
                *self = state;
            }
        }
    }

    /// What the worker does next, if it need not wait.
    fn work(mut self, broken: Broken) -> Option<Self> {
        self.worker = match self.worker {
            Worker::Begins if self.lanes == LANES => Worker::Ended,
            Worker::Begins => {
                self.lanes += 1;
                (self.lane, self.published, self.alive, self.locked, self.mapped) = (7, true, true, true, true);
                Worker::Published
            }
            Worker::Published => {
                if broken != Broken::NoBarrierBeforeAsking {
                    self.barrier();
                }
                Worker::Asks
            }
            Worker::Asks if self.seen.contains(&true) && broken != Broken::NobodyAsked => {
                if broken == Broken::RefusedTooLate {
                    self.locked = false;
                }
                Worker::Refused
            }
            Worker::Asks => {
                self.lane = self.kernel;
                self.locked = false;
                Worker::Holds
            }
            Worker::Refused => {
                (self.published, self.alive, self.locked) = (false, false, false);
                Worker::Hides
            }
            Worker::Holds if broken == Broken::HiddenFirst => {
                self.published = false;
                Worker::Takes
            }
            Worker::Holds | Worker::Takes if self.locked => return None,
            Worker::Holds | Worker::Takes => {
                self.kernel = self.lane;
                (self.published, self.alive) = (false, false);
                Worker::Hides
            }
            Worker::Hides => {
                if broken != Broken::NoBarrierBeforeBurial {
                    self.barrier();
                }
                Worker::Asked
            }
            // Later, that is: when it is asked again.
            Worker::Asked if self.seen.contains(&true) && broken != Broken::BuriedAtOnce => return None,
            Worker::Asked => {
                self.mapped = false;
                Worker::Begins
            }
            Worker::Ended => return None,
        };
        Some(self)
    }

    /// Everybody is done, and some place was left out.
    fn is_short(&self) -> bool {
        let all = self.readers.iter().all(|&reader| reader == Reader::Ended);
        let offset = if self.worker == Worker::Holds { self.lane } else { self.kernel };
        all && matches!(self.worker, Worker::Holds | Worker::Ended)
            && (self.taken != (1 << ALL_READS) - 1 || offset != ALL_READS)
    }
}

/// The first state found in which something does not hold; the number of states without one.
fn search(broken: Broken) -> Result<usize, State> {
    let mut seen = HashSet::from([State::FIRST]);
    let mut open = vec![State::FIRST];
    while let Some(state) = open.pop() {
        if state.is_short() {
            return Err(state);
        }
        let mut next: Vec<State> = state.work(broken).into_iter().collect();
        for thread in 0..THREADS {
            next.extend(state.read(thread, broken)?);
            next.extend(state.see(thread));
        }
        open.extend(next.into_iter().filter(|&state| seen.insert(state)));
    }
    Ok(seen.len())
}

#[test]
fn no_order_of_steps_gives_a_place_twice() {
    let states = search(Broken::None).unwrap();
    assert!(states > 1000, "only {states} states");
}

#[test]
fn each_rule_is_needed() {
    for broken in [
        Broken::NobodyAsked,
        Broken::NoBarrierBeforeAsking,
        Broken::RefusedTooLate,
        Broken::HiddenFirst,
        Broken::NoLock,
        Broken::DeadIsUsed,
        Broken::BuriedAtOnce,
        Broken::NoBarrierBeforeBurial,
    ] {
        assert!(search(broken).is_err(), "{broken:?} does no harm");
    }
}
