//! haproxy with two threads before a backend of nginx's.

use std::fs;
use std::time::Duration;

use anyhow::Result;

use super::client::{QUESTIONS, ask};
use super::instance::{Server, free_ports};
use crate::runner::compare::Observation;
use crate::runner::launch::{Launch, Pass};

pub fn run(pass: &Pass, limit: Duration) -> Result<Vec<Observation>> {
    let [front, back] = free_ports()?;
    let work = pass.work.display().to_string();
    let config = format!(
        "daemon off;
error_log {work}/backend.log;
pid {work}/backend.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    server {{
        listen 127.0.0.1:{back};
        root /usr/share/nginx/html;
        location = /licence {{ default_type text/plain; alias /usr/share/common-licenses/GPL-3; }}
    }}
}}
"
    );
    let (file, log) = (format!("{work}/backend.conf"), format!("{work}/backend.log"));
    fs::write(&file, config)?;
    let native = Pass { launch: Launch::Native, work: pass.work.clone(), logs: pass.logs.join("backend") };
    fs::create_dir_all(&native.logs)?;
    let backend = Server::start(&native, &["nginx", "-e", &log, "-c", &file], back, limit)?;

    let config = format!(
        "global
    nbthread 2
    maxconn 200
defaults
    mode http
    timeout connect 20s
    timeout client 20s
    timeout server 20s
frontend front
    bind 127.0.0.1:{front}
    acl is_status path /status
    http-request return status 200 content-type text/plain string \"up\\n\" if is_status
    default_backend back
backend back
    balance roundrobin
    http-response set-header X-Proxied yes
    server one 127.0.0.1:{back} check inter 100ms
    server two 127.0.0.1:{back} check inter 100ms
"
    );
    let file = format!("{work}/haproxy.cfg");
    fs::write(&file, config)?;
    let server = Server::start(pass, &["haproxy", "-W", "-db", "-f", &file], front, limit)?;
    let mut seen = Vec::new();
    let own = "GET /status HTTP/1.0\r\n\r\n";
    for question in QUESTIONS.iter().chain([&own]) {
        seen.push(Observation::new(format!("answer to {question:?}"), ask(server.address(), question)?));
    }
    server.load(&Launch::Native, "wrk", "/licence")?;
    server.load(&pass.launch, "wrk_beside", "/status")?;
    server.stop(0)?;
    backend.stop(0)?;
    Ok(seen)
}
