//! Error numbers of the kernel (errno(3)).

use linux_raw_sys::errno;

/// An error number, positive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(pub u16);

impl Errno {
    /// The value that a system call returns for this error: `-errno`.
    #[must_use]
    pub const fn as_result(self) -> i64 {
        -(self.0 as i64)
    }

    const fn of(number: u32) -> Self {
        assert!(number <= u16::MAX as u32);
        #[expect(clippy::cast_possible_truncation, reason = "checked")]
        Self(number as u16)
    }
}

macro_rules! names {
    ($($name:ident)*) => {
        #[allow(missing_docs, reason = "the manual's names")]
        impl Errno {
            $(pub const $name: Self = Self::of(errno::$name);)*
        }
    };
}

names! {
    EPERM ENOENT EINTR EIO E2BIG EBADF EAGAIN ENOMEM EACCES
    EFAULT EEXIST ENODEV EINVAL EMFILE ETXTBSY ENOSPC EPIPE ENOSYS
}
