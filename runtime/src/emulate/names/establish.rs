//! How something becomes a fact: watched, then looked at.

use super::facts::{self, Facts};
use super::request::{Kind, Path, Request};
use super::walk::{self, End};
use super::{credit, table};
use crate::emulate::explain::Reason;
use crate::emulate::watch;
use crate::sys::Errno;
use crate::sys::fs::ask_by_path;
use linux_raw_sys::general as k;

/// Tries for one name: something on its way may be changed meanwhile.
const TRIES: u32 = 2;

/// Establishes what the kernel says to a request.
///
/// # Errors
/// Why it is no fact.
pub(super) fn establish(request: Request, args: &[u64; 6], path: &Path, hash: u64) -> Result<(), Reason> {
    // One call shows whether the rest is worth it.
    if !may_be_kept(request, ask(request, args, path)) {
        return Err(Reason::Other);
    }
    if !credit::spend(credit::ESTABLISH) {
        return Err(Reason::Busy);
    }
    let mut facts = facts::try_lock().ok_or(Reason::Changes)?;
    watch::begin_names().map_err(|_| Reason::Watch)?;
    table::make();
    table::set_tail(watch::tail());
    facts.release();
    let mut result = Err(Reason::Changes);
    for _ in 0..TRIES {
        result = try_once(&mut facts, request, args, path, hash);
        if result != Err(Reason::Changes) {
            break;
        }
    }
    facts.set_next(alloc::vec::Vec::new());
    if result.is_err() {
        facts.release();
    }
    result
}

fn try_once(facts: &mut Facts, request: Request, args: &[u64; 6], path: &Path, hash: u64) -> Result<(), Reason> {
    // Watched before it is looked at; what is told of the watches meanwhile is told by `renew`.
    let (trail, steps) = walk::watched(facts, path, request.follows())?;
    let expected = expected(request, &trail.end)?;
    facts.set_next(steps);
    let (is_good, events) = facts.renew();
    credit::charge(events as u64 / 16);
    if !is_good || !facts.holds_next() {
        return Err(Reason::Changes);
    }
    // The watches are those of what lies there: nothing on the way was exchanged before it was watched.
    if walk::again(path, request.follows())? != trail {
        return Err(Reason::Changes);
    }
    let result = ask(request, args, path);
    if result != expected {
        return Err(Reason::Other);
    }
    let result = result.unwrap_or_else(|errno| errno.as_result().cast_unsigned());
    facts.keep(request, path, hash, result).map_err(|()| Reason::Changes)
}

/// The kernel's answer is one of those that are kept.
fn may_be_kept(request: Request, result: Result<u64, Errno>) -> bool {
    matches!(result, Err(Errno::ENOENT | Errno::ENOTDIR)) || result == Ok(0) && request.is_lasting_access()
}

/// What the kernel has to say where the walk ended so, if that is something that is kept.
fn expected(request: Request, end: &End) -> Result<Result<u64, Errno>, Reason> {
    match end {
        End::Absent => Ok(Err(Errno::ENOENT)),
        End::NotDirectory => Ok(Err(Errno::ENOTDIR)),
        End::File | End::Directory if request.is_lasting_access() => Ok(Ok(0)),
        End::File | End::Directory => Err(Reason::Other),
    }
}

/// Asks the kernel what it says, with memory of ours for what it would write.
fn ask(request: Request, args: &[u64; 6], path: &Path) -> Result<u64, Errno> {
    /// As large as `struct stat` and `struct statx`, and as large as what is read of a link.
    const BYTES: u32 = 256;
    let mut buffer = [0u64; BYTES as usize / 8];
    let mut args = *args;
    let mut nr = request.nr;
    let mut set = |at: usize, value: u64| {
        if let Some(arg) = args.get_mut(at) {
            *arg = value;
        }
    };
    set(request.path_arg, path.words.as_ptr() as u64);
    match request.kind() {
        Kind::Access => {}
        // Without effect on what may be there by now. What is absent is so for all flags.
        Kind::Open => {
            nr = k::__NR_openat;
            let [flags, _] = request.options;
            let kept = flags & (k::O_NOFOLLOW | k::O_DIRECTORY);
            args = [
                u64::from(k::AT_FDCWD.cast_unsigned()),
                path.words.as_ptr() as u64,
                u64::from(kept | k::O_PATH | k::O_CLOEXEC),
                0,
                0,
                0,
            ];
        }
        Kind::Tell(at) => {
            set(at, buffer.as_mut_ptr() as u64);
            let [length, _] = request.options;
            if matches!(request.nr, k::__NR_readlink | k::__NR_readlinkat) && length > BYTES {
                set(at + 1, u64::from(BYTES));
            }
        }
    }
    ask_by_path(nr, &args, request.kind() == Kind::Open)
}
