//! Counts system calls in a log that `strace -f -o LOG` wrote of the native run.
//!
//! The log is counted and not `strace -c`, whose table leaves out calls that never return
//! (`exit_group`, a successful `execve` of a thread). Left out here, because they are no calls of
//! the program: the first `execve`, made by strace itself, and `restart_syscall`, which the kernel
//! inserts when a stopped call continues.

use std::collections::BTreeMap;

use crate::stats::CallCounts;

/// What a log holds.
#[derive(Debug, Default)]
pub struct Log {
    /// Calls by name.
    pub calls: CallCounts,
    /// Successful `execve` and `execveat`, the first one included.
    pub images: usize,
}

/// Reads a log.
pub fn parse(text: &str) -> Log {
    let mut log = Log::default();
    for line in text.lines() {
        // Padding follows the pid: `12  read(…` and `12345 read(…`.
        let Some((_, rest)) = line.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        if let Some(resumed) = rest.strip_prefix("<... ") {
            if resumed.starts_with("execve") && rest.ends_with("= 0") {
                log.images += 1;
            }
            continue;
        }
        let Some((name, _)) = rest.split_once('(') else {
            continue;
        };
        if name.is_empty()
            || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        {
            continue;
        }
        if name.starts_with("execve") && rest.ends_with("= 0") {
            log.images += 1;
        }
        if name != "restart_syscall" {
            *log.calls.entry(name.to_owned()).or_default() += 1;
        }
    }
    if let Some(count) = log.calls.get_mut("execve") {
        *count -= 1;
    }
    log.calls.retain(|_, count| *count > 0);
    log
}

/// Differences in counts, one text for each name, except for the names in `except`.
pub fn differences(native: &CallCounts, ours: &CallCounts, except: &[(String, String)]) -> Vec<String> {
    let mut both: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (name, count) in native {
        both.entry(name).or_default().0 = *count;
    }
    for (name, count) in ours {
        both.entry(name).or_default().1 = *count;
    }
    both.into_iter()
        .filter(|(name, (native, ours))| native != ours && !except.iter().any(|(skipped, _)| skipped == name))
        .map(|(name, (native, ours))| format!("{name}: native {native}, ours {ours}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{differences, parse};

    const LOG: &str = "\
10    execve(\"/bin/sh\", [\"sh\"], 0x7f /* 5 vars */) = 0
10    read(3, \"a(b\", 832) = 3
10    clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD <unfinished ...>
11    execve(\"/bin/true\", [\"true\"], 0x55 /* 5 vars */ <unfinished ...>
10    <... clone resumed>, child_tidptr=0x7f) = 11
11    <... execve resumed>) = 0
10    --- SIGCHLD {si_signo=SIGCHLD} ---
10    restart_syscall(<... resuming interrupted read ...>) = 0
11    exit_group(0) = ?
11    +++ exited with 0 +++
";

    #[test]
    fn calls_are_counted_once_each() {
        let log = parse(LOG);
        let names: Vec<_> = log.calls.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        assert_eq!(names, [("clone", 1), ("execve", 1), ("exit_group", 1), ("read", 1)]);
        assert_eq!(log.images, 2);
    }

    #[test]
    fn differences_name_both_counts() {
        let native = parse(LOG).calls;
        let mut ours = native.clone();
        assert!(differences(&native, &ours, &[]).is_empty());
        ours.insert("futex".to_owned(), 2);
        assert_eq!(differences(&native, &ours, &[]), ["futex: native 0, ours 2"]);
        assert!(differences(&native, &ours, &[("futex".to_owned(), "why".to_owned())]).is_empty());
    }
}
