//! execve(2), execveat(2): the next image runs under bt-run as well.
//!
//! What the next bt-run could not run is passed to the kernel as it is: it either runs it natively or has the right
//! errno. Nothing is decided twice: only a file that passes every check here goes through bt-run. Whether a file may be
//! executed at all the kernel has said by then ([`permission`](super::permission)).

use super::own_exe::{PATH_BYTES, Path, runtime_file};
use super::permission::{Native, RESTRICTED, refuses_runtime};
use super::program::{AT_EMPTY_PATH, MAX_SCRIPTS, Program, find};
use crate::emulate::call::{Call, Outcome, pass_with_held};
use crate::emulate::{self, names};
use crate::gate::facts::{Fact, holds};
use crate::gate::lane::START_DATA_BYTES;
use crate::mem::guest;
use crate::observe::stats;
use crate::options;
use crate::process::policy;
use crate::process::{SELF_FD, TRACE_FD};
use crate::report::Text;
use crate::signal::action;
use crate::sys::stat::Stat;
use crate::sys::{Errno, Fd, fs, mem, process};
use crate::syscall::handoff::{Handoff, STRING_BYTES};
use core::fmt::Write;
use core::sync::atomic::{AtomicBool, Ordering};
use linux_raw_sys::general as k;

/// This process asked to be traced (ptrace(2), PTRACE_TRACEME).
pub static TRACED: AtomicBool = AtomicBool::new(false);

/// execve(2).
pub fn execve(call: &mut Call<'_>) -> Outcome {
    let [path, argv, envp, ..] = call.args;
    exec(call, Fd::CWD, path, argv, envp, 0)
}

/// execveat(2).
pub fn execveat(call: &mut Call<'_>) -> Outcome {
    let [_, path, argv, envp, flags, _] = call.args;
    exec(call, Fd(call.int(0)), path, argv, envp, flags)
}

fn exec(call: &mut Call<'_>, dir: Fd, path: u64, argv: u64, envp: u64, flags: u64) -> Outcome {
    let mut name = Path::empty();
    if name.read(path).is_none() {
        return call.pass();
    }
    let own = own_program();
    let outcome = start(call, &name, (dir, flags), own, argv, envp);
    if own.0 != SELF_FD.load(Ordering::Relaxed) {
        own.close();
    }
    outcome
}

/// bt-run's own program: its descriptor, or another one where that had to give way to the guest's. Negative if there is
/// no number for one.
fn own_program() -> Fd {
    let fd = Fd(SELF_FD.load(Ordering::Relaxed));
    if fd.0 >= 0 {
        return fd;
    }
    let Ok(fd) = fs::open(c"/proc/self/exe", k::O_RDONLY | k::O_CLOEXEC) else { return Fd(-1) };
    if fd.stat().ok().map(|stat| stat.identity()) == runtime_file() {
        return fd;
    }
    fd.close();
    Fd(-1)
}

/// Starts the program at `name`, from a directory and with flags.
fn start(call: &mut Call<'_>, name: &Path, (dir, flags): (Fd, u64), own: Fd, argv: u64, envp: u64) -> Outcome {
    let shown = name.as_bytes();
    let program = if options::get().no_follow {
        Err(Native::Because("--no-follow"))
    } else if TRACED.load(Ordering::Relaxed) || is_traced_by_family() {
        Err(Native::Because("traced"))
    } else if own.0 < 0 {
        Err(Native::Because("no descriptor left for bt-run"))
    } else if !policy::may_make_code() {
        Err(Native::Because(policy::REASON))
    } else if !holds(Fact::Filtered) && process::soft_limit(k::RLIMIT_DATA) < START_DATA_BYTES {
        Err(Native::Because("RLIMIT_DATA"))
    } else {
        find(dir, shown, flags)
    };
    match program {
        Ok(program) => match enter(call, &program, own, argv, envp) {
            Outcome::Done(Err(errno)) if refuses_runtime(own, errno) => {
                stats::native(shown, "bt-run may not be executed");
                native(call, dir, name)
            }
            outcome => outcome,
        },
        Err(Native::Refused(errno)) => Outcome::Done(Err(errno)),
        Err(Native::Because(reason)) => {
            stats::native(shown, reason);
            leave_figures(call);
            native(call, dir, name)
        }
        Err(Native::Quietly) => native(call, dir, name),
    }
}

