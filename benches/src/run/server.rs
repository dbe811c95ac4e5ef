//! A server under a way and a client beside it: requests per second.

use std::fs::File;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result};

use super::launch::{Failure, Launcher, Side};
use super::output::{self, Sample};
use crate::base::cpus::CpuSet;
use crate::base::{process, programs};
use crate::rows::result::Unit;
use crate::suites::benchmark::Server;
use crate::suites::invocation::{Invocation, Output};

/// How long a client sends requests, in milliseconds.
const FULL_LOAD_MS: u64 = 1000;
const QUICK_LOAD_MS: u64 = 400;

/// How long a server may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How long it may take until it is gone.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// A directory that a server may read whoever it becomes, and that is gone afterwards.
#[derive(Debug)]
pub(super) struct Directory(PathBuf);

impl Directory {
    /// Makes it.
    ///
    /// # Errors
    /// It cannot be made.
    pub(super) fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("bt-bench-server-{}", std::process::id()));
        let name = || path.display().to_string();
        if path.exists() {
            std::fs::remove_dir_all(&path).with_context(name)?;
        }
        std::fs::create_dir_all(path.join("www")).with_context(name)?;
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).with_context(name)?;
        let mut file = File::create(path.join("www/page.html")).with_context(name)?;
        file.write_all(page().as_bytes()).with_context(name)?;
        // Apache marks the tag of a page that was changed in the last second, and so replies would differ in length.
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).with_context(name)?;
        Ok(Self(path))
    }

    /// Where it is.
    #[must_use]
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Four KiB, as a small page has them.
fn page() -> String {
    let mut text = String::from("<!doctype html><title>page</title><pre>\n");
    while text.len() < 4096 - 1 {
        text.push(if text.len() % 64 == 63 { '\n' } else { 'x' });
    }
    text.push('\n');
    text
}

/// A port that nobody has now.
///
/// # Errors
/// The kernel's.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

/// A server that runs; it is stopped when this is dropped, too.
struct Running {
    child: Child,
    stopped: bool,
}

impl Running {
    /// Starts `words` and waits until the port answers.
    ///
    /// # Errors
    /// It ends, does not answer in time, or the user stops it.
    fn start(words: &[std::ffi::OsString], directory: &Path, port: u16) -> Result<Self, Failure> {
        use std::os::unix::process::CommandExt as _;
        let errors = File::create(directory.join("stderr")).context("stderr")?;
        let (program, arguments) = words.split_first().context("no command")?;
        let child = Command::new(program)
            .args(arguments)
            .current_dir(directory)
            .env_clear()
            .env("PATH", programs::PATH)
            .env("HOME", directory)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(|error| Failure::Failed(format!("server: cannot start: {error}")))?;
        let mut running = Self { child, stopped: false };
        let deadline = Instant::now() + START_LIMIT;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        while TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_err() {
            if process::interrupted() {
                return Err(Failure::Interrupted);
            }
            if let Ok(Some(status)) = running.child.try_wait() {
                running.stopped = true;
                let said = std::fs::read_to_string(directory.join("stderr")).unwrap_or_default();
                let line = said.lines().next().unwrap_or_default();
                return Err(Failure::Failed(format!("server: {status}: {line}")));
            }
            if Instant::now() > deadline {
                return Err(Failure::Failed("server: no answer on its port".to_owned()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(running)
    }

    /// Asks it to end, and makes it end.
    ///
    /// # Errors
    /// It did not end by itself.
    fn stop(mut self) -> Result<(), Failure> {
        self.end()
    }

    fn end(&mut self) -> Result<(), Failure> {
        if self.stopped {
            return Ok(());
        }
        self.stopped = true;
        process::terminate(&self.child);
        let deadline = Instant::now() + STOP_LIMIT;
        let ended = loop {
            match self.child.try_wait() {
                Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
                Ok(None) => break Err(Failure::Failed(format!("server: not gone {STOP_LIMIT:?} after SIGTERM"))),
                Ok(Some(_)) => break Ok(()),
                Err(error) => break Err(Failure::Failed(format!("server: wait: {error}"))),
            }
        };
        // Its children are in the group that it led; what is left of them must not disturb what follows.
        process::kill_group(&self.child);
        let _ = self.child.wait();
        ended
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// A server whose program, client and CPUs are known.
#[derive(Debug)]
pub(super) struct PreparedServer {
    /// What it is asked.
    pub server: Server,
    /// The driver that asks.
    pub client: PathBuf,
    /// The server's program.
    pub program: PathBuf,
    /// The first one is the server's, the last one the client's.
    pub cpus: Vec<usize>,
    /// Where its files are.
    pub directory: Directory,
}

impl PreparedServer {
    fn client(&self, port: u16, quick: bool, scratch: &Path) -> Invocation {
        let Server { clients, request, reply, setup, .. } = self.server;
        let duration_ms = if quick { QUICK_LOAD_MS } else { FULL_LOAD_MS };
        let [port, clients, duration_ms] = [port.into(), clients, duration_ms].map(|number| number.to_string());
        let mut arguments = vec![port.as_str(), &clients, &duration_ms, request, reply];
        arguments.extend(setup.into_iter().flat_map(|(request, reply)| [request, reply]));
        Invocation { output: Output::File, ..Invocation::new(&self.client, &arguments, scratch) }
    }
}

/// Starts the server under a side, and the client natively beside it.
///
/// # Errors
/// One of them failed, or the user stopped it.
pub(super) fn requests_per_second(
    prepared: &PreparedServer,
    (launcher, side): (&Launcher, Side),
    native: &Launcher,
    quick: bool,
    limit: Duration,
) -> Result<Sample, Failure> {
    let confine = |cpu: Option<&usize>| -> Result<()> {
        let set = cpu.and_then(|&cpu| CpuSet::only(cpu)).context("no such CPU")?;
        set.confine().context("affinity")
    };
    let (port, directory) = (free_port()?, prepared.directory.path());
    let arguments = (prepared.server.configure)(directory, port)?;
    let command = Invocation { arguments, ..Invocation::new(&prepared.program, &[], directory) };
    confine(prepared.cpus.first())?;
    let running = Running::start(&launcher.words(side, &command), directory, port)?;
    confine(prepared.cpus.last())?;
    let client = prepared.client(port, quick, &native.scratch);
    let run = native.run(Side::Native, &client, Output::File, &[], limit)?;
    let sample = match run.status {
        0 => output::parse(&native.read_output(Side::Native)?, Unit::PerSecond),
        _ => Err(native.first_error_line(Side::Native).unwrap_or_else(|| "the client failed".to_owned())),
    };
    // A client that was let down says more than a server that does not end.
    let sample = sample.map_err(Failure::Failed)?;
    running.stop()?;
    Ok(sample)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_has_four_kib() {
        assert_eq!(page().len(), 4096);
    }

    #[test]
    fn server_that_ends_says_what_it_said_and_one_that_answers_is_stopped() {
        let directory = Directory::new().unwrap();
        let words = ["/bin/sh", "-c", "echo no such option >&2; exit 3"].map(Into::into);
        let port = free_port().unwrap();
        match Running::start(&words, directory.path(), port) {
            Err(Failure::Failed(reason)) => assert!(reason.contains("no such option"), "{reason}"),
            _ => panic!("it runs"),
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let words = ["/bin/sleep", "60"].map(Into::into);
        let running = Running::start(&words, directory.path(), port).map_err(|_| "does not start").unwrap();
        let start = Instant::now();
        assert!(running.stop().is_ok());
        assert!(start.elapsed() < STOP_LIMIT);
    }
}
