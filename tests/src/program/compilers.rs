//! gcc and g++, the Go tool chain's output, rustc's output.

use crate::spec::{End, Test};

pub fn tests() -> Vec<Test> {
    vec![
        Test::program("gcc/compiles_and_runs_c")
            .needs(&["gcc", "libc6-dev", "binutils"])
            .with_files("compilers")
            .run(&["gcc", "-O2", "-o", "sieve", "sieve.c", "-lm"])
            .run(&["./sieve", "100000"])
            .run(&["gcc", "-S", "-O3", "-o", "sieve.s", "sieve.c"])
            .run(&["gcc", "-c", "broken.c"])
            .ends(End::Exit(1))
            .calls_equal_except(&[
                ("brk", "malloc rounds to the heap's random start"),
                ("getrandom", "mkstemp draws again when a number would bias the name"),
            ])
            .limit_secs(120),
        Test::program("gcc/compiles_and_runs_cxx_with_exceptions")
            .needs(&["g++", "binutils"])
            .with_files("compilers")
            .run(&["g++", "-O1", "-pthread", "-o", "unwind", "unwind.cc"])
            .run(&["./unwind"])
            .run(&["./unwind", "terminate"])
            .ends(End::Signal(libc::SIGABRT))
            .limit_secs(120),
        go("go/goroutines_channels_and_preemption", ""),
        // Without unwind tables and symbols: all of its code is one hole between functions.
        go("go/stripped_programs_run", "-s -w"),
        rust(),
    ]
}

/// Built with these options of Go's linker.
fn go(name: &str, linker_options: &str) -> Test {
    Test::program(name)
        .needs(&["golang-go"])
        .with_files("compilers")
        .prepare(&["go", "build", "-ldflags", linker_options, "-o", "workers", "workers.go"])
        .env("GOFLAGS", "-mod=mod")
        .env("GO111MODULE", "off")
        .env("GOCACHE", &crate::paths::target().join("go-cache").display().to_string())
        .run(&["./workers"])
        .ends(End::Exit(3))
        // Goroutine numbers and addresses of a panic's trace.
        .any_stderr()
        .ignore_files("workers")
        .limit_secs(180)
}

/// Compiled by the tool chain that builds the tests.
fn rust() -> Test {
    let compiler = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let compiler = std::env::var_os("PATH")
        .and_then(|path| {
            std::env::split_paths(&path).map(|directory| directory.join(&compiler)).find(|path| path.is_file())
        })
        .map_or(compiler, |path| path.display().to_string());
    let mut test = Test::program("rust/unwinds_through_panics_and_threads").with_files("compilers").prepare(&[
        &compiler,
        "-O",
        "-o",
        "unwind",
        "unwind.rs",
    ]);
    for variable in ["RUSTUP_HOME", "CARGO_HOME"] {
        if let Ok(value) = std::env::var(variable) {
            test = test.env(variable, &value);
        }
    }
    // rustup finds its tool chains below the user's home directory.
    if let Ok(home) = std::env::var("HOME") {
        test = test.env("HOME", &home);
    }
    test.run(&["./unwind"])
        .run(&["./unwind", "main"])
        .ends(End::Exit(101))
        .run(&["./unwind", "double"])
        .ends(End::Signal(libc::SIGABRT))
        .normalise("0x[0-9a-f]+", "ADDRESS")
        .normalise(r"\([0-9]+\)", "(TID)")
        .ignore_files("unwind")
        .limit_secs(120)
}
