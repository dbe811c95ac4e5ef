//! The launcher's own command line: what it prints, and how it ends on bad input.

mod images;
mod statistics;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::paths;
use crate::runner::launch::options_of;
use crate::runner::process::{self, Finished};
use crate::spec::{Action, End, Kind, Test};

/// A check of the launcher in a work folder.
pub type Check = fn(&Bench) -> Result<()>;

/// Where a check runs.
#[derive(Debug)]
pub struct Bench {
    /// The work folder.
    pub work: PathBuf,
    /// Outputs.
    pub logs: PathBuf,
    /// Time for each command.
    pub limit: Duration,
    /// The pass: engine and level to name.
    pub pass: String,
}

/// All of them.
pub fn collect() -> Vec<Test> {
    let checks: &[(&str, Check)] = &[
        ("help_and_version_are_told", help_and_version),
        ("unknown_options_are_refused", unknown_options),
        ("missing_program_exits_127", missing_program),
        ("what_cannot_be_executed_exits_126", not_executable),
        ("broken_images_never_break_the_launcher", broken_images),
        ("path_is_searched_as_a_shell_does", path_search),
        ("trace_prints_calls", trace),
        ("children_run_natively_without_following", no_follow),
        ("perf_map_names_code", perf_map),
        ("touches_no_state_the_gate_does_not_save", instructions),
        ("small_caches_start_anew_under_threads", small_cache),
        ("strict_finds_hidden_calls", strict),
        ("statistics_lines_are_whole", statistics::whole_lines),
        ("calls_are_answered_at_their_level", statistics::answers),
        ("statistics_tell_the_time_in_calls", statistics::times),
        ("images_are_kept_and_checked", images::check),
        ("images_are_filled_at_once_and_killed", images::check_fill),
        ("images_do_not_need_room", images::check_full),
    ];
    let test = |&(name, check): &(&str, Check)| {
        let test = Test::new(&format!("launcher/{name}"), Kind::Launcher, Action::Launcher(check));
        // They are about the code cache.
        let translates = matches!(name, "perf_map_names_code" | "small_caches_start_anew_under_threads");
        let in_place = name.starts_with("images_") || name.starts_with("strict_");
        match (translates, in_place) {
            (true, _) => test.only_under("translate"),
            (_, true) => test.only_under("direct").needs(&["busybox-static", "python3"]),
            _ => test,
        }
    };
    checks.iter().map(test).collect()
}

impl Bench {
    fn run(&self, arguments: &[&str]) -> Result<Finished> {
        let mut command = Command::new(paths::launcher());
        command.args(arguments).current_dir(&self.work);
        process::fix_environment(&mut command, &self.work);
        process::run(&mut command, None, &self.logs, "launcher", self.limit)
    }

    fn program(&self, options: &[&str], program: &[&str]) -> Result<Finished> {
        let arguments: Vec<&str> =
            options_of(&self.pass).iter().chain(options).chain(&["--"]).chain(program).copied().collect();
        self.run(&arguments)
    }

    fn file(&self, name: &str, bytes: &[u8], mode: u32) -> Result<String> {
        let path = self.work.join(name);
        fs::write(&path, bytes)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        Ok(format!("./{name}"))
    }
}

/// Ended with `code` and told why in one line that names `subject`.
fn refused(done: &Finished, code: i32, subject: &str) -> Result<()> {
    let text = String::from_utf8_lossy(&done.stderr);
    ensure!(done.end == Some(End::Exit(code)), "{subject}: ended with {:?}, not exit code {code}: {text}", done.end);
    ensure!(text.lines().count() == 1, "{subject}: not one line: {text:?}");
    ensure!(text.contains(subject), "{subject} is not named: {text:?}");
    ensure!(done.stdout.is_empty(), "{subject}: something on standard output");
    Ok(())
}

