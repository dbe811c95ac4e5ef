//! `cargo xtask kmod test`: every kernel, every flavour, every case. Machines run side by side, one for each CPU: most
//! cases keep one processor of theirs busy.

use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use bt_tests::runner::Totals;
use clap::{Args, ValueEnum};

use super::common::Common;
use super::console::{Console, Outcome, Verdict};
use super::kernels::Unpacked;
use super::machine::{LIMIT_SECONDS, Machine};
use super::prepare::{Prepared, prepare, prepare_kernel};
use super::report::record;

#[derive(Args)]
pub struct Arguments {
    /// Runs the cases whose name contains one of these
    filters: Vec<String>,
    #[command(flatten)]
    common: Common,
    /// Boots this flavour only; may be given several times
    #[arg(long = "flavour", value_enum)]
    flavours: Vec<Flavour>,
    /// Seconds that the case of vector registers takes [default: 60 with preempt, 10 with others]
    #[arg(long)]
    seconds: Option<u64>,
    /// What random operations are made of
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Processors of a machine
    #[arg(long, default_value_t = 2)]
    smp: u32,
    /// Machines at a time [default: as many as there are CPUs]
    #[arg(long)]
    jobs: Option<NonZero<usize>>,
    /// Time limit of a machine in seconds
    #[arg(long, default_value_t = LIMIT_SECONDS)]
    timeout: u64,
}

/// A way to boot that changes how the kernel enters and leaves, or when it switches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Flavour {
    /// As Debian sets it up
    Plain,
    /// Preemption in the kernel
    Preempt,
    /// A processor from before Meltdown was known: page tables of its own for user space, returns that change flags
    Pti,
    /// A processor without supervisor mode access prevention, which has no `stac` and no `clac`
    Nosmap,
}

impl Flavour {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Preempt => "preempt",
            Self::Pti => "pti",
            Self::Nosmap => "nosmap",
        }
    }

    fn parameters(self, kernel: &Unpacked) -> &'static str {
        match self {
            Self::Plain | Self::Nosmap => "",
            Self::Preempt => "preempt=full",
            Self::Pti if kernel.name == "6.1" => "pti=on retbleed=off",
            // The kernel counts calls and returns, from 6.2 on: each RET of its own has a shift before it.
            Self::Pti => "pti=on retbleed=stuff spectre_v2=retpoline",
        }
    }

    /// Seconds that the case of vector registers takes, where the command does not say.
    fn seconds(self) -> u64 {
        match self {
            Self::Preempt => 60,
            Self::Plain | Self::Pti | Self::Nosmap => 10,
        }
    }

    fn cpu(self) -> &'static str {
        match self {
            Self::Nosmap => "max,-smap",
            // Without what the emulator does not have of it.
            Self::Pti => "Skylake-Client,-pcid,-x2apic,-tsc-deadline,-hle,-rtm,-invpcid,-rdseed,-3dnowprefetch,-xsavec",
            Self::Plain | Self::Preempt => "max",
        }
    }
}

/// Boots until the first program runs, at most. The emulator's processors do not always agree on code that the kernel
/// patches while it starts (an int3 of the kernel's own, before any of our files is read).
const BOOTS: u32 = 3;

impl Arguments {
    /// What the whole suite runs: every flavour of a machine such as there are.
    pub fn of_suite(filters: &[String], no_install: bool) -> Self {
        Self {
            filters: filters.to_vec(),
            common: Common { kernels: Vec::new(), sources: None, no_install },
            flavours: vec![Flavour::Plain, Flavour::Preempt, Flavour::Pti],
            seconds: None,
            seed: 1,
            smp: 2,
            jobs: None,
            timeout: LIMIT_SECONDS,
        }
    }
}

pub fn run(arguments: &Arguments) -> Result<Totals> {
    let mut totals = Totals::default();
    prepare(&arguments.common)?;
    let mut kernels = Vec::new();
    for kernel in arguments.common.kernels() {
        let before = Instant::now();
        match prepare_kernel(kernel, &arguments.common) {
            Ok(prepared) => kernels.push(prepared),
            Err(error) => {
                let verdict = Verdict::Failed { reason: format!("{error:#}"), output: Vec::new() };
                let outcome = Outcome { name: "build".to_owned(), verdict };
                record(&mut totals, kernel.name, outcome, before.elapsed());
            }
        }
    }
    let flavours: Vec<Flavour> = Flavour::value_variants()
        .iter()
        .copied()
        .filter(|flavour| arguments.flavours.is_empty() || arguments.flavours.contains(flavour))
        .collect();
    // The first flavour runs the most cases, so its machines come first.
    let machines = flavours.iter().flat_map(|&flavour| kernels.iter().map(move |kernel| (kernel, flavour)));
    for outcome in boot_all(arguments, machines) {
        totals.add(outcome?);
    }
    if totals == Totals::default() {
        bail!("no case has a name with {}", arguments.filters.join(" or "));
    }
    Ok(totals)
}

/// Boots every machine, so many at a time as the arguments say, and hands over what each found.
fn boot_all<'a>(
    arguments: &Arguments,
    machines: impl Iterator<Item = (&'a Prepared, Flavour)> + Send,
) -> Vec<Result<Totals>> {
    let jobs = arguments.jobs.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZero::get);
    let left = Mutex::new(machines);
    let found = Mutex::new(Vec::new());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some((kernel, flavour)) = next() {
                    let totals = boot(arguments, kernel, flavour);
                    found.lock().unwrap_or_else(PoisonError::into_inner).push(totals);
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn boot(arguments: &Arguments, prepared: &Prepared, flavour: Flavour) -> Result<Totals> {
    let seconds = arguments.seconds.unwrap_or_else(|| flavour.seconds());
    // The kernel minds no parameter of a module that it does not know.
    let parameters =
        format!("{} bt.seconds={seconds} bt.seed={}", flavour.parameters(&prepared.kernel), arguments.seed);
    let machine = Machine {
        kernel: &prepared.kernel,
        initramfs: &prepared.initramfs,
        flavour: flavour.name(),
        parameters: &parameters,
        cpu: flavour.cpu(),
        cpus: arguments.smp,
        counts_instructions: false,
        mode: "--test",
        filters: &arguments.filters,
        limit: Duration::from_secs(arguments.timeout + seconds),
    };
    let prefix = format!("{}/{}", prepared.kernel.name, flavour.name());
    let mut totals = Totals::default();
    let mut boots = 0;
    let (console, ending, before) = loop {
        let mut console = Console::default();
        let mut before = Instant::now();
        let ending = machine.run(|line| {
            if let Some(outcome) = console.line(line) {
                record(&mut totals, &prefix, outcome, before.elapsed());
                before = Instant::now();
            }
        })?;
        boots += 1;
        if console.has_started() || boots == BOOTS {
            break (console, ending, before);
        }
        println!("{prefix}: the kernel did not come to its first program; it is booted once more");
    };
    let (outcomes, _) = console.end(ending);
    if !outcomes.is_empty() {
        println!("the console of {prefix} is in {}", machine.console_file()?.display());
    }
    for outcome in outcomes {
        record(&mut totals, &prefix, outcome, before.elapsed());
    }
    Ok(totals)
}
