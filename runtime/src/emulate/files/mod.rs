//! Regular files that are read and written in small pieces, answered from a shared mapping (runtime/COHERENCE.md).

pub mod calls;
pub mod lane;
mod list;
mod penalty;
pub mod promote;

use super::descriptors;
use super::keeper;
use super::seeded::{Bug, is_planted};
use crate::gate::facts::Fact;
use crate::gate::lane::{Kind, REVOKED};
use crate::gate::routes::learn;
use crate::sys::{Fd, mem};
use alloc::boxed::Box;
use core::sync::atomic::Ordering;
use linux_raw_sys::general as k;
use list::{COUNT, FILES};

pub use list::{any, get};
pub use penalty::penalty;

/// The description has no lease and no owner of its signals any more, as the guest left it.
fn give_up_lease(fd: Fd) {
    let _ = fd.fcntl(k::F_SETLEASE, u64::from(k::F_UNLCK));
    let _ = fd.fcntl(k::F_SETOWN, 0);
}

/// Gives a description back to the kernel. `fd` is one of its descriptors.
pub fn dismantle(fd: i32) {
    let Some(file) = get(fd) else { return };
    let this = core::ptr::from_ref(file).cast_mut();
    descriptors::clear_lane(&raw const file.lane);
    file.lane.state.fetch_or(REVOKED, Ordering::SeqCst);
    file.touch(fd);
    if !is_planted(Bug::DropOffsetHandBack) {
        file.hand_back_offset(fd);
    }
    file.lease.store(k::F_UNLCK, Ordering::Relaxed);
    give_up_lease(Fd(fd));
    // SAFETY: the mapping is ours, and nobody uses it: the process has one thread.
    unsafe { mem::munmap(file.lane.base.load(Ordering::Relaxed), file.map_len) };
    keeper::drop_lane(this);
    let answered = file.lane.reads.load(Ordering::Relaxed) + file.lane.writes.load(Ordering::Relaxed);
    penalty::learn_from(answered);
    let mut files = FILES.lock();
    files.mapped_bytes -= file.map_len;
    files.lanes.retain(|place| place.0 != this);
    COUNT.fetch_sub(1, Ordering::Relaxed);
    // SAFETY: made by `Box::into_raw`; the keeper has dropped it and no descriptor leads to it.
    drop(unsafe { Box::from_raw(this) });
}

/// Gives all of them back.
pub fn dismantle_all() {
    while any() {
        let Some(fd) = descriptors::find_lane(|lane| lane.kind == Kind::File) else { return };
        dismantle(fd);
    }
}

/// Makes the real accesses that are still to be made for writes: somebody looks at times.
pub fn touch_all() {
    for place in &FILES.lock().lanes {
        // SAFETY: lanes in the list exist.
        let file = unsafe { &*place.0 };
        if file.seen_writes.load(Ordering::Relaxed) != file.lane.writes.load(Ordering::Relaxed)
            && let Some(fd) = descriptors::find_lane(|lane| core::ptr::eq(lane, &raw const file.lane))
        {
            file.touch(fd);
        }
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
