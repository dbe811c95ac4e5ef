//! Unmodified programs in ring 0: they do what they do natively, and make most of their calls there.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use bt_tests::runner::process::fix_environment;
use nix::sys::signal::Signal;

use super::ring0::{Use, c_program, compare, compare_hot, expect_same_files, print_leaves, silently};
use crate::case::need;
use crate::command::{Bench, EngineRun, RING0, events, expect_success};
use crate::limits;
use crate::module;
use crate::server::Server;

/// System calls in a loop, with nothing in between.
pub fn loops_are_hot(bench: &Bench) -> Result<()> {
    let calls = c_program("calls");
    for what in ["getppid", "syscall", "read-write"] {
        compare_hot(bench, what, &[&calls, what, "20000"])?;
    }
    Ok(())
}

/// Calls of different numbers by the same instruction, as syscall(2) of the C library makes them.
pub fn mixed_calls_are_hot(bench: &Bench) -> Result<()> {
    compare_hot(bench, "mixed", &[&c_program("calls"), "mixed", "5000"])
}

/// dd(1) reads and writes single bytes.
pub fn dd_bytes_is_hot(bench: &Bench) -> Result<()> {
    compare_hot(bench, "dd", &["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=20000", "status=none"])
}

/// dd(1) copies a file in blocks, and the copy is the same.
pub fn dd_copies_a_file(bench: &Bench) -> Result<()> {
    let source = bench.work.join("source");
    let bytes: Vec<u8> = (0..4_000_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    fs::write(&source, bytes)?;
    compare_hot(bench, "dd", &["dd", "if=source", "of=copy", "bs=512", "status=none"])?;
    // The native copy was written before, to the same file: this one is that of ring 0.
    expect_same_files(&source, &bench.work.join("copy"))
}

/// cat(1) of a file with thousands of reads.
pub fn cat_is_hot(bench: &Bench) -> Result<()> {
    // Sparse: 128 KiB for each of some 4000 calls, without the memory.
    File::create(bench.work.join("large"))?.set_len(256 << 20)?;
    let run = cat_large(bench)?;
    Use::of(&run).expect_hot("cat")
}

fn cat_large(bench: &Bench) -> Result<EngineRun> {
    module::ensure_loaded()?;
    let mut command = bench.under(RING0, "cat", &["cat", "large"]);
    let mut command_line = Command::new("/bin/busybox");
    // bt-run's standard output has to be /dev/null: a file would take the memory.
    command_line.args(["sh", "-c", "exec \"$@\" >/dev/null", "sh"]).arg(command.get_program()).args(command.get_args());
    command = command_line;
    let finished = bench.run("cat", &mut command)?;
    expect_success("cat", &finished)?;
    let file = bench.logs.join("cat.stats");
    let run = EngineRun { finished, stats: bt_tests::stats::Stats::read(&file)?, events: events(&file)? };
    print_leaves("cat", &run);
    Ok(run)
}

/// sqlite3(1) makes thousands of point selects of a database in a file.
pub fn sqlite_selects(bench: &Bench) -> Result<()> {
    need("sqlite3")?;
    let make = "create table t(k integer primary key, v text);
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000)
        insert into t select i, hex(i * 7919) from n;";
    expect_success("create", &bench.native("create", &["sqlite3", "db", make])?)?;
    let mut selects = String::new();
    for n in 0..3000_u32 {
        writeln!(selects, "select v from t where k = {};", 1 + n * 37 % 2000)?;
    }
    fs::write(bench.work.join("selects.sql"), selects)?;
    compare_hot(bench, "selects", &["sqlite3", "db", ".read selects.sql"])
}

/// Signals in loops of calls.
pub fn signals_are_handled(bench: &Bench) -> Result<()> {
    silently(|| compare_hot(bench, "signals", &[&c_program("signals"), "3000"]))
}

/// Threads that make calls and wait for each other.
pub fn threads_are_hot(bench: &Bench) -> Result<()> {
    silently(|| compare_hot(bench, "threads", &[&c_program("threads"), "1500"]))
}

/// Shells and filters: short programs, forks, pipes.
pub fn shell_scripts_run(bench: &Bench) -> Result<()> {
    let script = "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i + 1)); done | sed s/line/row/ | sort -k2 -n | md5sum;
        for n in 1 2 3 4 5; do busybox seq 1 2000 | wc -l; done; busybox seq 1 3000 | while read n; do :; done; echo $n";
    compare(bench, "dash", &["dash", "-c", script])?;
    compare(bench, "bash", &["bash", "-c", script])?;
    Ok(())
}

const PORT: u16 = 7000;
const REQUESTS: usize = 1500;

/// A configuration of nginx with one file; the master process starts a worker.
const NGINX: &str = "daemon off; worker_processes 1; user root; error_log stderr; pid nginx.pid;
events {}
http {
    access_log off; open_file_cache max=16;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server { listen 127.0.0.1:7000; root html; tcp_nodelay on; keepalive_requests 100000; }
}
";

