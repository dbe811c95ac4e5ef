//! Engine `direct`: the guest runs in place, its `syscall` sites are rewritten when they appear.
//!
//! A site becomes a near jump to a *stub*, a fragment that represents the overwritten instructions: it enters the gate
//! as translated code does, carries out what was overwritten after the `syscall`, and jumps back. The jump's
//! displacement consists of bytes that trap ([`window`]), so that a branch into the middle of what was overwritten is
//! noticed and continues in a stub of its own: a patch needs no proof that nobody jumps there.
//!
//! * [`functions`]: where code is, told from data, for the scanner (`bt_translator::scan`);
//! * [`survey`]: what is to be patched in a range of code;
//! * [`on_map`]: code appears; [`on_unmap`]: it changes or goes;
//! * [`site`]: what is overwritten at one place; [`patch`]: it is overwritten;
//! * [`window`]: where stubs lie;
//! * [`image`]: patched files that are kept, in a [`directory`], found by a [`key`], with [`records`]; [`housekeeping`]: their number;
//!   [`cold`]: why there is none;
//! * [`withheld`]: pages that must not run in place, and [`doubt`]: why, and when they may after all;
//! * [`strict`]: what the scan did not find; [`step`]: single steps in pages that are withheld.

pub mod cold;
pub mod directory;
pub mod doubt;
pub mod functions;
pub mod housekeeping;
pub mod image;
pub mod key;
pub mod on_map;
pub mod on_unmap;
pub mod patch;
pub mod records;
pub mod settled;
pub mod site;
pub mod step;
pub mod strict;
pub mod survey;
pub mod volume;
pub mod window;
pub mod withheld;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use records::Image;
use site::{Patch, SOURCE_BYTES, Stub};
use window::{Spill, Window};
use withheld::Withheld;

/// Everything the engine knows; part of what the engines' lock protects.
#[derive(Default)]
pub struct Direct {
    /// By the guest pc they begin at.
    pub patches: BTreeMap<u64, Patch>,
    /// By their cache address.
    pub stubs: BTreeMap<u64, Stub>,
    /// Patches that were taken back because the guest may write there: they are made again where the same code appears.
    pub restored: BTreeMap<u64, Patch>,
    /// Stubs entered through a trap, by guest pc.
    pub inner: BTreeMap<u64, u64>,
    /// All stubs that were ever made for a trap, by guest pc: the same code at the same place finds its own again.
    pub spilled: BTreeMap<u64, u64>,
    /// Where stubs lie.
    pub windows: Vec<Window>,
    /// Where stubs lie that are entered through a trap.
    pub spills: Vec<Spill>,
    /// Patched files mapped from the image cache; their patches and stubs are in their records.
    pub images: Vec<Image>,
    /// Guest code that could not be patched with certainty.
    pub withheld: Withheld,
    /// The program has no loader, so files that it maps executable it reads: an emulator, or an instrumentation tool.
    /// They stay as they are, and run translated if it executes them after all.
    pub files_are_read: bool,
    /// Figures for `--stats`.
    pub sites: Sites,
}

/// Figures for `--stats`.
#[derive(Default, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sites {
    /// Sites whose stub also holds the instructions after them.
    pub displaced: u64,
    /// Sites overwritten together with the load of the number before them.
    pub numbered: u64,
    /// Sites that are reached through a trap.
    pub trapped: u64,
    /// Places that may be data.
    pub doubtful: u64,
    /// Files whose patched image was found in the image cache, or that were known to have no sites.
    pub remembered: u64,
    /// Sites that only `--strict` found.
    pub missed: u64,
    /// Bytes searched.
    pub scanned_bytes: u64,
    /// Branches into the middle of a patch, and sites that trap, as often as they were taken.
    pub traps: u64,
}

impl Direct {
    /// The patch that covers `pc`, with its start.
    #[must_use]
    pub fn patch_at(&self, pc: u64) -> Option<(u64, Patch)> {
        let last = self.patches.range(..=pc).next_back().filter(|(_, patch)| pc < patch.end);
        match last {
            Some((&start, &patch)) => Some((start, patch)),
            None => self.images.iter().find_map(|image| image.patch_at(pc)),
        }
    }

    /// Something is known of `start..end`: patches, also ones that were taken back, or why it is not executed in place.
    #[must_use]
    pub fn remembers(&self, start: u64, end: u64) -> bool {
        let before = start.saturating_sub(SOURCE_BYTES as u64);
        self.patches.range(before..end).next().is_some()
            || self.restored.range(before..end).next().is_some()
            || self.inner.range(start..end).next().is_some()
            || self.withheld.within(start, end).next().is_some()
            || self.images.iter().any(|image| !image.gone && image.code.0 < end && start < image.code.1)
    }

    /// The stub that covers a cache address, with its start.
    #[must_use]
    pub fn stub_at(&self, at: u64) -> Option<(u64, Stub)> {
        let last = self.stubs.range(..=at).next_back().filter(|&(&start, stub)| at - start < stub.len);
        match last {
            Some((&start, &stub)) => Some((start, stub)),
            None => self.images.iter().find_map(|image| image.stub_at(at)),
        }
    }

    /// Puts back, in a copy of guest memory from `addr` on, what the patches overwrote.
    pub fn undo(&self, addr: u64, copy: &mut [u8]) {
        let end = addr.saturating_add(copy.len() as u64);
        let first = addr.saturating_sub(SOURCE_BYTES as u64);
        let own = self.patches.range(first..end).map(|(&start, &patch)| (start, patch));
        for (start, patch) in own.chain(self.images.iter().flat_map(|image| image.patches_in(first, end))) {
            for (pc, &byte) in (start..patch.end).zip(&patch.original) {
                if let Some(to) = pc.checked_sub(addr).and_then(|i| copy.get_mut(usize::try_from(i).ok()?)) {
                    *to = byte;
                }
            }
        }
    }

    /// Address ranges of the stubs.
    pub fn ranges(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let own = self.windows.iter().map(|w| w.map).chain(self.spills.iter().map(|s| s.map));
        own.chain(self.images.iter().map(|i| i.map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patched() -> Direct {
        let mut direct = Direct::default();
        let mut original = [0u8; SOURCE_BYTES];
        original[..8].copy_from_slice(&[0x0f, 0x05, 1, 2, 3, 4, 5, 6]);
        direct.patches.insert(0x1000, Patch { end: 0x1008, original, trap: false });
        direct
    }

    #[test]
    fn a_copy_of_patched_code_shows_the_original() {
        let direct = patched();
        let mut copy = [0xaau8; 10];
        direct.undo(0xfff, &mut copy);
        assert_eq!(copy, [0xaa, 0x0f, 0x05, 1, 2, 3, 4, 5, 6, 0xaa]);
        let mut middle = [0xaau8; 2];
        direct.undo(0x1006, &mut middle);
        assert_eq!(middle, [5, 6]);
        let mut behind = [0xaau8; 2];
        direct.undo(0x1008, &mut behind);
        assert_eq!(behind, [0xaa; 2]);
    }

    #[test]
    fn a_patch_covers_its_bytes_only() {
        let direct = patched();
        assert!(direct.patch_at(0xfff).is_none());
        assert_eq!(direct.patch_at(0x1007).map(|(start, _)| start), Some(0x1000));
        assert!(direct.patch_at(0x1008).is_none());
    }
}
