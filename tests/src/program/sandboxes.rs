//! Programs that confine themselves: man filters its system calls, bwrap and unshare make namespaces, a service's
//! sandbox does both.

use crate::spec::{End, Test};

/// What systemd.exec(5) offers services: ProtectSystem, PrivateDevices, PrivateNetwork, CapabilityBoundingSet,
/// NoNewPrivileges, MemoryDenyWriteExecute, SystemCallFilter, by other programs.
const SERVICE: &str = "exec setpriv --no-new-privs bwrap --ro-bind / / --dev /dev --proc /proc --tmpfs /tmp --unshare-all --cap-drop ALL --new-session --seccomp 9 \
    -- sh inside.sh 9<filter";

pub fn tests() -> Vec<Test> {
    vec![
        Test::program("man/formats_a_page_behind_its_own_filter")
            .needs(&["man-db"])
            .with_files("sandboxes")
            .run(&["man", "-P", "cat", "./page.1"])
            .run(&["man", "-w", "no-such-page-anywhere"])
            .ends(End::Exit(16))
            .ignore_files(".cache"),
        Test::program("bwrap/runs_in_new_namespaces")
            .needs(&["bubblewrap"])
            .run(&[
                "bwrap",
                "--ro-bind",
                "/",
                "/",
                "--dev",
                "/dev",
                "--proc",
                "/proc",
                "--unshare-all",
                "--die-with-parent",
                "sh",
                "-c",
                "echo inside; echo pid $$; hostname; ls /proc/self/ns | wc -l",
            ])
            .run(&[
                "bwrap",
                "--ro-bind",
                "/usr",
                "/usr",
                "--symlink",
                "usr/lib",
                "/lib",
                "--symlink",
                "usr/lib64",
                "/lib64",
                "--symlink",
                "usr/bin",
                "/bin",
                "--tmpfs",
                "/tmp",
                "--unshare-user",
                "--uid",
                "1234",
                "id",
                "-u",
            ])
            .run(&["bwrap", "--ro-bind", "/", "/", "no-such-program"])
            .ends(End::Exit(1)),
        Test::program("bwrap/confines_as_a_service_is")
            .needs(&["bubblewrap", "python3", "util-linux"])
            .with_files("sandboxes")
            .prepare(&["sh", "-c", "python3 filter.py >filter"])
            .run(&["sh", "-c", SERVICE])
            .prints("mount refused"),
        Test::program("unshare/makes_a_user_namespace")
            .needs(&["util-linux"])
            .run(&[
                "unshare",
                "--user",
                "--map-root-user",
                "--pid",
                "--fork",
                "--mount-proc",
                "sh",
                "-c",
                // By the shell itself: of two programs in a pipe the second may not be there yet.
                "id -u; echo $$; set -- /proc/[0-9]*; echo $#",
            ])
            .run(&["unshare", "--uts", "--user", "--map-root-user", "sh", "-c", "hostname inside; hostname"]),
    ]
}
