//! Who the thread is: process and thread id, user and group ids.
//!
//! Process and thread id never change (a pid namespace that a process enters is for its children, pid_namespaces(7)). User and group
//! ids are the thread's own and change by its own calls only, all of which come here; but an id that the user namespace does
//! not map yet becomes another when somebody writes the map (user_namespaces(7)). Such a process is not answered.

use crate::policy;
use crate::sys::raw;
use crate::syscall::{Call, Outcome};
use crate::thread::state::ThreadState;
use core::sync::atomic::{AtomicBool, Ordering};
use linux_raw_sys::general as k;

/// What an id without a mapping looks like (/proc/sys/kernel/overflowuid, overflowgid).
const NOT_MAPPED: u32 = 65534;
/// The calls that tell the thread's credentials.
const CREDENTIALS: [u32; 4] = [k::__NR_getuid, k::__NR_geteuid, k::__NR_getgid, k::__NR_getegid];

static UNKNOWN: AtomicBool = AtomicBool::new(false);

/// The call has one answer, which the thread's state holds.
#[must_use]
pub fn is_known(nr: u64) -> bool {
    let is = |n: u32| u64::from(n) == nr;
    is(k::__NR_getpid) || is(k::__NR_gettid) || CREDENTIALS.into_iter().any(is) && !UNKNOWN.load(Ordering::Relaxed)
}

fn set(ts: &mut ThreadState, nr: u32, value: u32) {
    if let Some(answer) = ts.answers.get_mut(nr as usize) {
        *answer = value;
    }
}

/// The thread's own ids, on that thread.
pub fn set_ids(ts: &mut ThreadState) {
    ts.tid = raw::gettid();
    ts.pid = raw::getpid();
    let (pid, tid) = (ts.pid, ts.tid);
    set(ts, k::__NR_getpid, pid);
    set(ts, k::__NR_gettid, tid);
}

/// The credentials the image starts with: AT_UID, AT_EUID, AT_GID, AT_EGID (getauxval(3)).
pub fn start(ts: &mut ThreadState, ids: [Option<u64>; 4]) {
    for (nr, id) in CREDENTIALS.into_iter().zip(ids) {
        match id.and_then(|id| u32::try_from(id).ok()) {
            Some(id) if id != NOT_MAPPED => set(ts, nr, id),
            _ => UNKNOWN.store(true, Ordering::Relaxed),
        }
    }
}

/// The user namespace changes: what is mapped now may be mapped in another way later.
pub fn forget() {
    if !UNKNOWN.swap(true, Ordering::Relaxed) {
        policy::apply();
    }
}

/// setuid(2) and relatives: the thread's credentials are asked again.
pub fn change(call: &mut Call<'_>) -> Outcome {
    let outcome = call.pass();
    for nr in CREDENTIALS {
        // SAFETY: no arguments.
        match unsafe { raw::syscall(nr, []) }.ok().and_then(|id| u32::try_from(id).ok()) {
            Some(id) if id != NOT_MAPPED => set(call.ts, nr, id),
            _ => forget(),
        }
    }
    outcome
}

/// unshare(2), setns(2).
pub fn enter_namespace(call: &mut Call<'_>) -> Outcome {
    let outcome = call.pass();
    if outcome == Outcome::Done(0) {
        forget();
    }
    outcome
}
