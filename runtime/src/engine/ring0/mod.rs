//! Engine `ring0`: as engine `direct`, and what makes many system calls runs in the kernel, where a call is a function call.
//!
//! The kernel module of `kmod-shim/` makes ring-0 code from operations and runs it; here is decided of what, and when:
//!
//! * [`sites`]: which call sites are worth it, and when one no longer is;
//! * [`regions`]: guest code becomes units of operations;
//! * [`leave`]: where a thread goes on that has come back;
//! * `gate::ring0`: the way in.
//!
//! A thread begins in place. Sites that make many calls enter ring 0; from there on the thread runs translated code until it
//! comes to something that is ring 3's. What it has not been translated yet is translated then and there, and the thread goes
//! on in ring 0: so a region grows to what a loop executes. A site whose entries bring too few calls is taken out, and has
//! to earn its way back in ("innocent until proven guilty", Adams & Agesen, ASPLOS 2006).
//!
//! Ring 0 may make the calls that the module lists and that concern the runtime in nothing ([`may_call`]); the others end at the
//! gate as ever. Only code that cannot be written without a system call is translated, so that every change is told.

pub mod host;
pub mod leave;
pub mod regions;
pub mod sites;

use crate::engine::lock;
use crate::gate::CallEntry;
use crate::gate::filters::Filter;
use crate::options::{self, EngineChoice};
use crate::process::RING0_FD;
use crate::sys::raw;
use crate::syscall::descriptors::move_up;
use alloc::collections::BTreeSet;
use bt_shim::uapi::CALLS;
use bt_shim::{Device, Error};
use bt_units::Builder;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use host::Kernel;
use sites::Sites;

/// Calls that the module can make; none without it.
static GRANTED: [AtomicU64; CALLS / 64] = [const { AtomicU64::new(0) }; CALLS / 64];
/// Calls that ring 0 may make as things stand.
static ALLOWED: [AtomicU64; CALLS / 64] = [const { AtomicU64::new(0) }; CALLS / 64];
/// [`ALLOWED`] has lost calls since the module was told.
static SHRUNK: AtomicBool = AtomicBool::new(false);

fn has(set: &[AtomicU64; CALLS / 64], nr: usize) -> bool {
    set.get(nr / 64).is_some_and(|word| word.load(Ordering::Relaxed) >> (nr % 64) & 1 != 0)
}

/// What ring 0 knows of the process; part of what the engines' lock protects.
pub struct Ring0 {
    device: Option<Device>,
    /// Why there is none.
    refused: Option<Error>,
    builder: Builder,
    /// Pcs that have code.
    known: BTreeSet<u64>,
    /// Pages that code was made from.
    pages: BTreeSet<u64>,
    /// Places of which `--explain` has spoken.
    explained: BTreeSet<u64>,
    /// Call sites.
    pub sites: Sites,
    /// Figures for `--stats`.
    pub stats: Stats,
}

/// Figures for `--stats`.
#[derive(Default, Clone, Copy, Debug)]
pub struct Stats {
    /// Units made.
    pub units: u64,
    /// Bytes of ring-0 code made.
    pub code_bytes: u64,
    /// Times all code was dropped.
    pub drops: u64,
    /// Times a thread went from ring 3 to ring 0.
    pub entries: u64,
    /// Calls made there.
    pub calls: u64,
    /// Times ring 0 was left, by reason; some go back at once.
    pub leaves: [u64; bt_shim::uapi::REASONS.len()],
    /// Sites that became entries.
    pub sites: u64,
    /// Entries that were taken out again.
    pub dropped_sites: u64,
}

