//! Reads a machine's console: verdicts of cases, figures, and what the kernel complains about.

use bt_kmod_rig::protocol::{Message, Target, without_time};

use super::machine::Ending;

/// Lines of the kernel that no good run has. Each inner list is one sign: all its words are in the line.
const SIGNS: &[&[&str]] = &[
    &["BUG:"],
    &["Call Trace"],
    &["Kernel panic"],
    &["Oops"],
    &["WARNING:"],
    &["blocked for more than"],
    &["general protection"],
    &["hung task"],
    &["kmemleak"],
    &["rcu", "stall"],
    &["refcount_t"],
    &["soft lockup"],
    &["unable to handle"],
];

/// Lines that are kept before the first sign, and from it on.
const BEFORE: usize = 5;
const AFTER: usize = 60;

/// How a case went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything held.
    Passed,
    /// What did not, and what was printed meanwhile.
    Failed {
        /// One line.
        reason: String,
        /// What the case and the kernel printed.
        output: Vec<String>,
    },
    /// Why it could not run.
    Skipped(String),
}

/// A case, or `console` for the kernel's own complaints, or `run` for a machine that ended outside of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Name of the case.
    pub name: String,
    /// How it went.
    pub verdict: Verdict,
}

/// A number that a case measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// The case.
    pub name: String,
    /// What was measured.
    pub key: String,
    /// The number.
    pub value: i64,
    /// What it should be.
    pub target: Option<Target>,
}

/// Takes the console's lines one by one.
#[derive(Debug, Default)]
pub struct Console {
    begun: Option<String>,
    output: Vec<String>,
    recent: Vec<String>,
    complaint: Vec<String>,
    done: bool,
    /// A program of ours has spoken.
    started: bool,
    figures: Vec<Figure>,
}

impl Console {
    /// The machine came so far that it ran something: before that the module is not even loaded.
    pub const fn has_started(&self) -> bool {
        self.started
    }

    /// Takes a line; returns what became known with it.
    pub fn line(&mut self, line: &str) -> Option<Outcome> {
        let Some(message) = Message::parse(line) else {
            self.kernel_line(line);
            return None;
        };
        self.started = true;
        let outcome = |name, verdict| Some(Outcome { name, verdict });
        match message {
            Message::Begin { name } => {
                self.begun = Some(name);
                self.output.clear();
                None
            }
            Message::Output { text } => {
                self.output.push(text);
                None
            }
            Message::Figure { name, key, value, target } => {
                self.figures.push(Figure { name, key, value, target });
                None
            }
            Message::Done => {
                self.done = true;
                None
            }
            Message::Pass { name } => {
                self.begun = None;
                outcome(name, Verdict::Passed)
            }
            Message::Skip { name, reason } => {
                self.begun = None;
                outcome(name, Verdict::Skipped(reason))
            }
            Message::Fail { name, reason } => {
                self.begun = None;
                let output = std::mem::take(&mut self.output);
                outcome(name, Verdict::Failed { reason, output })
            }
        }
    }

    fn kernel_line(&mut self, line: &str) {
        self.output.push(line.to_owned());
        if !self.complaint.is_empty() {
            if self.complaint.len() < BEFORE + AFTER {
                self.complaint.push(line.to_owned());
            }
            return;
        }
        self.recent.push(line.to_owned());
        if is_sign(line) {
            self.complaint = std::mem::take(&mut self.recent);
        } else if self.recent.len() > BEFORE {
            self.recent.remove(0);
        }
    }

    /// What is known when the machine has ended: a case that never was over, and the kernel's complaints.
    pub fn end(mut self, ending: Ending) -> (Vec<Outcome>, Vec<Figure>) {
        let mut outcomes = Vec::new();
        if !self.complaint.is_empty() {
            // Shown once, as the console's.
            let sign = self.output.iter().position(|line| is_sign(line));
            self.output.truncate(sign.unwrap_or(self.output.len()));
        }
        if !self.done {
            let how = match ending {
                Ending::Over => "the machine ended",
                Ending::TimedOut => "the machine's time limit struck",
            };
            let (name, reason) = match self.begun.take() {
                Some(name) => (name, format!("{how} during the case")),
                None => ("run".to_owned(), format!("{how} before all cases were run")),
            };
            outcomes.push(Outcome { name, verdict: Verdict::Failed { reason, output: self.output } });
        }
        if !self.complaint.is_empty() {
            let sign = self.complaint.iter().find(|line| is_sign(line)).map_or("", |line| without_time(line));
            let reason = format!("the kernel complains: {}", sign.trim());
            let verdict = Verdict::Failed { reason, output: self.complaint };
            outcomes.push(Outcome { name: "console".to_owned(), verdict });
        }
        (outcomes, self.figures)
    }
}

