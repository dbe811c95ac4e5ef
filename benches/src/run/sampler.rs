//! One sample of one way: a driver that measures itself, a command that is timed, or a server with its client.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::checks::{self, HOUR};
use super::contest::{Answer, Sampler};
use super::launch::{Failure, Launcher, Side};
use super::output::{self, Sample};
use super::peak::peak_mebibytes;
use super::peers;
use super::run_stats;
use super::server::{self, Directory};
use super::ways::{Contender, How};
use crate::base::programs;
use crate::rows::engine::Engine;
use crate::rows::result::Unit;
use crate::suites::benchmark::{
    Asked, Benchmark, CLIENT, DriverCall, Images, PRIMITIVES, Parameter, Quantity, Server, Setting, Work,
};
use crate::suites::invocation::{Invocation, Output};

/// Loops in one sample of a driver, at most.
const LOOPS: u64 = 15;

/// How long the loops of one sample may take together, in milliseconds.
const FULL_MS: u64 = 300;
const QUICK_MS: u64 = 80;

/// How long a command may take that prints its figure.
const PRINTED_LIMIT: Duration = Duration::from_secs(120);

/// A benchmark whose command is known.
#[derive(Debug)]
pub(super) struct Prepared {
    kind: Kind,
    unit: Unit,
    images: Images,
    asked: Asked,
}

#[derive(Debug)]
enum Kind {
    /// The arguments' first one names the driver's benchmark.
    Driver(Invocation),
    Program(Invocation, Quantity),
    /// Beside the command the driver that starts it.
    Peak(Invocation, PathBuf),
    Server(server::PreparedServer),
}

impl Prepared {
    /// Makes inputs and the command.
    ///
    /// # Errors
    /// A file cannot be written, or an input cannot be made.
    pub(super) fn of(benchmark: &Benchmark, setting: &Setting, cpus: &[usize]) -> Result<Self> {
        let driver = |name: &str| setting.drivers.get(name).cloned().with_context(|| format!("no driver {name}"));
        let kind = match &benchmark.work {
            Work::Driver(call) => Kind::Driver(driver_command(call, setting, cpus)?),
            Work::Program(program) => match program.quantity {
                Quantity::PeakMemory => Kind::Peak((program.prepare)(setting)?, driver(PRIMITIVES)?),
                quantity => Kind::Program((program.prepare)(setting)?, quantity),
            },
            Work::Server(server) => Kind::Server(server::PreparedServer {
                server: *server,
                client: driver(CLIENT)?,
                program: programs::find(server.program).context("no server")?,
                cpus: cpus.to_vec(),
                directory: Directory::new()?,
            }),
        };
        Ok(Self { kind, unit: benchmark.unit, images: benchmark.images, asked: benchmark.asked })
    }

    /// What a way runs, as a shell takes it; the launcher or the peer is not in it.
    #[must_use]
    pub(super) fn line(&self, contender: &Contender) -> String {
        match &self.kind {
            Kind::Driver(invocation) => of_contender(invocation, contender).line(),
            Kind::Program(invocation, _) | Kind::Peak(invocation, _) => invocation.line(),
            Kind::Server(server::PreparedServer { server: Server { program, clients, .. }, .. }) => {
                format!("{program} and {clients} connections")
            }
        }
    }
}

fn driver_command(call: &DriverCall, setting: &Setting, cpus: &[usize]) -> Result<Invocation> {
    let path = |name: &str| setting.drivers.get(name).with_context(|| format!("no driver {name}"));
    let (one, two) = (cpus.first().context("no CPU")?, cpus.last().context("no CPU")?);
    let budget = if setting.quick { QUICK_MS } else { FULL_MS };
    let fixed = [call.operations.of(setting.quick), LOOPS, budget].map(|number| number.to_string());
    let mut arguments = vec![call.name.to_owned()];
    arguments.extend(fixed);
    arguments.extend([one, two].map(usize::to_string));
    for parameter in &call.parameters {
        arguments.push(match parameter {
            Parameter::Number(number) => number.to_string(),
            Parameter::Driver(name) => path(name)?.display().to_string(),
        });
    }
    Ok(Invocation {
        program: path(call.driver)?.clone(),
        arguments,
        directory: setting.scratch.clone(),
        input: None,
        output: Output::File,
    })
}

/// The command as a way runs it, apart from bt-run.
fn of_contender(invocation: &Invocation, contender: &Contender) -> Invocation {
    let mut invocation = invocation.clone();
    match &contender.how {
        How::InDriver(name) => {
            if let Some(first) = invocation.arguments.first_mut() {
                (*name).clone_into(first);
            }
        }
        How::Wrapped(template) => {
            let program = [invocation.program.display().to_string()];
            let command: Vec<String> = program.into_iter().chain(invocation.arguments.clone()).collect();
            let mut words = peers::wrap(template, &command).into_iter();
            let first = words.next().unwrap_or_default();
            let found = programs::find_in(&peers::search_path(), &first).unwrap_or_else(|| PathBuf::from(&first));
            invocation.program = found;
            invocation.arguments = words.collect();
        }
        How::Native | How::BtRun(_) | How::Missing(_) => {}
    }
    invocation
}

/// Takes the samples of one benchmark.
pub(super) struct Samples<'run> {
    /// What is run.
    pub prepared: Prepared,
    /// Runs it natively.
    pub launcher: &'run Launcher,
    /// Whether the work is scaled down.
    pub quick: bool,
}

