//! Who the thread is: process and thread id, user and group ids.
//!
//! Process and thread id never change (a pid namespace that a process enters is for its children, pid_namespaces(7)).
//! User and group ids are the thread's own and change by its own calls only, all of which come here; but an id that the
//! user namespace does not map yet becomes another when somebody writes the map (user_namespaces(7)). Such a process is
//! not answered.

use crate::calls;
use crate::calls::route::{Route, Value};
use crate::emulate::call::{Call, Outcome};
use crate::gate::facts::Fact;
use crate::gate::routes::learn;
use crate::sys;
use crate::sys::process;
use crate::thread::state::ThreadState;

/// What an id without a mapping looks like (/proc/sys/kernel/overflowuid, overflowgid).
const NOT_MAPPED: u32 = 65534;

/// The call that tells a value.
fn number_of(value: Value) -> Option<u32> {
    let is_it = |nr: &u32| calls::traits(u64::from(*nr)).is_some_and(|traits| traits.route == Route::Value(value));
    calls::VALUES.into_iter().find(is_it)
}

fn set(ts: &mut ThreadState, value: Value, answer: u32) {
    if let Some(slot) = number_of(value).and_then(|nr| ts.answers.get_mut(nr as usize)) {
        *slot = answer;
    }
}

/// The thread's own ids, on that thread.
pub fn set_ids(ts: &mut ThreadState) {
    let tid = sys::process::gettid();
    ts.shared.tid.store(tid, core::sync::atomic::Ordering::Relaxed);
    ts.pid = sys::process::getpid();
    let pid = ts.pid;
    set(ts, Value::Pid, pid);
    set(ts, Value::Tid, tid);
}

/// The order in which credentials are asked for: real and effective user id, real and effective group id.
const CREDENTIALS: [Value; 4] = [Value::Uid, Value::Euid, Value::Gid, Value::Egid];

/// The credentials the image starts with: AT_UID, AT_EUID, AT_GID, AT_EGID (getauxval(3)).
pub fn start(ts: &mut ThreadState, ids: [Option<u64>; 4]) {
    for (value, id) in CREDENTIALS.into_iter().zip(ids) {
        match id.and_then(|id| u32::try_from(id).ok()) {
            Some(id) if id != NOT_MAPPED => set(ts, value, id),
            _ => forget(),
        }
    }
}

/// The user namespace changes: what is mapped now may be mapped in another way later.
pub fn forget() {
    learn(Fact::CredentialsUnknown, true);
}

/// setuid(2) and relatives: the thread's credentials are asked again.
pub fn change(call: &mut Call<'_>) -> Outcome {
    let outcome = call.pass();
    for (value, id) in CREDENTIALS.into_iter().zip(process::credentials()) {
        if id == NOT_MAPPED {
            forget();
        } else {
            set(call.ts, value, id);
        }
    }
    outcome
}

/// unshare(2), setns(2).
pub fn enter_namespace(call: &mut Call<'_>) -> Outcome {
    let outcome = call.pass();
    if outcome == Outcome::Done(Ok(0)) {
        forget();
    }
    outcome
}
