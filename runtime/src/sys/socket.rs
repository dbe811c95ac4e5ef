//! A pair of sockets over which descriptors can be sent (unix(7)).

use super::errno::Errno;
use super::fd::Fd;
use super::raw::syscall;
use linux_raw_sys::{general as k, net};

/// Two connected sockets that keep messages apart (socketpair(2), SOCK_SEQPACKET), which an exec closes.
///
/// # Errors
/// The kernel's.
pub fn pair() -> Result<[Fd; 2], Errno> {
    let mut pair = [0i32; 2];
    let kind = u64::from(net::SOCK_SEQPACKET | k::O_CLOEXEC);
    // SAFETY: the kernel writes two descriptors.
    unsafe { syscall(k::__NR_socketpair, [u64::from(net::AF_UNIX), kind, 0, pair.as_mut_ptr() as u64])? };
    Ok(pair.map(Fd))
}

/// `struct msghdr` (recvmsg(2)).
#[repr(C)]
struct Header {
    name: u64,
    name_len: u32,
    pad: u32,
    iov: u64,
    iov_len: u64,
    control: u64,
    control_len: u64,
    flags: u64,
}

/// A control message with one descriptor (cmsg(3), unix(7) SCM_RIGHTS).
#[repr(C)]
struct Control {
    len: u64,
    level: u32,
    kind: u32,
    fd: i32,
    pad: i32,
}

impl Control {
    const SCM_RIGHTS: u32 = 1;

    fn new(fd: i32) -> Self {
        const BYTES: u64 = 20;
        Self { len: BYTES, level: net::SOL_SOCKET, kind: Self::SCM_RIGHTS, fd, pad: 0 }
    }
}

fn header(iov: &[u64; 2], control: Option<&Control>) -> Header {
    Header {
        name: 0,
        name_len: 0,
        pad: 0,
        iov: iov.as_ptr() as u64,
        iov_len: 1,
        control: control.map_or(0, |control| core::ptr::from_ref(control) as u64),
        control_len: if control.is_some() { size_of::<Control>() as u64 } else { 0 },
        flags: 0,
    }
}

/// Sends a message, with a duplicate of `fd` if there is one.
///
/// # Errors
/// The kernel's; EPIPE: the other end is gone.
pub fn send<T>(socket: Fd, message: &T, fd: Option<Fd>) -> Result<(), Errno> {
    let iov = [core::ptr::from_ref(message) as u64, size_of::<T>() as u64];
    let control = fd.map(|fd| Control::new(fd.0));
    let header = header(&iov, control.as_ref());
    let args = [socket.arg(), &raw const header as u64, u64::from(net::MSG_NOSIGNAL)];
    loop {
        // SAFETY: the structures live during the call.
        match unsafe { syscall(k::__NR_sendmsg, args) } {
            Err(Errno::EINTR) => {}
            sent => return sent.map(|_| ()),
        }
    }
}

/// Receives a message into `message`; its length, 0 if the other end is gone, and the descriptor that came with it.
///
/// # Errors
/// The kernel's.
///
/// # Safety
/// Any bytes must be a `T`.
pub unsafe fn receive<T>(socket: Fd, message: &mut T) -> Result<(u64, Fd), Errno> {
    let iov = [core::ptr::from_mut(message) as u64, size_of::<T>() as u64];
    let mut control = Control::new(-1);
    let mut header = header(&iov, None);
    header.control = &raw mut control as u64;
    header.control_len = size_of::<Control>() as u64;
    let args = [socket.arg(), &raw mut header as u64, u64::from(net::MSG_CMSG_CLOEXEC)];
    // SAFETY: the structures live during the call, and the caller's promise.
    unsafe { syscall(k::__NR_recvmsg, args) }.map(|len| (len, Fd(control.fd)))
}

/// Waits until a message can be received, `timeout` (seconds, nanoseconds) is over if there is one, or a signal outside
/// `mask` comes (ppoll(2)). Whether one can.
///
/// # Errors
/// EINTR: a signal came.
pub fn wait(socket: Fd, timeout: Option<&[u64; 2]>, mask: u64) -> Result<bool, Errno> {
    let mut wanted = [socket.arg() | u64::from(k::POLLIN) << 32];
    let timeout = timeout.map_or(0, |time| time.as_ptr() as u64);
    let args = [wanted.as_mut_ptr() as u64, 1, timeout, &raw const mask as u64, super::signal::SIGSET_BYTES];
    // SAFETY: the structures live during the call.
    unsafe { syscall(k::__NR_ppoll, args) }.map(|ready| ready != 0)
}
