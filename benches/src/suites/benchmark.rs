//! What a suite names: benchmarks, each with the work of one sample and where it runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::invocation::Invocation;
use crate::rows::result::Unit;

/// The driver that makes a server's requests.
pub(crate) const CLIENT: &str = "load";

/// A named list of benchmarks.
#[derive(Clone, Copy)]
pub(crate) struct Suite {
    /// As the command line and the results name it.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// Its benchmarks, in the order of tables.
    pub benchmarks: fn() -> Vec<Benchmark>,
}

/// One line of a table: what is run, and what its figure is.
pub(crate) struct Benchmark {
    /// Unique within the suite together with `params`.
    pub name: &'static str,
    /// One sentence, what an operation is.
    pub about: &'static str,
    /// Numbers it is run with.
    pub params: Vec<(&'static str, u64)>,
    /// What its figure is counted in.
    pub unit: Unit,
    /// Where it runs.
    pub place: Place,
    /// Rounds of a full and of a quick run; in each every way has a turn.
    pub rounds: Scaled<usize>,
    /// What one sample takes natively, more or less, in milliseconds: for the time left.
    pub expected_ms: Scaled<u32>,
    /// What one sample does.
    pub work: Work,
    /// Who else takes part, besides native and the engines.
    pub others: Others,
    /// What the ways are compared with.
    pub base: Base,
    /// What engine direct finds in its image cache.
    pub images: Images,
    /// What an untimed run with `--stats` is asked.
    pub asked: Asked,
    /// What a reader of the figure has to know.
    pub notes: &'static [&'static str],
}

/// A number of a full run, and of a quick one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scaled<T> {
    /// Without `--quick`.
    pub full: T,
    /// With it.
    pub quick: T,
}

impl<T: Copy> Scaled<T> {
    /// The one that counts.
    #[must_use]
    pub(crate) fn of(self, quick: bool) -> T {
        if quick { self.quick } else { self.full }
    }
}

/// A number of a full run, and of a quick one.
pub(crate) const fn scaled<T>(full: T, quick: T) -> Scaled<T> {
    Scaled { full, quick }
}

/// The CPUs that a benchmark is confined to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// One, for all processes.
    One,
    /// Two, one for each side.
    Two,
    /// All.
    All,
}

/// Ways beside native and the engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Others {
    /// None.
    No,
    /// The kernel's mechanisms, and the programs that run others.
    Interposers,
    /// The programs that run others.
    Programs,
}

/// What the ways of a benchmark are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// The kernel alone.
    Native,
    /// The same engine with `--emulate off`: what emulation costs a program that has little to gain from it.
    Off,
}

/// What engine direct finds in its image cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Images {
    /// Those that an earlier run of the same command left.
    Warm,
    /// None, before each run. Other engines keep no images and take no part.
    Cold,
}

/// What is asked of an untimed run with `--stats` before the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// There is no such run.
    Nothing,
    /// How much engine direct found in its image cache: a note of the row.
    Images,
    /// How much guest code was translated: a note of the row, and what a target may depend on.
    Code,
}

/// What one sample does.
pub(crate) enum Work {
    /// A driver that measures itself.
    Driver(DriverCall),
    /// A command that is timed from outside.
    Program(Program),
    /// A server under the way, a client beside it natively.
    Server(Server),
}

/// A driver's command line.
pub(crate) struct DriverCall {
    /// File name below `drivers/`, without `.c`.
    pub driver: &'static str,
    /// Which of its benchmarks.
    pub name: &'static str,
    /// Operations in one loop.
    pub operations: Scaled<u64>,
    /// What stands after the fixed arguments.
    pub parameters: Vec<Parameter>,
}

/// An argument that only this benchmark has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parameter {
    /// A number.
    Number(u64),
    /// The path of another driver.
    Driver(&'static str),
}

/// A command that is timed from outside.
pub(crate) struct Program {
    /// The programs that must be there, as [`crate::base::programs::find`] takes them.
    pub needs: Vec<&'static str>,
    /// Which figure of a run counts.
    pub quantity: Quantity,
    /// Makes inputs, and returns the command.
    pub prepare: Prepare,
}

/// Makes inputs, and returns the command.
pub(crate) type Prepare = Box<dyn Fn(&Setting) -> Result<Invocation>>;

/// Which figure of a command's run counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// Time from the start until the end was seen.
    Wall,
    /// User and system time of the process tree.
    Cpu,
    /// What the command prints: nanoseconds per operation.
    Printed,
    /// The peak resident size of the largest process. Needs the driver [`PRIMITIVES`], which asks the kernel.
    PeakMemory,
}

/// The driver of single operations; it also starts a command and reports its peak resident size.
pub(crate) const PRIMITIVES: &str = "primitives";

/// A server of the distribution, and what it is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    /// As [`crate::base::programs::find`] takes it.
    pub program: &'static str,
    /// Writes its configuration into a directory of its own, and returns its arguments.
    pub configure: fn(&Path, u16) -> Result<Vec<String>>,
    /// Sent once before the measurement, with the beginning of its reply.
    pub setup: Option<(&'static str, &'static str)>,
    /// Sent again and again; `\r` and `\n` stand for themselves.
    pub request: &'static str,
    /// How each reply begins.
    pub reply: &'static str,
    /// Connections that stay open, each with one request under way.
    pub clients: u64,
}

