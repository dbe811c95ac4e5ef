//! What one image of the family hands to the next travels in the environment, where anybody can write it. A forged
//! string gains nothing: the launcher has the rights of who wrote it and no others, and takes what it names,
//! descriptors and options, as it would from the command line. It runs the program or ends with a line and a status of
//! its own.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::bench::Bench;
use crate::paths;
use crate::runner::launch::options_of;
use crate::runner::process::{self, End, Finished};

/// Opens what forged strings name, and executes the launcher as an image of the family does. It takes the launcher, the
/// first string of the environment and the arguments; with a first argument "closing" the launcher's own descriptor is
/// closed by the exec.
const START: &str = r#"
    use Fcntl;
    $^F = 100;
    my ($launcher, $first, @arguments) = @ARGV;
    my @open = map { my $file; sysopen($file, $_->[0], $_->[1]) or die "$_->[0]: $!"; $file }
        ([$launcher, O_RDONLY], ["/bin/sh", O_RDONLY], ["/lib64/ld-linux-x86-64.so.2", O_RDONLY], [".", O_RDONLY],
         ["fifo", O_RDWR]);
    die "other descriptors" if join(",", map { fileno $_ } @open) ne "3,4,5,6,7";
    if ($arguments[0] eq "closing") {
        shift @arguments;
        fcntl($open[0], F_SETFD, FD_CLOEXEC);
    }
    my ($path, $environment) = ("/dev/fd/3", "PATH=/usr/bin:/bin");
    my $argv = pack("p*", @arguments) . pack("Q", 0);
    my $envp = pack("p*", $first, $environment) . pack("Q", 0);
    syscall(59, $path, $argv, $envp);
    die "execve: $!";
"#;
const LAUNCHER: i32 = 3;
const PROGRAM: i32 = 4;
const INTERPRETER: i32 = 5;
const DIRECTORY: i32 = 6;
const FIFO: i32 = 7;
const CLOSED: i32 = 50;

/// Where fields of the structure begin (`syscall::handoff`), in bytes.
const EXE_FD: usize = 0;
const INTERP_FD: usize = 4;
const TRACE_FD: usize = 8;
const FIXED_BYTES: usize = 32;
/// Bytes of the options at its end.
const OPTIONS_BYTES: usize = 856;

/// A string that may be changed.
#[derive(Clone)]
struct Forgery {
    prefix: String,
    bytes: Vec<u8>,
}

impl Forgery {
    /// What the launcher hands over in the pass, with descriptors as `START` opens them.
    fn honest(bench: &Bench) -> Result<Self> {
        let log = bench.work.join("log");
        let mut command = Command::new("strace");
        command.args(["-f", "-v", "-s", "100000", "-e", "trace=execveat", "-o"]).arg(&log);
        command.arg(paths::launcher()).args(options_of(&bench.pass)).args(["--", "sh", "-c", "exec true"]);
        command.current_dir(&bench.work);
        process::fix_environment(&mut command, &bench.work);
        process::run(&mut command, None, &bench.logs, "strace", bench.limit)?;
        let text = fs::read_to_string(&log)?;
        let (_, rest) = text.split_once("\\1bt-run handoff ").context("no hand-off in the log")?;
        let (version, rest) = rest.split_once(' ').context("no version")?;
        let digits: Vec<u32> = rest.chars().map_while(|digit| digit.to_digit(16)).collect();
        let bytes: Vec<u8> = digits
            .chunks_exact(2)
            .map(|pair| u8::try_from(pair.iter().fold(0, |value, digit| value * 16 + digit)))
            .collect::<Result<_, _>>()?;
        ensure!(bytes.len() > FIXED_BYTES + OPTIONS_BYTES, "the structure has {} bytes", bytes.len());
        let mut honest = Self { prefix: format!("\u{1}bt-run handoff {version} "), bytes };
        for (at, fd) in [(EXE_FD, PROGRAM), (INTERP_FD, INTERPRETER), (TRACE_FD, -1)] {
            honest = honest.with(at, &fd.to_le_bytes());
        }
        Ok(honest)
    }

    fn with(mut self, at: usize, value: &[u8]) -> Self {
        self.bytes.splice(at..at + value.len(), value.iter().copied());
        self
    }

    fn start(&self, bench: &Bench, arguments: &[&str]) -> Result<Finished> {
        start(bench, &self.text("/bin/sh"), arguments)
    }

