//! Where the translator gets guest code from.

use super::fragments::Fragments;
use crate::engine::direct::Direct;
use crate::gate::facts::Fact;
use crate::gate::routes::learn;
use crate::mem::guest;
use crate::mem::map::{CodeMap, FAULTS_TO_CHECK};
use crate::sys::mem;
use bt_translator::addr::GuestPc;
use bt_translator::source::CodeSource;
use core::sync::atomic::{AtomicBool, Ordering};
use linux_raw_sys::general as k;

/// Pages of the process may come from another thread of it when they are touched (userfaultfd(2)), which may need the
/// engine's lock for that.
static COMES_BY_FAULT: AtomicBool = AtomicBool::new(false);

/// From here on no page of code is touched under the engine's lock that is not there.
pub fn pages_come_by_fault() {
    COMES_BY_FAULT.store(true, Ordering::Relaxed);
}

/// Has the page at `pc` come, as executing there would. Without the engine's lock.
pub fn touch(pc: u64) {
    if comes_by_fault() {
        let _ = guest::read::<u8>(pc);
    }
}

/// [`pages_come_by_fault`] has been called.
#[must_use]
pub fn comes_by_fault() -> bool {
    COMES_BY_FAULT.load(Ordering::Relaxed)
}

/// Guest memory, seen by one translation.
pub struct Source<'a> {
    /// What is executable.
    pub map: &'a mut CodeMap,
    /// What is translated already.
    pub fragments: &'a Fragments,
    /// What engine `direct` has patched: it is not what the guest wrote.
    pub direct: &'a Direct,
    /// A page was writable: its code must be kept beside the fragment or watched.
    pub writable: bool,
    /// Part of the code can change without a fault: the fragment must be compared at each entry.
    pub checked: bool,
}

impl Source<'_> {
    /// Takes write access away from a page before its code is read: a later write faults and drops the fragment.
    /// False if the kernel does not let that be: the page is sealed (mseal(2)), is part of a larger one
    /// (MAP_HUGETLB), or there are too many mappings. Its code is compared at each entry then.
    fn watch(&mut self, page: u64, prot: u32) -> bool {
        let watch = self.map.watched.entry(page).or_default();
        if !watch.protected {
            learn(Fact::OutputsWatched, true);
            // SAFETY: guest memory; the guest's own writes get their access back in the fault handler.
            let closed =
                unsafe { mem::mprotect(page << 12, 4096, self.direct.withheld.page_prot(page, prot) & !k::PROT_WRITE) };
            watch.protected = closed.is_ok();
            if closed.is_err() {
                watch.faults = FAULTS_TO_CHECK;
            }
        }
        watch.protected
    }
}

impl CodeSource for Source<'_> {
    fn read(&mut self, pc: GuestPc, buf: &mut [u8]) -> usize {
        let mut done = 0usize;
        while done < buf.len() {
            let at = pc.0.wrapping_add(done as u64);
            let Some((_, region)) = self.map.find(at) else { break };
            if !region.is_exec() || comes_by_fault() && !mem::is_resident(at) {
                break;
            }
            let page_end = (at & !4095) + 4096;
            let want = usize::try_from(page_end.min(region.end) - at).unwrap_or(0).min(buf.len() - done);
            if self.map.is_checked(at) || region.is_writable() && !self.watch(at >> 12, region.prot) {
                self.checked = true;
            } else if region.is_writable() {
                self.writable = true;
            }
            let Some(chunk) = buf.get_mut(done..done + want) else { break };
            let got = guest::read_bytes(at, chunk);
            self.direct.undo(at, chunk);
            done += got;
            if got < want {
                break;
            }
        }
        done
    }

    fn is_known(&self, pc: GuestPc) -> bool {
        self.fragments.place(pc.0).body != 0
    }
}
