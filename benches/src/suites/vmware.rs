//! The benchmarks of Adams and Agesen, "A Comparison of Software and Hardware Techniques for x86 Virtualization"
//! (ASPLOS 2006), as far as they can be run in a process.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::benchmark::{Benchmark, Program, Quantity, Server, Setting, Suite, scaled};
use super::invocation::{Invocation, Output};
use super::{c_source, compute, servers};
use crate::base::inputs;
use crate::base::programs;
use crate::rows::result::Unit;

/// The suite, as the module describes it.
pub(super) const SUITE: Suite = Suite {
    name: "vmware",
    about: "the nano- and macro-benchmarks of Adams and Agesen (ASPLOS 2006), those that a process can run",
    benchmarks,
};

const PROCESS: &[&str] = &["the paper's ran in a guest's kernel"];
const MPROTECT: &[&str] = &["the paper's changed an entry in a guest's kernel; mprotect(2) is the process's way to it"];

fn nano(name: &'static str, operations: u64, about: &'static str) -> Benchmark {
    Benchmark::driver("vmware", name, name, scaled(operations, operations), about)
}

fn benchmarks() -> Vec<Benchmark> {
    let mut all = vec![
        nano("syscall", 20_000, "an empty system call: a raw getppid(2)"),
        nano("call-ret", 500_000, "a call of an empty function, and its return"),
        nano("pgfault", 4_000, "the first write to a page of new memory").notes(PROCESS),
        nano("divzero", 5_000, "a division by zero, until the SIGFPE handler has skipped it").notes(PROCESS),
        nano("ptemod", 10_000, "mprotect(2) of one page, read-only and writable in turns").notes(MPROTECT),
        Benchmark::driver("vmware", "large-memory", "memory-walk", scaled(400_000, 100_000), LARGE_MEMORY)
            .with("mib", 256)
            .rounds(5, 3),
        forkwait(),
        compile(),
    ];
    all.extend([1, 4, 16, 64, 128, 256].map(web));
    all.extend(compute::benchmarks(scaled(4, 2)));
    all
}

const LARGE_MEMORY: &str = "one step of a chain through all cache lines of a large memory";

fn forkwait() -> Benchmark {
    let program = Program {
        needs: vec!["driver:vmware"],
        quantity: Quantity::Wall,
        prepare: Box::new(|setting| {
            let program = setting.drivers.get("vmware").context("no driver")?.clone();
            let count = if setting.quick { "2000" } else { "40000" };
            let arguments = ["forkwait", count].map(str::to_owned).to_vec();
            Ok(Invocation { program, arguments, directory: setting.scratch.clone(), input: None, output: Output::Null })
        }),
    };
    let about = "40,000 times fork, exit and waitpid (2,000 with --quick)";
    Benchmark::program("forkwait", about, Unit::Seconds, program, scaled(6_000, 400)).rounds(3, 2)
}

/// The files of the C project, and the functions in each.
const FILES: usize = 12;
const FULL_FUNCTIONS: usize = 24;
const QUICK_FUNCTIONS: usize = 4;

fn compile() -> Benchmark {
    let program = Program {
        needs: vec!["make", "gcc", "ar"],
        quantity: Quantity::Wall,
        prepare: Box::new(|setting| {
            let directory = project(setting)?;
            let program = programs::find("make").context("make")?;
            let arguments = ["-s", "-B", "-j1"].map(str::to_owned).to_vec();
            Ok(Invocation { program, arguments, directory, input: None, output: Output::Null })
        }),
    };
    let about = "make of a C project of 12 files with gcc -O1, on one CPU";
    Benchmark::program("compile", about, Unit::Seconds, program, scaled(4_000, 1_500)).rounds(5, 2)
}

/// A C project that is the same for the same size, with a Makefile.
fn project(setting: &Setting) -> Result<std::path::PathBuf> {
    let (name, functions) =
        if setting.quick { ("project-quick", QUICK_FUNCTIONS) } else { ("project-full", FULL_FUNCTIONS) };
    let directory = setting.scratch.join(name);
    inputs::make_once(&directory, &format!("{functions} {}", include_str!("vmware.rs")), || {
        write_project(&directory, functions)
    })?;
    Ok(directory)
}

fn write_project(directory: &Path, functions: usize) -> Result<()> {
    let mut objects = String::new();
    for number in 0..FILES {
        std::fs::write(directory.join(format!("part{number}.c")), c_source::program(functions + number % 3))?;
        let _ = write!(objects, " part{number}.o");
    }
    let makefile = format!("lib.a:{objects}\n\tar rcs $@ $^\n%.o: %.c\n\tgcc -O1 -w -c -o $@ $<\n");
    Ok(std::fs::write(directory.join("Makefile"), makefile)?)
}

/// The paper's was Apache; nginx does with fewer processes what the paper's did.
fn web(clients: u64) -> Benchmark {
    let server = Server {
        program: "nginx",
        configure: servers::nginx,
        setup: None,
        request: r"GET /page.html HTTP/1.1\r\nHost: localhost\r\n\r\n",
        reply: r"HTTP/1.1 200 OK",
        clients,
    };
    let about = "requests for a page of 4 KiB over loopback connections that stay open, nginx with one worker";
    Benchmark::server("web-server", about, server)
}
