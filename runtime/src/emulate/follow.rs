//! What calls do to descriptors, followed: what a descriptor leads to is handed back when its last descriptor goes, and
//! a duplicate leads to the same.

use super::descriptors;
use super::seeded::{Bug, is_planted};
use super::{files, pipes};
use crate::gate::facts::{Fact, holds};
use crate::gate::lane;
use crate::gate::routes::learn;
use core::sync::atomic::Ordering;

/// Another process will share the table of descriptors (CLONE_FILES), or something may use it behind our back.
pub fn give_up() {
    if !holds(Fact::DescriptorsShared) {
        learn(Fact::DescriptorsShared, true);
        forget(0, i32::MAX);
        learn(Fact::LanesAsked, false);
    }
}

/// Descriptors in this range are about to be closed.
pub fn forget(first: i32, last: i32) {
    for fd in first.max(0)..=last.min(descriptors::highest()) {
        // First: a thread that is about to give it a lane looks at this afterwards.
        if let Some(slot) = descriptors::description(fd) {
            slot.store(0, Ordering::SeqCst);
        }
        let lane = lane::get(fd);
        if !lane.is_null() {
            if is_last(fd) {
                files::dismantle(fd);
                pipes::hand_back(fd);
            }
            lane::set(fd, core::ptr::null_mut());
        }
    }
}

/// `new` is about to become a duplicate of `old`: what it was is closed, unless the call fails. So what was known of it
/// stays known, but its description is handed back if no other descriptor leads to it.
pub fn replaced(old: i32, new: i32) {
    if holds(Fact::Threaded) {
        unfollow(old);
        if old != new {
            forget(new, new);
        }
        return;
    }
    if old != new && is_last(new) {
        files::dismantle(new);
        pipes::hand_back(new);
    }
}

/// `old` is about to get a duplicate in a process with threads, where duplicates are not followed: another thread may have closed the
/// new one when its number is known.
pub fn unfollow(old: i32) {
    if !holds(Fact::Threaded) {
        return;
    }
    if let Some(slot) = descriptors::description(old) {
        slot.store(0, Ordering::SeqCst);
    }
    files::dismantle(old);
}

/// No other descriptor has this one's lane.
fn is_last(fd: i32) -> bool {
    let lane = lane::get(fd);
    !lane.is_null() && descriptors::known().filter(|&other| core::ptr::eq(lane::get(other), lane)).count() == 1
}

/// `new` is a duplicate of `old` now.
pub fn duplicated(old: i32, new: u64) {
    let Ok(new) = i32::try_from(new) else { return };
    if old == new || !descriptors::are_known() || is_planted(Bug::ForgetDup) {
        return;
    }
    let from = descriptors::description(old);
    let Some(to) = descriptors::description(new) else {
        // The duplicate, which is too high to be followed, would share what is kept here.
        files::dismantle(old);
        pipes::hand_back(old);
        descriptors::disown(old);
        return;
    };
    let Some(from) = from.filter(|_| !holds(Fact::Threaded)) else {
        // Of what leads to a high number nothing is known; and another thread may have closed the new one already.
        to.store(0, Ordering::Relaxed);
        lane::set(new, core::ptr::null_mut());
        return;
    };
    to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
    lane::set(new, lane::get(old));
    descriptors::reaches(new);
}
