//! The command line: `bt-run [options] [--] program [args]`.

use crate::calls;
use crate::elf::LoadError;
use crate::emulate::seeded::Bug;
use crate::engine::direct::directory;
use crate::options::{CallSet, EmulateLevel, EngineChoice, Options, PATH_BYTES};
use crate::report::{Bytes, say};
use crate::sys::{Fd, fs, process};
use alloc::vec::Vec;
use core::ffi::CStr;

const HELP: &str = "\
bt-run runs an unmodified x86-64 Linux program with its system calls caught inside the process.

usage: bt-run [options] [--] program [arguments]
       bt-run cache list|clear
       bt-run calls          every system call: what becomes of it, from which level on it is answered
       bt-run sites FILE     the system call sites of a file, and how engine direct treats each
       bt-run doctor         which engines and options this machine has

  --engine ENGINE      where the guest's code runs: direct (in place; what cannot be patched is translated),
                       translate (from a code cache), or ring0 (in place; what makes many calls runs in the kernel;
                       needs root and the kernel module btshim); auto is direct
  --emulate LEVEL      which system calls are answered in the process: off (none), exact (whose answer is provably the
                       kernel's), coherent (as native to every other process; the default); ring0 has off and exact,
                       which is its default
  --emulate-only LIST  of these, only the calls named: read,write,…
  --pass LIST          of these, none of the calls named
  --emulate-after N    small reads, or look-ups of names, that a process makes before files or directories are watched,
                       to answer more of them (100000): a process that watches ends some 50 ms later, because the
                       kernel waits
  --emulate-mem MIB    memory of files that may be mapped to answer calls (1024)
  --explain            say why a descriptor's calls that could have been answered are passed on, where and why
                       ring 0 was left, and which files are searched anew at a start
  --trace[=FILE]       one line for each system call, on standard error or in FILE
  --stats[=FILE]       figures as JSON lines when an image starts and ends
  --stats-time         with --stats: also the time in each call that is not answered without the runtime (slower)
  --perf-map           write /tmp/perf-PID.map for perf(1)
  --strict             report calls from sites that the scan did not find (Linux 5.11)
  --no-follow          programs started by the guest run natively
  --cache-dir DIR      where patched images are kept (bt-run in $XDG_CACHE_HOME or $HOME/.cache)
  --no-cache           scan programs and libraries anew instead of using the image cache
  --cache-size MIB     cache memory after which translation starts anew (512)
  --help, --version

The exit status is the program's. Without one: 127 if the program is not found, 126 if it cannot be run, 2 if an option is wrong.
";

fn wrong(what: core::fmt::Arguments<'_>) -> ! {
    say(format_args!("{what} (bt-run --help lists the options)"));
    process::exit_group(2)
}

/// Copies a path into an option; a longer one cannot be handed over an exec.
fn set_path(to: &mut [u8; PATH_BYTES], path: &[u8], option: &str) {
    let Some(slot) = to.get_mut(..path.len()).filter(|s| s.len() < PATH_BYTES && !s.is_empty()) else {
        wrong(format_args!("{option} needs a path of 1 to {} bytes", PATH_BYTES - 1));
    };
    slot.copy_from_slice(path);
}

/// Puts the calls of a list of names into a set, or takes them out.
fn set_calls(set: &mut CallSet, list: &[u8], is_in: bool) {
    for name in list.split(|&b| b == b',') {
        match calls::all().find(|row| row.name().as_bytes() == name) {
            Some(row) => set.set(row.number(), is_in),
            None => wrong(format_args!("no system call \"{}\"", Bytes(name))),
        }
    }
}

/// A number of MiB.
fn mib(text: Option<&[u8]>, least: u32, option: &str) -> u32 {
    match parsed(text) {
        Some(n) if n >= least => n,
        _ => wrong(format_args!("{option} needs a number of MiB, at least {least}")),
    }
}

fn parsed(text: Option<&[u8]>) -> Option<u32> {
    text.and_then(|v| core::str::from_utf8(v).ok()).and_then(|t| t.parse().ok())
}

/// Makes a relative path absolute: the guest may change its directory.
fn absolute(path: &[u8]) -> Vec<u8> {
    if path.first() == Some(&b'/') {
        return path.to_vec();
    }
    let mut buf = [0u8; 4096];
    let mut out = fs::current_directory(&mut buf).to_vec();
    out.push(b'/');
    out.extend_from_slice(path);
    out
}

/// What the command line has said so far.
struct Said {
    options: Options,
    use_cache: bool,
    level: Option<EmulateLevel>,
}

/// Prints a text and ends.
fn show(text: &str) -> ! {
    Fd::STDOUT.write_all(text.as_bytes());
    process::exit_group(0)
}

impl Said {
    /// Takes an option in. `value` is what stands after its `=`; `operand` that, or else the next argument.
    fn take<'a>(&mut self, name: &[u8], value: Option<&'a [u8]>, mut operand: impl FnMut() -> Option<&'a [u8]>) {
        let options = &mut self.options;
        match name {
            b"--help" | b"-h" => show(HELP),
            b"--version" | b"-V" => show(concat!("bt-run ", env!("CARGO_PKG_VERSION"), "\n")),
            b"--engine" => options.engine = engine(operand().unwrap_or(b"")),
            b"--emulate" => self.level = Some(level(operand().unwrap_or(b""))),
            b"--emulate-only" => {
                options.passed = CallSet::ALL;
                set_calls(&mut options.passed, operand().unwrap_or(b""), false);
            }
            b"--pass" => set_calls(&mut options.passed, operand().unwrap_or(b""), true),
            b"--explain" => options.explain = true,
            b"--emulate-after" => {
                options.emulate_after = match parsed(operand()) {
                    Some(number) => number,
                    None => wrong(format_args!("--emulate-after needs a number of calls")),
                };
            }
            b"--emulate-mem" => options.emulate_mib = mib(operand(), 0, "--emulate-mem"),
            b"--trace" => {
                options.trace = true;
                if let Some(path) = value {
                    set_path(&mut options.trace_path, &absolute(path), "--trace");
                }
            }
            b"--stats" => {
                options.stats = true;
                if let Some(path) = value {
                    set_path(&mut options.stats_path, &absolute(path), "--stats");
                }
            }
            b"--stats-time" => options.stats_time = true,
            b"--no-cache" => self.use_cache = false,
            b"--cache-dir" => match operand() {
                Some(path) => {
                    let path = absolute(path);
                    directory::make(&path, b"");
                    set_path(&mut options.cache_path, &path, "--cache-dir");
                }
                None => wrong(format_args!("--cache-dir needs a directory")),
            },
            b"--seeded-bug" if cfg!(feature = "seeded-bugs") => {
                let name = operand().unwrap_or(b"");
                match Bug::NAMES.iter().find(|(word, _)| word.as_bytes() == name) {
                    Some((_, bug)) => options.seeded = *bug as u8,
                    None => wrong(format_args!("no bug \"{}\"", Bytes(name))),
                }
            }
            b"--strict" => options.strict = true,
            b"--perf-map" => options.perf_map = true,
            b"--no-follow" => options.no_follow = true,
            b"--cache-size" => options.cache_mib = mib(operand(), 4, "--cache-size"),
            _ => wrong(format_args!("no option \"{}\"", Bytes(name))),
        }
    }

    /// What follows from all of it together. The image cache's place depends on the environment.
    fn finish(self, environment: &[&[u8]]) -> Options {
        let Self { mut options, use_cache, level } = self;
        if options.engine == EngineChoice::Ring0 {
            // Ring 0 asks the kernel, which does not know what is held here.
            options.emulate = EmulateLevel::Exact;
            if level.is_some_and(|level| level > EmulateLevel::Exact) {
                wrong(format_args!("--engine ring0 answers in the kernel: its levels of --emulate are off and exact"));
            }
            if options.strict {
                wrong(format_args!(
                    "--strict watches calls of --engine direct; --engine ring0 makes them in the kernel"
                ));
            }
        }
        if let Some(level) = level {
            options.emulate = level;
        }
        if !use_cache {
            options.cache_path = [0; PATH_BYTES];
        } else if options.cache_path[0] == 0
            && options.engine.runs_in_place()
            && let Some(path) = directory::find(environment.iter().copied())
        {
            options.cache_path = path;
        }
        options
    }
}

