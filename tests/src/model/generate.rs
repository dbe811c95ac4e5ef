//! Random sequences: how many processes and threads, which operations, by which actor.
//!
//! Natively the output of a sequence must be the same on every run. So left out by construction are: times, inode and
//! block numbers; calls that would wait, because nobody could end the wait (pipes and counters never wait, locks are
//! tried); signals from outside and timers (signals are raised between or inside operations); the order of epoll's
//! list; holes of preallocated files, which depend on the page cache. The actors take strict turns. `run` checks it:
//! every batch runs natively twice.

use proptest::collection::vec;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::operations::{Arg, ROWS, SETUP};

/// Who takes part besides the first thread of process A.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cast {
    Alone,
    /// A process B that shares only the directory.
    Partner,
    /// A process B that A forks.
    Forked,
    /// A second thread in A.
    Threads,
    /// Both processes have two threads.
    All,
}

/// In most sequences all processes have one thread: there the fast ways are.
const CASTS: &[Cast] = &[
    Cast::Alone,
    Cast::Alone,
    Cast::Partner,
    Cast::Partner,
    Cast::Partner,
    Cast::Partner,
    Cast::Partner,
    Cast::Forked,
    Cast::Forked,
    Cast::Threads,
    Cast::All,
    Cast::All,
];
/// How many of them leave the process as it was but for what can be closed.
const QUIET_CASTS: usize = 7;
const ACTORS: &[&str] = &["A0", "A0", "A0", "A0", "A0", "A0", "B0", "B0", "B0", "A1", "B1"];

/// Enough for every argument; fewer get simple sooner.
const BITS: u32 = 1 << 16;

/// Numbers from which an operation is made: its actor, its row, its arguments.
type Draw = (usize, u32, [u32; 6]);

/// One sequence.
#[derive(Clone, Debug)]
pub struct Sequence {
    cast: Cast,
    in_memory: bool,
    /// Where process B and second threads begin.
    starts: (usize, usize),
    setup: Vec<(u32, [u32; 6])>,
    body: Vec<Draw>,
}

impl Sequence {
    /// What the program reads, with `number` to tell it from others.
    pub fn text(&self, number: usize) -> String {
        let partner = if self.cast == Cast::Partner { "partner" } else { "-" };
        let memory = if self.in_memory { "shm" } else { "-" };
        let mut text = format!("seq {number} {partner} {memory}\n");
        for ((percent, actor, name, kinds), (chance, args)) in SETUP.iter().zip(&self.setup) {
            if chance < percent {
                push_line(&mut text, actor, name, kinds, args);
            }
        }
        let (fork, thread) = self.starts;
        for (index, (actor, row, args)) in self.body.iter().enumerate() {
            if index == fork && matches!(self.cast, Cast::Forked | Cast::All) {
                text.push_str("A0 fork\n");
            }
            if index == fork.max(thread) && matches!(self.cast, Cast::Threads | Cast::All) {
                text.push_str("A0 thread\n");
                if self.cast == Cast::All {
                    text.push_str("B0 thread\n");
                }
            }
            let (name, kinds) = row_at(*row);
            push_line(&mut text, ACTORS.get(*actor).copied().unwrap_or("A0"), name, kinds, args);
        }
        text
    }
}

fn push_line(text: &mut String, actor: &str, name: &str, kinds: &[Arg], args: &[u32; 6]) {
    text.push_str(&format!("{actor} {name}"));
    for (kind, bits) in kinds.iter().zip(args) {
        text.push_str(&format!(" {}", kind.value(*bits)));
    }
    text.push('\n');
}

fn total_weight() -> u32 {
    ROWS.iter().map(|(weight, _, _)| weight).sum()
}

/// The row at a point of all weights put one after the other.
fn row_at(mut point: u32) -> (&'static str, &'static [Arg]) {
    for &(weight, name, kinds) in ROWS {
        if point < weight {
            return (name, kinds);
        }
        point -= weight;
    }
    ("fstat", &[Arg::File])
}

/// Sequences; for a process that goes on afterwards only those that leave it as it was.
pub fn sequences(in_same_process: bool) -> BoxedStrategy<Sequence> {
    let casts = if in_same_process { CASTS.get(..QUIET_CASTS).unwrap_or(CASTS) } else { CASTS };
    let args = || [const { 0..BITS }; 6];
    let draw = (0..ACTORS.len(), 0..total_weight(), args());
    // What is left of this is found out faster line by line.
    let setup = vec((0..100u32, args()), SETUP.len()).no_shrink();
    let starts = (0..12usize, 0..12usize).no_shrink();
    (vec(draw, 4..32), select(casts), 0..4u8, starts, setup)
        .prop_map(|(body, cast, memory, starts, setup)| Sequence { cast, in_memory: memory == 3, starts, setup, body })
        .boxed()
}

/// The source of randomness of one batch.
pub fn source(seed: u64, pass: u64, batch: u64) -> TestRunner {
    let mut bytes = [0u8; 32];
    for (slot, number) in bytes.chunks_exact_mut(8).zip([seed, pass, batch, 0]) {
        slot.copy_from_slice(&number.to_le_bytes());
    }
    let config = Config { failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

#[cfg(test)]
mod tests {
    use super::{sequences, source};
    use proptest::strategy::{Strategy as _, ValueTree as _};

    #[test]
    fn a_seed_gives_the_same_sequences_again() {
        let text = |seed| {
            let mut runner = source(seed, 0, 3);
            sequences(false).new_tree(&mut runner).unwrap().current().text(0)
        };
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
    }

    #[test]
    fn a_process_that_goes_on_neither_forks_for_good_nor_starts_threads() {
        let mut runner = source(1, 0, 0);
        for _ in 0..50 {
            let text = sequences(true).new_tree(&mut runner).unwrap().current().text(0);
            assert!(!text.contains("A0 fork\n") && !text.contains("thread\n"), "{text}");
        }
    }

    #[test]
    fn sequences_get_simpler() {
        let mut tree = sequences(false).new_tree(&mut source(1, 0, 0)).unwrap();
        let lines = tree.current().text(0).lines().count();
        while tree.simplify() {}
        assert!(tree.current().text(0).lines().count() < lines);
    }
}
