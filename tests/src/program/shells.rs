//! bash, dash, busybox.

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
        Test::program("bash/script_with_pipes_traps_jobs_and_here_documents")
            .needs(&["bash", "coreutils", "sed"])
            .with_files("shells")
            .run(&["bash", "features.sh", "one", "two words"])
            .ends(End::Exit(7))
            .normalise("line ([0-9]+): *[0-9]+ Seg", "line $1: PID Seg"),
        Test::program("bash/job_control_stops_and_continues")
            .needs(&["procps"])
            .needs(&["bash"])
            .with_files("shells")
            .run(&["bash", "jobs.sh"])
            .normalise("[0-9]{3,}", "PID"),
        Test::program("bash/fifty_forks")
            .needs(&["bash"])
            .with_files("shells")
            .run(&["bash", "forks.sh"])
            .calls_equal_except(CHILDREN),
        Test::program("bash/script_file_is_executed")
            .needs(&["bash"])
            .with_files("shells")
            .run(&["./features.sh"])
            .ends(End::Exit(7))
            .normalise("line ([0-9]+): *[0-9]+ Seg", "line $1: PID Seg"),
        Test::program("bash/dies_by_its_signal")
            .needs(&["bash"])
            .run(&["bash", "-c", "kill -TERM $$"])
            .ends(End::Signal(15)),
        Test::program("bash/bad_commands_exit_126_and_127")
            .needs(&["bash"])
            .run(&["bash", "-c", "no-such-command-here"])
            .ends(End::Exit(127))
            .run(&["bash", "-c", "/etc/passwd"])
            .ends(End::Exit(126))
            .run(&["bash", "-c", "/"])
            .ends(End::Exit(126)),
        Test::program("dash/script_runs")
            .needs(&["dash"])
            .with_files("shells")
            .run(&["dash", "posix.sh", "argument"])
            .ends(End::Exit(3))
            .calls_equal_except(CHILDREN),
        Test::program("dash/reads_commands_from_input")
            .needs(&["dash"])
            .run(&["dash"])
            .stdin("x=5\necho $((x * 7))\nexec echo replaced\n")
            .calls_equal(),
    ];
    tests.extend(busybox());
    tests.extend(shared_offsets());
    tests
}

fn busybox() -> Vec<Test> {
    vec![
        Test::program("busybox/shell_runs")
            .needs(&["busybox-static"])
            .with_files("shells")
            .run(&["busybox", "sh", "posix.sh", "argument"])
            .ends(End::Exit(3))
            .calls_equal_except(CHILDREN),
        Test::program("busybox/applets_run")
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

/// One file, read by several processes in turn: each goes on where the one before stopped.
const READERS: &str = "seq 1000 > file
(head -c 10; cat) < file | cksum
(read -r a; read -r b; echo $a $b; head -n 3; read -r c; echo $c; tail -c 10) < file
while read -r line; do case $line in *0) dd bs=1 count=5 status=none | od -c | head -n 1;; esac; done < file | cksum
exec 3< file 4<> file
read -r a <&3; sed -n 2q <&3; cat <&3 | cksum
for i in 1 2 3; do read -r a <&4; echo $a; printf 'xy' >&4; done
for i in 1 2 3 4 5 6; do echo $i; sh -c 'echo inner'; done > out; cat out file | cksum
";

/// Among processes of bt-run's, and with all but the shell native.
fn shared_offsets() -> Vec<Test> {
    ["bash", "dash"]
        .into_iter()
        .flat_map(|shell| {
            let test = |name: &str| {
                Test::program(&format!("{shell}/{name}"))
                    .needs(&["bash", "dash", "coreutils", "sed"])
                    .run(&[shell, "-c", READERS])
                    .at_every_level()
            };
            [
                test("readers_go_on_where_others_stopped"),
                test("native_readers_go_on_where_it_stopped").option("--no-follow"),
            ]
        })
        .collect()
}
