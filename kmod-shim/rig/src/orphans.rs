//! Leaves no process of a case behind: it would hold the module, or take the processor from the next case.

use std::fs;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

/// Lets this process be the parent of descendants whose own parent has ended.
pub fn adopt() -> Result<()> {
    set_child_subreaper(true).context("PR_SET_CHILD_SUBREAPER")
}

/// Kills every child, and those that become children by that; an error names those that do not die.
pub fn kill_all() -> Result<()> {
    let mut left = Vec::new();
    for _ in 0..200 {
        left = children()?;
        if left.is_empty() {
            return Ok(());
        }
        for &(pid, _) in &left {
            // It is our child and not reaped, so the number is its own; the next round sees whether it has ended.
            let pid = Pid::from_raw(pid);
            let _ = kill(pid, Signal::SIGKILL);
            let _ = waitpid(pid, Some(WaitPidFlag::WNOHANG));
        }
        thread::sleep(Duration::from_millis(10));
    }
    let names: Vec<String> = left.iter().map(|(pid, name)| format!("{name} ({pid})")).collect();
    bail!("these do not die of SIGKILL: {}", names.join(" "));
}

/// Number and name of each child.
fn children() -> Result<Vec<(i32, String)>> {
    let ours = std::process::id();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").context("/proc")? {
        let Ok(stat) = fs::read_to_string(entry?.path().join("stat")) else { continue };
        if let Some((pid, name, parent)) = parse(&stat)
            && parent == ours
        {
            found.push((pid, name));
        }
    }
    Ok(found)
}

/// Process, name and parent in `/proc/PID/stat`: `7 (name) S 1 …`; the name may hold spaces and parentheses.
fn parse(stat: &str) -> Option<(i32, String, u32)> {
    let (head, rest) = stat.rsplit_once(") ")?;
    let (pid, name) = head.split_once(" (")?;
    let parent = rest.split(' ').nth(1)?;
    Some((pid.parse().ok()?, name.to_owned(), parent.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn name_may_hold_parentheses() {
        assert_eq!(parse("7 (a) b) S 1 7 7 0"), Some((7, "a) b".to_owned(), 1)));
        assert_eq!(parse(""), None);
    }
}
