//! A server under test.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;

use super::client;
use crate::runner::compare::tail;
use crate::runner::launch::{Launch, Pass};
use crate::runner::process::{self, End, Session};

/// A server under test.
#[derive(Debug)]
pub struct Server<'pass> {
    /// The pass.
    pub pass: &'pass Pass,
    session: Session,
    port: u16,
    limit: Duration,
}

/// A port that was free a moment ago.
pub fn free_port() -> Result<u16> {
    let [port] = free_ports()?;
    Ok(port)
}

/// Different ports that were free a moment ago.
pub fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut held = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

impl<'pass> Server<'pass> {
    /// Starts `argv` and waits until `port` accepts connections.
    pub fn start(pass: &'pass Pass, argv: &[&str], port: u16, limit: Duration) -> Result<Self> {
        let argv: Vec<String> = argv.iter().map(|&word| word.to_owned()).collect();
        let mut command = pass.launch.command(&argv, &pass.work, &pass.record("server"));
        command
            .stdin(Stdio::null())
            .stdout(File::create(pass.logs.join("server.stdout"))?)
            .stderr(File::create(pass.logs.join("server.stderr"))?);
        let mut server = Self { pass, session: Session::start(&mut command)?, port, limit };
        let deadline = Instant::now() + limit;
        while TcpStream::connect(server.address()).is_err() {
            if let Some(status) = server.session.wait(Duration::from_millis(20))? {
                bail!("the server ended at once: {status}\n{}", server.output());
            }
            if Instant::now() > deadline {
                bail!("the server accepts no connection within {} s\n{}", limit.as_secs(), server.output());
            }
        }
        Ok(server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, self.port)
    }

    /// A page of it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// The last lines that it wrote.
    pub fn output(&self) -> String {
        ["server.stdout", "server.stderr"]
            .iter()
            .map(|name| tail(&fs::read(self.pass.logs.join(name)).unwrap_or_default(), 20))
            .collect()
    }

    /// Runs a client to its end, natively or as the server is run; its output.
    pub fn client(&self, launch: &Launch, label: &str, argv: &[&str]) -> Result<String> {
        let argv: Vec<String> = argv.iter().map(|&word| word.to_owned()).collect();
        let mut command = launch.command(&argv, &self.pass.work, &self.pass.record(label));
        let done = process::run(&mut command, None, &self.pass.logs, label, self.limit)?;
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        if done.end != Some(End::Exit(0)) {
            bail!("{} ended with {:?}\n{}{}", argv.join(" "), done.end, tail(&done.stdout, 20), tail(&done.stderr, 20));
        }
        Ok(text)
    }

    /// Loads the server with wrk; no request may fail.
    pub fn load(&self, launch: &Launch, label: &str, path: &str) -> Result<()> {
        let text = self.client(
            launch,
            label,
            &["wrk", "-t", "1", "-c", "16", "-d", "2s", "--timeout", "20s", &self.url(path)],
        )?;
        let requests = text
            .lines()
            .find_map(|line| line.trim().split_once(" requests in")?.0.parse::<u64>().ok())
            .context("wrk told no number of requests")?;
        if requests == 0 || text.contains("Non-2xx") || text.contains("Socket errors") {
            bail!("requests failed\n{text}");
        }
        Ok(())
    }

    /// Asks the master by `signal` to replace its workers, and asks until the old ones are gone:
    /// nobody is refused meanwhile.
    pub fn replace_workers(&self, signal: Signal) -> Result<()> {
        let master = self.session.pid();
        let old = children(master)?;
        if old.is_empty() {
            bail!("the server has no workers");
        }
        self.session.signal(signal)?;
        let deadline = Instant::now() + self.limit;
        loop {
            let question = client::QUESTIONS.first().copied().unwrap_or_default();
            client::ask(self.address(), question).context("while workers are replaced")?;
            let now = children(master)?;
            if !now.is_empty() && !old.iter().any(|pid| now.contains(pid)) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("old workers {old:?} do not end, there are {now:?}\n{}", self.output());
            }
        }
    }

    /// Sends SIGTERM; the server must end by itself with this exit code.
    pub fn stop(mut self, code: i32) -> Result<()> {
        self.session.signal(Signal::SIGTERM)?;
        match self.session.wait(self.limit)? {
            None => bail!("the server did not stop within {} s of SIGTERM\n{}", self.limit.as_secs(), self.output()),
            Some(status) if process::end_of(status) != End::Exit(code) => {
                bail!("the server ended with {status}, not with exit code {code}\n{}", self.output())
            }
            Some(_) => {}
        }
        if TcpStream::connect(self.address()).is_ok() {
            bail!("something still accepts connections after the server stopped");
        }
        Ok(())
    }
}

/// Children of a process.
fn children(pid: i32) -> Result<Vec<i32>> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    Ok(text.split_whitespace().filter_map(|word| word.parse().ok()).collect())
}

/// Whether the tests run as root: then servers are told which user to become.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
