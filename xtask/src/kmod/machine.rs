//! Boots a kernel in an emulated machine and hands over what it prints.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::kernels::Unpacked;
use super::output::output_directory;

/// Limit of a machine that runs all cases, in seconds, where the command does not say. It ends what hangs and measures
/// nothing: on a host that is busy with something else the cases take ten minutes.
pub const LIMIT_SECONDS: u64 = 1800;

/// A machine to boot.
#[derive(Debug)]
pub struct Machine<'a> {
    /// What it runs.
    pub kernel: &'a Unpacked,
    /// What that starts with.
    pub initramfs: &'a Path,
    /// Name of the variant: the console's file is called after it.
    pub flavour: &'a str,
    /// Added to the kernel's command line.
    pub parameters: &'a str,
    /// Kind of processor, as qemu names it.
    pub cpu: &'a str,
    /// Processors.
    pub cpus: u32,
    /// The clock advances with instructions instead of time, as the same in every run.
    pub counts_instructions: bool,
    /// What `bt-vm` runs: `--test` or `--bench`.
    pub mode: &'a str,
    /// Parts of the names of what it runs; all without.
    pub filters: &'a [String],
    /// When to give up.
    pub limit: Duration,
}

/// How a machine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It powered off or panicked.
    Over,
    /// The limit struck.
    TimedOut,
}

/// Kills the machine when dropped; it is ours and not reaped before.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Machine<'_> {
    /// Boots the machine and hands every line of its console to `on_line` until it ends.
    pub fn run(&self, mut on_line: impl FnMut(&str)) -> Result<Ending> {
        let mut log = File::create(self.console_file()?)?;
        let mut child =
            Running(self.command().stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot start qemu")?);
        let console = child.0.stdout.take().context("no console")?;
        let lines = read_lines(console);
        let deadline = Instant::now() + self.limit;
        loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    writeln!(log, "{line}")?;
                    on_line(&line);
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(Ending::Over),
                Err(RecvTimeoutError::Timeout) => return Ok(Ending::TimedOut),
            }
        }
    }

    /// Where the console is kept.
    pub fn console_file(&self) -> Result<PathBuf> {
        let directory = output_directory().join("console");
        fs::create_dir_all(&directory)?;
        Ok(directory.join(format!("{}-{}.log", self.kernel.name, self.flavour)))
    }

    fn command(&self) -> Command {
        // The machine dies with this program, also when that is killed.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "qemu-system-x86_64"]);
        command.args(["-accel", "tcg", "-cpu", self.cpu, "-m", "1024", "-nodefaults", "-no-user-config"]);
        command.args(["-display", "none", "-serial", "stdio", "-no-reboot", "-smp", &self.cpus.to_string()]);
        if self.counts_instructions {
            // Random numbers and the date would make paths through the kernel differ.
            command.args(["-icount", "shift=0", "-seed", "1", "-rtc", "base=2025-01-01,clock=vm"]);
        }
        command.arg("-kernel").arg(&self.kernel.image).arg("-initrd").arg(self.initramfs);
        command.arg("-append").arg(self.kernel_command_line());
        command
    }

    /// What follows `--` becomes the arguments of `/init`.
    fn kernel_command_line(&self) -> String {
        // Warnings on the console, and every line of ours on it. After an oops nothing that follows can be believed; a
        // processor that is stuck in the kernel does not come back. A host that is busy is no reason to mistrust the
        // clock.
        let fixed = "console=ttyS0 loglevel=5 printk.devkmsg=on panic=-1 oops=panic softlockup_panic=1 tsc=nowatchdog";
        format!("{fixed} {} -- {} {}", self.parameters, self.mode, self.filters.join(" "))
    }
}

/// Reads the console in a thread, so that waiting for a line has a limit.
fn read_lines(console: ChildStdout) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(console).split(b'\n').map_while(std::io::Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}
