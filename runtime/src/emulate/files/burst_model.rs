//! A model of a burst of writes, small enough that every order of steps can be tried: a thread writes, computes and makes calls, and
//! the timer's signal finds it anywhere.
//!
//! What must hold: no call is entered while somebody is still to be told of a write, none is interrupted by the timer, and a
//! thread that only computes from some point on has told of its last write at some time. The model is the protocol of
//! `runtime/COHERENCE.md`, "Writes"; with one of its rules broken, the search finds an order in which something of this does not hold.

use std::collections::HashSet;

/// A rule of the protocol that can be broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Broken {
    None,
    /// A call is passed on and nothing is reported.
    NoReportBeforeCall,
    /// A call is entered and the timer not stopped.
    TimerRunsOn,
    /// A tick without a write ends the burst wherever it finds the thread.
    StopAnywhere,
    /// The kernel's write after such a tick does not start the timer again.
    NoTimerAgain,
    /// Such a tick leaves the lane's code as it is.
    CodeStays,
    /// The gate passes calls on as if there were no burst.
    GateForgets,
}

/// Where the thread is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Thread {
    Guest,
    /// In the lane's code, before the copy.
    Enters,
    /// After the copy, and before it is counted.
    Copied,
    InCall,
    /// In the guest's code for ever.
    Computes,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct State {
    thread: Thread,
    /// Steps that the thread may still make.
    steps: u8,
    /// The gate sends calls to Rust.
    held: bool,
    /// The lane answers writes.
    in_place: bool,
    runs: bool,
    /// A write nobody was told of; it is counted.
    untold: bool,
    counted: bool,
}

const STEPS: u8 = 12;

impl State {
    const FIRST: Self = Self {
        thread: Thread::Guest,
        steps: STEPS,
        held: false,
        in_place: false,
        runs: false,
        untold: false,
        counted: false,
    };

    fn report(&mut self) {
        if self.counted {
            self.untold = false;
            self.counted = false;
        }
    }

    /// The guest writes.
    fn write(mut self, broken: Broken) -> Self {
        if self.in_place {
            self.thread = Thread::Enters;
            return self;
        }
        // The kernel makes it and tells of it.
        let is_again = self.held;
        self.held = true;
        self.in_place = true;
        self.runs = !(is_again && broken == Broken::NoTimerAgain);
        self
    }

    /// The guest makes a call that is passed on.
    fn call(mut self, broken: Broken) -> Self {
        if self.held && broken != Broken::GateForgets {
            self.runs = broken == Broken::TimerRunsOn && self.runs;
            if broken != Broken::NoReportBeforeCall {
                self.report();
            }
            self.held = false;
            self.in_place = false;
        }
        self.thread = Thread::InCall;
        self
    }

    /// What the thread may do next.
    fn steps(mut self, broken: Broken) -> Vec<Self> {
        if self.steps == 0 && self.thread == Thread::Guest {
            self.thread = Thread::Computes;
            return vec![self];
        }
        self.steps = self.steps.saturating_sub(1);
        let to = |thread| Self { thread, ..self };
        match self.thread {
            Thread::Guest => vec![self.write(broken), self.call(broken), to(Thread::Computes)],
            Thread::Enters => vec![Self { untold: true, ..to(Thread::Copied) }],
            Thread::Copied => vec![Self { counted: true, ..to(Thread::Guest) }],
            Thread::InCall => vec![to(Thread::Guest)],
            Thread::Computes => vec![],
        }
    }

    /// The timer's signal.
    fn tick(mut self, broken: Broken) -> Option<Self> {
        if !self.runs {
            return None;
        }
        let is_between = matches!(self.thread, Thread::Guest | Thread::Computes);
        if self.counted {
            self.report();
        } else if is_between || broken == Broken::StopAnywhere {
            self.runs = false;
            self.in_place = broken == Broken::CodeStays;
        }
        Some(self)
    }

    /// Something does not hold.
    fn is_wrong(&self) -> bool {
        match self.thread {
            Thread::InCall => self.untold || self.runs,
            Thread::Computes => self.untold && !self.runs,
            _ => false,
        }
    }
}

/// The first state found in which something does not hold; the number of states without one.
fn search(broken: Broken) -> Result<usize, State> {
    let mut seen = HashSet::from([State::FIRST]);
    let mut open = vec![State::FIRST];
    while let Some(state) = open.pop() {
        if state.is_wrong() {
            return Err(state);
        }
        for next in state.steps(broken).into_iter().chain(state.tick(broken)) {
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    Ok(seen.len())
}

#[test]
fn no_order_of_steps_leaves_a_write_untold() {
    let states = search(Broken::None).unwrap();
    assert!(states > 50, "only {states} states");
}

#[test]
fn each_rule_is_needed() {
    for broken in [
        Broken::NoReportBeforeCall,
        Broken::TimerRunsOn,
        Broken::StopAnywhere,
        Broken::NoTimerAgain,
        Broken::CodeStays,
        Broken::GateForgets,
    ] {
        assert!(search(broken).is_err(), "{broken:?} does no harm");
    }
}