fn help_and_version(bench: &Bench) -> Result<()> {
    let help = bench.run(&["--help"])?;
    let text = String::from_utf8_lossy(&help.stdout).into_owned();
    ensure!(help.end == Some(End::Exit(0)), "--help ended with {:?}", help.end);
    for option in ["--engine", "--emulate", "--trace", "--stats", "--perf-map", "--no-follow", "--version"] {
        ensure!(text.contains(option), "--help does not name {option}");
    }
    let version = bench.run(&["--version"])?;
    let text = String::from_utf8_lossy(&version.stdout).into_owned();
    ensure!(version.end == Some(End::Exit(0)), "--version ended with {:?}", version.end);
    ensure!(text.starts_with("bt-run ") && text.lines().count() == 1, "--version printed {text:?}");
    Ok(())
}

fn unknown_options(bench: &Bench) -> Result<()> {
    for arguments in [
        &["--no-such-option", "true"][..],
        &["--engine", "no-such-engine", "true"],
        &["--emulate", "nonsense", "true"],
        &["--engine"],
        &[],
    ] {
        let done = bench.run(arguments)?;
        let text = String::from_utf8_lossy(&done.stderr);
        ensure!(matches!(done.end, Some(End::Exit(code)) if code != 0), "{arguments:?} ended with {:?}", done.end);
        ensure!(!text.trim().is_empty() && !text.contains("panicked"), "{arguments:?} printed {text:?}");
    }
    Ok(())
}

fn missing_program(bench: &Bench) -> Result<()> {
    for name in ["no-such-program", "./no-such-program", "/no/such/program"] {
        refused(&bench.program(&[], &[name])?, 127, name)?;
    }
    Ok(())
}

fn not_executable(bench: &Bench) -> Result<()> {
    let image = fs::read("/bin/true").context("/bin/true")?;
    let mut machine = image.clone();
    *machine.get_mut(18).context("short image")? = 183;
    fs::create_dir(bench.work.join("folder"))?;
    let names = [
        "./folder".to_owned(),
        bench.file("no_permission", &image, 0o644)?,
        bench.file("other_machine", &machine, 0o755)?,
        bench.file("truncated", image.get(..50).unwrap_or_default(), 0o755)?,
        bench.file("headers_only", image.get(..120).unwrap_or_default(), 0o755)?,
        bench.file("missing_interpreter_of_script", b"#!/no/such/interpreter\n", 0o755)?,
        bench.file(
            "missing_interpreter",
            &replace(&image, b"/lib64/ld-linux-x86-64.so.2", b"/no/such/interpreter/at/all")?,
            0o755,
        )?,
    ];
    for name in &names {
        refused(&bench.program(&[], &[name])?, 126, name)?;
    }
    Ok(())
}

fn replace(image: &[u8], from: &[u8], to: &[u8]) -> Result<Vec<u8>> {
    ensure!(from.len() == to.len(), "lengths differ");
    let at = image.windows(from.len()).position(|bytes| bytes == from).context("no interpreter in the image")?;
    let mut changed = image.to_vec();
    changed.splice(at..at + from.len(), to.iter().copied());
    Ok(changed)
}

/// Images with damaged headers: where the kernel refuses, so do we, in one line; where it does not,
/// the launcher does not report a fault of its own.
fn broken_images(bench: &Bench) -> Result<()> {
    let image = fs::read("/bin/true").context("/bin/true")?;
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for number in 0..200 {
        let mut changed = image.clone();
        for _ in 0..=number % 4 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // The ELF header and the program headers.
            let at = usize::try_from(state % 700)?;
            let value = state.to_le_bytes().get(5).copied().unwrap_or_default();
            *changed.get_mut(at).context("short image")? = value;
        }
        let name = bench.file("damaged", &changed, 0o755)?;
        // A process that another test is just starting may still hold the file open for writing.
        let natively = loop {
            match Command::new(bench.work.join("damaged")).output() {
                Err(e) if e.kind() == std::io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
                result => break result,
            }
        };
        let done = bench.program(&[], &[&name])?;
        let text = String::from_utf8_lossy(&done.stderr).into_owned();
        if text.contains("panicked") || text.contains("internal") {
            bail!("image {number}: {text}");
        }
        match natively {
            Err(_) => refused(&done, 126, "damaged").with_context(|| format!("image {number}"))?,
            Ok(native) if native.status.success() => {
                ensure!(done.end == Some(End::Exit(0)), "image {number} runs natively, here {:?} {text}", done.end);
            }
            Ok(_) => ensure!(
                done.end.is_some_and(|end| end != End::Exit(0)),
                "image {number} dies natively, here {:?}",
                done.end
            ),
        }
        fs::remove_file(bench.work.join("damaged"))?;
    }
    Ok(())
}

