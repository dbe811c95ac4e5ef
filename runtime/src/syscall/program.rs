//! Which file an exec leads to, and whether bt-run may run it.
//!
//! Nothing is decided twice: only a file that passes every check here goes through bt-run, the kernel gets the rest.

use super::own_exe::{PATH_BYTES, Path, runtime_file};
use super::permission::{Native, open_executable};
use super::script::{self, HEAD_BYTES};
use crate::elf::LoadError;
use crate::elf::headers::Headers;
use crate::report::Text;
use crate::sys::{Fd, fs, process};
use crate::syscall::handoff::EXECFN_BYTES;
use alloc::vec::Vec;
use core::fmt::Write;
use linux_raw_sys::general as k;

/// Interpreters of interpreters (fs/exec.c, exec_binprm).
pub const MAX_SCRIPTS: usize = 4;
/// execveat(2): the descriptor itself.
pub const AT_EMPTY_PATH: u64 = 0x1000;

/// A program found fit.
pub struct Program {
    /// Its open file.
    pub fd: Fd,
    /// The open file of the interpreter that it names (PT_INTERP), -1 without one.
    pub interp: Fd,
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

impl Program {
    /// Closes what was opened.
    pub fn close(&self) {
        self.fd.close();
        if self.interp.0 >= 0 {
            self.interp.close();
        }
    }

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

    /// What a script puts in front of the arguments (fs/binfmt_script.c): `argv[0]` is replaced by the interpreter, its
    /// argument, and the script's name; a nested script's name is there already. `None`: no room.
    fn add_script(&mut self, interp: &[u8], arg: Option<&[u8]>) -> Option<()> {
        if self.head_count == 0 {
            let script = self.execfn;
            self.prepend(script.get(..self.execfn_len)?)?;
        }
        if let Some(arg) = arg {
            self.prepend(arg)?;
        }
        self.prepend(interp)
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

/// Finds what the path leads to, through scripts.
pub fn find(dir: Fd, path: &[u8], flags: u64) -> Result<Program, Native> {
    let mut program = Program {
        fd: Fd(-1),
        interp: Fd(-1),
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
    let first_dir = dir;
    let (mut dir, mut flags) = (dir, flags);
    let mut at = Path::empty();
    at.set(path).ok_or(Native::Quietly)?;
    for _ in 0..=MAX_SCRIPTS {
        let fd = open_checked(dir, &at, flags)?;
        let mut head = [0u8; HEAD_BYTES];
        let _ = fd.read_at(&mut head, 0);
        if !head.starts_with(b"#!") {
            program.fd = fd;
            return match fit(fd) {
                Ok(interp) => {
                    program.interp = interp.unwrap_or(Fd(-1));
                    Ok(program)
                }
                Err(reason) => {
                    fd.close();
                    Err(reason)
                }
            };
        }
        fd.close();
        // A script that is named by a descriptor its interpreter will not have (fs/exec.c,
        // BINPRM_FLAGS_PATH_INACCESSIBLE).
        if program.head_count == 0 && first_dir != Fd::CWD && path.first() != Some(&b'/') && first_dir.closes_on_exec()
        {
            return Err(Native::Quietly);
        }
        let (interp, arg) = script::parse(&head).ok_or(Native::Quietly)?;
        program.add_script(interp, arg).ok_or(Native::Quietly)?;
        at.set(interp).ok_or(Native::Quietly)?;
        dir = Fd::CWD;
        flags = 0;
    }
    Err(Native::Quietly)
}

/// Opens a file for execution, with the checks execve makes first.
fn open_checked(dir: Fd, path: &Path, flags: u64) -> Result<Fd, Native> {
    // Only asks.
    if flags & u64::from(process::AT_EXECVE_CHECK) != 0 {
        return Err(Native::Quietly);
    }
    // AT_SYMLINK_NOFOLLOW and relatives: rare enough to let the kernel decide.
    if flags & !AT_EMPTY_PATH != 0 {
        return Err(Native::Because("execveat flags"));
    }
    if path.as_bytes().is_empty() {
        return if flags & AT_EMPTY_PATH == 0 {
            Err(Native::Quietly)
        } else {
            open_executable(Fd::CWD, dir.link().path())
        };
    }
    if path.ends_in_name() {
        return open_executable(dir, path.led(dir).unwrap_or_else(|| path.clone()).as_c_str());
    }
    let fd = open_executable(dir, path.as_c_str())?;
    // A symbolic link of another name may lead there.
    if fd.stat().is_ok_and(|stat| Some(stat.identity()) == runtime_file())
        && let Some(led) = path.led(dir)
    {
        fd.close();
        return open_executable(dir, led.as_c_str());
    }
    Ok(fd)
}

/// Whether the open file is a program for the next bt-run; its interpreter, if it names one.
fn fit(fd: Fd) -> Result<Option<Fd>, Native> {
    let Ok(stat) = fd.stat() else { return Err(Native::Quietly) };
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
        Err(LoadError::Unusual(what)) => return Err(Native::Because(what)),
        Err(_) => return Err(other_format(fd)),
    };
    let Some(name) = headers.interp() else { return Ok(None) };
    let mut path = Path::empty();
    path.set(name.to_bytes()).ok_or(Native::Quietly)?;
    let interp = open_checked(Fd::CWD, &path, 0).map_err(|reason| match reason {
        Native::Because(_) => Native::Because("interpreter not readable"),
        reason => reason,
    })?;
    let reason = match Headers::parse(&interp) {
        Ok(_) => return Ok(Some(interp)),
        Err(LoadError::Unusual(what)) => Native::Because(what),
        Err(_) => Native::Quietly,
    };
    interp.close();
    Err(reason)
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
    /// Its interpreter's descriptor.
    pub interp: Option<Fd>,
    /// AT_EXECFN.
    pub execfn: Vec<u8>,
    /// Arguments a script's interpreter gets in place of `argv[0]`; empty for a program.
    pub head: Vec<Vec<u8>>,
}

/// As an exec of `path` inside the family.
pub fn find_for_start(path: &[u8]) -> Result<Found, Native> {
    find(Fd::CWD, path, 0).map(|p| Found {
        fd: p.fd,
        interp: Some(p.interp).filter(|fd| fd.0 >= 0),
        execfn: p.execfn.get(..p.execfn_len).unwrap_or(&[]).to_vec(),
        head: p
            .head
            .get(..p.head_len)
            .unwrap_or(&[])
            .split_inclusive(|&b| b == 0)
            .map(|s| s.strip_suffix(&[0]).unwrap_or(s).to_vec())
            .collect(),
    })
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
        Ok(headers) => {
            headers.interp().filter(|path| fs::stat(path).is_err()).map(|_| "names an interpreter that does not exist")
        }
        Err(_) => None,
    }
}
