//! Which file an exec leads to, and whether bt-run may run it.
//!
//! Nothing is decided twice: only a file that passes every check here goes through bt-run, the kernel gets the rest.

use crate::elf::headers::{Fd, Headers};
use crate::report::Text;
use crate::sys::Errno;
use crate::sys::raw;
use crate::syscall::handoff::EXECFN_BYTES;
use alloc::vec::Vec;
use core::fmt::Write;
use linux_raw_sys::general as k;

/// Longest path, with its NUL.
pub const PATH_BYTES: usize = 4096;
/// Interpreters of interpreters (fs/exec.c, exec_binprm).
pub const MAX_SCRIPTS: usize = 4;
/// Bytes of a script that are looked at (include/uapi/linux/binfmts.h, BINPRM_BUF_SIZE).
const SCRIPT_BYTES: usize = 256;
/// execveat(2): the descriptor itself.
pub const AT_EMPTY_PATH: u64 = 0x1000;

/// Why the kernel gets the call as it is.
pub enum Native {
    /// The kernel will refuse it, or the file is nothing for us: no note.
    Quietly,
    /// It runs, but not under bt-run.
    Because(&'static str),
}

/// A program found fit.
pub struct Program {
    /// Its open file.
    pub fd: i32,
    /// Arguments that come before the guest's argv[1..], NUL-terminated one after the other, and their count; 0 for a program that
    /// gets argv as it is.
    pub head: [u8; 2 * PATH_BYTES],
    /// Bytes of `head`.
    pub head_len: usize,
    /// Strings in `head`.
    pub head_count: usize,
    /// AT_EXECFN.
    pub execfn: [u8; EXECFN_BYTES],
    /// Bytes of `execfn`.
    pub execfn_len: usize,
}

/// `/proc/self/exe` is the guest's program.
pub fn own_exe(shown: &[u8]) -> Result<Program, Native> {
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
pub fn find(dir: u64, path: &[u8], flags: u64) -> Result<Program, Native> {
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
        if is_busy(fd) {
            raw::close(fd);
            return Err(Native::Quietly);
        }
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
            && e != Errno::ENOSYS
        {
            return Err(Native::Quietly);
        }
        let flags = u64::from(k::O_RDONLY | k::O_CLOEXEC | k::O_NONBLOCK | k::O_NOCTTY);
        match raw::syscall(k::__NR_openat, [dir, path_at, flags, 0]) {
            Ok(fd) => i32::try_from(fd).map_err(|_| Native::Quietly),
            // x without r.
            Err(Errno::EACCES) => Err(Native::Because("not readable")),
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

/// The file is open for writing: the kernel says ETXTBSY (execveat(2), AT_EXECVE_CHECK, Linux 6.14; before, nothing says so).
fn is_busy(fd: i32) -> bool {
    const AT_EXECVE_CHECK: u64 = 0x10000;
    const ETXTBSY: u16 = 26;
    let arguments = [c"".as_ptr() as u64, 0];
    let environment = [0u64];
    // SAFETY: NUL-terminated vectors; nothing is executed.
    let result = unsafe {
        raw::syscall(
            k::__NR_execveat,
            [
                u64::from(fd.cast_unsigned()),
                c"".as_ptr() as u64,
                arguments.as_ptr() as u64,
                environment.as_ptr() as u64,
                AT_EMPTY_PATH | AT_EXECVE_CHECK,
            ],
        )
    };
    result == Err(Errno(ETXTBSY))
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
        Err(crate::elf::LoadError::Invalid(what)) => Some(what),
        Ok(headers) => headers
            .interp()
            .filter(|i| raw::open(i, k::O_RDONLY | k::O_CLOEXEC).map(raw::close).is_err())
            .map(|_| "names an interpreter that does not exist"),
        Err(_) => None,
    }
}