    fn text(&self, program: &str) -> String {
        let digits: String = self.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}{digits}{program}", self.prefix)
    }
}

/// What the launcher hands over in the pass, for a program at descriptor 4 that needs no interpreter.
pub fn honest_string(bench: &Bench) -> Result<Vec<u8>> {
    let honest = Forgery::honest(bench)?.with(INTERP_FD, &(-1i32).to_le_bytes());
    Ok(honest.text("./program").into_bytes())
}

fn start(bench: &Bench, first: &str, arguments: &[&str]) -> Result<Finished> {
    let mut command = Command::new("perl");
    command.args(["-e", START, "--"]).arg(paths::launcher()).arg(first).args(arguments).current_dir(&bench.work);
    process::fix_environment(&mut command, &bench.work);
    process::run(&mut command, None, &bench.logs, "start", bench.limit)
}

fn ends_with(done: &Finished, end: End, what: &str) -> Result<()> {
    let text = String::from_utf8_lossy(&done.stderr);
    ensure!(done.end == Some(end), "{what}: ended with {:?}, not {end:?}: {text}", done.end);
    Ok(())
}

/// Descriptors that are none, or of another kind.
pub fn forged_fields(bench: &Bench) -> Result<()> {
    nix::unistd::mkfifo(&bench.work.join("fifo"), nix::sys::stat::Mode::S_IRWXU)?;
    let honest = Forgery::honest(bench)?;
    ends_with(&honest.start(bench, &["sh", "-c", "/bin/true && exit 3"])?, End::Exit(3), "nothing forged")?;
    for fd in [-1, CLOSED, DIRECTORY, FIFO, i32::MIN] {
        for at in [EXE_FD, INTERP_FD] {
            let what = format!("descriptor {fd} at {at}");
            let done = honest.clone().with(at, &fd.to_le_bytes()).start(bench, &["sh", "-c", "exit 3"])?;
            ends_with(&done, End::Exit(126), &what)?;
            ensure!(String::from_utf8_lossy(&done.stderr).lines().count() == 1, "{what}: not one line");
        }
    }
    for fd in [CLOSED, DIRECTORY, FIFO, LAUNCHER, PROGRAM, i32::MIN] {
        let done = honest.clone().with(TRACE_FD, &fd.to_le_bytes()).start(bench, &["sh", "-c", "/bin/true; exit 3"])?;
        ends_with(&done, End::Exit(3), &format!("trace to {fd}"))?;
    }
    // Programs that it starts run natively.
    let done = honest.start(bench, &["closing", "sh", "-c", "/bin/true && exit 3"])?;
    ends_with(&done, End::Exit(3), "its own descriptor closed")
}

/// Any bytes: the launcher may refuse them, or take them as options; it does not die of them.
pub fn forged_bytes(bench: &Bench) -> Result<()> {
    nix::unistd::mkfifo(&bench.work.join("fifo"), nix::sys::stat::Mode::S_IRWXU)?;
    let honest = Forgery::honest(bench)?;
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for number in 0..100 {
        let mut forged = honest.clone();
        for _ in 0..=number % 3 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // What cpuid answered lies between, and is the program's own business.
            let options = forged.bytes.len() - OPTIONS_BYTES;
            let at = usize::try_from(state % (FIXED_BYTES + OPTIONS_BYTES) as u64)?;
            let at = if at < FIXED_BYTES { at } else { options + at - FIXED_BYTES };
            forged = forged.with(at, &[state.to_le_bytes()[5]]);
        }
        let done = forged.start(bench, &["sh", "-c", "exit 3"])?;
        ensure!(
            matches!(done.end, Some(End::Exit(2 | 3 | 126 | 127))),
            "forgery {number}: ended with {:?}: {}",
            done.end,
            String::from_utf8_lossy(&done.stderr)
        );
    }
    // No string of the family: the environment's own, and the command line decides.
    let Forgery { prefix, .. } = &honest;
    for first in [prefix.clone(), format!("{prefix}00"), prefix.replace("handoff", "hand-off"), "A=B".to_owned()] {
        let done = start(bench, &first, &["bt-run", "sh", "-c", "exit 3"])?;
        ends_with(&done, End::Exit(3), &first)?;
    }
    Ok(())
}