fn engine(word: &[u8]) -> EngineChoice {
    match word {
        b"auto" | b"direct" => EngineChoice::Direct,
        b"translate" => EngineChoice::Translate,
        b"ring0" => EngineChoice::Ring0,
        _ => wrong(format_args!("no engine \"{}\": there are auto, direct, translate and ring0", Bytes(word))),
    }
}

fn level(word: &[u8]) -> EmulateLevel {
    match EmulateLevel::WORDS.iter().find(|(_, w)| w.as_bytes() == word) {
        Some((level, _)) => *level,
        None => wrong(format_args!("no level \"{}\": there are off, exact and coherent", Bytes(word))),
    }
}

/// Reads the options; returns them with the index of the program's name. The image cache's place depends on the
/// environment.
#[must_use]
pub fn parse(args: &[&[u8]], environment: &[&[u8]]) -> (Options, usize) {
    let mut said = Said { options: Options::DEFAULT, use_cache: true, level: None };
    let mut at = 1;
    while let Some(&arg) = args.get(at).filter(|arg| arg.first() == Some(&b'-')) {
        at += 1;
        if arg == b"--" {
            break;
        }
        let (name, value) = match arg.iter().position(|&b| b == b'=') {
            Some(i) if arg.starts_with(b"--") => (arg.get(..i).unwrap_or(arg), arg.get(i + 1..)),
            _ => (arg, None),
        };
        said.take(name, value, || {
            value.or_else(|| {
                let next = args.get(at).copied();
                at += 1;
                next
            })
        });
    }
    if args.get(at).is_none() {
        wrong(format_args!("no program given"));
    }
    (said.finish(environment), at)
}

