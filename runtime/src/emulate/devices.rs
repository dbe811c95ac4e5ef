//! /dev/null and /dev/zero: nothing is kept, so nothing has to be handed back, and any descriptor of them will do.
//!
//! drivers/char/mem.c: a write takes everything, a read gives nothing or zeros, every seek ends at 0. What a watcher of
//! the node sees (inotify(7)) comes from the calls that are made every so often.

use super::descriptors::{self, Access};
use crate::gate::lane;
use crate::gate::lane::{Kind, Lane};
use crate::gate::lanes::{Code, lane_with};
use crate::sys::stat::Stat;
use alloc::boxed::Box;
use core::sync::atomic::{AtomicPtr, Ordering};

/// Calls that are answered before one is made.
pub const CALLS_BETWEEN: u32 = 4096;

/// Major and minor numbers (Documentation/admin-guide/devices.txt).
const MEMORY_DEVICES: u64 = 1;
const NULL: u64 = 3;
const ZERO: u64 = 5;

/// One lane for each device and each access mode.
static LANES: [AtomicPtr<Lane>; 6] = [const { AtomicPtr::new(core::ptr::null_mut()) }; 6];

/// Gives a descriptor its device's lane.
pub fn consider(fd: i32, stat: &Stat) -> bool {
    let Some(access) = descriptors::access(fd) else { return false };
    let (major, minor) = stat.device_numbers();
    if !stat.is_character_device() || major != MEMORY_DEVICES || minor != NULL && minor != ZERO {
        return false;
    }
    let place = access as usize + if minor == ZERO { 3 } else { 0 };
    let Some(lane) = LANES.get(place) else { return false };
    if lane.load(Ordering::Relaxed).is_null() {
        let new = Box::leak(Box::new(make(minor == ZERO, access)));
        new.budget.store(CALLS_BETWEEN, Ordering::Relaxed);
        lane.store(new, Ordering::Relaxed);
    }
    descriptors::set_lane(fd, lane.load(Ordering::Relaxed));
    true
}

fn make(is_zero: bool, access: Access) -> Lane {
    let read = match (access, is_zero) {
        (Access::WriteOnly, _) => Code::Rust,
        (_, true) => Code::ZeroRead,
        (_, false) => Code::NullRead,
    };
    let write = if access == Access::ReadOnly { Code::Rust } else { Code::NullWrite };
    // A negative position is an error that the kernel tells.
    lane_with(Kind::Device, [read, write, Code::Rust, Code::Rust, Code::NullLseek])
}

/// If the descriptor's lane is a device's: its next call is made, then it answers again.
pub fn refill(fd: i32) -> bool {
    let wanted = lane::get(fd);
    for lane in &LANES {
        let lane = lane.load(Ordering::Relaxed);
        if !lane.is_null() && lane == wanted {
            // SAFETY: a device's lane is never freed.
            unsafe { &*lane }.budget.store(CALLS_BETWEEN, Ordering::Relaxed);
            return true;
        }
    }
    false
}
