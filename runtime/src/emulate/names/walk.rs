//! A path walk as the kernel makes it (path_resolution(7)), one directory after the other, with each of them watched before it is
//! looked at.
//!
//! It uses paths, not descriptors: those would take numbers that the guest's other threads expect for theirs. What lies at a
//! path can be exchanged between two looks. But then something was changed in a directory that was watched before, which is told;
//! or mounts were; or the process's own root or current directory, by a call of its own.

use super::facts::{Facts, Step};
use super::request::Path;
use crate::emulate::explain::Reason;
use crate::emulate::seeded::{Bug, is_planted};
use crate::emulate::watch::{Name, Number};
use crate::sys::fs::{self, Found as At};
use crate::sys::stat::is_local;
use crate::sys::{Errno, Fd};
use alloc::vec::Vec;
use core::ffi::CStr;
use linux_raw_sys::general as k;

/// Most symbolic links that are followed (path_resolution(7)).
const MAX_LINKS: u32 = 40;
/// Most directories that are walked through.
const MAX_STEPS: usize = 64;
/// Longest path that is walked.
const MAX_BYTES: usize = 2048;

/// Where a walk ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// A component is not there.
    Absent,
    /// A component that should be a directory is none.
    NotDirectory,
    /// At this.
    File,
    /// At this.
    Directory,
}

/// What a walk has found: the same on a second walk, if nothing was changed between.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Trail {
    /// Device, inode and mount of everything on the way.
    inodes: Vec<(u64, u64, u64)>,
    pub end: End,
}

/// Walks.
struct Walk<'a> {
    /// Watches what is walked through; only looks at it without.
    facts: Option<&'a mut Facts>,
    steps: Vec<Step>,
    inodes: Vec<(u64, u64, u64)>,
    /// The path of the directory that was reached, NUL-terminated.
    here: Vec<u8>,
    /// Its watch.
    watch: Option<Number>,
    /// Its mount.
    mount: u64,
    links: u32,
    /// What is left of the path, the next byte last.
    rest: Vec<u8>,
}

/// Walks a path and watches everything on the way.
pub(super) fn watched(facts: &mut Facts, path: &Path, follows: bool) -> Result<(Trail, Vec<Step>), Reason> {
    Walk::new(Some(facts)).run(path, follows)
}

/// Walks it once more.
pub(super) fn again(path: &Path, follows: bool) -> Result<Trail, Reason> {
    Walk::new(None).run(path, follows).map(|(trail, _)| trail)
}

fn c_str(bytes: &[u8]) -> &CStr {
    CStr::from_bytes_until_nul(bytes).unwrap_or(c"")
}

impl<'a> Walk<'a> {
    fn new(facts: Option<&'a mut Facts>) -> Self {
        Self {
            facts,
            steps: Vec::new(),
            inodes: Vec::new(),
            here: Vec::new(),
            watch: None,
            mount: 0,
            links: 0,
            rest: Vec::new(),
        }
    }

    fn run(mut self, path: &Path, follows: bool) -> Result<(Trail, Vec<Step>), Reason> {
        self.rest.extend(path.bytes());
        self.rest.reverse();
        let end = self.walk(path.is_absolute(), follows)?;
        Ok((Trail { inodes: self.inodes, end }, self.steps))
    }

    fn walk(&mut self, is_absolute: bool, follows: bool) -> Result<End, Reason> {
        self.begin(if is_absolute { b"/\0" } else { b".\0" })?;
        loop {
            let Some(name) = self.next_name() else { return Ok(End::Directory) };
            if self.steps.len() >= MAX_STEPS || self.here.len() + name.len() > MAX_BYTES {
                return Err(Reason::Long);
            }
            match name.as_slice() {
                b"." => {}
                b".." => self.go_up()?,
                _ => {
                    if let Some(end) = self.look_up(&name, follows)? {
                        return Ok(end);
                    }
                }
            }
        }
    }

    /// Takes the next component off the rest.
    fn next_name(&mut self) -> Option<Vec<u8>> {
        while self.rest.pop_if(|byte| *byte == b'/').is_some() {}
        let mut name = Vec::new();
        while let Some(byte) = self.rest.pop_if(|byte| *byte != b'/') {
            name.push(byte);
        }
        (!name.is_empty()).then_some(name)
    }

    /// Begins at the root or the current directory.
    fn begin(&mut self, path: &[u8]) -> Result<(), Reason> {
        self.here = path.to_vec();
        let at = fs::look_at(c_str(path)).map_err(|_| Reason::Watch)?;
        self.enter(&at)
    }

