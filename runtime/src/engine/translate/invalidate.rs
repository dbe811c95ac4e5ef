//! Guest code that changes or vanishes.
//!
//! Code is translated from three kinds of memory. Read-only memory cannot change but by mmap, munmap and mprotect,
//! which pass the gate. Writable memory is write-protected while there are fragments of its code: a write faults, drops
//! them, and gets its access back. What cannot be seen is a writer outside the process, or through a shared alias
//! (documented in README).

use super::fragments::{Fragments, GENERATIONS};
use super::{Generation, ibl};
use crate::engine::Engine;
use crate::gate::vdso;
use crate::mem::concerns::CONCERNS;
use crate::mem::guest;
use crate::mem::map::{FAULTS_TO_CHECK, Watch};
use crate::sys::mem;
use crate::thread::registry;
use bt_translator::decode::{Insn, Prefixes, decode};

/// What became of a write fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WriteFault {
    /// Not ours: the guest's own fault.
    NotOurs,
    /// The page can be written now: the instruction is to be executed again.
    Retry,
    /// As `Retry`, but the instruction itself lies on that page: it must be executed in place, once.
    Step,
    /// As `Step`, but a step in place would not do: its page is compared at each entry from now on, so it is
    /// translated anew, and nothing after it.
    Again,
}

impl Engine {
    /// Drops every fragment that represents code in `start..end`. True if there were any.
    pub fn drop_range(&mut self, start: u64, end: u64) -> bool {
        let ids = self.fragments.overlapping(start, end);
        for &id in &ids {
            self.fragments.drop_fragment(id);
        }
        self.stats.invalidations += ids.len() as u64;
        !ids.is_empty()
    }

    /// A write to `addr` faulted. `pc` is the guest pc of the instruction, `None` for a write by the runtime or the
    /// kernel.
    pub fn write_fault(&mut self, addr: u64, pc: Option<u64>) -> WriteFault {
        let page = addr >> 12;
        if !self.map.watched.get(&page).is_some_and(|w| w.protected) {
            // Another thread may have faulted on the page first and given it its access back already.
            let writable =
                self.map.watched.contains_key(&page) && self.map.find(addr).is_some_and(|(_, r)| r.is_writable());
            return if writable { WriteFault::Retry } else { WriteFault::NotOurs };
        }
        self.stats.write_faults += 1;
        self.release_page(page);
        match pc {
            Some(pc) => self.write_by(pc, page),
            None => WriteFault::Retry,
        }
    }

    /// The instruction at `pc` writes to `page`, which may hold a part of it.
    fn write_by(&mut self, pc: u64, page: u64) -> WriteFault {
        let mut bytes = [0u8; 15];
        let got = guest::read_bytes(pc, &mut bytes);
        let insn = bytes.get(..got).and_then(|code| decode(code).ok());
        let last = pc + insn.map_or(14, |insn| u64::from(insn.len.max(1)) - 1);
        if page < pc >> 12 || last >> 12 < page {
            return WriteFault::Retry;
        }
        let repeats = insn.is_some_and(|insn| repeats(&insn));
        if !repeats && !self.is_withheld(pc) {
            return WriteFault::Step;
        }
        for page in pc >> 12..=last >> 12 {
            if self.map.watched.get(&page).is_some_and(|watch| watch.protected) {
                self.release_page(page);
            }
            if let Some(watch) = self.map.watched.get_mut(&page) {
                watch.faults = watch.faults.max(FAULTS_TO_CHECK);
            }
        }
        WriteFault::Again
    }

    /// Drops the fragments made from a watched page and gives the guest its write access back.
    pub fn release_page(&mut self, page: u64) {
        self.drop_range(page << 12, (page + 1) << 12);
        if let Some(Watch { protected, faults }) = self.map.watched.get_mut(&page) {
            *protected = false;
            *faults += 1;
        }
        if let Some((_, region)) = self.map.find(page << 12) {
            // SAFETY: the protection the guest asked for.
            let opened = unsafe { mem::mprotect(page << 12, 4096, self.direct.withheld.page_prot(page, region.prot)) };
            if opened.is_err() {
                self.release_beside(page);
            }
        }
    }

    /// A page could not be opened alone, because the process has as many mappings as it may have (vm.max_map_count): it
    /// is, with the protected pages around it.
    #[cold]
    fn release_beside(&mut self, page: u64) {
        let Some((start, region)) = self.map.find(page << 12) else { return };
        let is_closed = |&at: &u64| at == page || self.map.watched.get(&at).is_some_and(|watch| watch.protected);
        let first = (start >> 12..=page).rev().take_while(is_closed).last().unwrap_or(page);
        let last = (page..region.end >> 12).take_while(is_closed).last().unwrap_or(page);
        self.drop_range(first << 12, (last + 1) << 12);
        for at in first..=last {
            if let Some(watch) = self.map.watched.get_mut(&at) {
                watch.protected = false;
            }
        }
        let prot = self.direct.withheld.page_prot(page, region.prot);
        // SAFETY: the protection the guest asked for.
        let _ = unsafe { mem::mprotect(first << 12, (last + 1 - first) << 12, prot) };
    }

    /// Gives write access back for every protected page in `start..end`: something other than a guest instruction is
    /// about to write there. True if there were any.
    pub fn release_range(&mut self, start: u64, end: u64) -> bool {
        if self.map.watched.is_empty() {
            return false;
        }
        let pages = self.map.protected_pages(start, end);
        for &page in &pages {
            self.release_page(page);
        }
        !pages.is_empty()
    }

