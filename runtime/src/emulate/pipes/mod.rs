//! Pipes and eventfds that only this process has: what is in them is kept in memory.
//!
//! A pipe's both ends, or an eventfd, must have been made by this process and be shared with nobody, and the process
//! must have one thread: then nobody else can read, write or wait. While something is kept here every call but those
//! that can neither see nor wait for it (`calls::Mark::Blind`) hands all of it back first, contents and places in the
//! kernel's buffers intact.

mod count;
pub mod event;
pub mod pipe;

use super::descriptors;
use crate::emulate::call::{Call, Outcome};
use crate::gate::lane;
use crate::gate::lane::Kind;
use crate::options::{self, EmulateLevel};

pub use count::{any, penalty};

/// Takes over what a descriptor leads to, if it may be.
pub fn consider(nr: u32, fd: i32) -> bool {
    if options::get().emulate < EmulateLevel::Coherent {
        return false;
    }
    match descriptors::origin(fd) {
        Some(descriptors::Origin::Pipe) => pipe::take_over(nr, fd),
        Some(descriptors::Origin::Event) => event::take_over(fd, false),
        Some(descriptors::Origin::Semaphore) => event::take_over(fd, true),
        _ => false,
    }
}

/// Answers a read or write that the assembly left to Rust, if its descriptor leads to something kept here.
pub fn answer(call: &mut Call<'_>) -> Option<Outcome> {
    let fd = call.int(0);
    let lane = lane::get(fd);
    if lane.is_null() {
        return None;
    }
    // SAFETY: a lane in the table exists.
    match unsafe { (*lane).kind } {
        Kind::Pipe => pipe::answer(call, fd),
        Kind::Event => event::answer(call, fd),
        Kind::Device | Kind::File => None,
    }
}

/// Gives back what a descriptor leads to.
pub fn hand_back(fd: i32) {
    let lane = lane::get(fd);
    if lane.is_null() {
        return;
    }
    // SAFETY: a lane in the table exists.
    match unsafe { (*lane).kind } {
        Kind::Pipe => pipe::hand_back(fd),
        Kind::Event => event::hand_back(fd),
        Kind::Device | Kind::File => {}
    }
}

/// Gives all of it back.
pub fn hand_back_all() {
    while any() {
        let Some(fd) = descriptors::find_lane(|lane| matches!(lane.kind, Kind::Pipe | Kind::Event)) else { return };
        hand_back(fd);
    }
}
