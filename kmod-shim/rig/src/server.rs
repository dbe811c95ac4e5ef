//! Servers as guests: starts one and waits until its port answers.

use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use bt_tests::runner::process::Session;
use nix::sys::signal::Signal;

/// A server that is killed, with everything it started, when dropped.
#[derive(Debug)]
pub struct Server {
    session: Session,
}

impl Server {
    /// Starts `command` in the foreground and waits until `port` of the loopback interface accepts.
    pub fn start(command: &mut Command, port: u16, limit: Duration) -> Result<Self> {
        let mut session = Session::start(command.stdin(Stdio::null()))?;
        let deadline = Instant::now() + limit;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = session.wait(Duration::from_millis(20))? {
                bail!("the server ended before it answered: {status}");
            }
            if Instant::now() >= deadline {
                bail!("port {port} did not answer within {} s", limit.as_secs());
            }
        }
        Ok(Self { session })
    }

    /// Asks the server to end with `signal` and waits for it.
    pub fn stop(mut self, signal: Signal, limit: Duration) -> Result<()> {
        self.session.signal(signal)?;
        match self.session.wait(limit)? {
            Some(_) => Ok(()),
            None => bail!("the server did not end within {} s of {signal}", limit.as_secs()),
        }
    }
}

/// Waits until `condition` holds.
pub fn wait_until(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) -> Result<()> {
    let deadline = Instant::now() + limit;
    while !condition() {
        if Instant::now() >= deadline {
            bail!("{what}: not within {} s", limit.as_secs());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
