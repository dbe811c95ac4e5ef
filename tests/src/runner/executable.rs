//! Files that a test writes and then executes.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, io};

use anyhow::{Context as _, Result, ensure};

/// Writes a file that is to be executed, with permissions `mode`.
///
/// A process of its own writes it. Other threads start programs meanwhile, and each of their children holds copies of
/// this process's descriptors until it executes its program: were one of them open for writing, the file would be busy
/// for a moment longer (execve(2), ETXTBSY).
pub fn write_executable(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let mut writer = Command::new("sh")
        .args(["-c", "exec cat >\"$1\"", "sh"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .context("sh cannot be started")?;
    writer.stdin.take().ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))?.write_all(bytes)?;
    ensure!(writer.wait()?.success(), "{} cannot be written", path.display());
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::CommandExt as _;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Three to five in a hundred were busy when this process wrote them itself.
    #[test]
    fn what_is_written_can_be_executed_at_once() {
        let directory = std::env::temp_dir().join(format!("executables-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let program = directory.join("program");
        let bytes = fs::read("/bin/true").unwrap();
        let is_over = AtomicBool::new(false);
        let mut busy = 0;
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        // With a user to become, the child is forked and not spawned: it lives a little before it executes.
                        Command::new("true").uid(nix::unistd::getuid().as_raw()).status().unwrap();
                    }
                });
            }
            for _ in 0..300 {
                write_executable(&program, &bytes, 0o755).unwrap();
                busy += i32::from(Command::new(&program).status().is_err());
            }
            is_over.store(true, Ordering::Relaxed);
        });
        fs::remove_dir_all(&directory).unwrap();
        assert_eq!(busy, 0);
    }
}
