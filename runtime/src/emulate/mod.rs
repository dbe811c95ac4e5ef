//! The emulation layer: calls that the process answers itself.
//!
//! Which calls, and from which level on, the calls' rows say ([`crate::calls`]). What has no state and one value is
//! answered by the stub or the gate. Reads and writes are answered by what their descriptor is: a lane
//! ([`crate::gate::lane`]) is what the gate's assembly knows of it, [`sample`] finds the descriptors that are worth it,
//! [`descriptors`] follows them.

pub mod call;
pub mod candidate;
pub mod descriptors;
pub mod devices;
pub mod explain;
pub mod fdinfo;
pub mod files;
pub mod follow;
pub mod identity;
pub mod names;
pub mod pipes;
pub mod sample;
pub mod seeded;
pub mod watch;

use crate::calls::route::{Operation, Route};
use crate::calls::{self, Held, Mark};
use crate::emulate::call::{Call, Outcome};
use crate::emulate::seeded::{Bug, is_planted};
use crate::thread::shared::{ANY, use_of};
use linux_raw_sys::general as k;

/// Answers a call that came to Rust, or hands back what it could see and leaves it to the kernel.
pub fn answer(call: &mut Call<'_>) -> Option<Outcome> {
    if call.ts.shared.is_foreign() {
        return None;
    }
    if files::threads::any() {
        say_use(call);
    }
    if let Some(outcome) = names::answer(call) {
        return Some(outcome);
    }
    if !descriptors::are_asked() {
        return None;
    }
    if calls::is(call.nr, Mark::Transfers) {
        devices::refill(call.int(0));
        if let Some(outcome) = files::calls::answer(call) {
            return Some(outcome);
        }
        files::writes::end();
        return pipes::answer(call);
    }
    files::writes::end();
    let is_forgotten = is_planted(Bug::KeepRingOverFork) && call.nr == k::__NR_clone;
    if pipes::any() && !calls::is(call.nr, Mark::Blind) && !is_forgotten {
        pipes::hand_back_all();
    }
    if files::any() {
        hand_back(call);
    }
    None
}

/// Says which descriptor the thread is about to use, before anybody looks for its lane. The gate takes it back after the call.
fn say_use(call: &Call<'_>) {
    let Some(row) = calls::row(u64::from(call.nr)) else { return };
    let is_positional = matches!(row.route, Route::Lane(Operation::Pread | Operation::Pwrite));
    let mut named = row.descriptor_args();
    let used = match (named.next(), named.next()) {
        (None, _) => return,
        (Some(at), None) => use_of(call.int(at), is_positional),
        _ => ANY,
    };
    call.ts.shared.says(used);
}

/// What must not be held while the call is made: nothing, the descriptors that it names, or all.
fn hand_back(call: &Call<'_>) {
    let Some(row) = calls::row(u64::from(call.nr)) else { return };
    if row.hands_back & Held::All as u8 != 0 {
        return leave();
    }
    if row.hands_back & Held::Descriptors as u8 != 0 {
        return files::dismantle_all();
    }
    if row.hands_back & Held::Timer as u8 != 0 {
        files::writes::without_timer();
    }
    if calls::is(call.nr, Mark::KeepsLane) {
        return;
    }
    for at in row.descriptor_args() {
        files::dismantle(call.int(at));
    }
}

/// Hands back everything, and ends the watches.
pub fn leave() {
    files::without(|| {
        names::close();
        watch::close();
    });
}

/// Before a child is made that shares our descriptions.
pub fn before_fork() {
    files::threads::begin_fork();
    files::dismantle_all();
    descriptors::share_all();
}

/// After that, in the parent.
pub fn after_fork_in_parent() {
    // What another thread has opened meanwhile may be the child's, too.
    descriptors::share_all();
    files::threads::end_fork();
}

/// In that child.
pub fn after_fork() {
    files::threads::forget_fork();
    files::burst::forget_timer();
    names::forget();
    watch::forget();
}

/// Held while forking, so that the child finds whole structures.
pub fn with_lock<R>(f: impl FnOnce() -> R) -> R {
    names::with_lock(|| files::with_lock(|| watch::with_lock(f)))
}
