//! Runs batches of sequences natively and under the launcher, and compares them sequence by sequence.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use proptest::strategy::{BoxedStrategy, Strategy as _, ValueTree as _};

use super::generate::{self, Sequence};
use super::shrink;
use crate::runner::compare::tail;
use crate::runner::launch::{self, Launch};
use crate::runner::process;
use crate::spec::End;

/// A batch takes about a second.
const BATCH_LIMIT: Duration = Duration::from_secs(30);

/// A tree of proptest's that gives simpler sequences on request.
pub type Tree = <BoxedStrategy<Sequence> as proptest::strategy::Strategy>::Tree;

/// What one pass has to do.
#[derive(Debug)]
pub struct Plan {
    /// Engine and level.
    pub pass: String,
    /// Tells this pass's sequences from those of others.
    pub number: u64,
    /// Chosen by the user.
    pub seed: u64,
    /// How many batches.
    pub batches: u64,
    /// Sequences of each.
    pub batch: u64,
    /// Another launcher than the one under test.
    pub launcher: Option<PathBuf>,
    /// Further options of the launcher.
    pub options: Vec<String>,
    /// What differs is made as simple as it gets.
    pub makes_simpler: bool,
    /// Inputs and outputs.
    pub home: PathBuf,
}

/// How the sequences of a batch are run.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// All in one process, instead of a new one for each.
    pub same_process: bool,
    /// Process B and executed programs are native.
    pub native_partner: bool,
}

impl Manner {
    /// Half in one process, most with a native partner: another process of the family can be asked to let go, a native one sees
    /// what any process sees.
    fn of(batch: u64) -> Self {
        Self { same_process: batch.is_multiple_of(2), native_partner: batch % 4 != 3 }
    }

    /// The program's word for it.
    pub fn word(self) -> &'static str {
        if self.same_process { "same" } else { "fresh" }
    }
}

/// The output of a run, by sequence, and how the run ended if not well.
#[derive(Debug)]
pub struct Output {
    /// One text for each sequence that was begun.
    pub sequences: Vec<String>,
    /// What went wrong with the program itself.
    pub trouble: Option<String>,
}

impl Output {
    /// The first sequence of `count` in which two runs differ.
    fn first_difference(&self, other: &Self, count: usize) -> Option<usize> {
        let difference = (0..count).find(|&index| self.sequences.get(index) != other.sequences.get(index));
        difference.or_else(|| (self.trouble != other.trouble).then_some(count.saturating_sub(1)))
    }
}

/// A place in which one worker runs programs.
#[derive(Debug)]
pub struct Bench<'plan> {
    plan: &'plan Plan,
    folder: PathBuf,
    manner: Manner,
    limit: Duration,
}

impl Bench<'_> {
    /// A launch under the launcher.
    pub fn ours(&self) -> Launch {
        let mut options = self.plan.options.clone();
        if self.manner.native_partner {
            options.push("--no-follow".to_owned());
        }
        Launch::Engine { pass: self.plan.pass.clone(), options, launcher: self.plan.launcher.clone() }
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Program and arguments for the sequences in `input`.
    pub fn command(&self, input: &Path) -> Vec<String> {
        let memory = format!("/dev/shm/bt-model.{}.{}", std::process::id(), self.slot());
        [
            super::program().display().to_string(),
            self.manner.word().to_owned(),
            input.display().to_string(),
            self.folder.join("files").display().to_string(),
            memory,
        ]
        .to_vec()
    }

    /// Unique among the workers of this pass.
    fn slot(&self) -> String {
        self.folder.file_name().unwrap_or_default().display().to_string()
    }

    /// A process that ran under another engine, or that none ran. Lines of ends may be cut: a sequence limits the size of files.
    fn stranger(&self, record: &Path) -> Result<Option<String>> {
        let text = fs::read_to_string(record).with_context(|| record.display().to_string())?;
        let engine = format!("\"engine\":\"{}\"", launch::engine_of(&self.plan.pass));
        let mut starts = text.lines().filter(|line| line.starts_with("{\"event\":\"start\"")).peekable();
        if starts.peek().is_none() {
            return Ok(Some("did not start under the engine".to_owned()));
        }
        Ok(starts.find(|line| !line.contains(&engine)).map(|line| format!("ran otherwise: {line}")))
    }

    /// Runs sequences.
    pub fn run(&self, launch: &Launch, texts: &[String], label: &str) -> Result<Output> {
        let input = self.folder.join(format!("{label}.sequences"));
        fs::write(&input, texts.concat())?;
        let arguments = self.command(&input);
        let record = self.folder.join(format!("{label}.record"));
        let _ = fs::remove_file(&record);
        let mut command = launch.command(&arguments, &self.folder, &record);
        let done = process::run(&mut command, None, &self.folder, label, self.limit)?;
        // A program that was killed left its files.
        for folder in arguments.get(3..).unwrap_or_default() {
            if Path::new(folder).exists() {
                fs::remove_dir_all(folder).with_context(|| folder.clone())?;
            }
        }
        let mut trouble = match done.end {
            Some(End::Exit(0)) => None,
            None => Some(format!("did not end in {} s", self.limit.as_secs())),
            Some(end) => Some(format!("ended with {end:?}\n{}", tail(&done.stderr, 10))),
        };
        if matches!(launch, Launch::Engine { .. }) && trouble.is_none() {
            trouble = self.stranger(&record)?;
        }
        let text = String::from_utf8_lossy(&done.stdout);
        let mut sequences: Vec<String> = Vec::new();
        for line in text.lines() {
            if line.starts_with("seq ") {
                sequences.push(String::new());
            }
            if let Some(last) = sequences.last_mut() {
                last.push_str(line);
                last.push('\n');
            }
        }
        Ok(Output { sequences, trouble })
    }
}

