//! What the process and its keeper say to each other.

use crate::emulate::files::lane::FileLane;

/// What the guest asks of the keeper: one datagram, with a descriptor for `Keep`. All but `Stir` are answered by one word.
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

/// `struct msghdr` (recvmsg(2)).
#[repr(C)]
pub struct Header {
    /// msg_name.
    pub name: u64,
    /// msg_namelen.
    pub name_len: u64,
    /// msg_iov.
    pub iov: u64,
    /// msg_iovlen.
    pub iov_len: u64,
    /// msg_control.
    pub control: u64,
    /// msg_controllen, in bytes.
    pub control_len: u64,
    /// msg_flags.
    pub flags: u64,
}

/// A control message with one descriptor (cmsg(3), unix(7) SCM_RIGHTS).
#[repr(C)]
pub struct Control {
    len: u64,
    level: i32,
    kind: i32,
    /// The descriptor.
    pub fd: i32,
    pad: i32,
}

impl Control {
    /// SOL_SOCKET and SCM_RIGHTS.
    const LEVEL_AND_KIND: (i32, i32) = (1, 1);

    /// The message.
    #[must_use]
    pub fn new(fd: i32) -> Self {
        let (level, kind) = Self::LEVEL_AND_KIND;
        Self { len: 20, level, kind, fd, pad: 0 }
    }
}
