//! python3, lua, luajit.

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
    ]
}
