//! Changes of who runs: into the kernel and back, to another thread or process, to a handler.

use super::benchmark::{Benchmark, Place, Suite, scaled};

/// The suite, as the module describes it.
pub(super) const SUITE: Suite = Suite {
    name: "switch",
    about: "changes of mode, of thread, of process, to signal handlers and to the page-fault handler",
    benchmarks,
};

const LATENCY: &[&str] =
    &["from before FUTEX_WAKE until the other thread is back from FUTEX_WAIT; the rows have quantiles"];
const AROUND: &[&str] = &["one touch each 64 KiB: the kernel maps up to so much of the page cache around a fault"];

fn loops(name: &'static str, of_driver: &'static str, operations: u64, about: &'static str) -> Benchmark {
    Benchmark::driver("switch", name, of_driver, scaled(operations, operations), about)
}

fn benchmarks() -> Vec<Benchmark> {
    let mut all = vec![
        loops("syscall", "syscall", 20_000, "an empty system call: a raw getppid(2)"),
        loops("syscall-invalid", "syscall-invalid", 20_000, "a number that the kernel does not have: ENOSYS"),
        loops("signal", "signal", 5_000, "kill(2) of itself, and the handler"),
        loops("page-fault-anonymous", "page-fault-anonymous", 2_000, "the first write to a page of new memory"),
        loops(
            "page-fault-file",
            "page-fault-file",
            500,
            "the first read of a file's mapped pages, from the page cache",
        )
        .notes(AROUND),
        loops("wake-up", "wake-up", 2_000, "until a thread runs that another one wakes on the same CPU").notes(LATENCY),
        loops("wake-up-cross-cpu", "wake-up", 1_000, "the same with the threads on two CPUs")
            .on(Place::Two)
            .notes(LATENCY),
    ];
    for name in ["process-switch", "thread-switch"] {
        let about = if name == "process-switch" {
            "a token goes round a ring of processes on one CPU, each reads its working set: one step"
        } else {
            "the same ring of threads"
        };
        for members in [2, 4, 8, 16] {
            for kib in [0, 4, 16, 64] {
                let ring = loops(name, name, 4_000, about);
                let count = if name == "process-switch" { "processes" } else { "threads" };
                all.push(ring.with(count, members).with("bytes", kib * 1024).rounds(5, 2));
            }
        }
    }
    all
}
