//! execve(2), execveat(2): the next image runs under bt-run as well.
//!
//! What the next bt-run could not run is passed to the kernel as it is: it either runs it natively or has the right errno. Nothing
//! is decided twice: only a file that passes every check here goes through bt-run.

use super::paths::names_own_exe;
use super::{Call, Outcome};
use crate::loader::elf::{Fd, Headers};
use crate::loader::handoff::{EXECFN_BYTES, Handoff, STRING_BYTES};
use crate::mem::guest;
use crate::options;
use crate::process::{SELF_FD, TRACE_FD};
use crate::report::Text;
use crate::signal::action;
use crate::stats;
use crate::sys::raw::{self, Errno};
use alloc::vec::Vec;
use core::fmt::Write;
use core::sync::atomic::{AtomicBool, Ordering};
use linux_raw_sys::general as k;

/// This process asked to be traced (ptrace(2), PTRACE_TRACEME).
pub static TRACED: AtomicBool = AtomicBool::new(false);

const PATH_BYTES: usize = 4096;
/// Interpreters of interpreters (fs/exec.c, exec_binprm).
const MAX_SCRIPTS: usize = 4;
/// Bytes of a script that are looked at (include/uapi/linux/binfmts.h, BINPRM_BUF_SIZE).
const SCRIPT_BYTES: usize = 256;
const AT_EMPTY_PATH: u64 = 0x1000;

