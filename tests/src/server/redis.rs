//! redis-server with an append-only file, background saving (fork) and I/O threads.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::instance::{Server, free_port};
use crate::runner::compare::Observation;
use crate::runner::launch::{Launch, Pass};

const COMMANDS: &[&[&str]] = &[
    &["set", "key", "value"],
    &["get", "key"],
    &["incrby", "counter", "41"],
    &["lpush", "list", "a", "b", "c"],
    &["lrange", "list", "0", "-1"],
    &["zadd", "set", "1", "one", "2", "two"],
    &["zrange", "set", "0", "-1", "withscores"],
    &["eval", "local s = 0 for i = 1, 10000 do s = s + i end return {s, redis.call('get', KEYS[1])}", "1", "key"],
    &["no-such-command"],
    &["debug", "sleep", "0"],
    &["bgsave"],
];

pub fn run(pass: &Pass, limit: Duration) -> Result<Vec<Observation>> {
    let port = free_port()?;
    let text = port.to_string();
    let dir = pass.work.display().to_string();
    let arguments = [
        "redis-server",
        "--bind",
        "127.0.0.1",
        "--port",
        &text,
        "--dir",
        &dir,
        "--save",
        "",
        "--appendonly",
        "yes",
        "--io-threads",
        "2",
        "--daemonize",
        "no",
        "--enable-debug-command",
        "local",
    ];
    let server = Server::start(pass, &arguments, port, limit)?;
    let mut seen = Vec::new();
    for command in COMMANDS {
        let argv: Vec<&str> = ["redis-cli", "-p", &text].iter().chain(command.iter()).copied().collect();
        let answer = server.client(&Launch::Native, "redis-cli", &argv)?;
        seen.push(Observation::new(format!("answer to {command:?}"), answer));
    }
    wait_for_save(&server, &text, limit)?;
    let benchmark = [
        "redis-benchmark",
        "-p",
        &text,
        "-q",
        "-n",
        "4000",
        "-c",
        "16",
        "-t",
        "set,get,incr,lpush,lpop,sadd,hset,mset,lrange_100",
    ];
    server.client(&Launch::Native, "benchmark", &benchmark)?;
    server.client(&pass.launch, "benchmark_beside", &benchmark)?;
    server.client(&Launch::Native, "rewrite", &["redis-cli", "-p", &text, "bgrewriteaof"])?;
    let errors = server.client(&Launch::Native, "errors", &["redis-cli", "-p", &text, "info", "stats"])?;
    // The one unknown command above.
    if !errors.contains("unexpected_error_replies:0") || !errors.contains("total_error_replies:1\r") {
        bail!("commands failed\n{errors}");
    }
    server.stop(0)?;

    // What was written is there again after a restart.
    let server = Server::start(pass, &arguments, port, limit)?;
    let deadline = Instant::now() + limit;
    loop {
        let answer = server.client(&Launch::Native, "redis-cli", &["redis-cli", "-p", &text, "get", "counter"])?;
        if !answer.contains("LOADING") {
            seen.push(Observation::new("counter after a restart", answer));
            break;
        }
        if Instant::now() > deadline {
            bail!("the server does not finish loading");
        }
    }
    server.stop(0)?;
    Ok(seen)
}

/// The child that saves ends well.
fn wait_for_save(server: &Server<'_>, port: &str, limit: Duration) -> Result<()> {
    let deadline = Instant::now() + limit;
    loop {
        let info = server.client(&Launch::Native, "redis-cli", &["redis-cli", "-p", port, "info", "persistence"])?;
        if info.contains("rdb_bgsave_in_progress:0") {
            if info.contains("rdb_last_bgsave_status:ok") && server.pass.work.join("dump.rdb").exists() {
                return Ok(());
            }
            bail!("the background save failed\n{info}");
        }
        if Instant::now() > deadline {
            bail!("the background save does not end");
        }
    }
}
