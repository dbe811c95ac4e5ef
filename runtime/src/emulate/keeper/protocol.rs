//! What the process and its keeper say to each other.

use crate::emulate::files::lane::FileLane;

/// What the guest asks of the keeper: one datagram, with a descriptor for `Keep`. All but `Stir` are answered by one
/// word.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Request {
    /// A [`Verb`].
    pub verb: u64,
    /// The lane.
    pub lane: *mut FileLane,
}

/// See [`Request`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum Verb {
    /// Take the descriptor and a lease on it. Answered with 0 or an errno.
    Keep = 1,
    /// Close the descriptor. The lease has been given up.
    Drop = 2,
    /// The lane is used again: ticks begin.
    Stir = 3,
}
