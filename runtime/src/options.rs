//! What the user asked for. One set for the whole family: an exec hands it on.

use core::sync::atomic::{AtomicPtr, Ordering};

/// Longest path of an output file.
pub const PATH_BYTES: usize = 256;

/// Where the guest's code runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum EngineChoice {
    /// From a code cache.
    Translate = 0,
    /// In place, with patched system call sites.
    Direct = 1,
}

impl EngineChoice {
    /// The word on the command line and in `--stats`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Translate => "translate",
            Self::Direct => "direct",
        }
    }
}

/// Which system calls are answered in the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum EmulateLevel {
    /// None.
    Off = 0,
    /// Those whose answer is provably the kernel's.
    Exact = 1,
}

/// Options in effect; plain bytes, because they travel through an inherited descriptor.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Options {
    /// `--engine`.
    pub engine: EngineChoice,
    /// `--emulate`.
    pub emulate: EmulateLevel,
    /// `--strict`.
    pub strict: bool,
    /// `--trace`.
    pub trace: bool,
    /// `--no-follow`.
    pub no_follow: bool,
    /// `--stats` without a file.
    pub stats: bool,
    /// `--perf-map`.
    pub perf_map: bool,
    /// MiB of cache memory before a flush (`--cache-size`).
    pub cache_mib: u32,
    /// `--trace=FILE`, NUL-terminated, empty for standard error.
    pub trace_path: [u8; PATH_BYTES],
    /// Folder of the image cache, NUL-terminated, empty for none.
    pub cache_path: [u8; PATH_BYTES],
    /// `--stats=FILE`, NUL-terminated, empty for standard error.
    pub stats_path: [u8; PATH_BYTES],
}

impl Options {
    /// Nothing asked for.
    pub const DEFAULT: Self = Self {
        engine: EngineChoice::Direct,
        emulate: EmulateLevel::Exact,
        strict: false,
        trace: false,
        no_follow: false,
        stats: false,
        perf_map: false,
        cache_mib: 512,
        trace_path: [0; PATH_BYTES],
        cache_path: [0; PATH_BYTES],
        stats_path: [0; PATH_BYTES],
    };

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