impl Ring0 {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            device: None,
            refused: None,
            builder: Builder::new(),
            known: BTreeSet::new(),
            pages: BTreeSet::new(),
            explained: BTreeSet::new(),
            sites: Sites::new(),
            stats: Stats::ZERO,
        }
    }

    /// Opens the device.
    ///
    /// # Errors
    /// Why ring 0 cannot be used.
    pub fn open(&mut self) -> Result<(), Error> {
        let mut device = match Device::open(&Kernel) {
            Ok(device) => device,
            Err(error) => {
                self.refused = Some(error);
                return Err(error);
            }
        };
        if let Some(high) = move_up(device.fd()) {
            raw::close(device.fd());
            device.moved_to(high);
        }
        for (granted, word) in GRANTED.iter().zip(device.info().calls) {
            granted.store(word, Ordering::Relaxed);
        }
        RING0_FD.store(device.fd(), Ordering::Relaxed);
        self.device = Some(device);
        SHRUNK.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The device, if there is one; opens it in the child of a fork, whose memory is another.
    fn device(&mut self) -> Option<&mut Device> {
        if self.device.is_none() && (self.refused.is_some() || self.open().is_err()) {
            return None;
        }
        let device = self.device.as_mut()?;
        // The descriptor may have had to move out of the guest's way.
        device.moved_to(RING0_FD.load(Ordering::Relaxed));
        Some(device)
    }

    /// In the child of a fork: the device is bound to the parent's memory.
    pub fn after_fork(&mut self) {
        if self.device.take().is_some() {
            raw::close(RING0_FD.swap(-1, Ordering::Relaxed));
            self.known.clear();
            self.pages.clear();
            self.sites.forget();
        }
        self.stats = Stats::ZERO;
    }

    /// Ring 0 is not used any more in this process.
    pub fn give_up(&mut self) {
        self.sites.forget();
        self.refused = Some(Error::NotAllowed);
        if self.device.take().is_some() {
            raw::close(RING0_FD.swap(-1, Ordering::Relaxed));
        }
    }

    /// Guest memory at `start..end` changes: what was made from it goes.
    pub fn changed(&mut self, start: u64, end: u64) {
        let last = end.saturating_sub(1) >> 12;
        if !self.pages.is_empty() && self.pages.range(start >> 12..=last).next().is_some() {
            self.drop_code();
        }
    }

    /// Drops all code. Threads that come to where it was have it made anew.
    fn drop_code(&mut self) {
        self.known.clear();
        self.pages.clear();
        self.stats.drops += 1;
        if let Some(device) = self.device() {
            let _ = device.clear(&Kernel);
        }
    }
}

impl Default for Ring0 {
    fn default() -> Self {
        Self::new()
    }
}

impl Stats {
    const ZERO: Self = Self {
        units: 0,
        code_bytes: 0,
        drops: 0,
        entries: 0,
        calls: 0,
        leaves: [0; bt_shim::uapi::REASONS.len()],
        sites: 0,
        dropped_sites: 0,
    };
}

/// The engine is chosen.
#[must_use]
pub fn is_chosen() -> bool {
    options::get().engine == EngineChoice::Ring0
}

/// Opens the device, if the engine is chosen. Where it cannot be had, a program that the user started does not run, and one that a
/// program of the family started runs in place only.
///
/// # Errors
/// Why ring 0 cannot be used.
pub fn start(is_first: bool) -> Result<(), Error> {
    if !is_chosen() {
        return Ok(());
    }
    let opened = lock().ring0.open();
    if opened.is_ok() && sites::start().is_err() {
        lock().ring0.give_up();
    }
    if is_first { opened } else { Ok(()) }
}

/// What ring 3 does with a call leaves it to ring 0: it is passed on, or answered with what the kernel would say. Those whose
/// arguments are looked at are checked in ring 0 too ([`regions`]).
fn is_the_kernels(plain: CallEntry) -> bool {
    matches!(
        plain,
        CallEntry::Pass
            | CallEntry::Answer
            | CallEntry::Clock(_)
            | CallEntry::Filter(Filter::FirstPath | Filter::SecondPath | Filter::Fcntl)
    )
}

/// What the gate does with each call, given what it does without ring 0. Called when that has changed.
pub fn apply(plain: &[CallEntry]) {
    let mut lost = 0;
    for (word, (allowed, granted)) in ALLOWED.iter().zip(&GRANTED).enumerate() {
        let mut bits = granted.load(Ordering::Relaxed);
        for bit in 0..64 {
            if !plain.get(64 * word + bit).is_some_and(|&entry| is_the_kernels(entry)) {
                bits &= !(1 << bit);
            }
        }
        lost |= allowed.swap(bits, Ordering::Relaxed) & !bits;
    }
    if lost != 0 {
        SHRUNK.store(true, Ordering::Relaxed);
        // At once: other threads may be in there. What is known of the code is forgotten when one comes back.
        host::clear(RING0_FD.load(Ordering::Relaxed));
    }
}

/// Ring 0 may make the call.
#[must_use]
pub fn may_call(nr: usize) -> bool {
    has(&ALLOWED, nr)
}

/// What the gate does with a call of number `nr`, given what it does without ring 0.
#[must_use]
pub fn entry(nr: usize, plain: CallEntry) -> CallEntry {
    let enters = matches!(plain, CallEntry::Pass | CallEntry::Filter(_));
    if is_chosen() && enters && may_call(nr) { CallEntry::Ring0 } else { plain }
}
