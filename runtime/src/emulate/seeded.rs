//! Bugs that are planted on purpose, in builds with the feature `seeded-bugs` only: the random test must find each of
//! them.

/// A planted bug.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Bug {
    /// Nobody is told of the last writes of a burst.
    ForgetLastWrites = 1,
    /// A lane is dismantled without moving the kernel's offset.
    DropOffsetHandBack = 2,
    /// A duplicate of a descriptor that has a lane gets none.
    ForgetDup = 3,
    /// What is in a pipe of ours is not put back before a fork.
    KeepRingOverFork = 4,
    /// A file was changed and what was known of it stays.
    KeepFactOverChange = 5,
    /// Names are trusted though mounts are not watched.
    SkipMountWatch = 6,
    /// Of a path's directories only the first is watched.
    SkipDirectoryWatch = 7,
    /// What is known of names is trusted again once the request is made, whatever was told.
    TrustNamesWhileArming = 8,
    /// A call that Rust makes moves the offset of a lane without its lock.
    OffsetWithoutLock = 9,
    /// The mapping of a lane goes while threads may be copying from it or to it.
    BuryAtOnce = 10,
}

impl Bug {
    /// Their names on the command line of such a build.
    pub const NAMES: [(&'static str, Self); 10] = [
        ("forget-last-writes", Self::ForgetLastWrites),
        ("drop-offset-hand-back", Self::DropOffsetHandBack),
        ("forget-dup", Self::ForgetDup),
        ("keep-ring-over-fork", Self::KeepRingOverFork),
        ("keep-fact-over-change", Self::KeepFactOverChange),
        ("skip-mount-watch", Self::SkipMountWatch),
        ("skip-directory-watch", Self::SkipDirectoryWatch),
        ("trust-names-while-arming", Self::TrustNamesWhileArming),
        ("offset-without-lock", Self::OffsetWithoutLock),
        ("bury-at-once", Self::BuryAtOnce),
    ];
}

/// The bug is in force.
#[must_use]
#[inline]
pub fn is_planted(bug: Bug) -> bool {
    cfg!(feature = "seeded-bugs") && crate::options::get().seeded == bug as u8
}