impl Plan {
    /// Runs all batches; the first difference ends the search.
    pub fn search(&self) -> Result<Option<String>> {
        let next = AtomicU64::new(0);
        let stop = AtomicBool::new(false);
        let found: Mutex<Vec<Result<String>>> = Mutex::new(Vec::new());
        let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        std::thread::scope(|scope| {
            for worker in 0..workers {
                let (next, stop, found) = (&next, &stop, &found);
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let batch = next.fetch_add(1, Ordering::Relaxed);
                        if batch >= self.batches {
                            return;
                        }
                        let result = self.run_batch(batch, worker).with_context(|| format!("batch {batch}"));
                        if let Some(difference) = result.transpose() {
                            stop.store(true, Ordering::Relaxed);
                            found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(difference);
                        }
                    }
                });
            }
        });
        found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).into_iter().next().transpose()
    }

    /// Runs one batch: natively twice, then under the launcher.
    fn run_batch(&self, batch: u64, worker: usize) -> Result<Option<String>> {
        let manner = Manner::of(batch);
        let mut runner = generate::source(self.seed, self.number, batch);
        let strategy = generate::sequences(manner.same_process);
        let mut trees: Vec<Tree> = (0..self.batch)
            .map(|_| strategy.new_tree(&mut runner).map_err(|reason| anyhow::anyhow!("{reason}")))
            .collect::<Result<_>>()?;
        let texts: Vec<String> = trees.iter().enumerate().map(|(number, tree)| tree.current().text(number)).collect();
        let folder = self.home.join(format!("worker{worker}"));
        fs::create_dir_all(&folder)?;
        let mut bench = Bench { plan: self, folder, manner, limit: BATCH_LIMIT };
        let native = bench.run(&Launch::Native, &texts, "native")?;
        let again = bench.run(&Launch::Native, &texts, "again")?;
        if let Some(trouble) = &native.trouble {
            bail!("natively the program {trouble}");
        }
        if let Some(index) = native.first_difference(&again, texts.len()) {
            bail!(
                "two native runs differ: the sequence does not belong here\n{}\n{}",
                texts.get(index).map_or("", String::as_str),
                shrink::side_by_side(native.sequences.get(index), again.sequences.get(index), "again")
            );
        }
        let ours = bench.run(&bench.ours(), &texts, "ours")?;
        let Some(index) = native.first_difference(&ours, texts.len()) else {
            return Ok(None);
        };
        bench.limit = shrink::RUN_LIMIT;
        let tree = trees.get_mut(index).context("the batch is shorter")?;
        let mut report = format!("seed {}, batch {batch}, sequence {index}, {manner:?}\n", self.seed);
        if let Some(trouble) = &ours.trouble {
            report.push_str(&format!("ours {trouble}\n"));
        }
        let simplest = if self.makes_simpler { shrink::shrink(&bench, tree)? } else { None };
        let Some(simplest) = simplest else {
            let kept = bench.folder.join("ours.sequences");
            report.push_str(&format!("it does not differ alone; with what came before it is in {}\n", kept.display()));
            report.push_str(&shrink::side_by_side(native.sequences.get(index), ours.sequences.get(index), &self.pass));
            return Ok(Some(report));
        };
        report.push_str(&simplest);
        Ok(Some(report))
    }
}
