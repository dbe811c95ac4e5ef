//! Signals reach a program that is in ring 0, soon.

use std::fs;
use std::io::{BufRead as _, BufReader, PipeReader};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bt_tests::runner::process::{Session, end_of, fix_environment};
use bt_tests::spec::End;
use nix::sys::signal::Signal;

use super::ring0::{c_program, compare_used, silently};
use crate::command::{Bench, RING0};
use crate::limits;
use crate::module;
use crate::server::wait_until;

/// How long SIGKILL may take. An emulated machine can be stopped by its host at any time: what counts is the shortest
/// of several tries.
const KILLED_WITHIN: Duration = Duration::from_millis(20);
const TRIES: usize = 6;

/// `c/spin.c` in ring 0, in the part that it was asked for.
pub struct Spinner {
    session: Session,
    /// What it prints at its end goes there.
    _output: BufReader<PipeReader>,
}

impl Spinner {
    /// Starts the program and waits until it is ready.
    pub fn start(bench: &Bench, what: &str) -> Result<Self> {
        module::ensure_loaded()?;
        let (reader, writer) = std::io::pipe()?;
        let program = c_program("spin");
        let mut command = bench.under(RING0, what, &[&program, what]);
        fix_environment(&mut command, &bench.work);
        command.current_dir(&bench.work).stdin(std::process::Stdio::null()).stdout(writer);
        let session = Session::start(&mut command)?;
        drop(command);
        let mut output = BufReader::new(reader);
        let mut line = String::new();
        output.read_line(&mut line)?;
        if line != "ready\n" {
            bail!("{what} says {line:?}");
        }
        Ok(Self { session, _output: output })
    }

    /// Process id of the program.
    pub fn pid(&self) -> i32 {
        self.session.pid()
    }

    /// A field of `/proc/PID/stat`, counted from the state on, which is 0.
    fn stat(&self, field: usize) -> Result<String> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.pid()))?;
        let (_, fields) = text.rsplit_once(") ").context("stat")?;
        Ok(fields.split(' ').nth(field).context("stat")?.to_owned())
    }

    /// Waits until the process is in a state of proc(5).
    pub fn wait_for_state(&self, state: &str) -> Result<()> {
        wait_until(state, limits::WAIT, || self.stat(0).is_ok_and(|found| found == state))
    }

    /// Waits until the process has used `ticks` more of the processor's time.
    pub fn wait_for_progress(&self, ticks: u64) -> Result<()> {
        let used = || -> Result<u64> { Ok(self.stat(11)?.parse::<u64>()? + self.stat(12)?.parse::<u64>()?) };
        let before = used()?;
        wait_until("progress", limits::WAIT, || used().is_ok_and(|now| now >= before + ticks))
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        self.session.signal(signal)
    }

    /// Sends a signal and expects the program to end that way; returns how long it took.
    pub fn end(mut self, signal: Signal, wanted: End) -> Result<()> {
        self.end_timed(signal, wanted).map(drop)
    }

    fn end_timed(&mut self, signal: Signal, wanted: End) -> Result<Duration> {
        let before = Instant::now();
        self.session.signal(signal)?;
        let status = self.session.wait(limits::WAIT)?.context("the program does not end")?;
        let took = before.elapsed();
        let end = end_of(status);
        if end != wanted {
            bail!("the program ended with {end:?}, not {wanted:?}");
        }
        Ok(took)
    }
}

fn is_killed(bench: &Bench, what: &str, settle: impl Fn(&Spinner) -> Result<()>) -> Result<()> {
    silently(|| {
        let mut least = Duration::MAX;
        for _ in 0..TRIES {
            let mut spinner = Spinner::start(bench, what)?;
            settle(&spinner)?;
            least = least.min(spinner.end_timed(Signal::SIGKILL, End::Signal(Signal::SIGKILL as i32))?);
        }
        println!("{what}: killed within {least:?}");
        if least > KILLED_WITHIN {
            bail!("{what}: SIGKILL took {least:?} at best");
        }
        Ok(())
    })
}

/// SIGKILL ends a program that makes no calls any more.
pub fn spinning_is_killed(bench: &Bench) -> Result<()> {
    is_killed(bench, "spin", |spinner| spinner.wait_for_progress(3))
}

/// SIGKILL ends a program that makes calls all the time.
pub fn calling_is_killed(bench: &Bench) -> Result<()> {
    is_killed(bench, "calls", |spinner| spinner.wait_for_progress(3))
}

/// SIGKILL ends a program that waits in a call.
pub fn waiting_is_killed(bench: &Bench) -> Result<()> {
    is_killed(bench, "block", |spinner| spinner.wait_for_state("S"))
}

/// SIGSTOP and SIGCONT stop the program and let it go on, and a handler runs after that.
pub fn programs_stop_and_go_on(bench: &Bench) -> Result<()> {
    silently(|| {
        for what in ["spin", "calls"] {
            let spinner = Spinner::start(bench, what)?;
            for _ in 0..5 {
                spinner.wait_for_progress(2)?;
                spinner.signal(Signal::SIGSTOP)?;
                spinner.wait_for_state("T")?;
                spinner.signal(Signal::SIGCONT)?;
                spinner.wait_for_state("R")?;
            }
            spinner.wait_for_progress(2)?;
            spinner.end(Signal::SIGUSR1, End::Exit(0)).context(what)?;
        }
        let spinner = Spinner::start(bench, "block")?;
        for _ in 0..5 {
            spinner.wait_for_state("S")?;
            spinner.signal(Signal::SIGSTOP)?;
            spinner.wait_for_state("T")?;
            spinner.signal(Signal::SIGCONT)?;
        }
        spinner.wait_for_state("S")?;
        spinner.end(Signal::SIGUSR1, End::Exit(0)).context("block")
    })
}

/// Handlers of a timer's signal run while the program makes no calls.
pub fn timers_strike(bench: &Bench) -> Result<()> {
    silently(|| compare_used(bench, "timer", &[&c_program("spin"), "timer"]).map(drop))
}
