//! memcached with four threads under a client of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddrV4, TcpStream};
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use super::instance::{Server, free_port, is_root};
use crate::runner::compare::Observation;
use crate::runner::launch::Pass;

const CLIENTS: usize = 8;
const ROUNDS: usize = 1500;

pub fn run(pass: &Pass, limit: Duration) -> Result<Vec<Observation>> {
    let port = free_port()?;
    let text = port.to_string();
    let mut argv = vec!["memcached", "-l", "127.0.0.1", "-p", &text, "-t", "4", "-m", "64"];
    if is_root() {
        argv.extend(["-u", "nobody"]);
    }
    let server = Server::start(pass, &argv, port, limit)?;
    let mut seen = Vec::new();
    for command in [
        "set a 5 0 3\r\nabc\r\n",
        "get a b\r\n",
        "append a 0 0 2\r\nde\r\n",
        "gets a\r\n",
        "incr a 1\r\n",
        "nonsense\r\n",
        "delete a\r\n",
        "version\r\n",
    ] {
        let mut connection = Connection::open(server.address())?;
        connection.stream.write_all(command.as_bytes())?;
        connection.stream.write_all(b"quit\r\n")?;
        let mut answer = Vec::new();
        connection.reader.read_to_end(&mut answer)?;
        seen.push(Observation::new(format!("answer to {command:?}"), answer));
    }
    let address = server.address();
    std::thread::scope(|scope| -> Result<()> {
        let clients: Vec<_> = (0..CLIENTS).map(|id| scope.spawn(move || load(address, id))).collect();
        for client in clients {
            match client.join() {
                Ok(result) => result?,
                Err(_) => bail!("a client thread panicked"),
            }
        }
        Ok(())
    })?;
    server.stop(0)?;
    Ok(seen)
}

struct Connection {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Connection {
    fn open(address: SocketAddrV4) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { reader: BufReader::new(stream.try_clone()?), stream })
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.reader.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}

/// Sets and reads back values of growing size.
fn load(address: SocketAddrV4, id: usize) -> Result<()> {
    let mut connection = Connection::open(address)?;
    for round in 0..ROUNDS {
        let value = format!("{id}-{round}-").repeat(1 + round % 300);
        let key = format!("key{id}-{}", round % 100);
        connection.stream.write_all(format!("set {key} 0 0 {}\r\n{value}\r\nget {key}\r\n", value.len()).as_bytes())?;
        ensure!(connection.line()? == "STORED", "set failed");
        ensure!(connection.line()? == format!("VALUE {key} 0 {}", value.len()), "get failed");
        ensure!(connection.line()? == value, "another value came back");
        ensure!(connection.line()? == "END", "no end");
    }
    Ok(())
}
