//! apache2 with the event module: processes of many threads.

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
    let work = pass.work.display();
    let user = if is_root() { "User www-data\nGroup www-data" } else { "" };
    let config = format!(
        "ServerName test
ServerRoot {work}
DefaultRuntimeDir {work}
PidFile {work}/apache.pid
ErrorLog {work}/error.log
Listen 127.0.0.1:{port}
{user}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule mime_module /usr/lib/apache2/modules/mod_mime.so
LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so
LoadModule deflate_module /usr/lib/apache2/modules/mod_deflate.so
LoadModule filter_module /usr/lib/apache2/modules/mod_filter.so
TypesConfig /etc/mime.types
# More threads in a child than connections: a child whose threads are all busy closes idle ones.
StartServers 2
ThreadsPerChild 32
MaxRequestWorkers 64
MinSpareThreads 1
ServerLimit 2
MaxSpareThreads 1000
MaxKeepAliveRequests 0
KeepAliveTimeout 60
DocumentRoot /usr/share/apache2/default-site
Alias /licence /usr/share/common-licenses/GPL-3
<Directory /usr/share>
    Require all granted
</Directory>
"
    );
    fs::write(pass.work.join("apache.conf"), config)?;
    let path = pass.work.join("apache.conf").display().to_string();
    let server = Server::start(pass, &["apache2", "-DFOREGROUND", "-f", &path], port, limit)?;
    let mut seen = Vec::new();
    for question in QUESTIONS {
        seen.push(Observation::new(format!("answer to {question:?}"), ask(server.address(), question)?));
    }
    server.load(&Launch::Native, "wrk", "/licence")?;
    server.load(&pass.launch, "wrk_beside", "/index.html")?;
    server.replace_workers(Signal::SIGUSR1)?;
    // Apache itself drops kept-alive connections for a while after a graceful restart, which wrk
    // would count: each of these is a connection of its own.
    for _ in 0..100 {
        for question in QUESTIONS {
            ask(server.address(), question)?;
        }
    }
    // Read before the stop: then children that are in a request may be killed by force.
    let errors = fs::read_to_string(pass.work.join("error.log"))?;
    if errors.contains("exit signal") || errors.contains(":emerg]") || errors.contains(":alert]") {
        bail!("error.log holds\n{errors}");
    }
    server.stop(0)?;
    Ok(seen)
}
