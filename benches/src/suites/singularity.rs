//! The operations of Singularity's papers: Aiken et al., "Deconstructing Process Isolation" (MSPC 2006), table 1, and
//! Hunt et al., "Sealing OS Processes to Improve Dependability and Safety" (EuroSys 2007) with its forerunners.

use super::benchmark::{Benchmark, Parameter, Place, Suite, scaled};

/// The suite, as the module describes it.
pub(super) const SUITE: Suite = Suite {
    name: "singularity",
    about: "the operations of the Singularity papers: calls, yields, messages between processes, new processes",
    benchmarks,
};

const USER_SCHEDULED: &[&str] = &["the paper's Unix rows are threads that a library schedules"];
const KERNEL_SCHEDULED: &[&str] =
    &["not the paper's test: threads of the kernel; context-switches tells how many of the calls gave the CPU away"];
const UNNAMED: &[&str] =
    &["the paper does not name the primitive for Unix; Singularity's own source times create + start + join"];

fn loops(name: &'static str, of_driver: &'static str, operations: u64, about: &'static str) -> Benchmark {
    Benchmark::driver("singularity", name, of_driver, scaled(operations, operations.min(10_000)), about)
}

/// With one process on each of two CPUs: a wake-up of the other CPU may take longer than all the rest.
fn across(name: &'static str, of_driver: &'static str) -> Benchmark {
    let about = "the same with the processes on two CPUs";
    let operations = scaled(20_000, 2_000);
    let across = Benchmark::driver("singularity", name, of_driver, operations, about).on(Place::Two);
    Benchmark { expected_ms: scaled(1_400, 250), ..across }.rounds(5, 3)
}

fn benchmarks() -> Vec<Benchmark> {
    let mut all = vec![
        loops("abi-call", "abi-call", 10_000, "a raw clock_getres(2): a datum that the kernel has at hand (MSPC 2006)"),
        loops("abi-call-getpid", "abi-call-getpid", 10_000, "a raw getpid(2)"),
        loops(
            "thread-yield",
            "thread-yield",
            20_000,
            "to another thread in the same address space, by a hand-written switch of stacks",
        )
        .notes(USER_SCHEDULED),
        loops(
            "thread-yield-ucontext",
            "thread-yield-ucontext",
            20_000,
            "the same by libc's swapcontext, which sets the signal mask each time",
        )
        .notes(USER_SCHEDULED),
        loops("sched-yield", "sched-yield", 20_000, "sched_yield(2) of two threads on one CPU").notes(KERNEL_SCHEDULED),
        loops("psr-pipe", "psr-pipe", 20_000, "1 byte to another process and back through two pipes, on one CPU"),
        across("psr-pipe-cross-cpu", "psr-pipe"),
        loops("psr-socketpair", "psr-socketpair", 20_000, "1 byte there and back through a socket pair, on one CPU"),
        across("psr-socketpair-cross-cpu", "psr-socketpair"),
        loops("psr-tcp", "psr-tcp", 20_000, "1 byte there and back through a TCP connection over loopback, on one CPU"),
        across("psr-tcp-cross-cpu", "psr-tcp"),
    ];
    for bytes in [1, 64, 1024, 4096, 16_384, 65_536] {
        let size = loops("psr-size", "psr-pipe", 20_000, "so many bytes there and back through two pipes, on one CPU");
        all.push(size.with("bytes", bytes));
    }
    all.extend([
        loops("create-process-fork", "fork", 100, "fork, _exit and waitpid").notes(UNNAMED),
        loops(
            "create-process-spawn-bare",
            "spawn",
            100,
            "posix_spawn of a static program without libc that exits at once, and waitpid",
        )
        .argument(Parameter::Driver("nothing-bare"))
        .notes(UNNAMED),
        loops("create-process-spawn-static", "spawn", 100, "the same with a static libc, whose start asks cpuid often")
            .argument(Parameter::Driver("nothing-static"))
            .notes(UNNAMED),
        loops("create-process-spawn-dynamic", "spawn", 100, "the same with a dynamic libc")
            .argument(Parameter::Driver("nothing-dynamic"))
            .notes(UNNAMED),
    ]);
    all
}
