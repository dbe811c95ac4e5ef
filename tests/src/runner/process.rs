//! Starts a command in a session of its own, waits with a deadline, and leaves nothing behind.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, setsid};

use crate::paths::SEARCH_PATH;

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With this exit code.
    Exit(i32),
    /// By this signal.
    Signal(i32),
}

/// How a command ended and what it wrote.
#[derive(Debug)]
pub struct Finished {
    /// Exit code or signal; nothing when the time limit struck.
    pub end: Option<End>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

/// A running command that is killed with its whole session when dropped.
#[derive(Debug)]
pub struct Session {
    child: Child,
    pidfd: OwnedFd,
    over: bool,
}

/// Gives `command` the environment that every test sees.
pub fn fix_environment(command: &mut Command, home: &Path) {
    command
        .env_clear()
        .env("PATH", SEARCH_PATH)
        .env("HOME", home)
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .env("TERM", "dumb");
}

impl Session {
    /// Starts `command` as the leader of a new session without core dumps.
    pub fn start(command: &mut Command) -> Result<Self> {
        // SAFETY: between fork and exec only async-signal-safe calls are made.
        unsafe {
            command.pre_exec(|| {
                setsid()?;
                setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
                // Tests see only the descriptors they are given.
                libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
                Ok(())
            });
        }
        let child = command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
        // SAFETY: the call takes two integers; the child is not reaped yet, so its pid is ours.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, child.id(), 0) };
        let fd = i32::try_from(fd).context("pidfd_open")?;
        if fd < 0 {
            return Err(io::Error::last_os_error()).context("pidfd_open");
        }
        // SAFETY: the descriptor was just returned and has no other owner.
        let pidfd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { child, pidfd, over: false })
    }

    /// Process id of the leader.
    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Waits for the leader; nothing when `limit` has passed.
    pub fn wait(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            let mut wanted = [PollFd::new(self.pidfd.as_fd(), PollFlags::POLLIN)];
            match nix::poll::poll(&mut wanted, timeout) {
                Ok(0) if left.is_zero() => return Ok(None),
                // It ends a fraction of a millisecond early.
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => {
                    self.over = true;
                    return Ok(Some(self.child.wait()?));
                }
                Err(error) => return Err(error).context("poll"),
            }
        }
    }

    /// Sends a signal to the leader.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        // Until it is reaped, the pid is its own.
        if self.over { Ok(()) } else { kill(Pid::from_raw(self.pid()), signal).context("kill") }
    }

    /// Kills what is left of the session.
    fn sweep(&mut self) {
        let session = self.pid();
        // A process that forks while the list is read shows up in the next reading.
        for _ in 0..20 {
            let members = session_members(session);
            if members.is_empty() {
                break;
            }
            for pid in members {
                // One that has ended meanwhile is what was wanted.
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
            if !self.over && self.child.try_wait().is_ok_and(|status| status.is_some()) {
                self.over = true;
            }
        }
        if !self.over {
            // The leader was sent SIGKILL, this cannot block for long.
            let _ = self.child.wait();
            self.over = true;
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.sweep();
    }
}

/// Live processes of a session.
fn session_members(session: i32) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
                return false;
            };
            // The command name may hold spaces: fields are counted from its closing parenthesis.
            let Some((_, fields)) = stat.rsplit_once(") ") else {
                return false;
            };
            let mut fields = fields.split(' ');
            let state = fields.next();
            let sid = fields.nth(2).and_then(|text| text.parse::<i32>().ok());
            sid == Some(session) && state != Some("Z") && state != Some("X")
        })
        .collect()
}

/// Runs `command` to its end or to `limit`; output goes through files beside the work directory, so
/// that a descendant that keeps a descriptor open cannot hold the runner up.
pub fn run(command: &mut Command, stdin: Option<&str>, logs: &Path, label: &str, limit: Duration) -> Result<Finished> {
    fs::create_dir_all(logs)?;
    let out_path = logs.join(format!("{label}.stdout"));
    let err_path = logs.join(format!("{label}.stderr"));
    let input = match stdin {
        None => Stdio::null(),
        Some(text) => {
            let path = logs.join(format!("{label}.stdin"));
            fs::write(&path, text)?;
            Stdio::from(File::open(path)?)
        }
    };
    command.stdin(input).stdout(File::create(&out_path)?).stderr(File::create(&err_path)?);
    let mut session = Session::start(command)?;
    let status = session.wait(limit)?;
    drop(session);
    Ok(Finished { end: status.map(end_of), stdout: fs::read(out_path)?, stderr: fs::read(err_path)? })
}

/// Exit code or signal; the core flag is left aside.
pub fn end_of(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exit(code),
        (None, signal) => End::Signal(signal.unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::{End, run, session_members};
    use std::process::Command;
    use std::time::Duration;

    fn logs(name: &str) -> std::path::PathBuf {
        crate::paths::target().join("bt-tests/unit").join(name)
    }

    #[test]
    fn exit_code_and_output_are_kept() {
        let mut command = Command::new("sh");
        command.args(["-c", "cat; echo bad >&2; exit 3"]);
        let done = run(&mut command, Some("in"), &logs("exit_code"), "x", Duration::from_secs(20)).unwrap();
        assert_eq!(done.end, Some(End::Exit(3)));
        assert_eq!((done.stdout.as_slice(), done.stderr.as_slice()), (&b"in"[..], &b"bad\n"[..]));
    }

    #[test]
    fn time_limit_kills_the_whole_session() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$; sh -c 'while :; do :; done' & while :; do :; done"]);
        let done = run(&mut command, None, &logs("time_limit"), "x", Duration::from_millis(300)).unwrap();
        assert_eq!(done.end, None);
        let leader: i32 = String::from_utf8_lossy(&done.stdout).trim().parse().unwrap();
        assert!(session_members(leader).is_empty());
    }

    #[test]
    fn death_by_signal_is_told() {
        let mut command = Command::new("sh");
        command.args(["-c", "kill -SEGV $$"]);
        let done = run(&mut command, None, &logs("death"), "x", Duration::from_secs(20)).unwrap();
        assert_eq!(done.end, Some(End::Signal(libc::SIGSEGV)));
    }
}
