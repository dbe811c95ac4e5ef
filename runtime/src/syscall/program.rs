//! Which file an exec leads to, and whether bt-run may run it.
//!
//! Nothing is decided twice: only a file that passes every check here goes through bt-run, the kernel gets the rest.

use crate::elf::headers::Headers;
use crate::report::Text;
use crate::sys::{Errno, Fd, fs, process};
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
    pub fd: Fd,
    /// Arguments that come before the guest's argv[1..], NUL-terminated one after the other, and their count; 0 for a
    /// program that gets argv as it is.
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
    let mut program = find(Fd::CWD, link.path().to_bytes(), 0)?;
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

    /// The name of a file that was named by a descriptor: what a script and AT_EXECFN see (fs/exec.c, alloc_bprm).
    fn set_execfn_in(&mut self, dir: Fd, path: &[u8]) {
        let mut text = Text::default();
        let _ = write!(text, "/dev/fd/{}", dir.0.cast_unsigned());
        let mut full = [0u8; PATH_BYTES];
        let separator: &[u8] = if path.is_empty() { b"" } else { b"/" };
        let bytes = text.as_bytes().iter().chain(separator).chain(path);
        let mut len = 0;
        for (to, from) in full.iter_mut().zip(bytes) {
            *to = *from;
            len += 1;
        }
        self.set_execfn(full.get(..len).unwrap_or(&[]));
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
pub fn find(dir: Fd, path: &[u8], flags: u64) -> Result<Program, Native> {
    let mut program = Program {
        fd: Fd(-1),
        head: [0; 2 * PATH_BYTES],
        head_len: 0,
        head_count: 0,
        execfn: [0; EXECFN_BYTES],
        execfn_len: 0,
    };
    if dir == Fd::CWD || path.first() == Some(&b'/') {
        program.set_execfn(path);
    } else {
        program.set_execfn_in(dir, path);
    }
    let mut buf = path_cstr(path);
    let mut len = path.len();
    let first_dir = dir;
    let (mut dir, mut flags) = (dir, flags);
    for _ in 0..=MAX_SCRIPTS {
        let fd = open_checked(dir, &buf, flags)?;
        if is_busy(fd) {
            fd.close();
            return Err(Native::Quietly);
        }
        let mut head = [0u8; SCRIPT_BYTES];
        let got = fd.read_at(&mut head, 0).unwrap_or(0);
        if !head.starts_with(b"#!") {
            match fit(fd) {
                Ok(()) => {
                    program.fd = fd;
                    return Ok(program);
                }
                Err(reason) => {
                    fd.close();
                    return Err(reason);
                }
            }
        }
        fd.close();
        // A script that is named by a descriptor its interpreter will not have (fs/exec.c,
        // BINPRM_FLAGS_PATH_INACCESSIBLE).
        if program.head_count == 0 && first_dir != Fd::CWD && path.first() != Some(&b'/') && first_dir.closes_on_exec()
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
        dir = Fd::CWD;
        flags = 0;
    }
    Err(Native::Quietly)
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
fn open_checked(dir: Fd, path: &[u8; PATH_BYTES], flags: u64) -> Result<Fd, Native> {
    // AT_SYMLINK_NOFOLLOW and relatives: rare enough to let the kernel decide.
    if flags & !AT_EMPTY_PATH != 0 {
        return Err(Native::Because("execveat flags"));
    }
    let path = core::ffi::CStr::from_bytes_until_nul(path).map_err(|_| Native::Quietly)?;
    if path.is_empty() && flags & AT_EMPTY_PATH == 0 {
        return Err(Native::Quietly);
    }
    let link = dir.link();
    let (dir, path) = if path.is_empty() { (Fd::CWD, link.path()) } else { (dir, path) };
    if fs::may_execute(dir, path).is_err_and(|errno| errno != Errno::ENOSYS) {
        return Err(Native::Quietly);
    }
    fs::open_at(dir, path, k::O_RDONLY | k::O_NONBLOCK | k::O_NOCTTY, 0).map_err(|errno| match errno {
        // x without r.
        Errno::EACCES => Native::Because("not readable"),
        _ => Native::Quietly,
    })
}

/// Whether the open file is a program for the next bt-run.
fn fit(fd: Fd) -> Result<(), Native> {
    let Ok(stat) = fd.stat() else { return Err(Native::Quietly) };
    if !stat.is_regular() {
        return Err(Native::Quietly);
    }
    // setuid, or setgid with group execution (fs/exec.c, bprm_fill_uid).
    let special = stat.mode & 0o4000 != 0 || stat.mode & 0o2010 == 0o2010;
    if special && !privileges_are_moot(fd) {
        return Err(Native::Because("setuid"));
    }
    if fd.has_attribute(c"security.capability") && !privileges_are_moot(fd) {
        return Err(Native::Because("file capabilities"));
    }
    let headers = match Headers::parse(&fd) {
        Ok(headers) => headers,
        Err(_) => return Err(other_format(fd)),
    };
    if let Some(interp) = headers.interp() {
        match fs::open(interp, k::O_RDONLY) {
            Ok(fd) => {
                let ok = Headers::parse(&fd).is_ok();
                fd.close();
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
fn other_format(fd: Fd) -> Native {
    let mut head = [0u8; 20];
    let got = fd.read_at(&mut head, 0).unwrap_or(0);
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
fn privileges_are_moot(fd: Fd) -> bool {
    process::has_no_new_privs() || fd.file_system().is_ok_and(|file_system| file_system.ignores_set_id())
}

/// A program found for a start from the command line.
pub struct Found {
    /// Its descriptor.
    pub fd: Fd,
    /// AT_EXECFN.
    pub execfn: Vec<u8>,
    /// Arguments a script's interpreter gets in place of `argv[0]`; empty for a program.
    pub head: Vec<Vec<u8>>,
}

/// As an exec of `path` inside the family. `Err` says why the kernel is to try, `None` when there is little hope.
pub fn find_for_start(path: &[u8]) -> Result<Found, Option<&'static str>> {
    match find(Fd::CWD, path, 0) {
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

/// The file is open for writing: the kernel says ETXTBSY (execveat(2), AT_EXECVE_CHECK, Linux 6.14; before, nothing
/// says so).
fn is_busy(fd: Fd) -> bool {
    process::check_execution(fd) == Err(Errno::ETXTBSY)
}

/// What is wrong with a file that the kernel refused, where its headers tell more than the errno.
#[must_use]
pub fn diagnose(path: &[u8]) -> Option<&'static str> {
    let mut z = path.to_vec();
    z.push(0);
    let path = core::ffi::CStr::from_bytes_with_nul(&z).ok()?;
    let fd = fs::open(path, k::O_RDONLY | k::O_NONBLOCK).ok()?;
    let stat = fd.stat();
    let parsed = Headers::parse(&fd);
    fd.close();
    let stat = stat.ok()?;
    if stat.is_directory() {
        return Some("is a directory");
    }
    if stat.mode & 0o111 == 0 {
        return None;
    }
    match parsed {
        Err(crate::elf::LoadError::Invalid(what)) => Some(what),
        Ok(headers) => headers
            .interp()
            .filter(|path| fs::open(path, k::O_RDONLY).map(Fd::close).is_err())
            .map(|_| "names an interpreter that does not exist"),
        Err(_) => None,
    }
}