/// What making a command may look at.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// For inputs.
    pub scratch: PathBuf,
    /// Where loops of calls and programs read and write files.
    pub files: PathBuf,
    /// Whether the work is scaled down.
    pub quick: bool,
    /// The drivers that were built, by name.
    pub drivers: BTreeMap<&'static str, PathBuf>,
}

impl Benchmark {
    /// A driver's loop on one CPU, in nanoseconds.
    #[must_use]
    pub(crate) fn driver(
        driver: &'static str,
        name: &'static str,
        of_driver: &'static str,
        operations: Scaled<u64>,
        about: &'static str,
    ) -> Self {
        Self {
            name,
            about,
            params: Vec::new(),
            unit: Unit::Nanoseconds,
            place: Place::One,
            rounds: scaled(9, 3),
            expected_ms: scaled(400, 150),
            work: Work::Driver(DriverCall { driver, name: of_driver, operations, parameters: Vec::new() }),
            others: Others::No,
            base: Base::Native,
            images: Images::Warm,
            asked: Asked::Nothing,
            notes: &[],
        }
    }

    /// A command on one CPU.
    #[must_use]
    pub(crate) fn program(
        name: &'static str,
        about: &'static str,
        unit: Unit,
        program: Program,
        expected_ms: Scaled<u32>,
    ) -> Self {
        Self {
            name,
            about,
            params: Vec::new(),
            unit,
            place: Place::One,
            rounds: scaled(5, 3),
            expected_ms,
            work: Work::Program(program),
            others: Others::No,
            base: Base::Native,
            images: Images::Warm,
            asked: Asked::Nothing,
            notes: &[],
        }
    }

    /// Requests to a server on one CPU from a client on another.
    #[must_use]
    pub(crate) fn server(name: &'static str, about: &'static str, server: Server) -> Self {
        Self {
            name,
            about,
            params: vec![("clients", server.clients)],
            unit: Unit::PerSecond,
            place: Place::Two,
            rounds: scaled(5, 2),
            expected_ms: scaled(1_600, 900),
            work: Work::Server(server),
            others: Others::No,
            base: Base::Native,
            images: Images::Warm,
            asked: Asked::Nothing,
            notes: &["the server on the first of the pinned CPUs, the client natively on the second"],
        }
    }

    /// The same elsewhere.
    #[must_use]
    pub(crate) fn on(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// The same with other numbers of rounds.
    #[must_use]
    pub(crate) fn rounds(self, full: usize, quick: usize) -> Self {
        Self { rounds: scaled(full, quick), ..self }
    }

    /// The same with remarks.
    #[must_use]
    pub(crate) fn notes(self, notes: &'static [&'static str]) -> Self {
        Self { notes, ..self }
    }

    /// The same with a number that the driver gets as well.
    #[must_use]
    pub(crate) fn with(mut self, param: &'static str, value: u64) -> Self {
        self.params.push((param, value));
        self.argument(Parameter::Number(value))
    }

    /// The same with another argument of the driver.
    #[must_use]
    pub(crate) fn argument(mut self, parameter: Parameter) -> Self {
        if let Work::Driver(call) = &mut self.work {
            call.parameters.push(parameter);
        }
        self
    }

    /// As tables name it: `psr-size (bytes 64)`.
    #[must_use]
    pub(crate) fn title(&self) -> String {
        let params: Vec<String> = self.params.iter().map(|(name, value)| format!("{name} {value}")).collect();
        if params.is_empty() { self.name.to_owned() } else { format!("{} ({})", self.name, params.join(", ")) }
    }

    /// The drivers that must be built for it.
    #[must_use]
    pub(crate) fn drivers(&self) -> Vec<&'static str> {
        match &self.work {
            Work::Driver(call) => {
                let others = call.parameters.iter().filter_map(|parameter| match parameter {
                    Parameter::Driver(name) => Some(*name),
                    Parameter::Number(_) => None,
                });
                [call.driver].into_iter().chain(others).collect()
            }
            Work::Program(program) => program.needs.iter().filter_map(|need| need.strip_prefix("driver:")).collect(),
            Work::Server(_) => vec![CLIENT],
        }
    }

    /// The programs of the distribution that it needs, besides what builds its drivers.
    #[must_use]
    pub(crate) fn programs(&self) -> Vec<&'static str> {
        match &self.work {
            Work::Driver(_) => Vec::new(),
            Work::Program(program) => {
                program.needs.iter().copied().filter(|need| !need.starts_with("driver:")).collect()
            }
            Work::Server(server) => vec![server.program],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn params_stand_in_the_title_and_reach_the_driver() {
        let one = Benchmark::driver("switch", "ring", "process-switch", scaled(10, 1), "").with("bytes", 64);
        assert_eq!(one.title(), "ring (bytes 64)");
        let Work::Driver(call) = &one.work else { unreachable!() };
        assert_eq!(call.parameters, [Parameter::Number(64)]);
        assert_eq!(call.operations.of(true), 1);
    }

    #[test]
    fn drivers_of_arguments_are_built_too() {
        let spawn = Benchmark::driver("singularity", "spawn", "spawn", scaled(1, 1), "");
        let spawn = spawn.argument(Parameter::Driver("nothing-static"));
        assert_eq!(spawn.drivers(), ["singularity", "nothing-static"]);
        assert!(spawn.programs().is_empty());
    }
}
