//! postgres with pgbench, and a restart.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::instance::{Server, free_port, is_root};
use crate::runner::compare::Observation;
use crate::runner::launch::{Launch, Pass};

const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
/// It refuses to run as root; files that it makes belong to the tests' user all the same.
const AS_A_USER: [&str; 4] = ["unshare", "--user", "--map-user=postgres", "--map-group=postgres"];

const QUESTIONS: &[&str] = &[
    "create table t (n int primary key, s text)",
    "insert into t select n, md5(n::text) from generate_series(1, 20000) n",
    "select count(*), min(s), max(s) from t where n % 7 = 0",
    "select sum(a.n) from t a join t b on a.n = b.n + 1",
    "create index on t (s); vacuum analyze t",
    "select n / 0 from t",
    "select balance from (select sum(abalance) - (select sum(bbalance) from pgbench_branches) as balance \
     from pgbench_accounts) b",
];

pub fn run(pass: &Pass, limit: Duration) -> Result<Vec<Observation>> {
    let port = free_port()?;
    let text = port.to_string();
    let data = pass.work.join("data").display().to_string();
    let user: &[&str] = if is_root() { &AS_A_USER } else { &[] };
    let program = |name: &str| format!("{PROGRAMS}/{name}");
    let initdb = program("initdb");
    let made = [&initdb, "-D", &data, "-U", "tester", "-A", "trust", "-N", "--locale=C"];
    let argv: Vec<String> = user.iter().chain(&made).map(|&word| word.to_owned()).collect();
    let mut command = pass.launch.command(&argv, &pass.work, &pass.record("initdb"));
    let output = command.output()?;
    ensure!(output.status.success(), "initdb failed: {}", String::from_utf8_lossy(&output.stderr));

    let postgres = program("postgres");
    let started = [
        &postgres,
        "-D",
        &data,
        "-h",
        "127.0.0.1",
        "-p",
        &text,
        "-k",
        "",
        "-c",
        "fsync=off",
        "-c",
        "shared_buffers=16MB",
    ];
    let argv: Vec<&str> = user.iter().chain(&started).copied().collect();
    let server = Server::start(pass, &argv, port, limit)?;
    let (psql, pgbench) = (program("psql"), program("pgbench"));
    let there = ["-h", "127.0.0.1", "-p", &text, "-U", "tester"];
    let client = |server: &Server<'_>, launch: &Launch, label: &str, argv: &[&str]| -> Result<String> {
        let (name, rest) = argv.split_first().unwrap_or((&"", &[]));
        let argv: Vec<&str> = [*name].into_iter().chain(there).chain(rest.iter().copied()).collect();
        server.client(launch, label, &argv)
    };
    wait_until_ready(&server, &text, limit)?;
    client(&server, &Launch::Native, "fill", &[&pgbench, "-i", "-q", "-s", "1", "postgres"])?;
    for (launch, label) in [(&Launch::Native, "pgbench"), (&pass.launch, "pgbench_beside")] {
        let told = client(&server, launch, label, &[&pgbench, "-c", "4", "-j", "2", "-t", "200", "-n", "postgres"])?;
        if !told.contains("number of transactions actually processed: 800/800")
            || !told.contains("failed transactions: 0 ")
        {
            bail!("transactions failed\n{told}");
        }
    }
    let mut seen = Vec::new();
    for question in QUESTIONS {
        // An error is an answer, too.
        let asked = format!("{psql} -h 127.0.0.1 -p {text} -U tester -At -c \"{question}\" postgres 2>&1 || true");
        let answer = server.client(&Launch::Native, "psql", &["sh", "-c", &asked])?;
        seen.push(Observation::new(*question, answer));
    }
    server.stop(0)?;

    let server = Server::start(pass, &argv, port, limit)?;
    wait_until_ready(&server, &text, limit)?;
    let answer = client(&server, &Launch::Native, "psql", &[&psql, "-At", "-c", "select count(*) from t", "postgres"])?;
    seen.push(Observation::new("rows after a restart", answer));
    let log = server.output();
    ensure!(!log.contains("PANIC") && !log.contains("terminated by signal"), "the log ends\n{log}");
    server.stop(0)?;
    Ok(seen)
}

/// It accepts connections before it answers.
fn wait_until_ready(server: &Server<'_>, port: &str, limit: Duration) -> Result<()> {
    let deadline = Instant::now() + limit;
    let asked = format!("{PROGRAMS}/pg_isready -q -h 127.0.0.1 -p {port}; echo $?");
    while server.client(&Launch::Native, "pg_isready", &["sh", "-c", &asked])?.trim() != "0" {
        ensure!(Instant::now() < deadline, "the server does not get ready");
    }
    Ok(())
}
