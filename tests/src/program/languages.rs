//! python3, lua, luajit, php, sbcl, erlang.

use crate::spec::{End, Test};

fn python(name: &str) -> Test {
    Test::program(&format!("python3/{name}")).needs(&["python3"]).with_files("languages").ignore_files("__pycache__")
}

pub fn tests() -> Vec<Test> {
    vec![
        python("starts_and_ends")
            .run(&["python3", "-c", "pass"])
            .run(&["python3", "-c", "import sys; sys.exit(5)"])
            .ends(End::Exit(5))
            .run(&["python3", "-c", "print(1 / 0)"])
            .ends(End::Exit(1))
            .calls_equal(),
        python("computes").run(&["python3", "compute.py"]),
        python("threads_share_work").run(&["python3", "threads.py"]),
        python("processes_and_pools").run(&["python3", "processes.py"]),
        python("asyncio_signals_and_ctypes").run(&["python3", "async_signals.py"]),
        Test::program("lua/script_runs")
            .needs(&["lua5.4"])
            .with_files("languages")
            .run(&["lua5.4", "features.lua", "argument"])
            .calls_equal(),
        Test::program("luajit/script_runs_with_traces")
            .needs(&["luajit"])
            .with_files("languages")
            .run(&["luajit", "features_jit.lua", "argument"])
            .run(&["luajit", "-joff", "features.lua", "argument"])
            .ends(End::Exit(1))
            .run(&["luajit", "-O3", "-Ohotloop=2", "features_jit.lua"]),
        Test::program("php/script_includes_and_starts_programs")
            .needs(&["php-cli"])
            .with_files("languages")
            .run(&["php", "features.php"])
            .ends(End::Exit(7))
            .run(&["php", "-r", "function f($n) { return f($n + 1); } ini_set('memory_limit', '8M'); f(0);"])
            .ends(End::Exit(255)),
        Test::program("sbcl/compiled_code_collects_and_faults")
            .needs(&["sbcl"])
            .with_files("languages")
            .run(&[
                "sbcl",
                "--noinform",
                "--no-userinit",
                "--no-sysinit",
                "--non-interactive",
                "--load",
                "features.lisp",
            ])
            .ends(End::Exit(3))
            .any_stderr(),
        Test::program("erlang/processes_sockets_and_ports")
            .needs(&["erlang-base"])
            .with_files("languages")
            .run(&["erlc", "features.erl"])
            .run(&["erl", "-noshell", "-s", "features", "main"])
            .ends(End::Exit(4))
            .limit_secs(90),
    ]
}
