//! Look-ups of names whose answer is known: what is absent, and what may be accessed (runtime/COHERENCE.md, "Names").
//!
//! A look-up that is made often becomes a *fact*: `establish` watches every directory on its way (`walk`) and asks the
//! kernel; `facts` holds which watches it depends on, and ends it; `table` is where threads find it. `credit` sees to it
//! that this pays.

mod credit;
mod establish;
mod facts;
#[cfg(test)]
mod model;
mod request;
mod table;
mod walk;

use super::call::{Call, Outcome};
use super::candidate::Found;
use super::explain::{Reason, refused_name};
use super::files::writes;
use super::watch;
use crate::calls::{self, Mark};
use crate::gate::facts::{Fact, has_names, holds};
use crate::gate::routes::{ask_names, is_answered};
use crate::options::{self, EmulateLevel};
use crate::sys::Errno;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use linux_raw_sys::general as k;
use request::{Kind, Path, Request};
use table::Found as Known;

/// Look-ups that depend on what is not the whole process's: no facts any more.
static SEPARATE: AtomicBool = AtomicBool::new(false);
/// Another process shares them.
static SHARED: AtomicBool = AtomicBool::new(false);
/// An open has found no number for its descriptor, which the kernel says before it looks for the file.
static OUT_OF_NUMBERS: AtomicBool = AtomicBool::new(false);

/// Hashes of look-ups that were seen lately, with how often in the low bits.
static SEEN: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];
const COUNT_BITS: u64 = 7;
/// Instead of a count: it was refused. `consider` has it tried again some time.
const REFUSED: u64 = 7;
/// Look-ups that came to Rust, of one name, before it is established.
const OFTEN: u64 = 4;
/// Of so many looks at calls that come to Rust in vain, one ends the facts of the call if less was answered than this.
const WORTH: u64 = 32;
/// Answers at the last look at a call, by its number.
static ANSWERED: [AtomicU64; 512] = [const { AtomicU64::new(0) }; 512];

/// Whether credentials, root, current directory or mounts may differ between threads, or be shared with another process.
fn are_separate() -> bool {
    SEPARATE.load(Ordering::Relaxed) || options::get().shares_directories
}

/// Answers a look-up, if what the kernel would say is known.
#[inline]
pub fn answer(call: &mut Call<'_>) -> Option<Outcome> {
    if !has_names(u64::from(call.nr)) {
        return None;
    }
    let request = Request::of(call.nr, &call.args)?;
    let path = Path::read(call.arg(request.path_arg))?;
    if !request.is_from_here(&call.args, &path) {
        return None;
    }
    let hash = path.hash(request);
    match table::find(request, &path, hash) {
        Known::Answer(result) => Some(call.answered(result)),
        Known::Old => again(call, request, &path, hash),
        Known::Nothing => {
            missed(call, request, &path, hash);
            None
        }
    }
}

/// A thread is looking at changes or establishes something: others pass their calls on meanwhile, and do not wait.
static IS_BUSY: AtomicBool = AtomicBool::new(false);

fn alone<R>(f: impl FnOnce() -> Option<R>) -> Option<R> {
    if IS_BUSY.swap(true, Ordering::Acquire) {
        return None;
    }
    let result = f();
    IS_BUSY.store(false, Ordering::Release);
    result
}

/// There is a fact, and something was changed since it was looked at last.
#[cold]
fn again(call: &mut Call<'_>, request: Request, path: &Path, hash: u64) -> Option<Outcome> {
    // No call is made while the timer of a burst of writes runs.
    writes::end();
    alone(|| {
        if !credit::spend(credit::RENEW) {
            return None;
        }
        let mut facts = facts::try_lock()?;
        facts.release();
        let (_, events) = facts.renew();
        credit::charge(events as u64 / 16);
        Some(())
    })?;
    match table::find(request, path, hash) {
        Known::Answer(result) => Some(call.answered(result)),
        _ => None,
    }
}

/// Where a look-up with this hash is counted.
fn seen(hash: u64) -> Option<&'static AtomicU64> {
    usize::try_from(hash >> 40).ok().and_then(|at| SEEN.get(at % SEEN.len()))
}

/// Nothing is known of the name: it is established once it has come a few times.
#[cold]
fn missed(call: &Call<'_>, request: Request, path: &Path, hash: u64) {
    let Some(seen) = seen(hash) else { return };
    let value = seen.load(Ordering::Relaxed);
    let is_this = value & !COUNT_BITS == hash & !COUNT_BITS;
    if is_this && value & COUNT_BITS == REFUSED {
        return;
    }
    let count = if is_this { (value & COUNT_BITS) + 1 } else { 1 };
    seen.store(hash & !COUNT_BITS | (count % OFTEN), Ordering::Relaxed);
    if count >= OFTEN && is_answered(u64::from(call.nr)) && !attempt(call.nr, request, &call.args, path, hash) {
        seen.store(hash & !COUNT_BITS | REFUSED, Ordering::Relaxed);
    }
}

