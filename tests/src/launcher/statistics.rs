//! What `--stats` writes.

use std::fs;
use std::io::Read as _;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};

use super::bench::Bench;
use crate::paths;
use crate::runner::executable::write_executable;
use crate::runner::launch::options_of;
use crate::runner::process::{self, End};

/// The letter of a process's state (proc(5)).
fn state(pid: u32) -> Result<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("State:")).context("no state")?;
    Ok(line.trim().chars().take(1).collect())
}

/// A signal set of a process (proc(5)).
fn status(pid: u32, field: &str) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    // A zombie has none of the fields left.
    let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap_or("0");
    Ok(u64::from_str_radix(line.trim(), 16)?)
}

/// Whether a descriptor can be read, now or soon.
fn is_readable(fd: BorrowedFd<'_>) -> Result<bool> {
    const SOON_MS: u8 = 20;
    Ok(poll(&mut [PollFd::new(fd, PollFlags::POLLIN)], SOON_MS).context("poll")? > 0)
}

/// A process that a signal ends while it writes a line has written the whole line: the next process's line follows it.
///
/// The file is a pipe that holds less than a line, so that the process is ended in the middle of its write.
pub fn whole_lines(bench: &Bench) -> Result<()> {
    const PIPE_BYTES: i32 = 4096;
    // Each byte of the name takes six in a JSON string.
    let directory =
        ["\u{1}".repeat(250), "\u{1}".repeat(250), "\u{1}".repeat(250)].iter().collect::<std::path::PathBuf>();
    let directory = bench.work.join(directory);
    fs::create_dir_all(&directory)?;
    let program = directory.join("true");
    write_executable(&program, &fs::read("/bin/true")?, 0o755)?;
    let pipe = bench.work.join("pipe");
    mkfifo(&pipe, Mode::S_IRUSR | Mode::S_IWUSR).context("mkfifo")?;
    let mut both_ends = fs::OpenOptions::new().read(true).write(true).open(&pipe)?;
    let room = fcntl(&both_ends, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES)).context("F_SETPIPE_SZ")?;
    ensure!(room == PIPE_BYTES, "F_SETPIPE_SZ gave {room}");
    let mut command = Command::new(paths::launcher());
    command.args(options_of(&bench.pass)).arg(format!("--stats={}", pipe.display())).arg("--").arg(&program);
    command.current_dir(&bench.work).stdin(Stdio::null()).stdout(Stdio::null());
    process::fix_environment(&mut command, &bench.work);
    let mut child = command.spawn()?;
    let mut text = vec![0u8; PIPE_BYTES as usize];
    // The pipe is full: the line is longer, so the process is inside its write or about to go on with it.
    let mut held = 0;
    while held < PIPE_BYTES {
        // SAFETY: FIONREAD writes one int.
        unsafe { libc::ioctl(both_ends.as_raw_fd(), libc::FIONREAD, &raw mut held) };
        ensure!(held == PIPE_BYTES || child.try_wait()?.is_none(), "ended before it had written a line");
        std::thread::yield_now();
    }
    while state(child.id())? != "S" {
        std::thread::yield_now();
    }
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).context("kill")?;
    // Until it has been ended, or has blocked the signal and goes on when there is room.
    while child.try_wait()?.is_none() && status(child.id(), "SigBlk:")? & status(child.id(), "ShdPnd:")? == 0 {
        std::thread::yield_now();
    }
    both_ends.read_exact(&mut text)?;
    while !text.contains(&b'\n') {
        let ready = is_readable(both_ends.as_fd())?;
        ensure!(ready || child.try_wait()?.is_none(), "the line is torn: {} bytes without an end", text.len());
        if ready {
            let mut more = [0u8; 4096];
            let len = both_ends.read(&mut more)?;
            text.extend_from_slice(&more[..len]);
        }
    }
    let line = text.split(|&b| b == b'\n').next().unwrap_or_default();
    let _: serde_json::Value = serde_json::from_slice(line).context("not a line of JSON")?;
    // Its end event, if the signal came too late for that.
    while child.try_wait()?.is_none() {
        if is_readable(both_ends.as_fd())? {
            let _ = both_ends.read(&mut [0u8; 4096])?;
        }
    }
    Ok(())
}

