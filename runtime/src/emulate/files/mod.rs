//! Regular files that are read and written in small pieces, answered from a shared mapping (runtime/COHERENCE.md).

pub mod burst;
#[cfg(test)]
mod burst_model;
pub mod calls;
pub mod lane;
mod list;
mod penalty;
pub mod promote;
mod rights;
pub mod writes;

use super::seeded::{Bug, is_planted};
use super::{descriptors, watch};
use crate::gate::facts::Fact;
use crate::gate::lane::Kind;
use crate::gate::routes::learn;
use crate::sys::stat::Stat;
use crate::sys::{Fd, mem};
use alloc::boxed::Box;
use core::sync::atomic::Ordering;
use list::{COUNT, FILES};

use super::watch::Number;
use lane::FileLane;
pub use list::{any, get};
pub use penalty::penalty;
pub use promote::is_watched;

/// Reads that a lane answers before one is made.
const READS: u32 = 4096;

/// Gives a description back to the kernel. `fd` is one of its descriptors.
pub fn dismantle(fd: i32) {
    let Some(file) = get(fd) else { return };
    let this = core::ptr::from_ref(file).cast_mut();
    descriptors::clear_lane(&raw const file.lane);
    if file.bursts.load(Ordering::Relaxed) {
        burst::leave(file);
    }
    if !is_planted(Bug::DropOffsetHandBack) {
        file.hand_back_offset(fd);
    }
    // SAFETY: the mapping is ours, and nobody uses it: the process has one thread.
    unsafe { mem::munmap(file.lane.base.load(Ordering::Relaxed), file.map_len) };
    let watch = file.watch();
    let answered = file.lane.reads.load(Ordering::Relaxed) + file.lane.writes.load(Ordering::Relaxed);
    penalty::learn_from(answered);
    let mut files = FILES.lock();
    files.mapped_bytes -= file.map_len;
    files.lanes.retain(|place| place.0 != this);
    COUNT.fetch_sub(1, Ordering::Relaxed);
    // SAFETY: lanes in the list exist.
    if !files.lanes.iter().any(|place| unsafe { (*place.0).watch() } == watch) {
        watch::remove(watch);
    }
    // SAFETY: made by `Box::into_raw`, and no descriptor leads to it.
    drop(unsafe { Box::from_raw(this) });
    if files.lanes.is_empty() {
        burst::delete_timer();
    }
}

/// Something was changed, or a new watch is there: gives the files back that it was, and establishes of the others once more
/// what is known. Returns the epoch of what is established afterwards ([`watch::Changes`]), if `added`, a watch that no lane has
/// yet, is not over already.
pub fn renew(added: Option<Number>) -> Option<u32> {
    watch_again();
    let changes = watch::renew();
    let has_ended = |number: Number| changes.all || changes.ended.contains(&number);
    while let Some(fd) = find(&|lane: &FileLane| has_ended(lane.watch())) {
        dismantle(fd);
    }
    let Some(epoch) = changes.epoch else {
        // Files change all the time: nothing is gained.
        dismantle_all();
        return None;
    };
    let is_another = |lane: &FileLane| lane.lane.epoch.load(Ordering::Relaxed) != epoch;
    while let Some(fd) = find(&is_another) {
        let Some(file) = get(fd) else { break };
        let is_same = |stat: Stat| {
            let is_as_long = stat.size == file.lane.size.load(Ordering::Relaxed);
            is_as_long && (!file.may_write || rights::may_store(fd, &stat))
        };
        if is_planted(Bug::KeepFactOverChange) || Fd(fd).stat().is_ok_and(is_same) {
            file.lane.epoch.store(epoch, Ordering::Relaxed);
        } else {
            dismantle(fd);
        }
    }
    Some(epoch).filter(|_| !added.is_some_and(has_ended))
}

/// The process has changed files itself, which ended their watches.
fn watch_again() {
    while let Some(fd) = find(&|lane| lane.changed_by_us.load(Ordering::Relaxed)) {
        let Some(file) = get(fd) else { break };
        file.changed_by_us.store(false, Ordering::Relaxed);
        match watch::add(Fd(fd)) {
            Ok(number) => file.set_watch(number),
            Err(_) => dismantle(fd),
        }
    }
}

/// A descriptor of such a file.
fn find(is_wanted: &dyn Fn(&FileLane) -> bool) -> Option<i32> {
    descriptors::find_lane(|lane| {
        // SAFETY: a lane of this kind is the first field of a `FileLane`.
        lane.kind == Kind::File && is_wanted(unsafe { &*core::ptr::from_ref(lane).cast::<FileLane>() })
    })
}

/// Gives all of them back.
pub fn dismantle_all() {
    while any() {
        let Some(fd) = descriptors::find_lane(|lane| lane.kind == Kind::File) else { return };
        dismantle(fd);
    }
}

/// A second thread is about to be made.
pub fn begin_threads() {
    dismantle_all();
    learn(Fact::Threaded, true);
}

/// Address ranges of the mappings.
pub fn for_each_mapping(mut f: impl FnMut(u64, u64)) {
    for place in &FILES.lock().lanes {
        // SAFETY: lanes in the list exist.
        let file = unsafe { &*place.0 };
        let base = file.lane.base.load(Ordering::Relaxed);
        f(base, base + file.map_len);
    }
}