fn path_search(bench: &Bench) -> Result<()> {
    let done = bench.program(&[], &["sh", "-c", "echo $0 $1", "zero", "one"])?;
    ensure!(done.stdout == b"zero one\n", "sh printed {:?}", String::from_utf8_lossy(&done.stdout));
    // A file of the work folder is not found without a slash, options end at `--`.
    bench.file("sh2", b"#!/bin/sh\necho found\n", 0o755)?;
    refused(&bench.program(&[], &["sh2"])?, 127, "sh2")?;
    let done = bench.program(&[], &["./sh2"])?;
    ensure!(done.stdout == b"found\n", "./sh2 did not run");
    let done = bench.run(&["echo", "--help"])?;
    ensure!(
        done.stdout == b"--help\n" || String::from_utf8_lossy(&done.stdout).contains("Usage: echo"),
        "options behind the program are its own"
    );
    Ok(())
}

fn trace(bench: &Bench) -> Result<()> {
    let file = bench.work.join("trace");
    let done = bench.program(&[&format!("--trace={}", file.display())], &["echo", "traced"])?;
    ensure!(done.stdout == b"traced\n", "echo did not run");
    let text = fs::read_to_string(&file).context("--trace wrote no file")?;
    ensure!(
        text.lines().any(|line| line.contains("write(1, \"traced\\n\", 7)") && line.trim_end().ends_with("= 7")),
        "no line for the write:\n{text}"
    );
    ensure!(text.contains("exit_group(0)"), "no line for exit_group:\n{text}");
    ensure!(
        text.lines().any(|line| line.contains("openat(AT_FDCWD, \"/etc/ld.so.cache\", O_RDONLY|O_CLOEXEC)")),
        "no line for openat:\n{text}"
    );
    Ok(())
}

fn no_follow(bench: &Bench) -> Result<()> {
    let file = bench.work.join("stats");
    let stats = format!("--stats={}", file.display());
    let done = bench.program(&["--no-follow", &stats], &["sh", "-c", "/bin/echo child; exit 3"])?;
    ensure!(done.end == Some(End::Exit(3)) && done.stdout == b"child\n", "sh ended with {:?}", done.end);
    let text = fs::read_to_string(&file).context("--stats wrote no file")?;
    let started = text.lines().filter(|line| line.contains("\"event\":\"start\"")).count();
    ensure!(started == 1, "{started} images started under the engine, not one:\n{text}");
    Ok(())
}