    /// The guest's mapping of `start..end` is gone or replaced.
    pub fn unmapped(&mut self, start: u64, end: u64) {
        if start < end {
            self.code_goes(start, end);
            self.ring0.changed(start, end);
            vdso::changed(start, end);
            self.map.forget_blank(start, end);
            self.inheritance.forget(start, end);
            CONCERNS.remove(start, end);
        }
        if start >= end || !self.map.touches(start, end) {
            return;
        }
        self.drop_range(start, end);
        self.map.remove(start, end);
        self.forget_watches(start, end);
    }

    /// Something new is mapped at `start..end`.
    pub fn mapped(&mut self, start: u64, end: u64, prot: u32, shared: bool) {
        self.unmapped(start, end);
        self.insert(start, end, prot, shared);
    }

    /// What the map is told of a mapping.
    pub fn insert(&mut self, start: u64, end: u64, prot: u32, shared: bool) {
        self.map.insert(start, end, prot, shared);
        if self.map.touches(start, end) {
            CONCERNS.add(start, end);
        }
    }

    /// The guest changed the protection of `start..end` (and the kernel has done so).
    pub fn protected(&mut self, start: u64, end: u64, prot: u32) {
        use linux_raw_sys::general as k;
        vdso::changed(start, end);
        if prot & k::PROT_WRITE != 0 {
            self.map.forget_blank(start, end);
        }
        if prot & k::PROT_EXEC == 0 && !self.map.touches(start, end) {
            if prot & k::PROT_WRITE != 0 {
                self.become_data(start, end);
            }
            return;
        }
        if prot & k::PROT_EXEC != 0 {
            CONCERNS.add(start, end);
        }
        // Write access given or execution taken: whatever was translated from here may be different the next time.
        if prot & k::PROT_EXEC == 0 || prot & k::PROT_WRITE != 0 {
            self.drop_range(start, end);
            self.ring0.changed(start, end);
        }
        self.forget_watches(start, end);
        self.map.protect(start, end, prot);
    }

    /// `start..end` may be written now and not executed, and no mapping there is known. Memory that was reserved is often
    /// used piece by piece (the heaps of a libc's threads): so that not each piece is of concern once more, some that
    /// follows is taken as used.
    fn become_data(&mut self, start: u64, end: u64) {
        const AHEAD_BYTES: u64 = 1 << 20;
        let ahead = self.map.blank_end(end).min(end.saturating_add(AHEAD_BYTES));
        let is_used = |engine: &Self, end| !engine.map.touches(start, end) && !engine.direct.remembers(start, end);
        let end = if is_used(self, ahead) { ahead } else { end };
        self.map.forget_blank(start, end);
        // What is remembered of patches must be asked for once more before the code is executed again.
        if is_used(self, end) && !self.inheritance.holds(start, end) {
            CONCERNS.remove(start, end);
        }
    }

    fn forget_watches(&mut self, start: u64, end: u64) {
        if self.map.watched.is_empty() {
            return;
        }
        let pages: alloc::vec::Vec<u64> =
            self.map.watched.range(start >> 12..=(end - 1) >> 12).map(|(&p, _)| p).collect();
        for page in pages {
            self.map.watched.remove(&page);
        }
    }

    /// Drops everything. Memory of the old zones is unmapped when no thread can be inside it any more.
    pub fn flush(&mut self) {
        self.stats.flushes += 1;
        for id in 0..self.fragments.list.len() {
            self.fragments.drop_fragment(u32::try_from(id).unwrap_or(0));
        }
        ibl::clear();
        let flush = self.stats.flushes;
        let empty = self.cache.anew();
        let cache = core::mem::replace(&mut self.cache, empty);
        // A number that no retired cache has: a thread may sleep in one for long.
        let current = self.fragments.generation;
        let used = |n: u32| n == current || self.retired.iter().any(|g| g.fragments.generation == n);
        let Some(next) = (1..GENERATIONS).map(|i| (current + i) % GENERATIONS).find(|&n| !used(n)) else {
            crate::report::fatal("the code cache is too small while a thread sleeps in a call: raise --cache-size")
        };
        let mut fragments = core::mem::replace(&mut self.fragments, Fragments::new(next));
        // Nothing is looked up or linked in it any more.
        fragments.places = Default::default();
        fragments.checked = Default::default();
        fragments.by_page = Default::default();
        self.links_before += fragments.links;
        self.retired.push(Generation { flush, cache, fragments });
        let oldest = registry::oldest_epoch();
        self.retired.retain(|g| {
            let free = oldest >= g.flush;
            if free {
                for (start, end) in g.cache.ranges() {
                    // SAFETY: every other thread has been in the runtime since that flush and got its cache pc after
                    // it.
                    unsafe { mem::munmap_own(start, end - start) };
                }
            }
            !free
        });
    }
}

/// A string instruction that writes, repeated. A CPU goes through with it even if it writes over itself, unless it is
/// interrupted; a step is over after the first element.
fn repeats(insn: &Insn) -> bool {
    // ins, movs, stos
    let writes = insn.map == 0 && matches!(insn.opcode, 0x6c | 0x6d | 0xa4 | 0xa5 | 0xaa | 0xab);
    writes && insn.prefixes.intersects(Prefixes::REP.union(Prefixes::REPNE))
}
