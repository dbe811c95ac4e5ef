//! Servers of the distribution under load.

use std::path::Path;

use anyhow::Result;

use super::benchmark::{Benchmark, Server, Suite};

/// The suite, as the module describes it.
pub(super) const SUITE: Suite = Suite {
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
    for (name, program, configure) in
        [("nginx", "nginx", nginx as Configure), ("apache", "apache2", apache), ("lighttpd", "lighttpd", lighttpd)]
    {
        all.extend(of(name, about, program, configure, None, (PAGE, PAGE_REPLY)));
    }
    let setup = Some((redis_set, "+OK"));
    all.extend(of("redis-get", "GET of a short value", "redis-server", redis, setup, (GET, "$5")));
    all.extend(of("redis-set", "SET of a short value", "redis-server", redis, None, (redis_set, "+OK")));
    let setup = Some((MEMCACHED_SET, "STORED"));
    let about = "get of a value of 100 bytes";
    all.extend(of("memcached-get", about, "memcached", memcached, setup, (r"get key\r\n", "VALUE key")));
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
    CLIENTS.into_iter().map(move |clients| {
        Benchmark::server(name, about, Server { program, configure, setup, request, reply, clients })
    })
}

/// nginx with one worker.
///
/// # Errors
/// The file cannot be written.
pub(super) fn nginx(directory: &Path, port: u16) -> Result<Vec<String>> {
    let at = directory.display();
    let text = format!(
        "daemon off; worker_processes 1; user {}; pid {at}/pid; error_log stderr error;\n\
         events {{ worker_connections 1024; }}\n\
         http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; keepalive_timeout 600s;\n\
           client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/fastcgi;\n\
           uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;\n\
           server {{ listen 127.0.0.1:{port}; root {at}/www; }} }}\n",
        user()
    );
    std::fs::write(directory.join("nginx.conf"), text)?;
    Ok(["-p", &at.to_string(), "-e", "stderr", "-c", &format!("{at}/nginx.conf")].map(str::to_owned).to_vec())
}

/// Who a server becomes that root starts.
fn user() -> &'static str {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    if passwd.lines().any(|line| line.starts_with("www-data:")) { "www-data" } else { "nobody" }
}

/// lighttpd, which is one process.
///
/// # Errors
/// The file cannot be written.
pub(super) fn lighttpd(directory: &Path, port: u16) -> Result<Vec<String>> {
    let at = directory.display();
    let text = format!(
        "server.bind = \"127.0.0.1\"\nserver.port = {port}\nserver.document-root = \"{at}/www\"\n\
         server.max-keep-alive-requests = 0\nserver.max-keep-alive-idle = 600\nserver.max-connections = 1024\n\
         mimetype.assign = ( \".html\" => \"text/html\" )\n"
    );
    std::fs::write(directory.join("lighttpd.conf"), text)?;
    Ok(["-D", "-f", &format!("{at}/lighttpd.conf")].map(str::to_owned).to_vec())
}

/// Apache with its event module and one child. It has more threads than there are connections: when all are busy it
/// closes some that it was told to keep.
///
/// # Errors
/// The file cannot be written.
pub(super) fn apache(directory: &Path, port: u16) -> Result<Vec<String>> {
    let at = directory.display();
    let modules = "/usr/lib/apache2/modules";
    let user = user();
    let text = format!(
        "ServerRoot {at}\nServerName localhost\nListen 127.0.0.1:{port}\nPidFile {at}/pid\nErrorLog {at}/error.log\n\
         DefaultRuntimeDir {at}\nUser {user}\nGroup {user}\n\
         LoadModule mpm_event_module {modules}/mod_mpm_event.so\n\
         LoadModule authz_core_module {modules}/mod_authz_core.so\n\
         StartServers 1\nServerLimit 1\nThreadsPerChild 128\nThreadLimit 128\nMaxRequestWorkers 128\n\
         MinSpareThreads 1\nKeepAlive On\nMaxKeepAliveRequests 0\nKeepAliveTimeout 600\n\
         DocumentRoot {at}/www\n<Directory {at}/www>\n  Require all granted\n</Directory>\n"
    );
    std::fs::write(directory.join("apache.conf"), text)?;
    Ok(["-D", "FOREGROUND", "-f", &format!("{at}/apache.conf")].map(str::to_owned).to_vec())
}

/// redis without a file.
///
/// # Errors
/// None.
pub(super) fn redis(_directory: &Path, port: u16) -> Result<Vec<String>> {
    let line = format!("--port {port} --bind 127.0.0.1 --appendonly no --loglevel warning");
    let words = line.split(' ').map(str::to_owned);
    Ok(words.chain(["--save".to_owned(), String::new()]).collect())
}

/// memcached with one thread.
///
/// # Errors
/// None.
pub(super) fn memcached(_directory: &Path, port: u16) -> Result<Vec<String>> {
    let line = format!("-p {port} -l 127.0.0.1 -U 0 -t 1 -m 64 -c 1024 -R 1000000 -u {}", user());
    Ok(line.split(' ').map(str::to_owned).collect())
}
