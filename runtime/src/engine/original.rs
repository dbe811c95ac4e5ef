//! The guest's code as it was before any engine came: for a process that goes on natively.

use super::Engine;
use crate::mem::map::Region;
use crate::sys::mem;
use alloc::vec::Vec;

impl Engine {
    /// Puts back what was overwritten, and gives memory the protection that the guest asked for. No other thread may be
    /// there. False, with nothing done, where some of it can be neither written nor protected (mseal(2)).
    pub fn restore_all(&mut self) -> bool {
        let all = self.map.pieces(0, u64::MAX);
        let is_own = |(_, region): &(u64, Region)| region.is_exec() && !region.shared;
        let code: Vec<(u64, Region)> = all.into_iter().filter(is_own).collect();
        // SAFETY: what is not withheld has this protection already, but for pages that are closed to writing.
        let can_change = |&(start, region): &(u64, Region)| unsafe {
            mem::mprotect(start, region.end - start, self.direct.page_prot(start >> 12, region.prot)).is_ok()
        };
        let concerned = |&&(start, region): &&(u64, Region)| self.is_changed(start, region.end);
        if !code.iter().filter(concerned).all(can_change) {
            return false;
        }
        self.release_range(0, u64::MAX);
        for (start, region) in code {
            if self.is_changed(start, region.end) {
                let _ = self.lift_code(start, region.end, region.prot);
                // SAFETY: the protection that the guest asked for.
                let _ = unsafe { mem::mprotect(start, region.end - start, region.prot) };
            }
        }
        true
    }

    /// Something in `start..end` was patched, or is withheld.
    fn is_changed(&self, start: u64, end: u64) -> bool {
        self.is_patched(start, end) || self.direct.withheld_in(start, end).next().is_some()
    }
}
