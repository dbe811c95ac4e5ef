//! Reads what the runtime wrote with `--stats=FILE`: JSON lines, one event each.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// Number of calls by name.
pub type CallCounts = BTreeMap<String, u64>;

/// One line of the file. Fields that no test asserts are left out.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event {
    /// An image starts under an engine.
    Start { pid: i32, engine: String, exe: String },
    /// A process or an image ends; absent when the process was killed.
    End {
        pid: i32,
        #[serde(default)]
        syscalls: HashMap<String, Call>,
        #[serde(default)]
        sites: Sites,
    },
    /// An image is executed natively.
    Native { path: String, reason: String },
}

/// What engine `direct` did with system call sites.
#[derive(Debug, Default, Deserialize)]
struct Sites {
    /// Found by `--strict` only.
    #[serde(default)]
    missed: u64,
}

/// What became of the calls of one name.
#[derive(Debug, Deserialize)]
struct Call {
    count: u64,
}

/// All events of one step.
#[derive(Debug)]
pub struct Stats {
    events: Vec<Event>,
}

impl Stats {
    /// Reads a file; a file that does not exist holds no events.
    pub fn read(path: &Path) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).context("statistics"),
        };
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self> {
        let events = text
            .lines()
            .map(|line| serde_json::from_str(line).with_context(|| format!("statistics line {line:?}")))
            .collect::<Result<_>>()?;
        Ok(Self { events })
    }

    /// Complaints when some process did not run under `engine`.
    pub fn strangers(&self, engine: &str, allowed_native: &[String]) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut started = false;
        for event in &self.events {
            match event {
                Event::Start { engine: found, pid, exe } => {
                    started = true;
                    if found != engine {
                        complaints.push(format!("{exe} (pid {pid}) ran under engine {found}, not {engine}"));
                    }
                }
                Event::Native { path, reason } => {
                    // The runner gives that option to the tests that ask for it.
                    let is_asked = reason == "--no-follow";
                    if !is_asked && !allowed_native.iter().any(|suffix| path.ends_with(suffix.as_str())) {
                        complaints.push(format!("{path} was executed natively ({reason})"));
                    }
                }
                Event::End { .. } => {}
            }
        }
        if !started {
            complaints.push("no process started under the engine (no start event)".to_owned());
        }
        complaints
    }

    /// Images that were started, under the engine or natively.
    pub fn images(&self) -> usize {
        self.events.iter().filter(|event| !matches!(event, Event::End { .. })).count()
    }

    /// Pids that started and have no end.
    pub fn unended(&self) -> Vec<i32> {
        let ended: Vec<i32> = self
            .events
            .iter()
            .filter_map(|event| if let Event::End { pid, .. } = event { Some(*pid) } else { None })
            .collect();
        self.events
            .iter()
            .filter_map(|event| if let Event::Start { pid, .. } = event { Some(*pid) } else { None })
            .filter(|pid| !ended.contains(pid))
            .collect()
    }

    /// Sites that the scan missed.
    pub fn missed_sites(&self) -> u64 {
        self.events.iter().map(|event| if let Event::End { sites, .. } = event { sites.missed } else { 0 }).sum()
    }

    /// Calls by name over all processes.
    pub fn calls(&self) -> CallCounts {
        let mut sum = CallCounts::new();
        for event in &self.events {
            if let Event::End { syscalls, .. } = event {
                for (name, call) in syscalls {
                    *sum.entry(name.clone()).or_default() += call.count;
                }
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::Stats;

    const START: &str = r#"{"event":"start","pid":7,"engine":"translate","exe":"/bin/ls"}"#;
    const END: &str = r#"{"event":"end","pid":7,"engine":"translate","exe":"/bin/ls","fragments":9,"cache_bytes":1,
        "guest_bytes":1,"links":1,"lookup_hits":1,"flushes":0,"invalidations":0,"signals":0,
        "syscalls":{"read":{"count":3,"passthrough":3,"emulated":0}}}"#;
    const NATIVE: &str = r#"{"event":"native","pid":8,"path":"/usr/bin/su","reason":"setuid"}"#;

    #[test]
    fn events_are_summed() {
        let end = END.replace('\n', " ");
        let stats = Stats::parse(&format!("{START}\n{end}\n{end}\n")).unwrap();
        assert_eq!(stats.calls().get("read"), Some(&6));
        assert_eq!(stats.images(), 1);
        assert!(stats.unended().is_empty());
        assert!(stats.strangers("translate", &[]).is_empty());
    }

    #[test]
    fn native_image_must_be_allowed() {
        let stats = Stats::parse(&format!("{START}\n{NATIVE}\n")).unwrap();
        assert_eq!(stats.strangers("translate", &[]).len(), 1);
        assert!(stats.strangers("translate", &["/su".to_owned()]).is_empty());
        assert_eq!(stats.unended(), [7]);
    }

    #[test]
    fn empty_file_and_other_engine_are_complaints() {
        assert_eq!(Stats::parse("").unwrap().strangers("translate", &[]).len(), 1);
        assert_eq!(Stats::parse(START).unwrap().strangers("direct", &[]).len(), 1);
    }

    #[test]
    fn torn_line_is_an_error() {
        assert!(Stats::parse("{\"event\":").is_err());
    }
}