fn is_sign(line: &str) -> bool {
    SIGNS.iter().any(|words| words.iter().all(|word| line.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::{Console, Ending, Figure, Outcome, Verdict};

    /// Outcomes on the way, those at the end, figures.
    fn read(text: &str, ending: Ending) -> (Vec<Outcome>, Vec<Outcome>, Vec<Figure>) {
        let mut console = Console::default();
        let outcomes = text.lines().filter_map(|line| console.line(line)).collect();
        let (last, figures) = console.end(ending);
        (outcomes, last, figures)
    }

    fn failed(outcome: &Outcome) -> (&str, &str, &[String]) {
        match &outcome.verdict {
            Verdict::Failed { reason, output } => (&outcome.name, reason, output),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn good_run_has_verdicts_and_nothing_else() {
        let text = "[    0.1] Linux\n[    1.0] @bt begin a\n[    1.1] @bt | hello\n[    1.2] @bt pass a\n\
                    [    1.3] @bt begin b\n[    1.4] @bt skip b: no wrk\n[    1.5] @bt done\n[    1.6] reboot: Power down";
        let (outcomes, last, _) = read(text, Ending::Over);
        assert_eq!(outcomes.len(), 2);
        assert_eq!(outcomes[0], Outcome { name: "a".to_owned(), verdict: Verdict::Passed });
        assert_eq!(outcomes[1].verdict, Verdict::Skipped("no wrk".to_owned()));
        assert!(last.is_empty());
    }

    #[test]
    fn failure_has_the_output_of_its_own_case() {
        let text = "@bt begin a\n@bt | one\n@bt pass a\n@bt begin b\n@bt | two\n[    1.0] btshim: three\n\
                    @bt fail b: exit 1: bad\n@bt done";
        let (outcomes, last, _) = read(text, Ending::Over);
        let (name, reason, output) = failed(&outcomes[1]);
        assert_eq!((name, reason), ("b", "exit 1: bad"));
        assert_eq!(output, ["two", "[    1.0] btshim: three"]);
        assert!(last.is_empty());
    }

    #[test]
    fn complaint_is_one_failure_with_the_lines_around() {
        let before: String = (0..9).map(|number| format!("[    0.1] line {number}\n")).collect();
        let text = format!("{before}[    2.0] WARNING: CPU: 0 PID: 1 at x\n[    2.1] Call Trace:\n@bt done");
        let (_, last, _) = read(&text, Ending::Over);
        assert_eq!(last.len(), 1);
        let (name, reason, output) = failed(&last[0]);
        assert_eq!((name, reason), ("console", "the kernel complains: WARNING: CPU: 0 PID: 1 at x"));
        assert_eq!(output.len(), 7);
        assert_eq!(output[0], "[    0.1] line 4");
    }

    #[test]
    fn every_sign_is_seen_in_the_kernel_s_lines_only() {
        for line in [
            "BUG: kernel NULL pointer dereference, address: 0",
            "Oops: 0002 [#1] PREEMPT SMP",
            "watchdog: BUG: soft lockup - CPU#0 stuck for 22s!",
            "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
            "general protection fault, probably for non-canonical address",
            "INFO: task cat:71 blocked for more than 120 seconds.",
            "refcount_t: underflow; use-after-free.",
            "Kernel panic - not syncing: Fatal exception",
        ] {
            assert_eq!(read(&format!("[    1.0] {line}\n@bt done"), Ending::Over).1.len(), 1, "{line}");
            assert!(read(&format!("[    1.0] @bt | {line}\n@bt done"), Ending::Over).1.is_empty(), "{line}");
        }
        assert!(read("btshim: loading out-of-tree module taints kernel.\n@bt done", Ending::Over).1.is_empty());
    }

    #[test]
    fn machine_that_ends_early_names_the_case() {
        let (_, last, _) = read("@bt begin a\n@bt pass a\n@bt begin b\n@bt | x", Ending::TimedOut);
        let (name, reason, output) = failed(&last[0]);
        assert_eq!((name, reason), ("b", "the machine's time limit struck during the case"));
        assert_eq!(output, ["x"]);
        let (_, last, _) = read("@bt begin c\n[    1.0] x\n[    1.1] BUG: y\n[    1.2] z", Ending::Over);
        assert_eq!(failed(&last[0]), ("c", "the machine ended during the case", &["[    1.0] x".to_owned()][..]));
        assert_eq!(failed(&last[1]).2.len(), 3);
        let (_, last, _) = read("[    0.1] Linux", Ending::Over);
        assert_eq!(failed(&last[0]).0, "run");
    }

    #[test]
    fn figures_are_collected() {
        let (_, _, figures) = read("@bt begin g\n@bt figure g ring3 244\n@bt pass g\n@bt done", Ending::Over);
        assert_eq!(figures, [Figure { name: "g".to_owned(), key: "ring3".to_owned(), value: 244, target: None }]);
    }
}
