//! Patched code that is written, moved, thrown away or unmapped.

use super::site::{JUMP, Patch};
use super::window::TRAP;
use super::withheld::Range;
use crate::engine::Engine;
use crate::mem::guest;
use crate::sys::mem;
use alloc::vec::Vec;
use linux_raw_sys::general as k;

impl Engine {
    /// The guest's mapping of `start..end` is gone or replaced: its patches went with it.
    pub fn code_goes(&mut self, start: u64, end: u64) {
        self.unfold_images(start, end, false);
        let gone: Vec<u64> = self.direct.patches.range(start..end).map(|(&at, _)| at).collect();
        for at in gone {
            self.direct.patches.remove(&at);
        }
        // Their stubs stay: a thread may be in one, or asleep in a call that returns there.
        self.forget_inner(start, end);
        let restored: Vec<u64> = self.direct.restored.range(start..end).map(|(&at, _)| at).collect();
        for at in restored {
            self.direct.restored.remove(&at);
        }
        self.direct.withheld.forget(start, end);
    }

    fn forget_inner(&mut self, start: u64, end: u64) {
        let inner: Vec<u64> = self.direct.inner.range(start..end).map(|(&at, _)| at).collect();
        for at in inner {
            self.direct.inner.remove(&at);
        }
    }

    /// Images of which a part changes, or all that is concerned with `keep_all`: what is left of them are patches like
    /// others. A whole image that goes leaves its stubs, for threads that are in them, and is there again if the same
    /// file is mapped at the same place.
    fn unfold_images(&mut self, start: u64, end: u64, keep_all: bool) {
        for n in 0..self.direct.images.len() {
            let Some(image) = self.direct.images.get_mut(n) else { continue };
            if image.gone || image.code.1 <= start || end <= image.code.0 {
                continue;
            }
            let whole = !keep_all && start <= image.code.0 && image.code.1 <= end;
            let copy = *image;
            image.gone = true;
            if !whole {
                for (at, patch) in copy.patches_in(copy.code.0, copy.code.1) {
                    self.direct.patches.insert(at, patch);
                }
            }
        }
    }

    /// The guest may write `start..end` from now on and not execute it: it finds its own bytes there.
    pub fn restore_code(&mut self, start: u64, end: u64) {
        let patches = self.take_patches(start, end);
        for (at, patch) in &patches {
            let len = usize::try_from(patch.end - at).unwrap_or(0);
            guest::write_bytes(*at, patch.original.get(..len).unwrap_or(&[]));
        }
        self.code_goes(start, end);
        self.direct.restored.extend(patches);
    }

    /// As [`Engine::restore_code`], in memory that the guest may not write now: `prot` is its protection. False if it
    /// cannot be written at all (mseal(2)).
    fn restore_closed_code(&mut self, start: u64, end: u64, prot: u32) -> bool {
        // SAFETY: the guest's mapping; whoever executes there meanwhile faults, and waits for the engine's lock.
        let is_open = unsafe { mem::mprotect(start, end - start, k::PROT_READ | k::PROT_WRITE) }.is_ok();
        if is_open {
            self.restore_code(start, end);
            // SAFETY: as above; the protection the guest asked for.
            let _ = unsafe { mem::mprotect(start, end - start, prot) };
        }
        is_open
    }

    /// The patches in `start..end`, those of images among them.
    fn take_patches(&mut self, start: u64, end: u64) -> Vec<(u64, Patch)> {
        self.unfold_images(start, end, true);
        self.direct.patches.range(start..end).map(|(&at, &patch)| (at, patch)).collect()
    }

    /// There are patches in `start..end`.
    fn is_patched(&self, start: u64, end: u64) -> bool {
        self.direct.patches.range(start..end).next().is_some()
            || self.direct.images.iter().any(|image| image.patches_in(start, end).next().is_some())
    }

    /// The guest gave `start..end`, which it could execute before with the protection `before`, the protection `prot`
    /// with which it can as well, and the kernel has done so.
    pub fn code_stays(&mut self, start: u64, end: u64, before: u32, prot: u32) {
        match (before & k::PROT_WRITE != 0, prot & k::PROT_WRITE != 0) {
            (false, true) if self.is_patched(start, end) => {
                self.restore_closed_code(start, end, prot & !k::PROT_EXEC);
                self.code_arrives(start, end, prot, None);
            }
            (true, false) => {
                self.direct.withheld.forget(start, end);
                self.code_arrives(start, end, prot, None);
            }
            _ => {
                let withheld: Vec<Range> = self.direct.withheld.within(start, end).collect();
                for part in withheld {
                    // SAFETY: as in `withhold`.
                    let _ = unsafe { mem::mprotect(part.start, part.end - part.start, prot & !k::PROT_EXEC) };
                }
            }
        }
    }

    /// The contents of `start..end`, which the guest may execute with the protection `prot`, were thrown away: a file's
    /// are what they were before they were patched. What was not thrown away after all stays patched.
    pub fn code_is_discarded(&mut self, start: u64, end: u64, prot: u32) {
        let gone = |&(at, patch): &(u64, Patch)| !is_written(at, &patch);
        let patches = self.direct.patches.range(start..end).map(|(&at, &p)| (at, p));
        let patches: Vec<(u64, Patch)> = patches.filter(gone).collect();
        for (at, patch) in patches {
            self.direct.patches.remove(&at);
            self.direct.restored.insert(at, patch);
        }
        self.forget_inner(start, end);
        if self.direct.restored.range(start..end).next().is_some() {
            self.code_arrives(start, end, prot, None);
        }
    }

    /// Code in `start..end`, with the protection `prot`, is about to be moved: what was done to it is taken back and
    /// returned. `None` if it cannot be, nor can the code be moved then.
    pub fn lift_code(&mut self, start: u64, end: u64, prot: u32) -> Option<Lifted> {
        let withheld: Vec<Range> = self.direct.withheld.within(start, end).collect();
        if self.is_patched(start, end) && !self.restore_closed_code(start, end, prot) {
            return None;
        }
        let patches = self.direct.restored.range(start..end).map(|(&at, &patch)| (at, patch)).collect();
        Some(Lifted { patches, withheld })
    }

    /// Code that was lifted is in `start..end` now, `distance` from where it was.
    pub fn land_code(&mut self, start: u64, end: u64, prot: u32, lifted: &Lifted, distance: u64) {
        for (at, patch) in &lifted.patches {
            let moved = Patch { end: patch.end.wrapping_add(distance), ..*patch };
            self.direct.restored.insert(at.wrapping_add(distance), moved);
        }
        self.code_arrives(start, end, prot, None);
        for part in &lifted.withheld {
            let (from, to) = (part.start.wrapping_add(distance).max(start), part.end.wrapping_add(distance).min(end));
            if from < to {
                self.withhold(from, to, prot);
            }
        }
    }
}

/// What was done to code that is about to be moved.
pub struct Lifted {
    patches: Vec<(u64, Patch)>,
    withheld: Vec<Range>,
}

/// The patch at `at` is in memory: what it put there begins with a jump that traps in the middle, or with a trap.
fn is_written(at: u64, patch: &Patch) -> bool {
    match guest::read::<[u8; 3]>(at) {
        Some([first, ..]) if patch.trap => first == TRAP,
        Some([JUMP, _, TRAP]) => true,
        _ => false,
    }
}
