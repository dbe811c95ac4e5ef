//! Nanoseconds of system calls that may be answered in the process, `drivers/calls.c`.

use anyhow::Context as _;

use super::levels::{Contest, Levels};
use super::{Stop, drivers, invocation, syscall};
use crate::launch::{Invocation, Output};
use crate::result;
use crate::rows::Unit;
use crate::run::benchmark::{Benchmark, Clock, Program, scaled};

/// The group of these rows.
pub const GROUP: &str = "call";

/// How long a loop runs: what a file costs once must not count.
const FULL_MS: &str = "300";
const QUICK_MS: &str = "60";

struct Call {
    name: &'static str,
    /// Pairs of a full and of a quick run.
    pairs: (usize, usize),
    note: &'static str,
}

const fn call(name: &'static str) -> Call {
    Call { name, pairs: (11, 3), note: "" }
}

const fn in_place(name: &'static str) -> Call {
    Call { note: "only a sole O_RDWR file written in place gains", ..call(name) }
}

/// Those that have nothing to gain and must not lose: the promise is 2 %, the machine's noise is more.
const fn unhurt(name: &'static str) -> Call {
    Call { pairs: (31, 7), ..call(name) }
}

const ALL: &[Call] = &[
    call("getpid"),
    call("clock-gettime-raw"),
    call("sigprocmask"),
    call("sigprocmask-query"),
    call("mix-5"),
    call("read-1"),
    call("read-512"),
    call("read-4096"),
    call("pread-1"),
    call("pread-512"),
    call("pread-4096"),
    call("pread-rdwr-512"),
    in_place("write-256"),
    in_place("write-1024"),
    in_place("write-4096"),
    in_place("copy-256"),
    in_place("copy-1024"),
    in_place("copy-4096"),
    call("pipe-512"),
    call("eventfd"),
    call("null-write-1"),
    call("zero-read-1"),
    unhurt("output-100"),
    unhurt("output-4096"),
    unhurt("output-65536"),
    unhurt("append-100"),
    unhurt("extend-100"),
    unhurt("read-once-small"),
    unhurt("read-once-large"),
];

/// The names of the rows.
#[must_use]
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|call| call.name).collect()
}

/// The calls as benchmarks of `bt-bench run`; the files stand in the scratch folder.
pub fn of_run() -> impl Iterator<Item = Benchmark> {
    ALL.iter().map(benchmark)
}

fn benchmark(call: &'static Call) -> Benchmark {
    let program = Program {
        needs: vec!["driver:calls"],
        clock: Clock::Printed,
        prepare: Box::new(|setting| {
            let folder = setting.scratch.join("files");
            std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
            let duration = if setting.quick { QUICK_MS } else { FULL_MS };
            Ok(Invocation {
                program: setting.drivers.get("calls").context("no driver")?.clone(),
                arguments: [call.name, duration, &folder.display().to_string()].map(str::to_owned).to_vec(),
                folder: setting.scratch.clone(),
                input: None,
                output: Output::File,
            })
        }),
    };
    let about = "CPU time of one call in a loop, by calls.c";
    Benchmark::program(call.name, about, result::Unit::Nanoseconds, program, scaled(330, 80)).rounds(6, 3)
}

/// Measures the calls that are wanted.
///
/// # Errors
/// See [`Stop`].
pub fn run(levels: &mut Levels, contest: &Contest) -> Result<(), Stop> {
    let wanted: Vec<&Call> = ALL.iter().filter(|call| levels.plan().wants(GROUP, call.name)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let driver = drivers::calls(&levels.session.launcher.scratch)?;
    let folder = levels.folder.display().to_string();
    levels.session.pin(true)?;
    for call in wanted {
        let mut rows = Levels::rows(contest, GROUP, call.name, Unit::Nanoseconds);
        let Some(driver) = &driver else {
            levels.push_not_installed(rows, "gcc")?;
            continue;
        };
        let duration = if levels.plan().quick { QUICK_MS } else { FULL_MS };
        let invocation = invocation(driver, &[call.name, duration, &folder], &levels.session.launcher);
        for row in &mut rows {
            row.command = invocation.line();
            row.pinned_cpu = Some(levels.plan().cpu);
            row.notes.extend(Some(call.note.to_owned()).filter(|note| !note.is_empty()));
        }
        let pairs = levels.plan().pairs(call.pairs.0, call.pairs.1);
        // The unmeasured runs make the files, natively, and leave images in the cache.
        let end = levels.measure(
            contest,
            &mut rows,
            pairs,
            |runner| syscall::nanoseconds(&runner.launcher, runner.side, &invocation).map(drop),
            |runner| syscall::nanoseconds(&runner.launcher, runner.side, &invocation),
        );
        levels.push(rows)?;
        end?;
    }
    levels.session.pin(false)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn driver_has_every_row_and_no_other() {
        let source = include_str!("../../drivers/calls.c");
        let table = source.split("} table[] = {").nth(1).and_then(|rest| rest.split("};").next()).unwrap_or_default();
        let in_driver: Vec<&str> = table.lines().filter_map(|line| line.split('"').nth(1)).collect();
        assert_eq!(in_driver, names());
    }
}
