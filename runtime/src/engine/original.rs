//! The guest's code as it was before any engine came: for a process that goes on natively.

use super::Engine;
use super::direct::withheld::Range;
use crate::mem::map::Region;
use crate::sys::mem;
use alloc::vec::Vec;
use linux_raw_sys::general::PROT_EXEC;

impl Engine {
    /// Puts back what was overwritten, and gives memory the protection that the guest asked for. No other thread may be
    /// there. False where some of it can be neither written nor protected (mseal(2)): then all code stays as it is.
    pub fn restore_all(&mut self) -> bool {
        self.release_range(0, u64::MAX);
        let is_own = |(_, region): &(u64, Region)| region.is_exec() && !region.shared;
        let code = self.map.pieces(0, u64::MAX).into_iter().filter(is_own);
        let code: Vec<(u64, Region)> = code.filter(|&(start, region)| self.is_changed(start, region.end)).collect();
        if !code.iter().all(|&(start, region)| self.can_change(start, region)) {
            return false;
        }
        for (start, region) in code {
            let _ = self.lift_code(start, region.end, region.prot);
            // SAFETY: the protection that the guest asked for.
            let _ = unsafe { mem::mprotect(start, region.end - start, region.prot) };
        }
        true
    }

    /// Something in `start..end` was patched, or is withheld.
    fn is_changed(&self, start: u64, end: u64) -> bool {
        self.is_patched(start, end) || self.direct.withheld.within(start, end).next().is_some()
    }

    /// The kernel lets its protection be changed: what it has is set once more.
    fn can_change(&self, start: u64, region: Region) -> bool {
        let mut withheld: Vec<Range> = self.direct.withheld.within(start, region.end).collect();
        withheld.sort_unstable_by_key(|range| range.start);
        let mut at = start;
        let end = Range { start: region.end, end: region.end, whole: false };
        withheld.into_iter().chain([end]).all(|range| {
            let parts = [(at, range.start, region.prot), (range.start, range.end, region.prot & !PROT_EXEC)];
            at = range.end;
            // SAFETY: the protection that this memory has.
            let set = |(from, to, prot)| from >= to || unsafe { mem::mprotect(from, to - from, prot) }.is_ok();
            parts.into_iter().all(set)
        })
    }
}