/// The process that traces this one, 0 without one (proc(5), TracerPid).
#[must_use]
pub fn tracer() -> u32 {
    let Ok(fd) = fs::open(c"/proc/self/status", k::O_RDONLY) else { return 0 };
    let mut text = [0u8; 512];
    let got = fd.read_at(&mut text, 0).unwrap_or(0);
    fd.close();
    let key = b"TracerPid:\t";
    let text = text.get(..got).unwrap_or(&[]);
    let Some(at) = text.windows(key.len()).position(|w| w == key) else { return 0 };
    let digits = text.get(at + key.len()..).unwrap_or(&[]).iter().take_while(|b| b.is_ascii_digit());
    digits.fold(0u32, |n, d| n.wrapping_mul(10).wrapping_add(u32::from(d - b'0')))
}

/// A tracer that runs under bt-run itself (strace, gdb) is to see the program, not the runtime. A tracer outside the
/// family asked for the runtime.
fn is_traced_by_family() -> bool {
    let tracer = tracer();
    if tracer == 0 {
        return false;
    }
    let mut exe = Text::default();
    let _ = write!(exe, "/proc/{tracer}/exe\0");
    let Ok(exe) = core::ffi::CStr::from_bytes_until_nul(exe.as_bytes()) else { return false };
    let identity = |stat: Result<Stat, Errno>| stat.ok().map(|stat| stat.identity());
    let theirs = identity(fs::stat(exe));
    theirs.is_some() && theirs == runtime_file()
}

/// Passes the call on, with what the kernel inherits handed back.
fn native(call: &mut Call<'_>, dir: Fd, path: &Path) -> Outcome {
    if !call.ts.shared.is_foreign() {
        emulate::leave();
    }
    action::hand_back();
    let led = path.led(dir);
    let mut args = call.args;
    if let Some(led) = &led {
        let [first, second, ..] = &mut args;
        *(if call.nr == k::__NR_execve { first } else { second }) = led.as_c_str().as_ptr() as u64;
    }
    let outcome = pass_with_held(call.ts, call.nr, &args);
    action::take_back();
    outcome
}

/// The image ends here: prints its figures. A vfork child has no image of its own, its calls count as its parent's.
fn leave_figures(call: &mut Call<'_>) {
    if !call.ts.shared.is_foreign() {
        stats::finish("exec");
    } else {
        stats::thread_ended(call.ts.shared);
    }
}

/// Words of argument and environment vectors that are built on the stack; longer ones get a mapping.
const WORDS_ON_STACK: usize = 1024;

/// A vector of string addresses for the kernel: some of ours, then the guest's.
struct Vector {
    small: [u64; WORDS_ON_STACK],
}

impl Vector {
    /// Builds the vector: `head`, then the guest's vector at `guest_at` without its first `skip` entries. Returns its
    /// address. A mapping is gone with the image; a failed exec leaves it behind, which is rare and harmless.
    fn build(&mut self, head: &[u64], guest_at: u64, skip: u64) -> Result<u64, Errno> {
        let mut count = 0u64;
        if guest_at != 0 {
            loop {
                match guest::read::<u64>(guest_at + count * 8) {
                    Some(0) => break,
                    Some(_) => count += 1,
                    None => return Err(Errno::EFAULT),
                }
            }
        }
        let words = head.len() as u64 + count + 1;
        let to = if words <= WORDS_ON_STACK as u64 {
            self.small.as_mut_ptr() as u64
        } else {
            mem::mmap_own(words * 8, k::PROT_READ | k::PROT_WRITE, 0)?
        };
        let mut at = to;
        let mut push = |v: u64| {
            let _ = guest::write(at, &v);
            at += 8;
        };
        head.iter().for_each(|&h| push(h));
        for i in skip..count {
            push(guest::read::<u64>(guest_at + i * 8).unwrap_or(0));
        }
        push(0);
        Ok(to)
    }
}

