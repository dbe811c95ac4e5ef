//! `/proc/self/exe`: the program's own file, not bt-run's, by whatever path it is reached.
//!
//! The kernel's link `exe` of a process under bt-run leads to bt-run's file. The program's file is open at a descriptor
//! of the runtime's, whose link `fd/N` lies in the same directory of /proc and asks for the same rights (proc(5)). So
//! the last step of a path is replaced, and the way there stays the guest's: relative to whatever, through any mount of
//! /proc. That a path leads to the own link is told from where it leads, not from its spelling: to bt-run's file, and
//! with the last step replaced to the program's. That of another process in the family has no such neighbour.

use crate::mem::guest;
use crate::process::{EXE_FD, SELF_FD};
use crate::sys::{Errno, Fd, fs};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::ffi::CStr;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use linux_raw_sys::general as k;

/// Longest path, with its NUL.
pub const PATH_BYTES: usize = k::PATH_MAX as usize;
/// The link's name.
const NAME: &[u8] = b"exe";
/// Most symbolic links that are followed (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// A path that may be changed.
#[derive(Clone)]
pub struct Path {
    /// NUL-terminated.
    bytes: [u8; PATH_BYTES],
    len: usize,
}

impl Path {
    /// The empty path.
    #[must_use]
    pub const fn empty() -> Self {
        Self { bytes: [0; PATH_BYTES], len: 0 }
    }

    /// The string at a guest address. `None`: it cannot be read, or is too long.
    pub fn read(&mut self, addr: u64) -> Option<()> {
        self.len = guest::read_cstr(addr, &mut self.bytes)?.ok()?.len();
        Some(())
    }

    /// As the kernel takes it.
    #[must_use]
    pub fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or(c"")
    }

    /// The bytes without the NUL.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    /// The path that leads to the program's file in place of this one, if this ends at the process's own `exe` link.
    #[must_use]
    pub fn led(&self, dir: Fd) -> Option<Self> {
        let mut path = self.clone();
        lead(dir, &mut path, true).map(|_| path)
    }

    /// The last step is `exe`.
    #[must_use]
    pub fn ends_in_name(&self) -> bool {
        self.as_bytes().get(self.last_at()..) == Some(NAME)
    }

    /// Where the last step begins.
    fn last_at(&self) -> usize {
        self.as_bytes().iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1)
    }

    /// Replaces everything from `at` on. `None`: it does not fit, and nothing has changed.
    fn replace(&mut self, at: usize, end: &[u8]) -> Option<()> {
        let len = at.checked_add(end.len())?;
        *self.bytes.get_mut(len)? = 0;
        self.bytes.get_mut(at..len)?.copy_from_slice(end);
        self.len = len;
        Some(())
    }

    /// Replaces the path. `None`: it does not fit.
    pub fn set(&mut self, path: &[u8]) -> Option<()> {
        self.replace(0, path)
    }
}

/// The last step of the path at `addr` is `exe`. Others are not looked at further: each would cost a call.
#[must_use]
pub fn ends_in_name(addr: u64) -> bool {
    last_bytes(addr) == Some(*b"/exe")
}

/// The last four bytes of the path at `addr`, as after a slash at the beginning. `None`: it cannot be read, or is too
/// long.
#[must_use]
pub fn last_bytes(addr: u64) -> Option<[u8; 4]> {
    let (mut buf, mut at, mut last) = ([0u8; 64], addr, u32::from(b'/'));
    loop {
        // Never past the page that holds the NUL: the next one may be anything.
        let in_page = 4096 - usize::try_from(at & 4095).unwrap_or(0);
        let chunk = buf.get_mut(..in_page.min(64))?;
        let got = guest::read_bytes(at, chunk);
        for &byte in chunk.get(..got).unwrap_or(&[]) {
            if byte == 0 {
                return Some(last.to_be_bytes());
            }
            last = last << 8 | u32::from(byte);
        }
        if got < chunk.len() || at.wrapping_sub(addr) > PATH_BYTES as u64 {
            return None;
        }
        at = at.wrapping_add(got as u64);
    }
}

/// Device and inode of bt-run's own file; the inode is 0 as long as nobody has asked.
static RUNTIME_FILE: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];

/// Device and inode of bt-run's own file.
#[must_use]
pub fn runtime_file() -> Option<(u64, u64)> {
    let [device, inode] = &RUNTIME_FILE;
    let known = inode.load(Ordering::Acquire);
    if known != 0 {
        return Some((device.load(Ordering::Relaxed), known));
    }
    let identity = Fd(SELF_FD.load(Ordering::Relaxed)).stat().ok()?.identity();
    device.store(identity.0, Ordering::Relaxed);
    inode.store(identity.1, Ordering::Release);
    Some(identity)
}

/// Where a path has been led.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Led {
    /// To the link of the program's descriptor.
    ToLink,
    /// To the program by its name, because the descriptor had to give way.
    ToName,
}

