//! The device itself: programs of `c/device/` that try what no engine would do.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use bt_tests::runner::process::Session;

use super::ring0::{SAME_CODE, device_program, in_plain_flavours, silently};
use crate::command::{Bench, expect_success, parameter};
use crate::limits;
use crate::module;

/// No operation reaches memory of the kernel, and no jump anything but code that was made.
pub fn memory_is_the_processs_own(bench: &Bench) -> Result<()> {
    device_program(bench, "escape", &[])
}

/// Every opcode is refused, or does no harm.
pub fn opcodes_do_no_harm(bench: &Bench) -> Result<()> {
    device_program(bench, "opcodes", &[])
}

/// Every instruction between two accesses with one base: the second is where the base then points.
pub fn bases_are_followed(bench: &Bench) -> Result<()> {
    in_plain_flavours(SAME_CODE)?;
    device_program(bench, "bases", &[])
}

/// Runs of pushes and pops are exact at each of them.
pub fn stack_is_exact(bench: &Bench) -> Result<()> {
    device_program(bench, "stack", &[])
}

/// Nothing between two instructions changes a flag.
pub fn flags_stay(bench: &Bench) -> Result<()> {
    device_program(bench, "flags", &[])
}

/// Random units do no harm. For each that is accepted and runs some five are loaded. Each kernel and flavour has its
/// own.
pub fn random_units_do_no_harm(bench: &Bench) -> Result<()> {
    let mut hasher = DefaultHasher::new();
    parameter("seed")?.hash(&mut hasher);
    for file in ["/proc/version", "/proc/cmdline"] {
        fs::read(file)?.hash(&mut hasher);
    }
    device_program(bench, "random", &["5000", &hasher.finish().to_string()])
}

/// What is wrong is refused, with the right error.
pub fn refuses(bench: &Bench) -> Result<()> {
    device_program(bench, "refusals", &[])
}

/// Code goes while threads run it.
pub fn code_goes_while_it_runs(bench: &Bench) -> Result<()> {
    device_program(bench, "lifetimes", &[])
}

/// A string instruction is interrupted.
pub fn strings_are_interrupted(bench: &Bench) -> Result<()> {
    device_program(bench, "strings", &[])
}

/// An open device keeps the module; closed, it lets it go.
pub fn open_device_keeps_the_module(bench: &Bench) -> Result<()> {
    silently(|| {
        let mut command = Command::new("/bt/device/hold");
        let (reader, writer) = std::io::pipe()?;
        let mut lines = BufReader::new(reader).lines();
        let (input, keep) = std::io::pipe()?;
        command.current_dir(&bench.work).stdin(input).stdout(writer);
        let mut session = Session::start(&mut command)?;
        drop(command);
        if lines.next().transpose()?.as_deref() != Some("open") {
            bail!("the device was not opened");
        }
        for _ in 0..10 {
            if module::unload().is_ok() {
                bail!("the module was unloaded under an open device");
            }
        }
        if module::proc_line()?.is_none() || !module::has_device() {
            bail!("the module has gone");
        }
        drop(keep);
        session.wait(limits::WAIT)?.context("the program did not end")?;
        module::unload()?;
        module::load()
    })
}

/// Kilobytes of a line of `/proc/meminfo`.
fn kilobytes(key: &str) -> Result<i64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let line = text.lines().find(|line| line.starts_with(key)).context("/proc/meminfo")?;
    Ok(line.split_ascii_whitespace().nth(1).context("/proc/meminfo")?.parse()?)
}

/// What may be different without anything having been left behind: caches of other parts of the kernel.
const NOISE_KILOBYTES: i64 = 1024;

/// Loading, running and unloading over and over leaves no memory behind. The module itself takes a second to load in an
/// emulated machine: most rounds only open the device, run code and close it.
pub fn cycles_leave_nothing(bench: &Bench) -> Result<()> {
    const KEYS: [&str; 3] = ["SUnreclaim:", "VmallocUsed:", "KernelStack:"];
    let cycle = |rounds: u32| -> Result<()> {
        for _ in 0..rounds {
            module::ensure_unloaded()?;
            module::load()?;
            let finished = bench.run("cycle", Command::new("/bt/device/cycle").arg("1").stdin(Stdio::null()))?;
            expect_success("cycle", &finished)?;
        }
        Ok(())
    };
    silently(|| {
        // What the first rounds allocate for good is none of the later ones'.
        cycle(4)?;
        let before: Vec<i64> = KEYS.iter().map(|key| kilobytes(key)).collect::<Result<_>>()?;
        cycle(16)?;
        expect_success("cycle", &bench.native("cycles", &["/bt/device/cycle", "400"])?)?;
        for (key, before) in KEYS.iter().zip(before) {
            let after = kilobytes(key)?;
            println!("{key} {before} kB before, {after} kB after");
            if after - before > NOISE_KILOBYTES {
                bail!("{key} has grown from {before} kB to {after} kB");
            }
        }
        Ok(())
    })
}
