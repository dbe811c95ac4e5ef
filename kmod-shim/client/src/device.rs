//! One open device.

use crate::uapi::{self, Allow, CALLS, Info, Load, Op};
use thiserror::Error;

/// A kernel error number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(pub i32);

const ENOENT: Errno = Errno(2);
const EPERM: Errno = Errno(1);
const EAGAIN: Errno = Errno(11);
const EACCES: Errno = Errno(13);
const ENXIO: Errno = Errno(6);
const EINVAL: Errno = Errno(22);
const ENOSPC: Errno = Errno(28);
const EOPNOTSUPP: Errno = Errno(95);

/// How system calls are made.
pub trait Host {
    /// open(2) with O_RDWR and O_CLOEXEC.
    ///
    /// # Errors
    /// The kernel's.
    fn open(&self, path: &core::ffi::CStr) -> Result<i32, Errno>;
    /// ioctl(2) with the address of `argument`, or without argument for a type of size 0.
    ///
    /// # Errors
    /// The kernel's.
    fn ioctl<T>(&self, fd: i32, request: u32, argument: &mut T) -> Result<u64, Errno>;
    /// close(2).
    fn close(&self, fd: i32);
}

/// Why the device cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Error {
    /// There is no device.
    #[error("the kernel module btshim is not loaded: there is no /dev/btshim")]
    NoModule,
    /// The caller may not.
    #[error("/dev/btshim is for root with CAP_SYS_ADMIN and CAP_SYS_MODULE, on a kernel that is not locked down")]
    NotAllowed,
    /// It speaks another version.
    #[error("the kernel module btshim speaks version {0}, not {1}: load the one that belongs to this bt-run")]
    Version(u32, u32),
    /// Something else.
    #[error("/dev/btshim: error {}", .0.0)]
    Kernel(Errno),
}

/// Why code was not added.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Refusal {
    /// The operation with this number cannot be made.
    #[error("operation {0} cannot be made")]
    Operation(u32),
    /// It has the first vector instructions: all code was dropped and has to be loaded again.
    #[error("all code has been dropped")]
    Dropped,
    /// There is no room.
    #[error("there is no room for more code")]
    Full,
    /// Something else.
    #[error("error {}", .0.0)]
    Kernel(Errno),
}

/// What was added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Loaded {
    /// Bytes of code made.
    pub code_bytes: u32,
}

/// One open device, bound to the memory of the process that opened it.
#[derive(Debug)]
pub struct Device {
    fd: i32,
    info: Info,
}

impl Device {
    /// Opens the device and checks that it is the one this crate knows.
    ///
    /// # Errors
    /// See [`Error`](enum@Error).
    pub fn open(host: &impl Host) -> Result<Self, Error> {
        let fd = host.open(uapi::DEVICE).map_err(|errno| match errno {
            ENOENT | ENXIO => Error::NoModule,
            EPERM | EACCES => Error::NotAllowed,
            other => Error::Kernel(other),
        })?;
        let mut device = Self { fd, info: Info::default() };
        let asked = host.ioctl(fd, uapi::INFO, &mut device.info).map_err(Error::Kernel).map(|_| ());
        match asked.and_then(|()| device.check()) {
            Ok(()) => Ok(device),
            Err(error) => {
                host.close(fd);
                Err(error)
            }
        }
    }

    fn check(&self) -> Result<(), Error> {
        let info = &self.info;
        let sizes = [info.size_of_op, info.size_of_load, info.size_of_run, info.size_of_allow];
        let ours = [size_of::<Op>(), size_of::<Load>(), size_of::<uapi::Run>(), size_of::<Allow>()];
        let same = sizes.iter().zip(ours).all(|(theirs, ours)| u32::try_from(ours) == Ok(*theirs));
        if info.version == uapi::VERSION && same { Ok(()) } else { Err(Error::Version(info.version, uapi::VERSION)) }
    }

    /// The descriptor, for the entry that is made in assembly.
    #[must_use]
    pub const fn fd(&self) -> i32 {
        self.fd
    }

    /// Notes that the descriptor has moved.
    pub const fn moved_to(&mut self, fd: i32) {
        self.fd = fd;
    }

    /// What the module can do.
    #[must_use]
    pub const fn info(&self) -> &Info {
        &self.info
    }

    /// Adds code.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn load(&self, host: &impl Host, ops: &[Op], flags: u32) -> Result<Loaded, Refusal> {
        let count = u32::try_from(ops.len()).map_err(|_| Refusal::Full)?;
        let mut load = Load { ops: ops.as_ptr() as u64, count, flags, ..Load::default() };
        match host.ioctl(self.fd, uapi::LOAD, &mut load) {
            Ok(_) => Ok(Loaded { code_bytes: load.code_bytes }),
            Err(EINVAL | EOPNOTSUPP) => Err(Refusal::Operation(load.refused)),
            Err(EAGAIN) => Err(Refusal::Dropped),
            Err(ENOSPC) => Err(Refusal::Full),
            Err(other) => Err(Refusal::Kernel(other)),
        }
    }

    /// Says which calls code may make, and which of them without looking at the number when it is made; returns those
    /// that it will. Holds for what is added after the next [`Device::clear`].
    ///
    /// # Errors
    /// The kernel's.
    pub fn allow(
        &self,
        host: &impl Host,
        wanted: impl Fn(usize) -> bool,
        any: impl Fn(usize) -> bool,
    ) -> Result<Allow, Errno> {
        let mut allow = Allow::default();
        for (word, (calls, of_any)) in allow.calls.iter_mut().zip(&mut allow.any).enumerate() {
            for bit in 0..64 {
                let nr = 64 * word + bit;
                *calls |= u64::from(nr < CALLS && wanted(nr)) << bit;
                *of_any |= u64::from(nr < CALLS && any(nr)) << bit;
            }
        }
        host.ioctl(self.fd, uapi::ALLOW, &mut allow)?;
        Ok(allow)
    }

    /// Drops all code.
    ///
    /// # Errors
    /// The kernel's.
    pub fn clear(&self, host: &impl Host) -> Result<(), Errno> {
        host.ioctl(self.fd, uapi::CLEAR, &mut ()).map(|_| ())
    }

    /// Closes the device. Without this its descriptor stays open.
    pub fn close(self, host: &impl Host) {
        host.close(self.fd);
    }
}
