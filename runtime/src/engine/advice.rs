//! Advice about memory (madvise(2)) that changes what code is there, now or in a fork's child.

use super::Engine;
use super::inheritance::Inheritance;
use crate::gate::allowed;
use crate::mem::concerns::CONCERNS;
use crate::sys::mem;
use linux_raw_sys::general as k;

/// What advice does to contents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Advice {
    /// They are thrown away, or cannot be reached any more.
    Discards,
    /// A child does not inherit the memory (MADV_DONTFORK), or does again.
    LeavesOut(bool),
    /// A child finds zeros there (MADV_WIPEONFORK), or does not any more.
    Wipes(bool),
}

impl Advice {
    /// `None` for advice that changes no contents.
    #[must_use]
    pub fn of(advice: u32) -> Option<Self> {
        /// Linux 6.13 (include/uapi/asm-generic/mman-common.h).
        const MADV_GUARD_INSTALL: u32 = 102;
        const MADV_GUARD_REMOVE: u32 = 103;
        match advice {
            k::MADV_DONTNEED | k::MADV_FREE | k::MADV_REMOVE | k::MADV_DONTNEED_LOCKED | k::MADV_HWPOISON => {
                Some(Self::Discards)
            }
            MADV_GUARD_INSTALL | MADV_GUARD_REMOVE => Some(Self::Discards),
            k::MADV_DONTFORK => Some(Self::LeavesOut(true)),
            k::MADV_DOFORK => Some(Self::LeavesOut(false)),
            k::MADV_WIPEONFORK => Some(Self::Wipes(true)),
            k::MADV_KEEPONFORK => Some(Self::Wipes(false)),
            _ => None,
        }
    }
}

impl Engine {
    /// The kernel was given `advice` about `start..end`. It may have followed it in part only: an error does not tell
    /// how far it came.
    pub fn on_advice(&mut self, start: u64, end: u64, advice: Advice, is_followed: bool) {
        if matches!(advice, Advice::LeavesOut(true) | Advice::Wipes(true)) {
            CONCERNS.add(start, end);
        }
        match advice {
            Advice::Discards => self.on_discard(start, end),
            Advice::LeavesOut(true) => self.inheritance.left_out.insert(start, end),
            Advice::Wipes(true) => self.inheritance.wiped.insert(start, end),
            Advice::LeavesOut(false) if is_followed => self.inheritance.left_out.remove(start, end),
            Advice::Wipes(false) if is_followed => self.inheritance.wiped.remove(start, end),
            Advice::LeavesOut(false) | Advice::Wipes(false) => {}
        }
    }

    /// In the child of a fork. Nothing is touched that the engine does not use: each page would be copied.
    pub fn after_fork(&mut self) {
        if allowed::is_chosen() {
            self.ring0.after_fork();
        }
        if self.inheritance.left_out.is_empty() && self.inheritance.wiped.is_empty() {
            return;
        }
        let Inheritance { left_out, wiped } = core::mem::take(&mut self.inheritance);
        for (start, end) in left_out.within(0, u64::MAX) {
            for (from, region) in self.map.pieces(start, end) {
                self.unmapped_parts(from, region.end);
            }
        }
        for (start, end) in wiped.within(0, u64::MAX) {
            self.on_discard(start, end);
        }
        // The child's memory has the marks of its parent's.
        self.inheritance.wiped = wiped;
    }

    /// Forgets the pages of `start..end` that are not mapped.
    fn unmapped_parts(&mut self, start: u64, end: u64) {
        if mem::is_mapped(start, end - start) {
            return;
        }
        let mut page = start & !4095;
        while page < end {
            if !mem::is_mapped(page, 4096) {
                self.unmapped(page, page + 4096);
            }
            page += 4096;
        }
    }
}