/// nginx with a worker answers hundreds of requests as it does natively.
pub fn nginx_answers(bench: &Bench) -> Result<()> {
    need("nginx")?;
    module::ensure_loaded()?;
    fs::create_dir_all(bench.work.join("html"))?;
    fs::write(bench.work.join("html/page"), "a page\n".repeat(500))?;
    fs::write(bench.work.join("nginx.conf"), NGINX)?;
    let directory = bench.work.to_string_lossy().into_owned();
    let argv = ["nginx", "-p", &directory, "-e", "stderr", "-c", "nginx.conf"];
    let mut native = Command::new(argv[0]);
    native.args(&argv[1..]);
    let wanted = serve(bench, &mut native)?;
    let found = serve(bench, &mut bench.under(RING0, "nginx", &argv))?;
    if wanted != found {
        bail!("answers differ: natively {} bytes, in ring 0 {}", wanted.len(), found.len());
    }
    server_use(bench, "nginx")?.expect_hot("nginx")
}

/// Statistics of servers: an end event has to be there.
fn server_use(bench: &Bench, label: &str) -> Result<Use> {
    let file = bench.logs.join(format!("{label}.stats"));
    let finished = bt_tests::runner::process::Finished { end: None, stdout: Vec::new(), stderr: Vec::new() };
    let run = EngineRun { finished, stats: bt_tests::stats::Stats::read(&file)?, events: events(&file)? };
    print_leaves(label, &run);
    Ok(Use::of(&run))
}

/// Starts a server and returns what it answers, without the dates.
fn serve(bench: &Bench, command: &mut Command) -> Result<Vec<u8>> {
    command.current_dir(&bench.work).stdout(Stdio::null());
    fix_environment(command, &bench.work);
    let server = Server::start(command, PORT, limits::WAIT)?;
    let mut client = TcpStream::connect(("127.0.0.1", PORT)).context("connect")?;
    client.set_read_timeout(Some(limits::WAIT))?;
    client.set_nodelay(true)?;
    let mut answers = Vec::new();
    for n in 0..REQUESTS {
        let path = if n % 50 == 49 { "missing" } else { "page" };
        client.write_all(format!("GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())?;
        answers.extend(answer(&mut client).with_context(|| format!("request {n}"))?);
    }
    drop(client);
    server.stop(Signal::SIGTERM, limits::WAIT)?;
    Ok(answers)
}

/// Reads one answer, by its Content-Length.
fn answer(client: &mut TcpStream) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length: usize = head
                .lines()
                .find_map(|line| line.strip_prefix("Content-Length: "))
                .context("no Content-Length")?
                .parse()?;
            if body.len() >= length {
                let kept = head.lines().filter(|line| !line.starts_with("Date: ") && !line.starts_with("Last-"));
                let lines: Vec<&str> = kept.collect();
                return Ok([lines.join("\n").as_bytes(), body.as_bytes()].concat());
            }
        }
        match client.read(&mut buffer)? {
            0 => bail!("the connection ended"),
            n => bytes.extend_from_slice(&buffer[..n]),
        }
    }
}

/// busybox httpd(8) forks for each connection.
pub fn httpd_answers(bench: &Bench) -> Result<()> {
    module::ensure_loaded()?;
    fs::write(bench.work.join("page"), "a page\n".repeat(40_000))?;
    let argv = ["/bin/busybox", "httpd", "-f", "-p", "127.0.0.1:7000", "-h", "."];
    let mut command = bench.under(RING0, "httpd", &argv);
    command.current_dir(&bench.work);
    fix_environment(&mut command, &bench.work);
    let server = Server::start(&mut command, PORT, limits::WAIT)?;
    let wanted = fs::read(bench.work.join("page"))?;
    for n in 0..20 {
        let page = bench.native("page", &["/bin/busybox", "wget", "-q", "-O", "-", "http://127.0.0.1:7000/page"])?;
        expect_success("wget", &page)?;
        if page.stdout != wanted {
            bail!("answer {n} is {} bytes, not {}", page.stdout.len(), wanted.len());
        }
    }
    server.stop(Signal::SIGTERM, limits::WAIT)
}

/// redis-server under redis-benchmark.
pub fn redis_answers(bench: &Bench) -> Result<()> {
    need("redis-server")?;
    need("redis-benchmark")?;
    module::ensure_loaded()?;
    let argv = ["redis-server", "--port", "7000", "--save", "", "--daemonize", "no"];
    let mut command = bench.under(RING0, "redis", &argv);
    command.current_dir(&bench.work).stdout(Stdio::null());
    fix_environment(&mut command, &bench.work);
    let server = Server::start(&mut command, PORT, limits::WAIT)?;
    let load = ["redis-benchmark", "-p", "7000", "-n", "2000", "-c", "4", "-q", "-t", "set,get,incr"];
    expect_success("redis-benchmark", &bench.native("load", &load)?)?;
    let count = bench.native("count", &["redis-cli", "-p", "7000", "get", "counter:__rand_int__"])?;
    if count.stdout != b"2000\n" {
        bail!("the counter is {:?}", String::from_utf8_lossy(&count.stdout));
    }
    server.stop(Signal::SIGTERM, limits::WAIT)?;
    server_use(bench, "redis")?.expect_hot("redis")
}