/// The gate saves xmm0–15 and nothing else of the vector and floating-point state, and leaves DF as it is: no instruction of the
/// launcher may depend on it or change it. The lanes' copy of long blocks is the exception: it runs behind a test of DF.
fn instructions(_bench: &Bench) -> Result<()> {
    let done = Command::new("objdump").args(["-d", "--no-show-raw-insn"]).arg(paths::launcher()).output()?;
    ensure!(done.status.success(), "objdump: {}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8_lossy(&done.stdout);
    let mut seen = 0;
    let mut behind_a_test = false;
    for line in text.lines() {
        let Some((_, code)) = line.split_once('\t') else {
            if line.ends_with(">:") {
                behind_a_test = line.contains("<bt_lane_rep>");
            }
            continue;
        };
        let name = code.split_whitespace().next().unwrap_or_default();
        seen += 1;
        // `xsave64` writes the whole state when the runtime leaves through a signal frame, with the guest's state restored.
        let string = name.starts_with("rep")
            || ["movsb", "movsw", "movsl", "movsq", "std", "cld"].contains(&name)
            || ["stos", "lods", "scas", "cmps"].iter().any(|s| name.starts_with(s) && code.contains("%es:"));
        let float = name.starts_with('f') || name.starts_with('v') || name == "ldmxcsr" || name == "emms";
        ensure!((behind_a_test || !string) && !float, "the launcher executes: {line}");
    }
    ensure!(seen > 10_000, "only {seen} instructions seen");
    Ok(())
}

/// A cache that is too small is dropped again and again, while threads are in it.
fn small_cache(bench: &Bench) -> Result<()> {
    let file = bench.work.join("stats");
    let stats = format!("--stats={}", file.display());
    let source = "import threading\n\
        def work(n):\n    import json, re, decimal, ast, email.message, xml.dom.minidom, argparse, difflib, ssl, sqlite3\n    \
        out.append(sum(int(x) for x in re.findall(r'\\d+', json.dumps(list(range(n))))))\n\
        out = []\nts = [threading.Thread(target=work, args=(2000 + i,)) for i in range(4)]\n\
        [t.start() for t in ts]; [t.join() for t in ts]; print(sorted(out))\n";
    let done = bench.program(&["--cache-size", "4", &stats], &["/usr/bin/python3", "-c", source])?;
    let expected = (0..4u64).map(|i| (2000 + i) * (1999 + i) / 2).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    ensure!(
        done.stdout == format!("[{expected}]\n").as_bytes(),
        "ended with {:?}, printed {:?}, {}",
        done.end,
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    let text = fs::read_to_string(&file).context("--stats wrote no file")?;
    ensure!(
        text.contains("\"flushes\":") && !text.contains("\"flushes\":0,\"inval"),
        "the cache was never full:\n{text}"
    );
    Ok(())
}

fn perf_map(bench: &Bench) -> Result<()> {
    let done = bench.program(&["--perf-map"], &["sh", "-c", "echo $$"])?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let map = Path::new("/tmp").join(format!("perf-{}.map", text.trim()));
    let lines = fs::read_to_string(&map).with_context(|| map.display().to_string())?;
    fs::remove_file(&map)?;
    ensure!(!lines.is_empty(), "the map is empty");
    for line in lines.lines() {
        let mut words = line.splitn(3, ' ');
        let numbers = words.by_ref().take(2).filter(|word| u64::from_str_radix(word, 16).is_ok()).count();
        ensure!(numbers == 2 && words.next().is_some(), "not `start size name`: {line:?}");
    }
    Ok(())
}

/// A `syscall` in code made at run time, with its number loaded far before: no scan can be certain of it.
const HIDDEN_SITE: &str = "import ctypes, mmap\n\
    code = mmap.mmap(-1, 4096, prot=7)\n\
    code.write(bytes.fromhex('89f8' + '90' * 40 + '0f05c3'))\n\
    call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))\n\
    print(call(110) == __import__('os').getppid())\n";

/// `--strict` reports a call that the scan could not know, and nothing else.
fn strict(bench: &Bench) -> Result<()> {
    let file = bench.work.join("stats");
    let stats = format!("--stats={}", file.display());
    for (source, missed) in [(HIDDEN_SITE, 1), ("print(True)", 0)] {
        let _ = fs::remove_file(&file);
        let done = bench.program(&["--strict", &stats], &["/usr/bin/python3", "-c", source])?;
        ensure!(done.stdout == b"True\n", "ended with {:?}: {}", done.end, String::from_utf8_lossy(&done.stderr));
        let said = String::from_utf8_lossy(&done.stderr).matches("was not found by the scan").count();
        let text = fs::read_to_string(&file).context("--stats wrote no file")?;
        ensure!(said == missed, "{said} sites reported, not {missed}");
        ensure!(text.contains(&format!("\"missed\":{missed},")), "not {missed} sites in the statistics:\n{text}");
    }
    Ok(())
}
