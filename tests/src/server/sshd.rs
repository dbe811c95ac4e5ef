//! sshd with its sandbox for what is not authenticated yet, and ssh with a key.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::instance::{Server, free_port};
use crate::runner::compare::Observation;
use crate::runner::launch::{Launch, Pass};

pub fn run(pass: &Pass, limit: Duration) -> Result<Vec<Observation>> {
    let port = free_port()?;
    let text = port.to_string();
    let work = pass.work.display().to_string();
    // It insists on a directory for the process that is confined.
    fs::create_dir_all("/run/sshd").context("/run/sshd")?;
    for key in ["host", "user"] {
        let file = format!("{work}/{key}");
        let argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", &file];
        let mut command = Launch::Native.command(&argv.map(str::to_owned), &pass.work, &pass.record("keys"));
        ensure!(command.status()?.success(), "ssh-keygen failed");
    }
    fs::rename(pass.work.join("user.pub"), pass.work.join("authorized"))?;
    let config = format!(
        "ListenAddress 127.0.0.1
Port {port}
HostKey {work}/host
PidFile none
AuthorizedKeysFile {work}/authorized
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
"
    );
    let file = format!("{work}/sshd.conf");
    fs::write(&file, config)?;
    let server = Server::start(pass, &["/usr/sbin/sshd", "-D", "-e", "-f", &file], port, limit)?;
    let identity = format!("{work}/user");
    let known = format!("UserKnownHostsFile={work}/known");
    let mut seen = Vec::new();
    let mut ssh = |launch: &Launch, label: &str, command: &str| -> Result<()> {
        let argv = [
            "ssh",
            "-F",
            "none",
            "-i",
            &identity,
            "-p",
            &text,
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            &known,
            "-q",
            "root@127.0.0.1",
            command,
        ];
        seen.push(Observation::new(format!("{label} of {command}"), server.client(launch, label, &argv)?));
        Ok(())
    };
    for (launch, label) in [(&Launch::Native, "ssh"), (&pass.launch, "ssh_beside")] {
        ssh(launch, label, "echo inside; id -u; seq 1 100000 | md5sum")?;
        ssh(launch, &format!("{label}_again"), "sh -c 'kill -9 $$'; echo gone $?")?;
    }
    server.stop(0)?;
    Ok(seen)
}
