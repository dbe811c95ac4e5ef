//! What the cases of engine `ring0` share.

use std::path::Path;

use anyhow::{Result, bail};
use bt_tests::runner::compare::tail;

use crate::case::Skipped;
use crate::command::{Bench, EngineRun, RING0, expect_success, sum};
use crate::kmsg::Mark;
use crate::module;

/// Calls that an entry into ring 0 has to bring on average: below, it costs more than it saves.
const CALLS_PER_ENTRY: u64 = 10;
/// Percentage of a program's calls that have to be made in ring 0.
const SHARE: u64 = 80;

/// Path of a program that was compiled from `c/`.
pub fn c_program(name: &str) -> String {
    format!("/bt/c/{name}")
}

/// What a run's statistics say of ring 0.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// Calls made there, as the engine counts them.
    pub calls: u64,
    /// Times it was entered.
    pub entries: u64,
    /// Calls made there, as counted by name.
    pub by_name: u64,
    /// All calls of the program.
    pub all: u64,
}

impl Use {
    /// Sums over all processes of the run.
    pub fn of(run: &EngineRun) -> Self {
        let of_calls = |field: &str| -> u64 {
            let calls = run.events.iter().filter_map(|event| event.pointer("/syscalls")?.as_object());
            calls.flat_map(|names| names.values()).filter_map(|call| call.get(field)?.as_u64()).sum()
        };
        Self {
            calls: sum(&run.events, "/ring0/calls"),
            entries: sum(&run.events, "/ring0/entries"),
            by_name: of_calls("ring0"),
            all: of_calls("count"),
        }
    }

    /// Fails unless the program made its calls in ring 0, and many with each entry.
    pub fn expect_hot(self, label: &str) -> Result<()> {
        println!("{label}: {self:?}");
        if self.by_name * 100 < self.all * SHARE {
            bail!("{label}: {} of {} calls were made in ring 0", self.by_name, self.all);
        }
        if self.calls < self.entries * CALLS_PER_ENTRY {
            bail!("{label}: {} calls in {} entries", self.calls, self.entries);
        }
        Ok(())
    }

    /// Fails unless ring 0 was used at all.
    pub fn expect_used(self, label: &str) -> Result<()> {
        println!("{label}: {self:?}");
        if self.calls == 0 {
            bail!("{label}: no call was made in ring 0");
        }
        Ok(())
    }
}

/// Prints how ring 0 was used and left.
pub fn print_leaves(label: &str, run: &EngineRun) {
    for event in &run.events {
        if let Some(figures) = event.get("ring0") {
            println!("{label}: {figures}");
        }
    }
}

/// Loads the module and runs `argv` natively and in ring 0; it has to succeed.
pub fn compare(bench: &Bench, label: &str, argv: &[&str]) -> Result<EngineRun> {
    module::ensure_loaded()?;
    let run = bench.compare(RING0, label, argv)?;
    print_leaves(label, &run);
    expect_success(label, &run.finished)?;
    Ok(run)
}

/// The same, and the program has to be hot.
pub fn compare_hot(bench: &Bench, label: &str, argv: &[&str]) -> Result<()> {
    Use::of(&compare(bench, label, argv)?).expect_hot(label)
}

/// The same, and ring 0 has to be used.
pub fn compare_used(bench: &Bench, label: &str, argv: &[&str]) -> Result<EngineRun> {
    let run = compare(bench, label, argv)?;
    Use::of(&run).expect_used(label)?;
    Ok(run)
}

/// Why a case about made code runs in plain flavours only.
pub const SAME_CODE: &str = "the code made is the same in every flavour";

/// Skips the case in flavours of the kernel that differ in how it enters, leaves and switches.
pub fn in_plain_flavours(why: &str) -> Result<()> {
    let parameters = std::fs::read_to_string("/proc/cmdline")?;
    if ["preempt=", "pti="].iter().any(|other| parameters.contains(other)) {
        return Err(Skipped::because(format!("{why}: the plain flavour runs it")));
    }
    Ok(())
}

/// Runs `body`; the kernel must not say anything meanwhile.
pub fn silently(body: impl FnOnce() -> Result<()>) -> Result<()> {
    module::ensure_loaded()?;
    let mut mark = Mark::now()?;
    let result = body();
    let lines = mark.lines()?;
    if !lines.is_empty() {
        println!("the kernel said:\n{}", lines.join("\n"));
    }
    result?;
    if lines.is_empty() { Ok(()) } else { bail!("the kernel said {}", lines[0]) }
}

/// Runs a program that uses the device itself; it exits with 0 when all is well. The kernel must not say anything.
pub fn device_program(bench: &Bench, name: &str, arguments: &[&str]) -> Result<()> {
    silently(|| {
        let path = format!("/bt/device/{name}");
        let argv: Vec<&str> = std::iter::once(path.as_str()).chain(arguments.iter().copied()).collect();
        let finished = bench.native(name, &argv);
        // Also when its time is over.
        let said = std::fs::read(bench.logs.join(format!("{name}.stdout")))?;
        println!("{}", tail(&said, 40));
        expect_success(name, &finished?)
    })
}

/// Fails unless both files hold the same.
pub fn expect_same_files(one: &Path, other: &Path) -> Result<()> {
    if std::fs::read(one)? == std::fs::read(other)? {
        return Ok(());
    }
    bail!("{} and {} differ", one.display(), other.display());
}
