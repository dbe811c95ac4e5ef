//! How long cases may take.
//!
//! These limits end what hangs and measure nothing: an emulated machine is some twenty times slower than silicon, and
//! slower again on a host that does something else besides. So each limit is at least two minutes, and at least four
//! times what the case takes on an idle host.

use std::time::Duration;

/// Limit of a wait inside a case: for a server's port, a process's state, the end of a program that was asked to end.
pub const WAIT: Duration = Duration::from_secs(120);

/// Limit of a command of a case that [`LONG`] does not name.
const USUAL: Duration = Duration::from_secs(120);

/// Cases with commands that take more than half a minute, and the limit of such a command in seconds.
const LONG: &[(&str, u64)] = &[
    // `bt-bench` asks the machine for much before it measures.
    ("ring0_is_measured", 240),
    // Most of the time goes into finding out what the processor has.
    ("ring0_blocks_are_as_native", 300),
    // Takes as long as the host asks for.
    ("ring0_vector_registers_stay", 3600),
    // Some hundred thousand units are made.
    ("device_bases_are_followed", 480),
    // Figures of whole programs, counted instruction by instruction.
    ("read_write_loop", 300),
    ("getppid_loop", 300),
    ("dd_bytes", 300),
];

/// Limit of each command of a case.
#[must_use]
pub fn of_command(case: &str) -> Duration {
    LONG.iter().find(|(name, _)| *name == case).map_or(USUAL, |&(_, seconds)| Duration::from_secs(seconds))
}

/// Limit of a whole case: a command that hangs is reported by its case before that is ended itself.
#[must_use]
pub fn of_case(case: &str) -> Duration {
    2 * of_command(case)
}

#[cfg(test)]
mod tests {
    use super::{LONG, WAIT, of_case, of_command};
    use crate::cases::CASES;
    use crate::figures::FIGURES;

    #[test]
    fn long_cases_are_cases() {
        for (name, _) in LONG {
            assert!(CASES.iter().chain(FIGURES).any(|case| case.name == *name), "{name}");
        }
    }

    #[test]
    fn commands_and_waits_end_before_their_case() {
        for case in CASES.iter().chain(FIGURES) {
            assert!(of_command(case.name).max(WAIT) < of_case(case.name), "{}", case.name);
        }
    }
}