/// Finds a program as a shell does: a name with a slash is a path, others are looked for in PATH.
pub fn look_up(name: &[u8], path: Option<&[u8]>) -> Result<Vec<u8>, LoadError> {
    if name.is_empty() {
        return Err(LoadError::NotFound);
    }
    if name.contains(&b'/') {
        return Ok(name.to_vec());
    }
    let mut denied = false;
    for dir in path.unwrap_or(b"/usr/local/bin:/usr/bin:/bin").split(|&b| b == b':') {
        let mut candidate = if dir.is_empty() { b".".to_vec() } else { dir.to_vec() };
        candidate.push(b'/');
        candidate.extend_from_slice(name);
        candidate.push(0);
        let Ok(path) = CStr::from_bytes_with_nul(&candidate) else { continue };
        if fs::stat(path).is_ok_and(|stat| stat.is_regular()) {
            if fs::may_execute(Fd::CWD, path).is_ok() {
                candidate.pop();
                return Ok(candidate);
            }
            denied = true;
        }
    }
    Err(if denied { LoadError::Failed("cannot be executed", 13) } else { LoadError::NotFound })
}

/// Text of the errors a start can meet (errno(3)).
#[must_use]
pub fn errno_text(errno: u16) -> &'static str {
    match errno {
        1 => "operation not permitted",
        2 => "no such file or directory",
        5 => "input/output error",
        7 => "argument list too long",
        8 => "exec format error",
        12 => "cannot allocate memory",
        13 => "permission denied",
        20 => "not a directory",
        21 => "is a directory",
        22 => "invalid argument",
        23 | 24 => "too many open files",
        26 => "text file busy",
        36 => "file name too long",
        40 => "too many levels of symbolic links",
        80 => "accessing a corrupted shared library",
        _ => "it failed",
    }
}
