//! What the user asked for. One set for the whole family: an exec hands it on.

use core::sync::atomic::{AtomicPtr, Ordering};
use zerocopy::{Immutable, IntoBytes, KnownLayout, TryFromBytes};

/// Longest path of an output file.
pub const PATH_BYTES: usize = 256;

/// Where the guest's code runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, IntoBytes, TryFromBytes, Immutable, KnownLayout)]
#[repr(u8)]
pub enum EngineChoice {
    /// From a code cache.
    Translate = 0,
    /// In place, with patched system call sites.
    Direct = 1,
    /// As `Direct`, and what makes many calls runs in the kernel.
    Ring0 = 2,
}

impl EngineChoice {
    /// Threads begin in place.
    #[must_use]
    pub fn runs_in_place(self) -> bool {
        self != Self::Translate
    }

    /// The word on the command line and in `--stats`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Translate => "translate",
            Self::Direct => "direct",
            Self::Ring0 => "ring0",
        }
    }
}

/// Which system calls are answered in the process: each level includes those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, IntoBytes, TryFromBytes, Immutable, KnownLayout)]
#[repr(u8)]
pub enum EmulateLevel {
    /// None.
    Off = 0,
    /// Those whose answer is provably the kernel's, and which leave nothing to hand back.
    Exact = 1,
    /// Those after which every other process sees what it would see natively.
    Coherent = 2,
}

impl EmulateLevel {
    /// All levels with their words on the command line.
    pub const WORDS: [(Self, &'static str); 3] =
        [(Self::Off, "off"), (Self::Exact, "exact"), (Self::Coherent, "coherent")];

    /// The word on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(level, _)| *level == self).map_or("", |(_, word)| word)
    }
}

/// A set of system calls, by number below 512.
#[derive(Clone, Copy, PartialEq, Eq, Debug, IntoBytes, TryFromBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct CallSet([u64; 8]);

impl CallSet {
    /// No call.
    pub const NONE: Self = Self([0; 8]);
    /// Every call.
    pub const ALL: Self = Self([!0; 8]);

    /// The call is in the set.
    #[must_use]
    pub fn has(&self, nr: u64) -> bool {
        usize::try_from(nr / 64).ok().and_then(|word| self.0.get(word)).is_some_and(|word| word >> (nr % 64) & 1 != 0)
    }

    /// Puts a call into the set, or takes it out.
    pub fn set(&mut self, nr: u64, is_in: bool) {
        if let Some(word) = usize::try_from(nr / 64).ok().and_then(|word| self.0.get_mut(word)) {
            *word = *word & !(1 << (nr % 64)) | u64::from(is_in) << (nr % 64);
        }
    }
}

/// Options in effect; plain bytes without padding, because they travel to the next image in its environment.
#[repr(C)]
#[derive(Clone, Copy, IntoBytes, TryFromBytes, Immutable, KnownLayout)]
pub struct Options {
    /// Calls that are passed on whatever the level: `--pass`, and all but those of `--emulate-only`.
    pub passed: CallSet,
    /// MiB that the emulation may map at a time (`--emulate-mem`).
    pub emulate_mib: u32,
    /// MiB of cache memory before a flush (`--cache-size`).
    pub cache_mib: u32,
    /// `--engine`.
    pub engine: EngineChoice,
    /// `--emulate`.
    pub emulate: EmulateLevel,
    /// `--explain`.
    pub explain: bool,
    /// A bug that is planted on purpose, in builds with the feature `seeded-bugs`.
    pub seeded: u8,
    /// `--strict`.
    pub strict: bool,
    /// `--trace`.
    pub trace: bool,
    /// `--no-follow`.
    pub no_follow: bool,
    /// `--stats` without a file.
    pub stats: bool,
    /// `--stats-time`.
    pub stats_time: bool,
    /// `--perf-map`.
    pub perf_map: bool,
    /// Another process shares root and current directory (clone(2), CLONE_FS). Nobody asks for it: an exec hands it on.
    pub shares_directories: bool,
    /// Fills the structure up.
    reserved: u8,
    /// Reads, or look-ups, that a process makes before files or directories are watched for it (`--emulate-after`).
    pub emulate_after: u32,
    /// `--trace=FILE`, NUL-terminated, empty for standard error.
    pub trace_path: [u8; PATH_BYTES],
    /// Directory of the image cache, NUL-terminated, empty for none.
    pub cache_path: [u8; PATH_BYTES],
    /// `--stats=FILE`, NUL-terminated, empty for standard error.
    pub stats_path: [u8; PATH_BYTES],
}

impl Options {
    /// Somebody will look at which calls were made.
    #[must_use]
    pub fn tells_calls(&self) -> bool {
        self.trace || self.strict || self.wants_stats()
    }

    /// Nothing asked for.
    pub const DEFAULT: Self = Self {
        engine: EngineChoice::Direct,
        emulate: EmulateLevel::Coherent,
        passed: CallSet::NONE,
        emulate_mib: 1024,
        explain: false,
        seeded: 0,
        strict: false,
        trace: false,
        no_follow: false,
        stats: false,
        stats_time: false,
        perf_map: false,
        shares_directories: false,
        reserved: 0,
        emulate_after: 100_000,
        cache_mib: 512,
        trace_path: [0; PATH_BYTES],
        cache_path: [0; PATH_BYTES],
        stats_path: [0; PATH_BYTES],
    };

    /// Those of the next image, which shares root and current directory with another process if this one does.
    #[must_use]
    pub fn of_image(&self, shares_directories: bool) -> Self {
        Self { shares_directories: self.shares_directories || shares_directories, ..*self }
    }

    /// Statistics are wanted in some form.
    #[must_use]
    pub fn wants_stats(&self) -> bool {
        self.stats || self.stats_path[0] != 0
    }
}

static DEFAULT: Options = Options::DEFAULT;
static CURRENT: AtomicPtr<Options> = AtomicPtr::new((&raw const DEFAULT).cast_mut());

/// The options.
#[must_use]
pub fn get() -> &'static Options {
    // SAFETY: points to a static or to what `set` leaked; never written after that.
    unsafe { &*CURRENT.load(Ordering::Relaxed) }
}

/// Sets the options, once, at start.
pub fn set(options: Options) {
    let place = alloc::boxed::Box::leak(alloc::boxed::Box::new(options));
    CURRENT.store(core::ptr::from_mut(place), Ordering::Relaxed);
}
