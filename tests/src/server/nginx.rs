//! nginx with a master and two workers.

use std::fs;
use std::time::Duration;

use anyhow::{Result, bail};
use nix::sys::signal::Signal;

use super::client::{QUESTIONS, ask};
use super::instance::{Server, free_port, is_root};
use crate::runner::compare::Observation;
use crate::runner::launch::{Launch, Pass};

pub fn run(pass: &Pass, limit: Duration) -> Result<Vec<Observation>> {
    let port = free_port()?;
    let user = if is_root() { "user www-data;" } else { "" };
    let work = pass.work.display();
    let config = format!(
        "{user}
worker_processes 2;
daemon off;
pid {work}/nginx.pid;
error_log {work}/error.log;
events {{ worker_connections 256; }}
http {{
    include /etc/nginx/mime.types;
    access_log {work}/access.log;
    sendfile on;
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root /usr/share/nginx/html;
        gzip on;
        location = /licence {{ default_type text/plain; alias /usr/share/common-licenses/GPL-3; }}
        location = /proxied {{ proxy_pass http://127.0.0.1:{port}/licence; }}
    }}
}}
"
    );
    fs::write(pass.work.join("nginx.conf"), config)?;
    let path = pass.work.join("nginx.conf").display().to_string();
    let log = pass.work.join("error.log").display().to_string();
    let server = Server::start(pass, &["nginx", "-e", &log, "-c", &path], port, limit)?;
    let mut seen = Vec::new();
    for question in QUESTIONS {
        seen.push(Observation::new(format!("answer to {question:?}"), ask(server.address(), question)?));
    }
    let question = "GET /proxied HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n";
    seen.push(Observation::new("proxied answer", ask(server.address(), question)?));
    server.load(&Launch::Native, "wrk", "/licence")?;
    server.load(&pass.launch, "wrk_beside", "/index.html")?;
    server.replace_workers(Signal::SIGHUP)?;
    server.load(&Launch::Native, "wrk_after_reload", "/licence")?;
    server.stop(0)?;
    let errors = fs::read_to_string(&log)?;
    if errors.contains("[alert]") || errors.contains("[emerg]") || errors.contains("[crit]") {
        bail!("error.log holds\n{errors}");
    }
    Ok(seen)
}