/// `--stats-time`: a call that sleeps has taken as long as it slept, no longer than the program ran.
pub fn times(bench: &Bench) -> Result<()> {
    let file = bench.work.join("stats");
    let stats = format!("--stats={}", file.display());
    let begin = std::time::Instant::now();
    let done = bench.program(&["--stats-time", &stats], &["sleep", "0.05"])?;
    let whole = u64::try_from(begin.elapsed().as_nanos())?;
    ensure!(done.end == Some(End::Exit(0)), "sleep ended with {:?}", done.end);
    let text = fs::read_to_string(&file).context("--stats wrote no file")?;
    let last = text.lines().last().context("no line")?;
    let end: serde_json::Value = serde_json::from_str(last)?;
    let slept = end["syscalls"]["clock_nanosleep"]["ns"].as_u64().context("no time of clock_nanosleep")?;
    ensure!((50_000_000..=whole).contains(&slept), "slept 50 ms, told as {slept} ns of {whole}");
    ensure!(end["syscalls"]["mmap"]["ns"].as_u64().is_some_and(|ns| ns > 0), "no time of mmap: {last}");
    Ok(())
}

/// Calls that can be answered are: a level that answers nothing would pass every other test.
pub fn answers(bench: &Bench) -> Result<()> {
    const TIMES: u64 = 4000;
    fs::write(bench.work.join("from"), vec![b'f'; 20_000])?;
    fs::write(bench.work.join("to"), vec![b't'; 20_000])?;
    let source = format!(
        "import ctypes, os
source, to, (out, into) = os.open('from', os.O_RDONLY), os.open('to', os.O_RDWR), os.pipe()
for _ in range({TIMES}): os.write(to, os.read(source, 2))
for _ in range({TIMES}): os.write(into, b'x'); os.read(out, 1)
for _ in range({TIMES}): os.getuid()
call, time = ctypes.CDLL(None).syscall, ctypes.create_string_buffer(16)
for _ in range({TIMES}): call({}, 1, time)",
        libc::SYS_clock_gettime
    );
    // Reads and writes that each level answers at least, of twice `TIMES`: a descriptor that gets no lane makes the
    // next look come later.
    for (level, reads, writes) in [("off", 0, 0), ("coherent", 6500, 6500)] {
        let file = bench.work.join(format!("stats-{level}"));
        let stats = format!("--stats={}", file.display());
        let done = bench.program(&["--emulate", level, &stats], &["python3", "-c", &source])?;
        ensure!(done.end == Some(End::Exit(0)), "python3 ended with {:?}", done.end);
        let text = fs::read_to_string(&file).context("--stats wrote no file")?;
        let end: serde_json::Value = serde_json::from_str(text.lines().last().context("no line")?)?;
        let answered = |name: &str| end["syscalls"][name]["emulated"].as_u64().unwrap_or(0);
        let found = (answered("read"), answered("write"), answered("getuid"), answered("clock_gettime"));
        let enough = found.0 >= reads && found.1 >= writes && (level == "off" || found.2.min(found.3) >= TIMES);
        ensure!(enough, "at level {level} only {found:?} reads, writes, getuid and clock_gettime were answered");
        ensure!(level != "off" || found == (0, 0, 0, 0), "at level off {found:?} were answered");
        ensure!(
            fs::read(bench.work.join("to"))?.starts_with(&vec![b'f'; usize::try_from(2 * TIMES)?]),
            "the copy is wrong"
        );
        fs::write(bench.work.join("to"), vec![b't'; 20_000])?;
    }
    Ok(())
}
