//! What the kernel tells of changes: inotify(7), epoll(7), and a ring of the process's own memory in which a request of Linux
//! AIO completes (io_submit(2), IOCB_CMD_POLL).

use super::errno::Errno;
use super::fd::Fd;
use super::raw::syscall;
use core::ffi::CStr;
use linux_raw_sys::general as k;

/// inotify_init1(2): reads do not wait, an exec closes it.
///
/// # Errors
/// The kernel's; EMFILE where the user has as many instances as allowed.
pub fn inotify() -> Result<Fd, Errno> {
    // SAFETY: makes a descriptor.
    unsafe { syscall(k::__NR_inotify_init1, [u64::from(k::O_NONBLOCK | k::O_CLOEXEC)]) }.map(Fd::given)
}

impl Fd {
    /// inotify_add_watch(2): the watch's number.
    ///
    /// # Errors
    /// The kernel's.
    pub fn add_watch(self, path: &CStr, events: u32) -> Result<i32, Errno> {
        // SAFETY: the kernel reads a string.
        let made = unsafe { syscall(k::__NR_inotify_add_watch, [self.arg(), path.as_ptr() as u64, u64::from(events)]) };
        made.map(|number| i32::try_from(number).unwrap_or(-1))
    }

    /// inotify_rm_watch(2). One that is gone already is no error.
    pub fn remove_watch(self, number: i32) {
        // SAFETY: concerns a watch of this descriptor.
        let _ = unsafe { syscall(k::__NR_inotify_rm_watch, [self.arg(), u64::from(number.cast_unsigned())]) };
    }

    /// The watches of which the kernel has told, each with the events, and of an entry of a watched directory its name; -1 is
    /// all of them (inotify(7), IN_Q_OVERFLOW). Returns whether there may be more.
    ///
    /// # Errors
    /// The kernel's, but not EAGAIN.
    pub fn read_watches(self, mut tell: impl FnMut(i32, u32, &[u8])) -> Result<bool, Errno> {
        // struct inotify_event: wd, mask, cookie, len, then `len` bytes of a name.
        const HEADER: usize = 16;
        #[repr(align(8))]
        struct Buffer([u8; 4096]);
        let mut buffer = Buffer([0; 4096]);
        let len = match self.read(&mut buffer.0) {
            Err(Errno::EAGAIN) => return Ok(false),
            read => read?,
        };
        let mut rest = buffer.0.get(..len).unwrap_or(&[]);
        while let Some((header, more)) = rest.split_first_chunk::<HEADER>() {
            let word = |n: usize| -> u32 {
                header.get(4 * n..4 * n + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
            };
            let (name, after) = more.split_at_checked(word(3) as usize).unwrap_or((more, &[]));
            // It is filled up with NULs.
            tell(word(0).cast_signed(), word(1), name.split(|&byte| byte == 0).next().unwrap_or(&[]));
            rest = after;
        }
        Ok(true)
    }

    /// A set of descriptors with one member, which is ready while that can be read (epoll_create1(2), epoll_ctl(2)).
    ///
    /// # Errors
    /// The kernel's.
    pub fn in_a_set(self) -> Result<Self, Errno> {
        // SAFETY: makes a descriptor, which an exec closes.
        let set = unsafe { syscall(k::__NR_epoll_create1, [u64::from(k::O_CLOEXEC)]) }.map(Self::given)?;
        match self.join_set(set, k::EPOLLIN) {
            Ok(()) => Ok(set),
            Err(errno) => {
                set.close();
                Err(errno)
            }
        }
    }

    /// Makes it a member of a set, which is ready while it has one of these events (epoll_ctl(2)).
    ///
    /// # Errors
    /// The kernel's.
    pub fn join_set(self, set: Self, events: u32) -> Result<(), Errno> {
        // struct epoll_event, packed: events, then 8 bytes of data.
        let event: [u32; 3] = [events, 0, 0];
        let add = [set.arg(), u64::from(k::EPOLL_CTL_ADD), self.arg(), event.as_ptr() as u64];
        // SAFETY: the kernel reads the structure.
        unsafe { syscall(k::__NR_epoll_ctl, add) }.map(|_| ())
    }

    /// Of an open /proc/PID/mountinfo: mounts have changed since it was opened, or asked last (proc(5), poll(2)).
    ///
    /// # Errors
    /// The kernel's.
    pub fn have_mounts_changed(self) -> Result<bool, Errno> {
        let mut wanted = self.arg() | u64::from(k::POLLPRI) << 32;
        // SAFETY: one struct pollfd.
        unsafe { syscall(k::__NR_poll, [&raw mut wanted as u64, 1, 0]) }.map(|ready| ready != 0)
    }
}

/// A context of Linux AIO with room for one request: the address of its ring, by which the kernel knows it too.
///
/// # Errors
/// The kernel's; EAGAIN where the machine has as many requests as allowed (fs.aio-max-nr).
pub fn aio_context() -> Result<u64, Errno> {
    let mut context = 0u64;
    // SAFETY: the kernel writes one word, and maps a ring at a place of its choice.
    unsafe { syscall(k::__NR_io_setup, [1, (&raw mut context) as u64]) }?;
    Ok(context)
}

/// io_destroy(2).
pub fn destroy_aio_context(context: u64) {
    // SAFETY: the ring is gone afterwards; the caller does not use it any more.
    let _ = unsafe { syscall(k::__NR_io_destroy, [context]) };
}

/// Asks that the context's ring move by one when `fd` can be read: at once, or in whoever makes it so.
///
/// # Errors
/// The kernel's.
pub fn poll_into_ring(context: u64, fd: Fd) -> Result<(), Errno> {
    // struct iocb (include/uapi/linux/aio_abi.h): data, key and rw_flags, opcode, priority and descriptor, then buf (the
    // events), nbytes, offset, reserved, flags and resfd.
    const POLL: u64 = 5;
    let request: [u64; 8] = [0, 0, POLL | u64::from(fd.0.cast_unsigned()) << 32, u64::from(k::EPOLLIN), 0, 0, 0, 0];
    let list: [u64; 1] = [request.as_ptr() as u64];
    // SAFETY: the kernel reads the list and the request, and keeps neither.
    unsafe { syscall(k::__NR_io_submit, [context, 1, list.as_ptr() as u64]) }.map(|_| ())
}

/// Moves the ring of a context to the address `to`, where nothing is mapped: the kernel then knows the context by that
/// (fs/aio.c, aio_ring_mremap).
///
/// # Errors
/// The kernel's.
pub fn move_ring(context: u64, len: u64, to: u64) -> Result<u64, Errno> {
    let flags = u64::from(k::MREMAP_MAYMOVE | k::MREMAP_FIXED);
    // SAFETY: the ring alone moves; the caller promises that nothing is at `to`.
    unsafe { syscall(k::__NR_mremap, [context, len, len, flags, to]) }
}
