//! Servers of the distribution: that they start in this machine and answer, without the module.

use std::fs;
use std::net::TcpStream;
use std::process::Command;

use anyhow::{Result, bail};
use bt_tests::runner::process::fix_environment;
use nix::sys::signal::Signal;

use crate::case::need;
use crate::command::{Bench, expect_success};
use crate::limits;
use crate::server::Server;

const PORT: u16 = 7000;

/// A configuration of nginx that needs no file besides itself.
const NGINX: &str = "daemon off; master_process off; error_log stderr; pid nginx.pid;
events {}
http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server { listen 127.0.0.1:7000; location / { return 200 hello; } }
}
";

/// nginx and redis-server answer a client and end when they are asked to.
pub fn run_natively(bench: &Bench) -> Result<()> {
    need("nginx")?;
    need("redis-server")?;
    need("redis-cli")?;

    fs::write(bench.work.join("nginx.conf"), NGINX)?;
    let mut nginx = Command::new("nginx");
    nginx.arg("-p").arg(&bench.work).args(["-e", "stderr", "-c", "nginx.conf"]);
    let server = start(bench, &mut nginx)?;
    let page = bench.native("page", &["busybox", "wget", "-q", "-O", "-", "http://127.0.0.1:7000/"])?;
    expect_success("wget", &page)?;
    if page.stdout != b"hello" {
        bail!("nginx answers {:?}", String::from_utf8_lossy(&page.stdout));
    }
    server.stop(Signal::SIGTERM, limits::WAIT)?;

    let mut redis = Command::new("redis-server");
    redis.args(["--port", "7000", "--save", "", "--daemonize", "no"]);
    let server = start(bench, &mut redis)?;
    let answer = bench.native("ping", &["redis-cli", "-p", "7000", "ping"])?;
    expect_success("redis-cli", &answer)?;
    server.stop(Signal::SIGTERM, limits::WAIT)?;
    if TcpStream::connect(("127.0.0.1", PORT)).is_ok() {
        bail!("port {PORT} still answers");
    }
    Ok(())
}

fn start(bench: &Bench, command: &mut Command) -> Result<Server> {
    command.current_dir(&bench.work);
    fix_environment(command, &bench.work);
    Server::start(command, PORT, limits::WAIT)
}
