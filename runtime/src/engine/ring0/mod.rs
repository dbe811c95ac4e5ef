//! Engine `ring0`: as engine `direct`, and what makes many system calls runs in the kernel, where a call is a function
//! call.
//!
//! The kernel module of `kmod-shim/` makes ring-0 code from operations and runs it; here is decided of what, and when:
//!
//! * [`sites`]: which call sites are worth it, and when one no longer is;
//! * [`regions`]: guest code becomes units of operations;
//! * [`leave`]: where a thread goes on that has come back;
//! * `gate::ring0`: the way in.
//!
//! A thread begins in place. Sites that make many calls enter ring 0; from there on the thread runs translated code
//! until it comes to something that is ring 3's. What it has not been translated yet is translated then and there, and
//! the thread goes on in ring 0: so a region grows to what a loop executes. A site whose entries bring too few calls is
//! taken out, and has to earn its way back in ("innocent until proven guilty", Adams & Agesen, ASPLOS 2006).
//!
//! Ring 0 may make the calls that the module lists and that concern the runtime in nothing (`gate::allowed`); the
//! others end at the gate as ever. Only code that cannot be written without a system call is translated, so that every
//! change is told.

pub mod leave;
pub mod regions;
pub mod sites;
mod start;

use crate::gate::allowed;
use crate::process::RING0_FD;
use crate::process::descriptors::move_up;
use crate::sys::Fd;
use crate::sys::shim::Kernel;
use alloc::collections::BTreeSet;
use bt_shim::{Device, Error};
use bt_units::Builder;
use core::sync::atomic::Ordering;
use sites::Sites;

pub use start::start;

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
            Fd(device.fd()).close();
            device.moved_to(high);
        }
        allowed::grant(&device.info().calls);
        RING0_FD.store(device.fd(), Ordering::Relaxed);
        self.device = Some(device);
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
            Fd(RING0_FD.swap(-1, Ordering::Relaxed)).close();
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
            Fd(RING0_FD.swap(-1, Ordering::Relaxed)).close();
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
