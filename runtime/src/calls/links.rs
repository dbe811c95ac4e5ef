//! Which arguments of a call are paths at whose end a symbolic link is followed (path_resolution(7)).

use super::arg::MAX_ARGS;
use linux_raw_sys::general as k;

/// Flags of open(2) that want to write to the file: while a program runs its file cannot be written to (ETXTBSY).
pub(super) const OPEN_TO_WRITE: u32 = k::O_WRONLY | k::O_RDWR | k::O_TRUNC;
/// Flag of fanotify_mark(2).
pub(super) const FAN_MARK_DONT_FOLLOW: u32 = 4;

/// A path among a call's arguments, and when the kernel goes on where a symbolic link at its end leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    arg: u8,
    flags_arg: u8,
    flags: u32,
    /// The flags ask for it; otherwise they forbid it.
    is_asked_for: bool,
    is_read: bool,
}

impl Link {
    /// Paths of one call, at most.
    pub const MAX: usize = 2;

    /// The path in this argument, always.
    pub(super) const fn of(arg: u8) -> Self {
        assert!((arg as usize) < MAX_ARGS);
        Self { arg, flags_arg: 0, flags: 0, is_asked_for: false, is_read: false }
    }

    /// Not if one of these flags is in that argument.
    pub(super) const fn unless(self, flags_arg: u8, flags: u32) -> Self {
        Self { flags_arg, flags, ..self }
    }

    /// Only if one of these flags is in that argument.
    pub(super) const fn only_with(self, flags_arg: u8, flags: u32) -> Self {
        Self { flags_arg, flags, is_asked_for: true, ..self }
    }

    /// The link is read, not followed (readlink(2)).
    pub(super) const fn itself(self) -> Self {
        Self { is_read: true, ..self }
    }

    /// The link at its end is read.
    #[must_use]
    pub const fn is_read(self) -> bool {
        self.is_read
    }

    /// Which argument the path is.
    #[must_use]
    pub const fn arg(self) -> usize {
        self.arg as usize
    }

    /// The call with these arguments follows it.
    #[must_use]
    pub fn is_followed(self, args: &[u64; MAX_ARGS]) -> bool {
        let given = args.get(usize::from(self.flags_arg)).copied().unwrap_or(0);
        (given & u64::from(self.flags) != 0) == self.is_asked_for
    }
}
