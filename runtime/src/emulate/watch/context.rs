//! The kernel objects behind [`super`].

use crate::gate::routes::note_own_descriptors;
use crate::process::descriptors::keep_high;
use crate::process::{INOTIFY_FD, MOUNTS_ASKED_FD, MOUNTS_FD, WATCH_FD};
use crate::sys::notify::{aio_context, destroy_aio_context, inotify, move_ring, poll_into_ring};
use crate::sys::{Errno, Fd, fs, mem};
use core::sync::atomic::{AtomicU32, Ordering};
use linux_raw_sys::general as k;

/// The head of a context's ring (fs/aio.c, struct aio_ring): id, nr, head, tail, then more, 32 bytes in all; events of
/// 32 bytes follow.
#[repr(C)]
struct Ring {
    id: u32,
    /// Events it has room for.
    events: u32,
    head: AtomicU32,
    tail: AtomicU32,
}
const HEAD_BYTES: u64 = 32;
const EVENT_BYTES: u64 = 32;

/// An inotify instance in an epoll set, and a request that completes when the set is ready.
pub(super) struct Context {
    ring: *const Ring,
    ring_len: u64,
    /// The tail while a request is under way.
    armed: Option<u32>,
    /// It may complete late.
    is_late: bool,
}
// SAFETY: the ring is memory shared with the kernel alone; its words are atomic.
unsafe impl Send for Context {}

impl Context {
    /// Makes it. Its descriptors are hidden.
    pub(super) fn new() -> Result<Self, Errno> {
        let inotify = inotify()?;
        let set = match inotify.in_a_set() {
            Ok(set) => set,
            Err(errno) => {
                inotify.close();
                return Err(errno);
            }
        };
        let made = aio_context().and_then(|context| {
            // SAFETY: io_setup(2) has just mapped it.
            let events = unsafe { (*(context as *const Ring)).events };
            let ring_len = (HEAD_BYTES + u64::from(events) * EVENT_BYTES).next_multiple_of(4096);
            // Among the runtime's own memory, which the guest cannot unmap.
            let moved = move_ring(context, ring_len, mem::own_address(ring_len));
            moved.inspect_err(|_| destroy_aio_context(context)).map(|at| (at, ring_len))
        });
        match made {
            Ok((at, ring_len)) => {
                INOTIFY_FD.store(keep_high(inotify), Ordering::Relaxed);
                WATCH_FD.store(keep_high(set), Ordering::Relaxed);
                note_own_descriptors();
                Ok(Self { ring: at as *const Ring, ring_len, armed: None, is_late: false })
            }
            Err(errno) => {
                inotify.close();
                set.close();
                Err(errno)
            }
        }
    }

    fn ring(&self) -> &Ring {
        // SAFETY: mapped until `forget` or `close`, which take `self`.
        unsafe { &*self.ring }
    }

    pub(super) fn tail(&self) -> *const AtomicU32 {
        &raw const self.ring().tail
    }

    pub(super) fn inotify(&self) -> Fd {
        Fd(INOTIFY_FD.load(Ordering::Relaxed))
    }

    /// Reads what the kernel has told.
    pub(super) fn drain(&mut self, mut tell: impl FnMut(i32, u32, &[u8])) -> Result<(), Errno> {
        while self.inotify().read_watches(&mut tell)? {}
        Ok(())
    }

    /// Has a change of the tree of mounts end the request, too.
    pub(super) fn add_mounts(&mut self) -> Result<(), Errno> {
        if MOUNTS_FD.load(Ordering::Relaxed) >= 0 {
            return Ok(());
        }
        const MOUNTS: &core::ffi::CStr = c"/proc/self/mountinfo";
        let (member, asked) = (fs::open(MOUNTS, k::O_RDONLY)?, fs::open(MOUNTS, k::O_RDONLY));
        let joined = asked.and_then(|_| member.join_set(Fd(WATCH_FD.load(Ordering::Relaxed)), k::EPOLLPRI));
        match (asked, joined) {
            (Ok(asked), Ok(())) => {
                MOUNTS_FD.store(keep_high(member), Ordering::Relaxed);
                MOUNTS_ASKED_FD.store(keep_high(asked), Ordering::Relaxed);
                note_own_descriptors();
                Ok(())
            }
            (asked, joined) => {
                member.close();
                let _ = asked.inspect(|asked| asked.close());
                joined
            }
        }
    }

    /// The tree of mounts has changed since it was asked last. The member of the set does not do for that: the kernel tells
    /// each open file once, and the set may have been told already (fs/proc_namespace.c, mounts_poll).
    pub(super) fn have_mounts_changed(&self) -> bool {
        let asked = MOUNTS_ASKED_FD.load(Ordering::Relaxed);
        asked >= 0 && Fd(asked).have_mounts_changed().unwrap_or(true)
    }

    /// A request is under way, and which tail it will move; whether it may do so late.
    pub(super) fn armed(&self) -> Option<(u32, bool)> {
        let tail = self.ring().tail.load(Ordering::Acquire);
        self.armed.filter(|&armed| armed == tail).map(|armed| (armed, self.is_late))
    }

    /// Makes a request, while none is under way; the tail that the next change will move. `None` if something was changed
    /// meanwhile, or the kernel does not take it.
    pub(super) fn arm(&mut self) -> Option<u32> {
        let tail = self.ring().tail.load(Ordering::Acquire);
        // What has completed is taken off the ring: the kernel looks at the head when it counts free places.
        self.ring().head.store(tail, Ordering::Release);
        self.armed = None;
        poll_into_ring(self.ring.addr() as u64, Fd(WATCH_FD.load(Ordering::Relaxed))).ok()?;
        self.armed = Some(tail);
        self.is_late = false;
        (self.ring().tail.load(Ordering::Acquire) == tail).then_some(tail)
    }

    /// The request that was made just now may move the tail late: something was told while it was made, when the kernel cannot
    /// have the context's lock, and leaves the rest to a work item. Until that is done it completes nothing else at once
    /// either (fs/aio.c, aio_poll_wake).
    pub(super) fn is_told_meanwhile(&mut self, mounts: bool) -> bool {
        self.is_late = mounts || self.inotify().is_readable();
        self.is_late
    }

    fn close_descriptors() {
        for place in [&INOTIFY_FD, &WATCH_FD, &MOUNTS_FD, &MOUNTS_ASKED_FD] {
            let fd = place.swap(-1, Ordering::Relaxed);
            if fd >= 0 {
                Fd(fd).close();
            }
        }
        note_own_descriptors();
    }

    /// In the child of a fork, which has copies of the descriptors and of the mapping, and not the context.
    pub(super) fn forget(self) {
        Self::close_descriptors();
        // SAFETY: nobody uses the ring: lanes do not outlive a fork.
        unsafe { mem::munmap(self.ring.addr() as u64, self.ring_len) };
    }

    /// Gives all of it back.
    pub(super) fn close(self) {
        Self::close_descriptors();
        destroy_aio_context(self.ring.addr() as u64);
    }
}