/// If the path ends at the process's own `exe` link, leads it to the program's file instead. `follows`: other symbolic
/// links at its end are followed.
pub fn lead(dir: Fd, path: &mut Path, follows: bool) -> Option<Led> {
    let runtime = runtime_file()?;
    if fs::stat_at(dir, path.as_c_str(), 0).ok()?.identity() != runtime {
        return None;
    }
    for _ in 0..MAX_LINKS {
        let at = path.last_at();
        if path.ends_in_name()
            && let Some(led) = lead_name(dir, path, at)
        {
            return Some(led);
        }
        if !follows {
            return None;
        }
        follow(dir, path, at)?;
    }
    None
}

/// The same of a path whose last step is the link's name.
fn lead_name(dir: Fd, path: &mut Path, at: usize) -> Option<Led> {
    let program = Fd(EXE_FD.load(Ordering::Relaxed));
    if program.0 < 0 {
        let name = exe_name()?;
        if !is_own_link(dir, path.as_c_str()) {
            return None;
        }
        return path.set(name).map(|()| Led::ToName);
    }
    let wanted = program.stat().ok()?.identity();
    let link = program.link();
    // `fd/N` of `/proc/self/fd/N`.
    path.replace(at, link.path().to_bytes().strip_prefix(b"/proc/self/")?)?;
    if fs::stat_at(dir, path.as_c_str(), 0).is_ok_and(|there| there.identity() == wanted) {
        return Some(Led::ToLink);
    }
    path.replace(at, NAME)?;
    None
}

/// The links of one process are one inode, as long as one of them is in use.
fn is_own_link(dir: Fd, path: &CStr) -> bool {
    let identity = |dir, path| fs::stat_at(dir, path, k::AT_SYMLINK_NOFOLLOW).ok().map(|stat| stat.identity());
    let this = identity(dir, path);
    this.is_some() && [c"/proc/self/exe", c"/proc/thread-self/exe"].iter().any(|own| identity(Fd::CWD, own) == this)
}

/// Goes on where the symbolic link at the path's end says, whose last step begins at `at`.
fn follow(dir: Fd, path: &mut Path, at: usize) -> Option<()> {
    let mut target = [0u8; PATH_BYTES];
    let target = fs::read_link_at(dir, path.as_c_str(), &mut target).ok()?;
    path.replace(if target.first() == Some(&b'/') { 0 } else { at }, target)
}

/// The program's path, where its descriptor had to give way; NUL-terminated. Never freed: other threads may be reading
/// it.
static EXE_NAME: AtomicPtr<Vec<u8>> = AtomicPtr::new(core::ptr::null_mut());

fn exe_name() -> Option<&'static [u8]> {
    let name = EXE_NAME.load(Ordering::Acquire);
    // SAFETY: leaked by `keep_exe_name`, never changed.
    if name.is_null() { None } else { Some(unsafe { &*name }) }
}

/// The descriptor of the program's file is about to be lost: its name will do.
pub fn keep_exe_name() {
    let mut name = vec![0u8; PATH_BYTES];
    let len = Fd(EXE_FD.load(Ordering::Relaxed)).target(&mut name).len();
    if len == 0 {
        return;
    }
    name.truncate(len);
    EXE_NAME.store(Box::into_raw(Box::new(name)), Ordering::Release);
}

/// What readlink(2) says of the program's name that is led to, in a buffer of `size` bytes at `to`.
pub fn tell(name: &Path, to: u64, size: i32) -> Result<u64, Errno> {
    let size = usize::try_from(size).ok().filter(|&size| size != 0).ok_or(Errno::EINVAL)?;
    let name = name.as_bytes();
    let told = name.get(..size).unwrap_or(name);
    if guest::write_bytes(to, told) == told.len() { Ok(told.len() as u64) } else { Err(Errno::EFAULT) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_last_step_of_that_name_is_looked_at() {
        let long = "d/".repeat(100);
        for path in ["exe", "/proc/self/exe", "./exe", &format!("{long}exe")] {
            assert!(ends_in_name(format!("{path}\0").as_ptr() as u64), "{path}");
        }
        for path in ["", "e", "xe", "exec", "an.exe", "/exe/", &format!("{long}.exe"), &long] {
            assert!(!ends_in_name(format!("{path}\0").as_ptr() as u64), "{path}");
        }
    }

    #[test]
    fn a_path_changes_at_its_end() {
        let mut path = Path::empty();
        path.set(b"/proc/self/exe").unwrap();
        path.replace(path.last_at(), b"fd/7").unwrap();
        assert_eq!(path.as_c_str(), c"/proc/self/fd/7");
        path.replace(path.last_at(), b"x").unwrap();
        assert_eq!(path.as_c_str(), c"/proc/self/fd/x");
        assert!(path.replace(PATH_BYTES - 1, b"x").is_none());
        path.set(&[b'a'; PATH_BYTES - 1]).unwrap();
        assert_eq!((path.as_bytes().len(), path.last_at()), (PATH_BYTES - 1, 0));
    }
}
