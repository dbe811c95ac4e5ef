//! One sample of one way: a driver that measures itself, a command that is timed, or a server with its client.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::benchmark::{Benchmark, Clock, DriverCall, Parameter, Setting, Work};
use super::contest::Sampler;
use super::output::{self, Sample};
use super::peers;
use super::server::{self, Folder, Running, Server};
use super::ways::{Contender, How};
use crate::launch::{Failure, Invocation, Launcher, Output, Side};
use crate::os::CpuSet;
use crate::programs;
use crate::result::Unit;
use crate::suites;

/// Loops in one sample of a driver, at most.
const LOOPS: u64 = 15;

/// How long the loops of one sample may take together, in milliseconds.
const FULL_MS: u64 = 300;
const QUICK_MS: u64 = 80;

/// How long a client sends requests, in milliseconds.
const FULL_LOAD_MS: u64 = 1000;
const QUICK_LOAD_MS: u64 = 400;

/// Native runs have no other limit.
const HOUR: Duration = Duration::from_secs(3600);

/// A benchmark whose command is known.
#[derive(Debug)]
pub struct Prepared {
    kind: Kind,
    unit: Unit,
}

#[derive(Debug)]
enum Kind {
    /// The arguments' first one names the driver's benchmark.
    Driver(Invocation),
    Program(Invocation, Clock),
    Server {
        server: Server,
        client: PathBuf,
        program: PathBuf,
        cpus: Vec<usize>,
        folder: Folder,
    },
}

impl Prepared {
    /// Makes inputs and the command.
    ///
    /// # Errors
    /// A file cannot be written, or an input cannot be made.
    pub fn of(benchmark: &Benchmark, setting: &Setting, cpus: &[usize]) -> Result<Self> {
        let kind = match &benchmark.work {
            Work::Driver(call) => Kind::Driver(driver_command(call, setting, cpus)?),
            Work::Program(program) => Kind::Program((program.prepare)(setting)?, program.clock),
            Work::Server(server) => Kind::Server {
                server: *server,
                client: setting.drivers.get(server::CLIENT).context("no client")?.clone(),
                program: programs::find(server.program).context("no server")?,
                cpus: cpus.to_vec(),
                folder: Folder::new()?,
            },
        };
        Ok(Self { kind, unit: benchmark.unit })
    }

    /// What a way runs, as a shell takes it; the launcher or the peer is not in it.
    #[must_use]
    pub fn line(&self, contender: &Contender) -> String {
        match &self.kind {
            Kind::Driver(invocation) => of_contender(invocation, contender).line(),
            Kind::Program(invocation, _) => invocation.line(),
            Kind::Server { server, .. } => format!("{} and {} connections", server.program, server.clients),
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
        folder: setting.scratch.clone(),
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
pub struct Samples<'run> {
    /// What is run.
    pub prepared: Prepared,
    /// Runs it natively.
    pub launcher: &'run Launcher,
    /// Whether the work is scaled down.
    pub quick: bool,
}

impl Sampler for Samples<'_> {
    fn sample(&mut self, contender: &Contender, limit: Option<Duration>, first: bool) -> Result<Sample, Failure> {
        let (launcher, side) = match &contender.how {
            How::BtRun(launcher) => (launcher, Side::BtRun),
            _ => (self.launcher, Side::Native),
        };
        let limit = limit.unwrap_or(HOUR);
        let sample = match &self.prepared.kind {
            Kind::Driver(invocation) => {
                let invocation = of_contender(invocation, contender);
                let run = launcher.run(side, &invocation, Output::File, &[], limit)?;
                suites::succeeded(launcher, side, run)?;
                output::parse(&launcher.read_output(side)?, self.prepared.unit).map_err(Failure::Failed)
            }
            Kind::Program(invocation, clock) => {
                let invocation = of_contender(invocation, contender);
                program(launcher, side, &invocation, *clock, self.prepared.unit, limit, first)
            }
            Kind::Server { server, client, program, cpus, folder } => {
                let duration_ms = if self.quick { QUICK_LOAD_MS } else { FULL_LOAD_MS };
                let client = client_command(server, client, duration_ms, self.launcher);
                serve(server, (launcher, side), program, folder, cpus, (self.launcher, client), limit)
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
}

fn program(
    launcher: &Launcher,
    side: Side,
    invocation: &Invocation,
    clock: Clock,
    unit: Unit,
    limit: Duration,
    first: bool,
) -> Result<Sample, Failure> {
    if clock == Clock::Printed {
        return Ok(Sample::of(suites::syscall::nanoseconds(launcher, side, invocation)?));
    }
    if first {
        if side == Side::Native {
            suites::check_native(launcher, invocation)?;
        } else {
            suites::check_ours(launcher, invocation, limit)?;
        }
        return Ok(Sample::of(0.0));
    }
    let run = suites::timed(launcher, side, invocation, limit)?;
    let seconds = match clock {
        Clock::Cpu => run.cpu_seconds,
        Clock::Wall | Clock::Printed => run.wall_seconds,
    };
    Ok(Sample::of(if unit == Unit::Milliseconds { seconds * 1e3 } else { seconds }))
}

fn client_command(server: &Server, client: &std::path::Path, duration_ms: u64, launcher: &Launcher) -> Invocation {
    let words =
        [server.clients.to_string(), duration_ms.to_string(), server.request.to_owned(), server.reply.to_owned()];
    let setup = server.setup.into_iter().flat_map(|(request, reply)| [request.to_owned(), reply.to_owned()]);
    Invocation {
        program: client.to_owned(),
        arguments: words.into_iter().chain(setup).collect(),
        folder: launcher.scratch.clone(),
        input: None,
        output: Output::File,
    }
}

/// The server on the first CPU, the client on the last one.
fn serve(
    server: &Server,
    (launcher, side): (&Launcher, Side),
    program: &std::path::Path,
    folder: &Folder,
    cpus: &[usize],
    (native, mut client): (&Launcher, Invocation),
    limit: Duration,
) -> Result<Sample, Failure> {
    let confine = |cpu: Option<&usize>| -> Result<()> {
        let set = cpu.and_then(|&cpu| CpuSet::only(cpu)).context("no such CPU")?;
        set.confine().context("affinity")
    };
    let port = server::free_port()?;
    let command = Invocation {
        program: program.to_owned(),
        arguments: (server.configure)(folder.path(), port)?,
        folder: folder.path().to_owned(),
        input: None,
        output: Output::Null,
    };
    confine(cpus.first())?;
    let running = Running::start(&launcher.words(side, &command)?, folder.path(), port)?;
    confine(cpus.last())?;
    client.arguments.insert(0, port.to_string());
    let run = native.run(Side::Native, &client, Output::File, &[], limit)?;
    let sample = match run.status {
        0 => output::parse(&native.read_output(Side::Native)?, Unit::PerSecond),
        _ => Err(native.first_error_line(Side::Native).unwrap_or_else(|| "the client failed".to_owned())),
    };
    // A client that was let down says more than a server that does not end.
    let sample = sample.map_err(Failure::Failed)?;
    running.stop()?;
    Ok(sample)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::Way;
    use crate::run::benchmark::scaled;

    fn prepared() -> Prepared {
        let benchmark = Benchmark::driver("switch", "name", "plain", scaled(10, 1), "").with("bytes", 64);
        let setting = Setting {
            scratch: "/scratch".into(),
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
