//! bash, dash, busybox.

use super::program;
use crate::spec::{End, Test};

/// What depends on when children end.
const CHILDREN: &[(&str, &str)] = &[
    ("wait4", "how many children one call finds depends on timing"),
    ("rt_sigsuspend", "not needed when the child has ended already"),
    ("rt_sigreturn", "SIGCHLD of two children may merge"),
    ("rt_sigprocmask", "follows the number of SIGCHLD"),
];

pub fn tests() -> Vec<Test> {
    let mut tests = vec![
        program("bash/script_with_pipes_traps_jobs_and_here_documents")
            .needs(&["bash", "coreutils", "sed"])
            .with_files("shells")
            .run(&["bash", "features.sh", "one", "two words"])
            .ends(End::Exit(7))
            .normalise("line ([0-9]+): *[0-9]+ Seg", "line $1: PID Seg"),
        program("bash/job_control_stops_and_continues")
            .needs(&["procps"])
            .needs(&["bash"])
            .with_files("shells")
            .run(&["bash", "jobs.sh"])
            .normalise("[0-9]{3,}", "PID"),
        program("bash/fifty_forks")
            .needs(&["bash"])
            .with_files("shells")
            .run(&["bash", "forks.sh"])
            .calls_equal_except(CHILDREN),
        program("bash/script_file_is_executed")
            .needs(&["bash"])
            .with_files("shells")
            .run(&["./features.sh"])
            .ends(End::Exit(7))
            .normalise("line ([0-9]+): *[0-9]+ Seg", "line $1: PID Seg"),
        program("bash/dies_by_its_signal").needs(&["bash"]).run(&["bash", "-c", "kill -TERM $$"]).ends(End::Signal(15)),
        program("bash/bad_commands_exit_126_and_127")
            .needs(&["bash"])
            .run(&["bash", "-c", "no-such-command-here"])
            .ends(End::Exit(127))
            .run(&["bash", "-c", "/etc/passwd"])
            .ends(End::Exit(126))
            .run(&["bash", "-c", "/"])
            .ends(End::Exit(126)),
        program("dash/script_runs")
            .needs(&["dash"])
            .with_files("shells")
            .run(&["dash", "posix.sh", "argument"])
            .ends(End::Exit(3))
            .calls_equal_except(CHILDREN),
        program("dash/reads_commands_from_input")
            .needs(&["dash"])
            .run(&["dash"])
            .stdin("x=5\necho $((x * 7))\nexec echo replaced\n")
            .calls_equal(),
    ];
    tests.extend(busybox());
    tests
}

fn busybox() -> Vec<Test> {
    vec![
        program("busybox/shell_runs")
            .needs(&["busybox-static"])
            .with_files("shells")
            .run(&["busybox", "sh", "posix.sh", "argument"])
            .ends(End::Exit(3))
            .calls_equal_except(CHILDREN),
        program("busybox/applets_run")
            .needs(&["busybox-static"])
            .with_files("shells")
            .run(&["busybox", "ls", "-l", "/etc/passwd"])
            .run(&["busybox", "awk", "BEGIN { for (i = 0; i < 5; i++) print i * i }"])
            .run(&["busybox", "sh", "-c", "busybox seq 20 | busybox sort -r | busybox head -n 4"])
            .run(&["busybox", "tar", "cf", "x.tar", "posix.sh"])
            .run(&["busybox", "gzip", "-k", "posix.sh"])
            .run(&["busybox", "sha256sum", "posix.sh"])
            .run(&["busybox", "vi", "--no-such-option"])
            .ends(End::Exit(1))
            // Both hold the time of writing.
            .ignore_files("x.tar")
            .ignore_files("posix.sh.gz")
            .calls_equal_except(CHILDREN),
    ]
}
