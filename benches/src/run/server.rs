//! A server under a way and a client beside it: requests per second.

use std::fs::File;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result};

use crate::launch::Failure;
use crate::os;
use crate::programs;

/// The driver that makes the requests.
pub const CLIENT: &str = "load";

/// How long a server may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How long it may take until it is gone.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// A server of the distribution, and what it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Server {
    /// As [`programs::find`] takes it.
    pub program: &'static str,
    /// Writes its configuration into a folder of its own, and tells its arguments.
    pub configure: fn(&Path, u16) -> Result<Vec<String>>,
    /// Sent once before the measurement, with the beginning of its reply.
    pub setup: Option<(&'static str, &'static str)>,
    /// Sent again and again; `\r` and `\n` stand for themselves.
    pub request: &'static str,
    /// How each reply begins.
    pub reply: &'static str,
    /// Connections that stay open, each with one request under way.
    pub clients: u64,
}

/// A folder that a server may read whoever it becomes, and that is gone afterwards.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes it.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("bt-bench-server-{}", std::process::id()));
        let name = || path.display().to_string();
        if path.exists() {
            std::fs::remove_dir_all(&path).with_context(name)?;
        }
        std::fs::create_dir_all(path.join("www")).with_context(name)?;
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).with_context(name)?;
        let mut file = File::create(path.join("www/page.html")).with_context(name)?;
        file.write_all(page().as_bytes()).with_context(name)?;
        // Apache marks the tag of a page that was changed in the last second, and so replies would differ in length.
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).with_context(name)?;
        Ok(Self(path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Four KiB, as a small page has them.
fn page() -> String {
    let mut text = String::from("<!doctype html><title>page</title><pre>\n");
    while text.len() < 4096 - 1 {
        text.push(if text.len() % 64 == 63 { '\n' } else { 'x' });
    }
    text.push('\n');
    text
}

/// A port that nobody has now.
///
/// # Errors
/// The kernel's.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

/// A server that runs; it is stopped when this is dropped, too.
pub struct Running {
    child: Child,
    stopped: bool,
}

impl Running {
    /// Starts `words` and waits until the port answers.
    ///
    /// # Errors
    /// It ends, does not answer in time, or the user stops it.
    pub fn start(words: &[std::ffi::OsString], folder: &Path, port: u16) -> Result<Self, Failure> {
        use std::os::unix::process::CommandExt as _;
        let errors = File::create(folder.join("stderr")).context("stderr")?;
        let (program, arguments) = words.split_first().context("no command")?;
        let child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("PATH", programs::PATH)
            .env("HOME", folder)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(|error| Failure::Failed(format!("server: cannot start: {error}")))?;
        let mut running = Self { child, stopped: false };
        let deadline = Instant::now() + START_LIMIT;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        while TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_err() {
            if os::interrupted() {
                return Err(Failure::Interrupted);
            }
            if let Ok(Some(status)) = running.child.try_wait() {
                running.stopped = true;
                let said = std::fs::read_to_string(folder.join("stderr")).unwrap_or_default();
                let line = said.lines().next().unwrap_or_default();
                return Err(Failure::Failed(format!("server: {status}: {line}")));
            }
            if Instant::now() > deadline {
                return Err(Failure::Failed("server: no answer on its port".to_owned()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(running)
    }

    /// Asks it to end, and makes it end.
    ///
    /// # Errors
    /// It did not end by itself.
    pub fn stop(mut self) -> Result<(), Failure> {
        self.end()
    }

    fn end(&mut self) -> Result<(), Failure> {
        if self.stopped {
            return Ok(());
        }
        self.stopped = true;
        os::terminate(&self.child);
        let deadline = Instant::now() + STOP_LIMIT;
        let ended = loop {
            match self.child.try_wait() {
                Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
                Ok(None) => break Err(Failure::Failed(format!("server: not gone {STOP_LIMIT:?} after SIGTERM"))),
                Ok(Some(_)) => break Ok(()),
                Err(error) => break Err(Failure::Failed(format!("server: wait: {error}"))),
            }
        };
        // Its children are in the group that it led; what is left of them must not disturb what follows.
        os::kill_group(&self.child);
        let _ = self.child.wait();
        ended
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// nginx with one worker.
///
/// # Errors
/// The file cannot be written.
pub fn nginx(folder: &Path, port: u16) -> Result<Vec<String>> {
    let at = folder.display();
    let text = format!(
        "daemon off; worker_processes 1; user {}; pid {at}/pid; error_log stderr error;\n\
         events {{ worker_connections 1024; }}\n\
         http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; keepalive_timeout 600s;\n\
           client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/fastcgi;\n\
           uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;\n\
           server {{ listen 127.0.0.1:{port}; root {at}/www; }} }}\n",
        user()
    );
    std::fs::write(folder.join("nginx.conf"), text)?;
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
pub fn lighttpd(folder: &Path, port: u16) -> Result<Vec<String>> {
    let at = folder.display();
    let text = format!(
        "server.bind = \"127.0.0.1\"\nserver.port = {port}\nserver.document-root = \"{at}/www\"\n\
         server.max-keep-alive-requests = 0\nserver.max-keep-alive-idle = 600\nserver.max-connections = 1024\n\
         mimetype.assign = ( \".html\" => \"text/html\" )\n"
    );
    std::fs::write(folder.join("lighttpd.conf"), text)?;
    Ok(["-D", "-f", &format!("{at}/lighttpd.conf")].map(str::to_owned).to_vec())
}

/// Apache with its event module and one child. It has more threads than there are connections: when all are busy it closes
/// some that it was told to keep.
///
/// # Errors
/// The file cannot be written.
pub fn apache(folder: &Path, port: u16) -> Result<Vec<String>> {
    let at = folder.display();
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
    std::fs::write(folder.join("apache.conf"), text)?;
    Ok(["-D", "FOREGROUND", "-f", &format!("{at}/apache.conf")].map(str::to_owned).to_vec())
}

/// redis without a file.
///
/// # Errors
/// None.
pub fn redis(_folder: &Path, port: u16) -> Result<Vec<String>> {
    let line = format!("--port {port} --bind 127.0.0.1 --appendonly no --loglevel warning");
    let words = line.split(' ').map(str::to_owned);
    Ok(words.chain(["--save".to_owned(), String::new()]).collect())
}

/// memcached with one thread.
///
/// # Errors
/// None.
pub fn memcached(_folder: &Path, port: u16) -> Result<Vec<String>> {
    let line = format!("-p {port} -l 127.0.0.1 -U 0 -t 1 -m 64 -c 1024 -R 1000000 -u {}", user());
    Ok(line.split(' ').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_has_four_kib() {
        assert_eq!(page().len(), 4096);
    }

    #[test]
    fn server_that_ends_says_what_it_said_and_one_that_answers_is_stopped() {
        let folder = Folder::new().unwrap();
        let words = ["/bin/sh", "-c", "echo no such option >&2; exit 3"].map(Into::into);
        let port = free_port().unwrap();
        match Running::start(&words, folder.path(), port) {
            Err(Failure::Failed(reason)) => assert!(reason.contains("no such option"), "{reason}"),
            _ => panic!("it runs"),
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let words = ["/bin/sleep", "60"].map(Into::into);
        let running = Running::start(&words, folder.path(), port).map_err(|_| "does not start").unwrap();
        let start = Instant::now();
        assert!(running.stop().is_ok());
        assert!(start.elapsed() < STOP_LIMIT);
    }
}