/// Why the kernel gets the call as it is.
enum Native {
    /// The kernel will refuse it, or the file is nothing for us: no note.
    Quietly,
    /// It runs, but not under bt-run.
    Because(&'static str),
}

/// A program found fit.
struct Program {
    fd: i32,
    /// Arguments that come before the guest's argv[1..], NUL-terminated one after the other, and their count; 0 for a program that
    /// gets argv as it is.
    head: [u8; 2 * PATH_BYTES],
    head_len: usize,
    head_count: usize,
    execfn: [u8; EXECFN_BYTES],
    execfn_len: usize,
}

/// execve(2).
pub fn execve(call: &mut Call<'_>) -> Outcome {
    let [path, argv, envp, ..] = call.args;
    exec(call, i64::from(k::AT_FDCWD).cast_unsigned(), path, argv, envp, 0)
}

/// execveat(2).
pub fn execveat(call: &mut Call<'_>) -> Outcome {
    let [dir, path, argv, envp, flags, _] = call.args;
    exec(call, dir, path, argv, envp, flags)
}

fn exec(call: &mut Call<'_>, dir: u64, path: u64, argv: u64, envp: u64, flags: u64) -> Outcome {
    let mut name = [0u8; PATH_BYTES];
    let len = match guest::read_cstr(path, &mut name) {
        Some(Ok(p)) => p.len(),
        _ => return call.pass(),
    };
    let shown = name;
    let shown = shown.get(..len).unwrap_or(&[]);
    let program = if options::get().no_follow {
        Err(Native::Because("--no-follow"))
    } else if TRACED.load(Ordering::Relaxed) || is_traced_by_family() {
        Err(Native::Because("traced"))
    } else if names_own_exe(path) {
        own_exe(shown)
    } else {
        find(dir, shown, flags)
    };
    match program {
        Ok(program) => enter(call, &program, argv, envp),
        Err(reason) => native(call, shown, &reason),
    }
}

/// A tracer that runs under bt-run itself (strace, gdb) is to see the program, not the runtime. A tracer outside the family asked
/// for the runtime.
fn is_traced_by_family() -> bool {
    let Ok(fd) = raw::open(c"/proc/self/status", k::O_RDONLY | k::O_CLOEXEC) else { return false };
    let mut text = [0u8; 512];
    let got = raw::pread(fd, &mut text, 0).unwrap_or(0);
    raw::close(fd);
    let key = b"TracerPid:\t";
    let text = text.get(..got).unwrap_or(&[]);
    let Some(at) = text.windows(key.len()).position(|w| w == key) else { return false };
    let digits = text.get(at + key.len()..).unwrap_or(&[]).iter().take_while(|b| b.is_ascii_digit());
    let tracer = digits.fold(0u32, |n, d| n.wrapping_mul(10).wrapping_add(u32::from(d - b'0')));
    if tracer == 0 {
        return false;
    }
    let mut exe = Text::default();
    let _ = write!(exe, "/proc/{tracer}/exe\0");
    let mut own = Text::default();
    let _ = write!(own, "/proc/self/fd/{}\0", SELF_FD.load(Ordering::Relaxed));
    // struct stat begins with st_dev and st_ino.
    let identity = |path: &Text| {
        let mut stat = [0u64; 18];
        // SAFETY: NUL-terminated path, 144 bytes on x86-64.
        let ok = unsafe { raw::syscall(k::__NR_stat, [path.as_bytes().as_ptr() as u64, stat.as_mut_ptr() as u64]) };
        let [dev, ino, ..] = stat;
        ok.ok().map(|_| (dev, ino))
    };
    identity(&exe).is_some_and(|id| Some(id) == identity(&own))
}

/// Passes the call on, with what the kernel inherits handed back.
fn native(call: &mut Call<'_>, path: &[u8], reason: &Native) -> Outcome {
    if let Native::Because(reason) = reason {
        stats::native(path, reason);
        leave_figures(call);
    }
    action::hand_back();
    let real_mask = call.ts.kept_mask & crate::sys::types::sig::bit(crate::sys::types::sig::SIGSEGV) != 0;
    if real_mask {
        block_segv(true);
    }
    let own = names_own_exe(call.arg(0));
    let link = super::paths::exe_link();
    let mut args = call.args;
    if own && call.nr == k::__NR_execve {
        args[0] = link.as_bytes().as_ptr() as u64;
    }
    let outcome = call.pass_with(&args);
    if real_mask {
        block_segv(false);
    }
    action::take_back();
    outcome
}

/// The image ends here: prints its figures. A vfork child has no image of its own, its calls count as its parent's.
fn leave_figures(call: &mut Call<'_>) {
    if call.ts.foreign == 0 {
        stats::finish("exec");
    } else {
        stats::thread_ended(call.ts);
    }
}

fn block_segv(block: bool) {
    let mask = 1u64 << 10;
    // SAFETY: SIG_BLOCK 0, SIG_UNBLOCK 1; the word lives during the call.
    let _ = unsafe { raw::syscall(k::__NR_rt_sigprocmask, [u64::from(!block), &raw const mask as u64, 0, 8]) };
}

/// `/proc/self/exe` is the guest's program.
fn own_exe(shown: &[u8]) -> Result<Program, Native> {
    let link = super::paths::exe_link();
    let cut = link.as_bytes();
    let mut program =
        find(i64::from(k::AT_FDCWD).cast_unsigned(), cut.get(..cut.len().saturating_sub(1)).unwrap_or(&[]), 0)?;
    program.set_execfn(shown);
    Ok(program)
}

impl Program {
    fn set_execfn(&mut self, path: &[u8]) {
        let n = path.len().min(EXECFN_BYTES - 1);
        if let (Some(to), Some(from)) = (self.execfn.get_mut(..n), path.get(..n)) {
            to.copy_from_slice(from);
        }
        self.execfn_len = n;
    }

