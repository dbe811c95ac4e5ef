//! Runs cases one after the other, each in a session of its own.

use std::fs;
use std::io::{self, BufRead as _, BufReader, PipeReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bt_tests::runner::process::{self, Session};

use crate::case::{Case, Skipped};
use crate::command::Bench;
use crate::kmsg;
use crate::limits;
use crate::orphans;
use crate::protocol::Message;

const FAILED: u8 = 1;
/// What automake's and others' tests exit with when they cannot run.
const SKIPPED: u8 = 77;

/// Runs `cases` and reports them.
pub fn run(cases: &[&Case]) -> Result<()> {
    orphans::adopt()?;
    for case in cases {
        let name = case.name.to_owned();
        kmsg::say(&Message::Begin { name: name.clone() })?;
        let verdict = match run_one(case) {
            Ok(verdict) => verdict,
            Err(error) => Message::Fail { name, reason: format!("{error:#}") },
        };
        kmsg::say(&verdict)?;
    }
    kmsg::say(&Message::Done)?;
    Ok(())
}

/// Starts this program again for one case: a crash, a hang or a leak of the case is then its own.
fn run_one(case: &Case) -> Result<Message> {
    let name = case.name.to_owned();
    let (reader, writer) = io::pipe()?;
    let mut command = Command::new("/proc/self/exe");
    command.args(["--case", case.name]).stdin(std::process::Stdio::null());
    command.stdout(writer.try_clone()?).stderr(writer);
    process::fix_environment(&mut command, "/tmp".as_ref());
    let mut session = Session::start(&mut command)?;
    // The command holds the pipe's writing end.
    drop(command);
    let printed = forward(reader);
    let limit = limits::of_case(case.name);
    let status = session.wait(limit)?;
    drop(session);
    if let Err(error) = orphans::kill_all() {
        return Ok(Message::Fail { name, reason: format!("{error:#}") });
    }
    // Nobody is left who writes; the limit is for a pipe that something else keeps open.
    let _ = printed.recv_timeout(Duration::from_secs(2));
    let Some(status) = status else {
        return Ok(Message::Fail { name, reason: format!("not over after {} s", limit.as_secs()) });
    };
    verdict(name, status)
}

/// Prints what comes out of the pipe; the channel ends with it.
fn forward(reader: PipeReader) -> mpsc::Receiver<()> {
    let (finished, end) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(reader).split(b'\n').map_while(io::Result::ok) {
            let text = String::from_utf8_lossy(&line).into_owned();
            if kmsg::say(&Message::Output { text }).is_err() {
                break;
            }
        }
        drop(finished);
    });
    end
}

/// What the ended process of the case has to say.
fn verdict(name: String, status: ExitStatus) -> Result<Message> {
    if status.success() {
        return Ok(Message::Pass { name });
    }
    let said = fs::read_to_string(reason_file(&name)).unwrap_or_default();
    let mut lines = said.lines();
    let reason = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        kmsg::say(&Message::Output { text: line.to_owned() })?;
    }
    Ok(match status.code() {
        Some(code) if code == i32::from(SKIPPED) => Message::Skip { name, reason },
        Some(code) if code == i32::from(FAILED) && !reason.is_empty() => Message::Fail { name, reason },
        Some(code) => Message::Fail { name, reason: format!("the case exited with {code}") },
        None => {
            let signal = status.signal().unwrap_or(0);
            Message::Fail { name, reason: format!("the case died by signal {signal}") }
        }
    })
}

/// The other side of `run_one`: runs `case` in this process.
pub fn run_here(case: &Case) -> Result<ExitCode> {
    let bench = Bench::new(case.name)?;
    let Err(error) = (case.run)(&bench) else {
        return Ok(ExitCode::SUCCESS);
    };
    fs::write(reason_file(case.name), format!("{error:#}")).context("reason")?;
    Ok(ExitCode::from(if error.is::<Skipped>() { SKIPPED } else { FAILED }))
}

fn reason_file(name: &str) -> PathBuf {
    PathBuf::from(format!("/tmp/cases/{name}/reason"))
}
