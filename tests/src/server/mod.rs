//! Servers on loopback under a real client.
//!
//! In each pass the server is started, asked a fixed list of questions whose answers are compared,
//! loaded for some seconds by a client of the distribution, and stopped with SIGTERM.

mod apache;
mod client;
mod haproxy;
mod instance;
mod memcached;
mod nginx;
mod postgres;
mod redis;
mod sshd;

use crate::spec::{Action, Kind, ServerCheck, Test};

/// All of them.
pub fn collect() -> Vec<Test> {
    vec![
        server("nginx/serves_reloads_and_stops", nginx::run, &["nginx", "wrk"]),
        server("apache2/event_workers_serve_and_stop", apache::run, &["apache2", "wrk"]),
        server("redis/serves_saves_and_stops", redis::run, &["redis-server", "redis-tools"]),
        server("memcached/threads_serve_and_stop", memcached::run, &["memcached"]),
        server("postgres/transactions_survive_a_restart", postgres::run, &["postgresql-15", "util-linux"]),
        server("haproxy/threads_pass_requests_on", haproxy::run, &["haproxy", "nginx", "wrk"]),
        server("sshd/sandboxed_logins", sshd::run, &["openssh-client", "openssh-server"]).as_root(),
    ]
}

/// A server test; what it writes into its directory (logs, data) is checked by the test itself.
fn server(name: &str, check: ServerCheck, packages: &[&'static str]) -> Test {
    Test::new(name, Kind::Server, Action::Server(check)).needs(packages).alone().ignore_files("").limit_secs(60)
}