    /// The directory `here` is the current one.
    fn enter(&mut self, at: &At) -> Result<(), Reason> {
        if at.is_special() {
            return Err(Reason::LocalFileSystem);
        }
        let is_first = self.steps.is_empty();
        if let Some(facts) = &mut self.facts {
            if !fs::file_system(c_str(&self.here)).is_ok_and(|found| is_local(found.kind)) {
                return Err(Reason::LocalFileSystem);
            }
            if is_first || !is_planted(Bug::SkipDirectoryWatch) {
                self.watch = Some(facts.watch(c_str(&self.here), true).ok_or(Reason::Watch)?);
            }
            if let Some(watch) = self.watch {
                // Its rights count from here on, whatever is looked up in it.
                self.steps.push(Step { watch, name: None });
            }
        }
        self.mount = at.mount;
        self.inodes.push(at.identity());
        Ok(())
    }

    /// The directory's own.
    fn go_up(&mut self) -> Result<(), Reason> {
        let mount = self.mount;
        let path = self.path_of(b"..");
        let at = fs::look_at(c_str(&path)).map_err(|_| Reason::Watch)?;
        // The directory that a mount lies on can be moved by those who do not see the mount.
        if at.mount != mount {
            return Err(Reason::Mount);
        }
        self.here = path;
        self.enter(&at)
    }

    /// The path of an entry of `here`, NUL-terminated.
    fn path_of(&self, name: &[u8]) -> Vec<u8> {
        let mut path = c_str(&self.here).to_bytes().to_vec();
        if path.last() != Some(&b'/') {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        path.push(0);
        path
    }

    /// Looks a name up in the current directory, and goes there. Returns where the walk ends, if it does.
    fn look_up(&mut self, name: &[u8], follows: bool) -> Result<Option<End>, Reason> {
        if let Some(watch) = self.watch {
            self.steps.push(Step { watch, name: Some(Name::of(name)) });
        }
        let path = self.path_of(name);
        let at = match fs::look_at(c_str(&path)) {
            Ok(at) => at,
            Err(Errno::ENOENT) => return Ok(Some(End::Absent)),
            Err(_) => return Err(Reason::Watch),
        };
        if at.is_directory() {
            self.here = path;
            self.enter(&at)?;
            return Ok(None);
        }
        if at.is_special() {
            return Err(Reason::LocalFileSystem);
        }
        self.inodes.push(at.identity());
        let is_last = self.rest.is_empty();
        if at.is_link() && (follows || !is_last) {
            return self.follow(&at, &path).map(|()| None);
        }
        if !is_last {
            return Ok(Some(End::NotDirectory));
        }
        if !at.is_regular() {
            return Err(Reason::Kind);
        }
        if let Some(facts) = &mut self.facts {
            let watch = facts.watch(c_str(&path), false).ok_or(Reason::Watch)?;
            self.steps.push(Step { watch, name: None });
        }
        Ok(Some(End::File))
    }

    /// Goes on where a symbolic link leads.
    fn follow(&mut self, at: &At, path: &[u8]) -> Result<(), Reason> {
        self.links += 1;
        // Where anybody may make links, it depends on fs.protected_symlinks who follows them (proc_sys_fs(5)).
        let is_open_to_all = fs::look_at(c_str(&self.here)).map_err(|_| Reason::Watch)?.is_open_to_all();
        if self.links > MAX_LINKS || is_open_to_all {
            return Err(Reason::Links);
        }
        let mut target = [0u8; 1024];
        let target = fs::read_link_at(Fd::CWD, c_str(path), &mut target).map_err(|_| Reason::Watch)?;
        // Following it moves its access time as a read does that of a file.
        let stat = fs::stat_at(Fd::CWD, c_str(path), k::AT_SYMLINK_NOFOLLOW).map_err(|_| Reason::Watch)?;
        let moves_no_time = fs::file_system(c_str(&self.here)).is_ok_and(|found| found.moves_no_access_time(&stat));
        if !moves_no_time || at.mount != self.mount {
            return Err(Reason::LinkTimes);
        }
        if target.is_empty() || target.len() >= 1024 || self.rest.len() + target.len() > MAX_BYTES {
            return Err(Reason::Long);
        }
        self.rest.extend(target.iter().rev());
        if target.first() == Some(&b'/') { self.begin(b"/\0") } else { Ok(()) }
    }
}
