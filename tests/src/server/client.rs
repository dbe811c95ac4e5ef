//! A plain HTTP/1.1 client for the fixed questions.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddrV4, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Sends one request and returns the whole answer, without the lines that hold the time.
pub fn ask(address: SocketAddrV4, request: &str) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).context("connect")?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).context("answer")?;
    let lines = answer.split_inclusive(|&byte| byte == b'\n');
    Ok(lines.filter(|line| !line.to_ascii_lowercase().starts_with(b"date:")).collect::<Vec<_>>().concat())
}

/// The questions that every web server is asked.
pub const QUESTIONS: &[&str] = &[
    "GET /index.html HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
    "GET /licence HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
    "GET /licence HTTP/1.1\r\nHost: test\r\nRange: bytes=100-299\r\nConnection: close\r\n\r\n",
    "HEAD /licence HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
    "GET /missing HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
    "GET /licence HTTP/1.1\r\nHost: test\r\n\r\nGET /index.html HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
    "NONSENSE\r\n\r\n",
];
