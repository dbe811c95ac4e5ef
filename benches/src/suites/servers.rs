//! Servers of the distribution under load.

use std::path::Path;

use anyhow::Result;

use crate::result::Unit;
use crate::run::benchmark::{Benchmark, Others, Place, Suite, Work, scaled};
use crate::run::server::{self, Server};

/// See the module.
pub const SUITE: Suite = Suite {
    name: "servers",
    about: "requests per second of servers of the distribution, each with one worker; the client runs natively",
    benchmarks,
};

type Configure = fn(&Path, u16) -> Result<Vec<String>>;

/// How many connections stay open; the web server under different loads is in suite vmware.
const CLIENTS: [u64; 2] = [1, 64];

const PAGE: &str = r"GET /page.html HTTP/1.1\r\nHost: localhost\r\n\r\n";
const PAGE_REPLY: &str = r"HTTP/1.1 200 OK";

fn benchmarks() -> Vec<Benchmark> {
    let redis_set = r"SET key value\r\n";
    let mut all = Vec::new();
    let about = "a page of 4 KiB over connections that stay open";
    for (name, program, configure) in [
        ("nginx", "nginx", server::nginx as Configure),
        ("apache", "apache2", server::apache),
        ("lighttpd", "lighttpd", server::lighttpd),
    ] {
        all.extend(of(name, about, program, configure, None, (PAGE, PAGE_REPLY)));
    }
    let setup = Some((redis_set, "+OK"));
    all.extend(of("redis-get", "GET of a short value", "redis-server", server::redis, setup, (GET, "$5")));
    all.extend(of("redis-set", "SET of a short value", "redis-server", server::redis, None, (redis_set, "+OK")));
    let setup = Some((MEMCACHED_SET, "STORED"));
    let about = "get of a value of 100 bytes";
    all.extend(of("memcached-get", about, "memcached", server::memcached, setup, (r"get key\r\n", "VALUE key")));
    all
}

const GET: &str = r"*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n";
const MEMCACHED_SET: &str = concat!(
    r"set key 0 0 100\r\n",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    r"\r\n"
);

fn of(
    name: &'static str,
    about: &'static str,
    program: &'static str,
    configure: Configure,
    setup: Option<(&'static str, &'static str)>,
    (request, reply): (&'static str, &'static str),
) -> impl Iterator<Item = Benchmark> {
    CLIENTS.into_iter().map(move |clients| Benchmark {
        name,
        about,
        params: vec![("clients", clients)],
        unit: Unit::PerSecond,
        place: Place::Two,
        rounds: scaled(5, 2),
        expected_ms: scaled(1_600, 900),
        work: Work::Server(Server { program, configure, setup, request, reply, clients }),
        others: Others::No,
        notes: &["the server on the first of the pinned CPUs, the client natively on the second"],
    })
}