/// Most strings in front of a script's arguments: interpreter and argument for each script, and the script.
const MAX_HEAD: usize = 2 * (MAX_SCRIPTS + 1) + 1;

/// Starts the next bt-run.
fn enter(call: &mut Call<'_>, program: &Program, own: Fd, argv: u64, envp: u64) -> Outcome {
    let outcome = match prepare_and_enter(call, program, own, argv, envp) {
        Ok(outcome) => outcome,
        Err(errno) => Outcome::Done(Err(errno)),
    };
    // Only a failed exec comes back.
    action::take_back();
    let _ = keep_over_exec(own.0, false);
    let _ = keep_over_exec(TRACE_FD.load(Ordering::Relaxed), false);
    program.close();
    outcome
}

fn prepare_and_enter(call: &mut Call<'_>, program: &Program, own: Fd, argv: u64, envp: u64) -> Result<Outcome, Errno> {
    let execfn = program.execfn.get(..program.execfn_len).unwrap_or(&[]);
    let mut target = [0u8; PATH_BYTES];
    let named = if call.nr == k::__NR_execveat && call.arg(4) & AT_EMPTY_PATH != 0 && names_from_file() {
        file_name(program.fd, &mut target)
    } else {
        execfn
    };
    let mut comm = [0u8; 16];
    let base = named.rsplit(|&b| b == b'/').next().unwrap_or(&[]);
    for (to, from) in comm.iter_mut().take(15).zip(base) {
        *to = *from;
    }
    let handoff = Handoff {
        exe_fd: program.fd.0,
        interp_fd: program.interp.0,
        trace_fd: TRACE_FD.load(Ordering::Relaxed),
        restricted: u32::from(RESTRICTED.load(Ordering::Relaxed)),
        comm,
        cpuid: crate::engine::cpuid::answers(),
        volumes: crate::engine::direct::volume::known(),
        options: options::get().of_image(names::are_shared()),
    };
    let mut string = [0u8; STRING_BYTES];
    handoff.write(execfn, &mut string).ok_or(Errno::E2BIG)?;

    let mut env = Vector { small: [0; WORDS_ON_STACK] };
    let env_at = env.build(&[string.as_ptr() as u64], envp, 0)?;
    let mut args = Vector { small: [0; WORDS_ON_STACK] };
    let mut argv_at = argv;
    if program.head_count != 0 {
        let mut head = [0u64; MAX_HEAD];
        let mut offset = 0u64;
        let strings = program.head.get(..program.head_len).unwrap_or(&[]).split_inclusive(|&b| b == 0);
        for (slot, s) in head.iter_mut().zip(strings) {
            *slot = program.head.as_ptr() as u64 + offset;
            offset += s.len() as u64;
        }
        argv_at = args.build(head.get(..program.head_count).unwrap_or(&[]), argv, 1)?;
    }
    if !call.ts.shared.is_foreign() {
        emulate::leave();
    }
    leave_figures(call);
    for fd in [program.fd.0, own.0, program.interp.0, TRACE_FD.load(Ordering::Relaxed)] {
        if fd >= 0 {
            keep_over_exec(fd, true)?;
        }
    }
    crate::observe::trace_line::before_exec(call.nr, &call.args);
    action::hand_back();
    let call_args = [u64::from(own.0.cast_unsigned()), c"".as_ptr() as u64, argv_at, env_at, AT_EMPTY_PATH, 0];
    Ok(pass_with_held(call.ts, k::__NR_execveat, &call_args))
}

/// Linux 6.14 and later name a process started from a descriptor after the file, not after the descriptor.
fn names_from_file() -> bool {
    process::kernel_release() >= (6, 14)
}

/// Path of an open file.
fn file_name(fd: Fd, buf: &mut [u8; PATH_BYTES]) -> &[u8] {
    let path = fd.target(buf);
    // proc(5): the link of a file that has no name any more says so.
    path.strip_suffix(b" (deleted)").unwrap_or(path)
}

/// Sets or clears close-on-exec of a descriptor of ours.
pub fn keep_over_exec(fd: i32, keep: bool) -> Result<(), Errno> {
    Fd(fd).close_on_exec(!keep)
}