/// Establishes a look-up. Returns whether it is a fact now.
fn attempt(nr: u32, request: Request, args: &[u64; 6], path: &Path, hash: u64) -> bool {
    writes::end();
    let refusal = match () {
        // A user namespace whose map is still to be written changes what capabilities are good for.
        () if are_separate() || holds(Fact::CredentialsUnknown) => Some(Reason::Separate),
        () if request.kind() == Kind::Open && OUT_OF_NUMBERS.load(Ordering::Relaxed) => Some(Reason::Other),
        () if !watch::exists() && credit::made() < u64::from(options::get().emulate_after) => Some(Reason::Early),
        () => None,
    };
    let establish = || alone(|| Some(establish::establish(request, args, path, hash))).unwrap_or(Err(Reason::Changes));
    match refusal.map_or_else(establish, Err) {
        Ok(()) => {
            ask_names(u64::from(nr), true);
            true
        }
        Err(reason) => {
            if options::get().explain {
                refused_name(nr, &path.bytes().collect::<Vec<u8>>(), hash, reason);
            }
            false
        }
    }
}

/// Looks at one of many calls.
pub fn consider(nr: u32, args: &[u64; 6], answered: u64) -> Found {
    if options::get().emulate < EmulateLevel::Coherent || are_separate() {
        return Found::Nothing;
    }
    credit::look();
    let has = has_names(u64::from(nr));
    if has && !is_worth_it(nr, answered) {
        ask_names(u64::from(nr), false);
        alone(|| facts::try_lock().map(|mut facts| facts.end_call(nr)));
        return Found::Nothing;
    }
    // The next look comes after as many calls, so that it is seen soon whether the facts still pay.
    let nothing = if has { Found::Lane } else { Found::Nothing };
    let Some(request) = Request::of(nr, args) else { return nothing };
    let Some(path) = args.get(request.path_arg).and_then(|&at| Path::read(at)) else { return nothing };
    if !request.is_from_here(args, &path) {
        return nothing;
    }
    let hash = path.hash(request);
    let Some(seen) = seen(hash) else { return nothing };
    if seen.swap(hash & !COUNT_BITS | 1, Ordering::Relaxed) & !COUNT_BITS != hash & !COUNT_BITS {
        return nothing;
    }
    if attempt(nr, request, args, &path, hash) { Found::Lane } else { nothing }
}

/// Enough of a call's look-ups were answered since the last look at it, which was 256 calls of the kernel's ago or more.
fn is_worth_it(nr: u32, answered: u64) -> bool {
    let last = ANSWERED.get(nr as usize).map_or(0, |last| last.swap(answered, Ordering::Relaxed));
    answered.abs_diff(last) >= WORTH
}

/// A change of what look-ups depend on, by a call of the process's own that is under way.
pub struct Change(());

impl Drop for Change {
    fn drop(&mut self) {
        facts::end_change();
    }
}

/// A call is about to be made. If it changes what look-ups depend on nothing is known of names until that is dropped.
#[inline]
#[must_use]
pub fn before(call: &Call<'_>) -> Option<Change> {
    let ends = calls::traits(u64::from(call.nr)).is_some_and(calls::Traits::ends_names);
    if ends && !call.ts.shared.is_foreign() { begin_change(call) } else { None }
}

#[cold]
fn begin_change(call: &Call<'_>) -> Option<Change> {
    // prctl(2): what a thread is called, when it is signalled and how its memory is named are nothing to look-ups.
    const HARMLESS: [i32; 6] = [1, 2, 3, 15, 16, 0x5356_4d41];
    if call.nr == k::__NR_prctl && HARMLESS.contains(&call.int(0)) || calls::is(call.nr, Mark::Leaves) {
        return None;
    }
    const OF_PROCESS: [u32; 7] = [
        k::__NR_chdir,
        k::__NR_fchdir,
        k::__NR_chroot,
        k::__NR_pivot_root,
        k::__NR_prctl,
        k::__NR_execve,
        k::__NR_execveat,
    ];
    // Credentials and namespaces are each thread's own.
    if holds(Fact::Threaded) && !OF_PROCESS.contains(&call.nr) {
        give_up();
    }
    facts::begin_change();
    Some(Change(()))
}

/// Another process will share root and current directory, or threads have different ones, or different rights.
pub fn give_up() {
    if !SEPARATE.swap(true, Ordering::SeqCst) {
        facts::begin_change();
        facts::end_change();
    }
}

/// A child is about to be made by clone(2) with these flags.
pub fn before_clone(flags: u64) {
    let shares = flags & u64::from(k::CLONE_FS) != 0;
    let is_thread = flags & u64::from(k::CLONE_THREAD) != 0;
    if shares && !is_thread {
        SHARED.store(true, Ordering::Relaxed);
    }
    if shares != is_thread {
        give_up();
    }
}

/// Another process shares root and current directory: so it does with the image that an exec starts.
#[must_use]
pub fn are_shared() -> bool {
    SHARED.load(Ordering::Relaxed)
}

/// An open was made with this result.
pub fn opened(result: Result<u64, Errno>) {
    if matches!(result, Err(Errno::EMFILE | Errno::ENFILE)) && !OUT_OF_NUMBERS.swap(true, Ordering::Relaxed) {
        facts::begin_change();
        facts::end_change();
    }
}

/// In the child of a fork. Calls go on coming here; if what they ask stays unknown [`consider`] ends that.
pub fn forget() {
    IS_BUSY.store(false, Ordering::Relaxed);
    facts::forget();
}

/// Nothing is watched any more.
pub fn close() {
    facts::close();
}

/// Held while forking.
pub fn with_lock<R>(f: impl FnOnce() -> R) -> R {
    facts::with_lock(f)
}
