//! Error numbers of the kernel (errno(3)).

use linux_raw_sys::errno;

/// An error number, positive. As wide as the value of a system call, so that a result of either is two words, which
/// functions return in registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(u64);

impl Errno {
    /// The value that a system call returns for this error: `-errno`.
    #[must_use]
    pub const fn as_result(self) -> i64 {
        -self.0.cast_signed()
    }

    /// The error with this number.
    #[must_use]
    pub const fn of(number: u16) -> Self {
        Self(number as u64)
    }

    /// The number.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "it was one")]
    pub const fn number(self) -> u16 {
        self.0 as u16
    }
}

macro_rules! names {
    ($($name:ident)*) => {
        #[allow(missing_docs, reason = "the manual's names")]
        impl Errno {
            $(pub const $name: Self = Self(errno::$name as u64);)*
        }
    };
}

names! {
    EPERM ENOENT EINTR EIO E2BIG EBADF EAGAIN ENOMEM EACCES
    EFAULT EEXIST ENODEV ENOTDIR ENFILE EINVAL EMFILE ESRCH ELOOP ENXIO ETXTBSY ENOSPC EPIPE ENOSYS
}
