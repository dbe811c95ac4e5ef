//! Programs that start themselves anew by their own link: container runtimes, busybox.

use crate::spec::{End, Test};

pub fn tests() -> Vec<Test> {
    vec![
        container("runc", &["runc", "--root", "state", "run", "container"]),
        container(
            "crun",
            &[
                "unshare",
                "--mount",
                "sh",
                "with_cgroup2.sh",
                "crun",
                "--cgroup-manager=disabled",
                "--root",
                "state",
                "run",
                "container",
            ],
        )
        .native_image("/mount")
        .native_image("/umount"),
        Test::program("busybox/applets_are_itself")
            .needs(&["busybox-static"])
            .prepare(&["sh", "-c", "mkdir empty; echo text >file"])
            // No program is on the path but itself.
            .run(&[
                "/bin/busybox",
                "sh",
                "-c",
                "PATH=/nowhere; cat file; seq 3 | wc -l; readlink /proc/self/exe; ls empty missing",
            ])
            .ends(End::Exit(1))
            .run(&["/bin/busybox", "env", "-i", "busybox", "readlink", "/proc/self/exe"])
            .run(&["/bin/busybox", "xargs", "-n1", "/proc/self/exe", "echo"])
            .stdin("one two")
            .ends(End::Exit(123))
            .calls_equal_except(&[
                ("wait4", "whether a child has ended yet depends on timing"),
                ("rt_sigreturn", "likewise: two children that end at once send one SIGCHLD"),
            ]),
    ]
}

/// A container of busybox, by a runtime that needs root.
fn container(runtime: &'static str, argv: &[&str]) -> Test {
    Test::program(&format!("{runtime}/runs_a_container"))
        .needs(&[runtime, "busybox-static", "util-linux"])
        .with_files("containers")
        .prepare(&[
            "sh",
            "-c",
            "mkdir -p root/bin root/proc root/dev; cp /bin/busybox root/bin; ln -s busybox root/bin/sh",
        ])
        .run(argv)
        .ends(End::Exit(6))
        .prints("inside 1")
        .ignore_files("state")
        .as_root()
}