impl Samples<'_> {
    /// Who starts the command of a contender, and as which side. A peer is run natively as far as the launcher knows.
    fn launcher(&self, contender: &Contender) -> Result<(Launcher, Side), Failure> {
        match (&contender.how, self.prepared.images) {
            (How::BtRun(launcher), Images::Warm) => Ok((launcher.clone(), Side::BtRun)),
            (How::BtRun(launcher), Images::Cold) => {
                // The warm images stay for the benchmarks that follow.
                let launcher = launcher.with_cache("images-cold");
                launcher.empty_cache()?;
                Ok((launcher, Side::BtRun))
            }
            _ => Ok((self.launcher.clone(), Side::Native)),
        }
    }

    /// One sample of a command in a quantity.
    fn program(
        &self,
        (launcher, side): (&Launcher, Side),
        invocation: &Invocation,
        quantity: Quantity,
        limit: Duration,
        first: bool,
    ) -> Result<Sample, Failure> {
        if quantity == Quantity::Printed {
            let run = launcher.run(side, invocation, Output::File, &[], PRINTED_LIMIT)?;
            checks::succeeded(launcher, side, run)?;
            let figure = output::parse_printed(&launcher.read_output(side)?);
            return figure.map(Sample::of).map_err(|error| Failure::Failed(format!("{}: {error}", side.name())));
        }
        if first {
            match side {
                Side::Native => checks::check_native(launcher, invocation)?,
                Side::BtRun => checks::check_ours(launcher, invocation, limit)?,
            }
            return Ok(Sample::of(0.0));
        }
        let run = checks::timed(launcher, side, invocation, limit)?;
        let seconds = if quantity == Quantity::Cpu { run.cpu_seconds } else { run.wall_seconds };
        Ok(Sample::of(if self.prepared.unit == Unit::Milliseconds { seconds * 1e3 } else { seconds }))
    }
}

impl Sampler for Samples<'_> {
    fn sample(&mut self, contender: &Contender, limit: Option<Duration>, first: bool) -> Result<Sample, Failure> {
        let (launcher, side) = self.launcher(contender)?;
        let limit = limit.unwrap_or(HOUR);
        let sample = match &self.prepared.kind {
            Kind::Driver(invocation) => {
                let invocation = of_contender(invocation, contender);
                let run = launcher.run(side, &invocation, Output::File, &[], limit)?;
                checks::succeeded(&launcher, side, run)
                    .and_then(|_| Ok(launcher.read_output(side)?))
                    .and_then(|text| output::parse(&text, self.prepared.unit).map_err(Failure::Failed))
            }
            Kind::Program(invocation, quantity) => {
                let invocation = of_contender(invocation, contender);
                self.program((&launcher, side), &invocation, *quantity, limit, first)
            }
            Kind::Peak(invocation, driver) => {
                let invocation = of_contender(invocation, contender);
                peak_mebibytes(&launcher, side, driver, &invocation, limit).map(Sample::of)
            }
            Kind::Server(prepared) => {
                server::requests_per_second(prepared, (&launcher, side), self.launcher, self.quick, limit)
            }
        };
        sample.map_err(|failure| match failure {
            // As far as the launcher knows it ran the peer natively.
            Failure::Failed(reason) if matches!(contender.how, How::Wrapped(_) | How::InDriver(_)) => {
                Failure::Failed(reason.trim_start_matches("native: ").to_owned())
            }
            other => other,
        })
    }

    fn ask(&mut self, contender: &Contender) -> Result<Answer, Failure> {
        let How::BtRun(of_way) = &contender.how else { return Ok(Answer::default()) };
        let (Kind::Program(invocation, _) | Kind::Peak(invocation, _)) = &self.prepared.kind else {
            return Ok(Answer::default());
        };
        match self.prepared.asked {
            Asked::Images if of_way.variant.engine == Engine::Direct => {
                let (launcher, _) = self.launcher(contender)?;
                match checks::stats_of(&launcher, invocation) {
                    Ok(text) => Ok(run_stats::images(&text)),
                    // It is about a remark only.
                    Err(Failure::Failed(reason)) => Ok(Answer { notes: vec![reason], ..Answer::default() }),
                    Err(Failure::Interrupted) => Err(Failure::Interrupted),
                }
            }
            Asked::Code => {
                let answer = run_stats::code(&checks::stats_of(of_way, invocation)?);
                answer.ok_or_else(|| Failure::Failed("bt-run: --stats tells no end".to_owned()))
            }
            Asked::Images | Asked::Nothing => Ok(Answer::default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::result::Way;
    use crate::suites::benchmark::scaled;

    fn prepared() -> Prepared {
        let benchmark = Benchmark::driver("switch", "name", "plain", scaled(10, 1), "").with("bytes", 64);
        let setting = Setting {
            scratch: "/scratch".into(),
            files: "/scratch/files".into(),
            quick: false,
            drivers: [("switch", PathBuf::from("/scratch/switch"))].into(),
        };
        Prepared::of(&benchmark, &setting, &[1, 0]).unwrap()
    }

    fn contender(how: How) -> Contender {
        Contender { way: Way::Native, how }
    }

    #[test]
    fn driver_gets_operations_loops_budget_cpus_and_parameters() {
        assert_eq!(prepared().line(&contender(How::Native)), "switch plain 10 15 300 1 0 64");
        assert_eq!(prepared().line(&contender(How::InDriver("ptrace"))), "switch ptrace 10 15 300 1 0 64");
        let template = ["/opt/drrun", "--", "{program}"].map(str::to_owned).to_vec();
        let line = prepared().line(&contender(How::Wrapped(template)));
        assert_eq!(line, "drrun -- /scratch/switch plain 10 15 300 1 0 64");
    }
}