    /// Puts `s` in front of the arguments so far.
    fn prepend(&mut self, s: &[u8]) -> Option<()> {
        let n = s.len() + 1;
        let old = self.head_len;
        self.head.get(..old + n)?;
        self.head.copy_within(..old, n);
        self.head.get_mut(..s.len())?.copy_from_slice(s);
        *self.head.get_mut(s.len())? = 0;
        self.head_len += n;
        self.head_count += 1;
        Some(())
    }
}

fn path_cstr(path: &[u8]) -> [u8; PATH_BYTES] {
    let mut buf = [0u8; PATH_BYTES];
    let n = path.len().min(PATH_BYTES - 1);
    if let (Some(to), Some(from)) = (buf.get_mut(..n), path.get(..n)) {
        to.copy_from_slice(from);
    }
    buf
}

/// Finds what the path leads to, through scripts.
fn find(dir: u64, path: &[u8], flags: u64) -> Result<Program, Native> {
    let mut program = Program {
        fd: -1,
        head: [0; 2 * PATH_BYTES],
        head_len: 0,
        head_count: 0,
        execfn: [0; EXECFN_BYTES],
        execfn_len: 0,
    };
    program.set_execfn(path);
    let at_fdcwd = i64::from(k::AT_FDCWD).cast_unsigned();
    let low = |v: u64| v & 0xffff_ffff;
    if low(dir) != low(at_fdcwd) && path.first() != Some(&b'/') {
        // fs/exec.c, alloc_bprm: the name a script or AT_EXECFN sees.
        let mut text = Text::default();
        let _ = write!(text, "/dev/fd/{}", low(dir));
        let mut full = [0u8; PATH_BYTES];
        let head = text.as_bytes();
        let mut n = head.len();
        if let Some(to) = full.get_mut(..n) {
            to.copy_from_slice(head);
        }
        if !path.is_empty() {
            if let Some(slot) = full.get_mut(n) {
                *slot = b'/';
            }
            n += 1;
            if let Some(to) = full.get_mut(n..n + path.len()) {
                to.copy_from_slice(path);
            }
            n += path.len();
        }
        program.set_execfn(full.get(..n).unwrap_or(&[]));
    }
    let mut buf = path_cstr(path);
    let mut len = path.len();
    let first_dir = dir;
    let (mut dir, mut flags) = (dir, flags);
    for _ in 0..=MAX_SCRIPTS {
        let fd = open_checked(dir, &buf, flags)?;
        let mut head = [0u8; SCRIPT_BYTES];
        let got = raw::pread(fd, &mut head, 0).unwrap_or(0);
        if !head.starts_with(b"#!") {
            match fit(fd) {
                Ok(()) => {
                    program.fd = fd;
                    return Ok(program);
                }
                Err(reason) => {
                    raw::close(fd);
                    return Err(reason);
                }
            }
        }
        raw::close(fd);
        // A script that is named by a descriptor its interpreter will not have (fs/exec.c, BINPRM_FLAGS_PATH_INACCESSIBLE).
        if program.head_count == 0
            && low(first_dir) != low(at_fdcwd)
            && path.first() != Some(&b'/')
            && closes_on_exec(first_dir)
        {
            return Err(Native::Quietly);
        }
        let line = head.get(2..got).unwrap_or(&[]);
        let Some((interp, arg)) = parse_script(line, got == SCRIPT_BYTES) else { return Err(Native::Quietly) };
        // fs/binfmt_script.c: argv[0] is replaced by interpreter, its argument, and the script's name.
        let script: &[u8] = if program.head_count == 0 {
            program.execfn.get(..program.execfn_len).unwrap_or(&[])
        } else {
            buf.get(..len).unwrap_or(&[])
        };
        let script = path_cstr(script);
        let script_len = script.iter().position(|&b| b == 0).unwrap_or(0);
        // A nested script's name is already the first argument.
        let added =
            if program.head_count == 0 { program.prepend(script.get(..script_len).unwrap_or(&[])) } else { Some(()) };
        let added = added.and_then(|()| if arg.is_empty() { Some(()) } else { program.prepend(arg) });
        if added.and_then(|()| program.prepend(interp)).is_none() {
            return Err(Native::Quietly);
        }
        len = interp.len();
        buf = path_cstr(interp);
        dir = at_fdcwd;
        flags = 0;
    }
    Err(Native::Quietly)
}

fn closes_on_exec(fd: u64) -> bool {
    // SAFETY: F_GETFD = 1, FD_CLOEXEC = 1.
    unsafe { raw::syscall(k::__NR_fcntl, [fd & 0xffff_ffff, 1, 0]) }.is_ok_and(|flags| flags & 1 != 0)
}

/// Interpreter and argument of a script's first line without `#!` (fs/binfmt_script.c).
fn parse_script(line: &[u8], cut: bool) -> Option<(&[u8], &[u8])> {
    let space = |b: &u8| *b == b' ' || *b == b'\t';
    let end = line.iter().position(|&b| b == b'\n' || b == 0);
    let text = line.get(..end.unwrap_or(line.len()))?;
    let start = text.iter().position(|b| !space(b))?;
    let text = text.get(start..)?;
    let trimmed = text.get(..text.iter().rposition(|b| !space(b))? + 1)?;
    let name_end = trimmed.iter().position(space).unwrap_or(trimmed.len());
    // A name that may be cut off is not a name.
    if end.is_none() && cut && name_end == trimmed.len() {
        return None;
    }
    let rest = trimmed.get(name_end..)?;
    let arg = rest.iter().position(|b| !space(b)).and_then(|i| rest.get(i..)).unwrap_or(&[]);
    Some((trimmed.get(..name_end)?, arg))
}

/// Opens a file for execution, with the checks execve makes first.
fn open_checked(dir: u64, path: &[u8; PATH_BYTES], flags: u64) -> Result<i32, Native> {
    // AT_SYMLINK_NOFOLLOW and relatives: rare enough to let the kernel decide.
    if flags & !AT_EMPTY_PATH != 0 {
        return Err(Native::Because("execveat flags"));
    }
    let path_at = path.as_ptr() as u64;
    let empty = path.first() == Some(&0);
    if empty && flags & AT_EMPTY_PATH == 0 {
        return Err(Native::Quietly);
    }
    let mut link = Text::default();
    let _ = write!(link, "/proc/self/fd/{}\0", dir & 0xffff_ffff);
    let (dir, path_at) =
        if empty { (i64::from(k::AT_FDCWD).cast_unsigned(), link.as_bytes().as_ptr() as u64) } else { (dir, path_at) };
    // SAFETY: paths are NUL-terminated. X_OK = 1, AT_EACCESS = 0x200.
    unsafe {
        if let Err(e) = raw::syscall(k::__NR_faccessat2, [dir, path_at, 1, 0x200])
            && e != Errno(38)
        {
            return Err(Native::Quietly);
        }
        let flags = u64::from(k::O_RDONLY | k::O_CLOEXEC | k::O_NONBLOCK | k::O_NOCTTY);
        match raw::syscall(k::__NR_openat, [dir, path_at, flags, 0]) {
            Ok(fd) => i32::try_from(fd).map_err(|_| Native::Quietly),
            // x without r.
            Err(Errno(13)) => Err(Native::Because("not readable")),
            Err(_) => Err(Native::Quietly),
        }
    }
}

/// Whether the open file is a program for the next bt-run.
fn fit(fd: i32) -> Result<(), Native> {
    let fd_arg = u64::from(fd.cast_unsigned());
    // struct stat: st_mode is the 32-bit word at byte 24.
    let mut stat = [0u64; 18];
    // SAFETY: 144 bytes on x86-64.
    if unsafe { raw::syscall(k::__NR_fstat, [fd_arg, stat.as_mut_ptr() as u64]) }.is_err() {
        return Err(Native::Quietly);
    }
    let [_, _, _, mode_uid, ..] = stat;
    let mode = mode_uid & 0xffff_ffff;
    if mode & 0o170_000 != 0o100_000 {
        return Err(Native::Quietly);
    }
    // setuid, or setgid with group execution (fs/exec.c, bprm_fill_uid).
    let special = mode & 0o4000 != 0 || mode & 0o2010 == 0o2010;
    if special && !privileges_are_moot(fd_arg) {
        return Err(Native::Because("setuid"));
    }
    let mut caps = [0u8; 64];
    // SAFETY: the kernel writes at most 64 bytes.
    let got = unsafe {
        raw::syscall(k::__NR_fgetxattr, [fd_arg, c"security.capability".as_ptr() as u64, caps.as_mut_ptr() as u64, 64])
    };
    if got.is_ok() && !privileges_are_moot(fd_arg) {
        return Err(Native::Because("file capabilities"));
    }
    let headers = match Headers::parse(&Fd(fd)) {
        Ok(headers) => headers,
        Err(_) => return Err(other_format(fd)),
    };
    if let Some(interp) = headers.interp() {
        match raw::open(interp, k::O_RDONLY | k::O_CLOEXEC) {
            Ok(fd) => {
                let ok = Headers::parse(&Fd(fd)).is_ok();
                raw::close(fd);
                if !ok {
                    return Err(Native::Quietly);
                }
            }
            Err(_) => return Err(Native::Quietly),
        }
    }
    Ok(())
}

/// 32-bit, binfmt_misc, or nothing at all: the kernel knows.
fn other_format(fd: i32) -> Native {
    let mut head = [0u8; 20];
    let got = raw::pread(fd, &mut head, 0).unwrap_or(0);
    let [0x7f, b'E', b'L', b'F', class, _, _, _, _, _, _, _, _, _, _, _, _, _, machine, 0] = head else {
        return Native::Quietly;
    };
    // EM_386 = 3; x32 is ELFCLASS32 for EM_X86_64 = 62.
    if got == head.len() && class == 1 && (machine == 3 || machine == 62) {
        return Native::Because("32-bit");
    }
    Native::Quietly
}

/// setuid bits mean nothing under no_new_privs or on a nosuid mount (execve(2)).
fn privileges_are_moot(fd: u64) -> bool {
    const PR_GET_NO_NEW_PRIVS: u64 = 39;
    const ST_NOSUID: u64 = 2;
    // struct statfs: f_flags is the word at byte 80.
    let mut statfs = [0u64; 15];
    // SAFETY: 120 bytes on x86-64.
    unsafe {
        if raw::syscall(k::__NR_prctl, [PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0]) == Ok(1) {
            return true;
        }
        let ok = raw::syscall(k::__NR_fstatfs, [fd, statfs.as_mut_ptr() as u64]).is_ok();
        let [_, _, _, _, _, _, _, _, _, _, flags, ..] = statfs;
        ok && flags & ST_NOSUID != 0
    }
}

/// Words of argument and environment vectors that are built on the stack; longer ones get a mapping.
const WORDS_ON_STACK: usize = 1024;

/// A vector of string addresses for the kernel: some of ours, then the guest's.
struct Vector {
    small: [u64; WORDS_ON_STACK],
}

impl Vector {
    /// Builds the vector: `head`, then the guest's vector at `guest_at` without its first `skip` entries. Returns its address.
    /// A mapping is gone with the image; a failed exec leaves it behind, which is rare and harmless.
    fn build(&mut self, head: &[u64], guest_at: u64, skip: u64) -> Result<u64, i64> {
        let mut count = 0u64;
        if guest_at != 0 {
            loop {
                match guest::read::<u64>(guest_at + count * 8) {
                    Some(0) => break,
                    Some(_) => count += 1,
                    None => return Err(-14),
                }
            }
        }
        let words = head.len() as u64 + count + 1;
        let to = if words <= WORDS_ON_STACK as u64 {
            self.small.as_mut_ptr() as u64
        } else {
            raw::mmap_anon(0, words * 8, k::PROT_READ | k::PROT_WRITE, 0).map_err(Errno::as_result)?
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
fn enter(call: &mut Call<'_>, program: &Program, argv: u64, envp: u64) -> Outcome {
    let outcome = match prepare_and_enter(call, program, argv, envp) {
        Ok(outcome) => outcome,
        Err(errno) => Outcome::Done(errno),
    };
    // Only a failed exec comes back.
    action::take_back();
    let _ = keep_over_exec(SELF_FD.load(Ordering::Relaxed), false);
    let _ = keep_over_exec(TRACE_FD.load(Ordering::Relaxed), false);
    raw::close(program.fd);
    outcome
}

fn prepare_and_enter(call: &mut Call<'_>, program: &Program, argv: u64, envp: u64) -> Result<Outcome, i64> {
    let self_fd = SELF_FD.load(Ordering::Relaxed);
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
        exe_fd: program.fd,
        kept_mask: call.ts.kept_mask,
        comm,
        trace_fd: TRACE_FD.load(Ordering::Relaxed),
        is_filtered: crate::policy::is_filtered(),
        cpuid: crate::cpuid::answers(),
        options: *options::get(),
    };
    let mut string = [0u8; STRING_BYTES];
    handoff.write(execfn, &mut string).ok_or(-7i64)?;

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
    leave_figures(call);
    keep_over_exec(program.fd, true).and_then(|()| keep_over_exec(self_fd, true)).map_err(Errno::as_result)?;
    let trace_fd = TRACE_FD.load(Ordering::Relaxed);
    if trace_fd >= 0 {
        keep_over_exec(trace_fd, true).map_err(Errno::as_result)?;
    }
    super::trace_line::before_exec(call.nr, &call.args);
    action::hand_back();
    let call_args = [u64::from(self_fd.cast_unsigned()), c"".as_ptr() as u64, argv_at, env_at, AT_EMPTY_PATH, 0];
    Ok(super::pass(call.ts, k::__NR_execveat, &call_args))
}

/// Linux 6.14 and later name a process started from a descriptor after the file, not after the descriptor.
fn names_from_file() -> bool {
    // struct utsname: six fields of 65 bytes, the third is the release.
    let mut uts = [0u8; 390];
    // SAFETY: 390 bytes.
    let _ = unsafe { raw::syscall(k::__NR_uname, [uts.as_mut_ptr() as u64]) };
    let mut parts = uts
        .get(130..195)
        .unwrap_or(&[])
        .split(|b| !b.is_ascii_digit())
        .map(|digits| digits.iter().fold(0u32, |n, d| n.wrapping_mul(10).wrapping_add(u32::from(d - b'0'))));
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    (major, minor) >= (6, 14)
}

/// Path of an open file.
fn file_name(fd: i32, buf: &mut [u8; PATH_BYTES]) -> &[u8] {
    let mut link = Text::default();
    let _ = write!(link, "/proc/self/fd/{fd}\0");
    // SAFETY: the link is NUL-terminated; readlink(2) writes at most the buffer's length.
    let got = unsafe {
        raw::syscall(k::__NR_readlink, [link.as_bytes().as_ptr() as u64, buf.as_mut_ptr() as u64, buf.len() as u64])
    };
    let path = buf.get(..got.map_or(0, |n| usize::try_from(n).unwrap_or(0))).unwrap_or(&[]);
    // proc(5): the link of a file that has no name any more says so.
    path.strip_suffix(b" (deleted)").unwrap_or(path)
}

/// Sets or clears close-on-exec of a descriptor of ours.
pub fn keep_over_exec(fd: i32, keep: bool) -> Result<(), Errno> {
    // SAFETY: F_SETFD = 2, FD_CLOEXEC = 1, on a descriptor of ours.
    unsafe { raw::syscall(k::__NR_fcntl, [u64::from(fd.cast_unsigned()), 2, u64::from(!keep)]) }.map(|_| ())
}

/// A program found for a start from the command line.
pub struct Found {
    /// Its descriptor.
    pub fd: i32,
    /// AT_EXECFN.
    pub execfn: Vec<u8>,
    /// Arguments a script's interpreter gets in place of argv[0]; empty for a program.
    pub head: Vec<Vec<u8>>,
}

/// As an exec of `path` inside the family. `Err` says why the kernel is to try, `None` when there is little hope.
pub fn find_for_start(path: &[u8]) -> Result<Found, Option<&'static str>> {
    match find(i64::from(k::AT_FDCWD).cast_unsigned(), path, 0) {
        Ok(p) => Ok(Found {
            fd: p.fd,
            execfn: p.execfn.get(..p.execfn_len).unwrap_or(&[]).to_vec(),
            head: p
                .head
                .get(..p.head_len)
                .unwrap_or(&[])
                .split_inclusive(|&b| b == 0)
                .map(|s| s.strip_suffix(&[0]).unwrap_or(s).to_vec())
                .collect(),
        }),
        Err(Native::Because(reason)) => Err(Some(reason)),
        Err(Native::Quietly) => Err(None),
    }
}

/// What is wrong with a file that the kernel refused, where its headers tell more than the errno.
#[must_use]
pub fn diagnose(path: &[u8]) -> Option<&'static str> {
    let mut z = path.to_vec();
    z.push(0);
    let path = core::ffi::CStr::from_bytes_with_nul(&z).ok()?;
    let fd = raw::open(path, k::O_RDONLY | k::O_CLOEXEC | k::O_NONBLOCK).ok()?;
    let mut stat = [0u64; 18];
    // SAFETY: 144 bytes on x86-64.
    let _ = unsafe { raw::syscall(k::__NR_fstat, [u64::from(fd.cast_unsigned()), stat.as_mut_ptr() as u64]) };
    let [_, _, _, mode, ..] = stat;
    let parsed = Headers::parse(&Fd(fd));
    raw::close(fd);
    if mode & 0o170_000 == 0o040_000 {
        return Some("is a directory");
    }
    if mode & 0o111 == 0 {
        return None;
    }
    match parsed {
        Err(crate::loader::LoadError::Invalid(what)) => Some(what),
        Ok(headers) => headers
            .interp()
            .filter(|i| raw::open(i, k::O_RDONLY | k::O_CLOEXEC).map(raw::close).is_err())
            .map(|_| "names an interpreter that does not exist"),
        Err(_) => None,
    }
}
