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
pub mod threads;
#[cfg(test)]
mod threads_model;
pub mod writes;

use super::seeded::{Bug, is_planted};
use super::{descriptors, watch};
use crate::gate::facts::Fact;
use crate::gate::lane::Kind;
use crate::gate::routes::learn;
use crate::sys::stat::Stat;
use crate::sys::{Fd, mem};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;
use list::{COUNT, FILES, Place, Retired, Work, work};

use super::watch::Number;
use lane::FileLane;
pub use list::{any, get};
pub use penalty::penalty;
pub use promote::is_watched;

/// Gives a description back to the kernel. `fd` is one of its descriptors.
pub fn dismantle(fd: i32) {
    if get(fd).is_some() {
        dismantle_in(&work(), fd);
    }
}

fn dismantle_in(work: &Work, fd: i32) {
    if let Some(file) = get(fd) {
        dismantle_lane(work, file, fd);
    }
}

/// The same for a lane that need not be found by its descriptor any more.
fn dismantle_lane(work: &Work, file: &FileLane, fd: i32) {
    let this = core::ptr::from_ref(file).cast_mut();
    {
        // Who comes by the descriptor waits for the offset, until it is the kernel's.
        let _offset = file.lock_offset();
        file.end_facts();
        if !is_planted(Bug::DropOffsetHandBack) {
            file.hand_back_offset(fd);
        }
        descriptors::clear_lane(&raw const file.lane);
    }
    // Who is in the lane's code has said so from here on, and who comes there finds nothing.
    threads::barrier();
    if file.bursts.load(Ordering::Relaxed) {
        burst::leave(file);
    }
    penalty::learn_from(file.answered());
    let watch = file.watch();
    let mut files = FILES.lock();
    files.mapped_bytes -= file.map_len;
    files.lanes.retain(|place| place.0 != this);
    COUNT.fetch_sub(1, Ordering::Relaxed);
    // SAFETY: lanes in the list exist.
    if !files.lanes.iter().any(|place| unsafe { (*place.0).watch() } == watch) {
        watch::remove(watch);
    }
    files.retired.push(Retired { place: Place(this), fd });
    let is_last = files.lanes.is_empty();
    drop(files);
    bury(work);
    if is_last {
        burst::delete_timer();
    }
}

/// Whoever finds something changed establishes anew what is known, unless another thread is about to.
fn try_renew(wanted: &FileLane) {
    if let Some(work) = list::try_work() {
        renew_in(&work, None, Some(wanted));
    }
}

/// Ends the lanes that no thread is in.
fn bury(_work: &Work) {
    if FILES.lock().retired.is_empty() {
        return;
    }
    // Not under the lock of the list: asking takes that of the threads.
    let retired = core::mem::take(&mut FILES.lock().retired);
    let (used, free): (Vec<_>, Vec<_>) = retired.into_iter().partition(|one| {
        threads::any() && !is_planted(Bug::BuryAtOnce) && (burst::is_looked_at() || threads::are_inside(one.fd))
    });
    FILES.lock().retired = used;
    for Retired { place, .. } in free {
        // SAFETY: made by `Box::into_raw`, no descriptor leads to it, and nobody is inside.
        let file = unsafe { Box::from_raw(place.0) };
        // SAFETY: the mapping is ours, and nobody uses it.
        unsafe { mem::munmap(file.lane.base.load(Ordering::Relaxed), file.map_len) };
    }
}

/// Something was changed, or a new watch is there: gives the files back that it was, and establishes of the others once more
/// what is known. Returns the epoch of what is established afterwards ([`watch::Changes`]), if `added`, a watch that no lane has
/// yet, is not over already.
///
/// Of a file that the process itself is writing, by the kernel, nothing is to be known before its next burst, or a read: it is passed over
/// but for `wanted`.
fn renew_in(work: &Work, added: Option<Number>, wanted: Option<&FileLane>) -> Option<u32> {
    let is_wanted = |lane: &FileLane| wanted.is_some_and(|wanted| core::ptr::eq(wanted, lane));
    watch_again(work, &|lane| is_wanted(lane) || !lane.is_waiting());
    let changes = watch::renew();
    let has_ended = |number: Number| changes.all || changes.ended.contains(&number);
    // A watch that a change of ours has ended is set anew when something is to be known.
    let is_over = |lane: &FileLane| has_ended(lane.watch()) && !lane.changed_by_us.load(Ordering::SeqCst);
    while let Some(fd) = find(&is_over) {
        dismantle_in(work, fd);
    }
    let Some(epoch) = changes.epoch else {
        // Files change all the time, or the kernel is late: later, unless that never gains anything.
        while let Some(fd) = find(&|lane| !lane.renewed()) {
            dismantle_in(work, fd);
        }
        return None;
    };
    let is_another = |lane: &FileLane| {
        lane.lane.epoch.load(Ordering::Relaxed) != epoch && !lane.changed_by_us.load(Ordering::Relaxed)
    };
    while let Some(fd) = find(&is_another) {
        let Some(file) = get(fd) else { break };
        let is_same = |stat: Stat| {
            let is_as_long = stat.size == file.lane.size.load(Ordering::Relaxed);
            is_as_long && (!file.may_write || rights::may_store(fd, &stat))
        };
        if is_planted(Bug::KeepFactOverChange) || file.renewed() && Fd(fd).stat().is_ok_and(is_same) {
            file.lane.epoch.store(epoch, Ordering::Relaxed);
        } else {
            dismantle_in(work, fd);
        }
    }
    Some(epoch).filter(|_| !added.is_some_and(has_ended))
}

/// The process has changed files itself, which ended their watches.
fn watch_again(work: &Work, is_wanted: &dyn Fn(&FileLane) -> bool) {
    while let Some(fd) = find(&|lane| lane.changed_by_us.load(Ordering::Relaxed) && is_wanted(lane)) {
        let Some(file) = get(fd) else { break };
        file.changed_by_us.store(false, Ordering::Relaxed);
        match watch::add(Fd(fd)) {
            Ok(number) => file.set_watch(number),
            Err(_) => dismantle_in(work, fd),
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

/// While `f` runs no file has a lane, and none gets one.
pub fn without<R>(f: impl FnOnce() -> R) -> R {
    let work = work();
    dismantle_all_in(&work);
    f()
}

/// No other thread is at work while `f` runs, which forks: before all other locks.
pub fn with_work<R>(f: impl FnOnce() -> R) -> R {
    let _work = work();
    f()
}

/// The list is held while forking, so that the child finds it whole.
pub fn with_lock<R>(f: impl FnOnce() -> R) -> R {
    let _files = FILES.lock();
    f()
}

/// Gives all of them back.
pub fn dismantle_all() {
    if any() {
        dismantle_all_in(&work());
    }
}

fn dismantle_all_in(work: &Work) {
    while any() {
        let Some(fd) = descriptors::find_lane(|lane| lane.kind == Kind::File) else { return };
        dismantle_in(work, fd);
    }
}

/// A second thread is about to be made: what the assembly does from here on is fit for several.
pub fn begin_threads() {
    if !threads::any() {
        dismantle_all();
        learn(Fact::Threaded, true);
    }
}

/// Address ranges of the mappings.
pub fn for_each_mapping(mut f: impl FnMut(u64, u64)) {
    let files = FILES.lock();
    for place in files.lanes.iter().chain(files.retired.iter().map(|one| &one.place)) {
        // SAFETY: lanes in the lists exist.
        let file = unsafe { &*place.0 };
        let base = file.lane.base.load(Ordering::Relaxed);
        f(base, base + file.map_len);
    }
}
