//! Where checks of the launcher run, and how they run it.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::paths;
use crate::runner::executable::write_executable;
use crate::runner::launch::options_of;
use crate::runner::process::{self, End, Finished};

/// A check of the launcher in a work directory.
pub type Check = fn(&Bench) -> Result<()>;

/// Where a check runs.
#[derive(Debug)]
pub struct Bench {
    /// The work directory.
    pub work: PathBuf,
    /// Outputs.
    pub logs: PathBuf,
    /// Time for each command.
    pub limit: Duration,
    /// The pass: engine and level to name.
    pub pass: String,
}

impl Bench {
    /// Runs the launcher with these arguments.
    pub fn run(&self, arguments: &[&str]) -> Result<Finished> {
        let mut command = Command::new(paths::launcher());
        command.args(arguments).current_dir(&self.work);
        process::fix_environment(&mut command, &self.work);
        process::run(&mut command, None, &self.logs, "launcher", self.limit)
    }

    /// Runs a program under the launcher in the pass, with further options.
    pub fn program(&self, options: &[&str], program: &[&str]) -> Result<Finished> {
        let arguments: Vec<&str> =
            options_of(&self.pass).iter().chain(options).chain(&["--"]).chain(program).copied().collect();
        self.run(&arguments)
    }

    /// Writes a file of the work directory; its name as an argument.
    pub fn file(&self, name: &str, bytes: &[u8], mode: u32) -> Result<String> {
        let path = self.work.join(name);
        write_executable(&path, bytes, mode)?;
        Ok(format!("./{name}"))
    }
}

/// Ended with `code` and told why in one line that names `subject`.
pub fn refused(done: &Finished, code: i32, subject: &str) -> Result<()> {
    let text = String::from_utf8_lossy(&done.stderr);
    ensure!(done.end == Some(End::Exit(code)), "{subject}: ended with {:?}, not exit code {code}: {text}", done.end);
    ensure!(text.lines().count() == 1, "{subject}: not one line: {text:?}");
    ensure!(text.contains(subject), "{subject} is not named: {text:?}");
    ensure!(done.stdout.is_empty(), "{subject}: something on standard output");
    Ok(())
}
