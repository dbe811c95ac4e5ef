//! The dynamic loader as a program, its switches, and programs whose rights the kernel changes.

use crate::spec::{End, Test};

pub fn tests() -> Vec<Test> {
    vec![
        Test::program("loader/dynamic_loader_runs_as_a_program")
            .run(&["/lib64/ld-linux-x86-64.so.2", "/bin/echo", "through", "the loader"])
            .run(&["/lib64/ld-linux-x86-64.so.2", "--list", "/bin/ls"])
            .normalise("0x[0-9a-f]+", "ADDRESS")
            .run(&["/lib64/ld-linux-x86-64.so.2", "/no/such/program"])
            .ends(End::Exit(127))
            .calls_equal(),
        Test::program("loader/auxiliary_vector_is_shown")
            .run(&["/bin/true"])
            .env("LD_SHOW_AUXV", "1")
            .normalise("0x[0-9a-f]{6,}", "ADDRESS"),
        Test::program("loader/debugging_output_is_the_same")
            .run(&["/bin/true"])
            .env("LD_DEBUG", "libs,bindings")
            .normalise("(?m)^ *[0-9]+:", "PID:"),
        Test::program("loader/libraries_are_preloaded")
            .needs(&["gcc", "libc6-dev"])
            .with_files("loader")
            .prepare(&["gcc", "-shared", "-fPIC", "-o", "preload.so", "preload.c"])
            .run(&["/bin/echo", "hello"])
            .env("LD_PRELOAD", "./preload.so")
            .prints("preloaded"),
        // The kernel would give it other rights: natively, unless they mean nothing.
        Test::program("loader/set_user_id_programs_run").run(&["sh", "-c", "su --version"]).native_image("/su").run(&[
            "setpriv",
            "--no-new-privs",
            "su",
            "--version",
        ]),
        Test::program("strace/traces_a_child")
            .needs(&["strace"])
            .run(&["strace", "-f", "-e", "trace=write,exit_group", "-o", "log", "sh", "-c", "echo one; /bin/echo two"])
            .native_image("/sh")
            .native_image("/dash")
            .native_image("/echo")
            .normalise("(?m)^[0-9]+ +", "PID ")
            .normalise("--- SIGCHLD .*", "SIGCHLD"),
    ]
}
