//! What comes between a program and its calls: filters, tracers, other processes, fewer rights.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use bt_tests::runner::compare::tail;
use bt_tests::runner::process::{Session, fix_environment};
use bt_tests::spec::End;
use nix::sys::signal::Signal;

use super::promptness::Spinner;
use super::ring0::{c_program, compare, compare_used, silently};
use crate::case::need;
use crate::command::{Bench, LAUNCHER, RING0, expect_success};
use crate::limits;
use crate::module;
use crate::server::wait_until;

/// A seccomp(2) filter sees every call that begins after it was installed.
pub fn filters_see_calls(bench: &Bench) -> Result<()> {
    silently(|| compare_used(bench, "watched", &[&c_program("watched")]).map(drop))
}

/// Children of fork(2) and vfork(2), programs that are executed, threads that end.
pub fn families_go_on(bench: &Bench) -> Result<()> {
    silently(|| {
        let run = compare_used(bench, "family", &[&c_program("family")])?;
        // The parents of three forks and their children, at least.
        let users =
            run.events.iter().filter(|event| event.pointer("/ring0/calls").is_some_and(|n| n.as_u64() > Some(1000)));
        let users = users.count();
        if users < 6 {
            bail!("{users} processes used ring 0");
        }
        Ok(())
    })
}

/// The statistics may be lost: they are written at the end, when the program has no descriptor, no right or no path.
fn lesser(bench: &Bench, part: &str) -> Result<()> {
    silently(|| compare(bench, part, &[&c_program("lesser"), part]).map(drop))
}

/// The program closes every descriptor that there may be.
pub fn descriptors_are_closed(bench: &Bench) -> Result<()> {
    lesser(bench, "close")
}

/// The program takes every number that a descriptor may have.
pub fn descriptors_are_taken(bench: &Bench) -> Result<()> {
    lesser(bench, "take")
}

/// There may be few descriptors only.
pub fn descriptors_are_few(bench: &Bench) -> Result<()> {
    lesser(bench, "limit")
}

/// The program changes its root, where there is no device.
pub fn root_changes(bench: &Bench) -> Result<()> {
    lesser(bench, "root")
}

/// The program becomes another user, who may not use the device.
pub fn user_changes(bench: &Bench) -> Result<()> {
    lesser(bench, "user")
}

/// strace(1) that attaches sees the calls from then on, and the program goes on when it has gone.
pub fn tracers_attach(bench: &Bench) -> Result<()> {
    need("strace")?;
    silently(|| {
        let spinner = Spinner::start(bench, "calls")?;
        let log = bench.work.join("trace");
        let mut command = Command::new("strace");
        command.args(["-p", &spinner.pid().to_string(), "-o"]).arg(&log).args(["-e", "trace=getppid"]);
        fix_environment(&mut command, &bench.work);
        let mut strace = Session::start(&mut command)?;
        let lines = || fs::read_to_string(&log).unwrap_or_default().matches("getppid()").count();
        wait_until("twenty traced calls", limits::WAIT, || lines() >= 20)?;
        strace.signal(Signal::SIGINT)?;
        strace.wait(limits::WAIT)?.context("strace does not end")?;
        spinner.end(Signal::SIGUSR1, End::Exit(0))
    })
}

/// The launcher runs under strace(1). Few calls: in an emulated machine each takes 20 ms there, natively too.
pub fn launcher_is_traced(bench: &Bench) -> Result<()> {
    need("strace")?;
    silently(|| {
        let calls = c_program("calls");
        let log = bench.work.join("trace");
        let mut command = Command::new("strace");
        command.args(["-f", "-o"]).arg(&log);
        command.args([LAUNCHER, "--engine", RING0, "--", &calls, "getppid", "160"]);
        let finished = bench.run("strace", &mut command);
        let text = fs::read(&log)?;
        println!("{}", tail(&text, 12));
        let finished = finished?;
        expect_success("strace", &finished)?;
        if finished.stdout != b"ok\n" {
            bail!("the program says {:?}", String::from_utf8_lossy(&finished.stdout));
        }
        let seen = fs::read_to_string(&log)?.matches("getppid()").count();
        // The loop's, and the one before it.
        if seen != 161 {
            bail!("strace saw {seen} of 161 calls");
        }
        Ok(())
    })
}

/// Without the module the launcher says so and runs nothing.
pub fn module_is_missed(bench: &Bench) -> Result<()> {
    module::ensure_unloaded()?;
    let mut command = Command::new(LAUNCHER);
    command.args(["--engine", RING0, "--", "/bin/busybox", "echo", "hello"]);
    let finished = bench.run("missed", &mut command)?;
    let said = String::from_utf8_lossy(&finished.stderr).into_owned();
    if finished.end != Some(End::Exit(126)) || !finished.stdout.is_empty() {
        bail!("{:?}, {:?}\n{}", finished.end, String::from_utf8_lossy(&finished.stdout), tail(&finished.stderr, 5));
    }
    if said.lines().count() != 1 || !said.contains(module::DEVICE) {
        bail!("it does not say in one line that there is no {}: {said:?}", module::DEVICE);
    }
    // Other engines do not need it.
    compare_direct(bench)
}

fn compare_direct(bench: &Bench) -> Result<()> {
    bench.compare("direct", "direct", &["/bin/busybox", "echo", "hello"]).map(drop)
}

/// What the engine has open for itself is not among the program's descriptors.
pub fn files_are_seen_as_natively(bench: &Bench) -> Result<()> {
    let script = "ls /proc/self/fd | wc -l; ls -l /proc/self/fd | grep -c btshim; echo $?";
    compare(bench, "descriptors", &["dash", "-c", script]).map(drop)
}
