//! What becomes of the guest's memory: what the memory calls, the loader and signals tell the engines.
//!
//! The kernel has done it already, unless a method says otherwise, and the engines' lock is held across both, so that
//! no thread translates from memory that is being replaced.

use super::direct::functions::ElfImage;
use super::direct::on_unmap::Lifted as LiftedCode;
use super::{CODE_CHANGES, Engine};
use crate::mem::concerns::CONCERNS;
use crate::mem::map::Region;
use crate::options;
use crate::sys::Fd;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;
use linux_raw_sys::general as k;

/// A new mapping of the guest's.
#[derive(Clone, Copy, Debug)]
pub struct Mapping {
    /// First address and the one after the last.
    pub span: (u64, u64),
    /// PROT_* bits.
    pub prot: u32,
    /// MAP_SHARED.
    pub is_shared: bool,
    /// The file that it shows, and from which offset on; none for memory without contents.
    pub file: Option<(Fd, u64)>,
    /// Memory without contents and without access, which may become code later.
    pub is_reserved: bool,
}

/// Code that was taken out of the way of an mremap(2), and what was known of the mapping.
pub struct Lifted {
    pieces: Vec<(u64, Region)>,
    code: Vec<(u64, Region, LiftedCode)>,
}

/// Code that appears is to be patched.
fn runs_in_place() -> bool {
    options::get().engine.runs_in_place()
}

impl Engine {
    /// Runs `f` and notes whether fragments were dropped: a call under way may have dropped the one it returns to.
    pub fn note_drops<R>(&mut self, f: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.stats.invalidations;
        let result = f(self);
        if self.stats.invalidations != before {
            CODE_CHANGES.fetch_add(1, Ordering::AcqRel);
        }
        result
    }

    /// `start..end` holds memory of the engines: caches, stubs, tables.
    #[must_use]
    pub fn owns(&self, start: u64, end: u64) -> bool {
        let retired = self.retired.iter().flat_map(|generation| generation.cache.ranges());
        let mut all = self.cache.ranges().chain(retired).chain(self.direct.ranges());
        all.any(|(from, to)| from < end && start < to)
    }

    /// A mapping is new. No thread may be executing there yet.
    pub fn on_map(&mut self, mapping: Mapping) {
        let Mapping { span: (start, end), prot, is_shared, file, is_reserved } = mapping;
        self.mapped(start, end, prot, is_shared);
        if let Some((fd, offset)) = file
            && runs_in_place()
            && prot & k::PROT_EXEC != 0
            && !is_shared
        {
            self.file_code_arrives(start, end, prot, fd, offset);
        }
        if is_reserved {
            self.map.insert_blank(start, end);
            CONCERNS.add(start, end);
        }
    }

    /// The kernel has mapped the vDSO at `start..end`. Its own system calls are of interest only `if_told` of.
    pub fn vdso_mapped(&mut self, start: u64, end: u64, if_told: bool) {
        let prot = k::PROT_READ | k::PROT_EXEC;
        self.insert(start, end, prot, false);
        if if_told && runs_in_place() {
            self.memory_code_arrives(start, end, prot, ElfImage::of_memory(start, end - start));
        }
    }

    /// The mapping that holds `address` is gone.
    pub fn on_detach(&mut self, address: u64) {
        if let Some((start, region)) = self.map.find(address) {
            self.unmapped(start, region.end);
        }
    }

    /// The protection of `start..end` is `prot` now, of which PROT_GROWSDOWN extends the range to the mapping's start.
    pub fn on_protect(&mut self, start: u64, end: u64, prot: u32) {
        let start = if prot & k::PROT_GROWSDOWN != 0 {
            self.map.find(start).map_or(start, |(mapping, _)| mapping.min(start))
        } else {
            start
        };
        let prot = prot & (k::PROT_READ | k::PROT_WRITE | k::PROT_EXEC);
        let (before, filled) = (self.map.pieces(start, end), self.map.filled(start, end));
        self.note_drops(|engine| {
            engine.protected(start, end, prot);
            if runs_in_place() {
                in_place_protected(engine, start, end, prot, &before, &filled);
            }
        });
    }

    /// The stack that ends below `end` was made executable: all of it is.
    pub fn on_executable_stack(&mut self, start: u64, end: u64, prot: u32) {
        self.insert(start, end, prot, false);
    }

    /// Before the kernel moves a mapping: patched code becomes the guest's own for the time being.
    pub fn lift(&mut self, start: u64, len: u64) -> Lifted {
        let pieces = self.map.pieces(start, start.saturating_add(len.max(1)));
        let is_patched = |region: &Region| runs_in_place() && region.is_exec() && !region.shared;
        let code: Vec<_> = pieces.iter().copied().filter(|(_, region)| is_patched(region)).collect();
        let lift = |&(at, region): &(u64, Region)| Some((at, region, self.lift_code(at, region.end, region.prot)?));
        let code = code.iter().filter_map(lift).collect();
        Lifted { pieces, code }
    }

    /// The kernel did not move it.
    pub fn put_back(&mut self, lifted: Lifted) {
        for (start, region, code) in lifted.code {
            self.land_code(start, region.end, region.prot, &code, 0);
        }
    }

    /// A mapping of `old_len` bytes at `old` is one of `new_len` bytes at `new` now.
    pub fn on_move(&mut self, lifted: Lifted, (old, old_len): (u64, u64), (new, new_len): (u64, u64)) {
        let Lifted { pieces, code } = lifted;
        let marks = self.inheritance.marks(old, old_len.min(new_len));
        // MREMAP_DONTUNMAP leaves an empty mapping in its place; an old length of 0 makes an alias of a shared mapping.
        if old_len != 0 && new != old {
            self.unmapped(old, old + old_len);
        }
        if new != old {
            self.unmapped(new, new + new_len);
        } else if new_len < old_len {
            self.unmapped(new + new_len, new + old_len);
        }
        let last = pieces.len().saturating_sub(1);
        for (i, (start, region)) in pieces.iter().enumerate() {
            let from = new + (start - old);
            let end = if i == last { new + new_len } else { (new + (region.end - old)).min(new + new_len) };
            if new != old || i == last {
                self.insert(from, end.max(from), region.prot, region.shared);
            }
        }
        self.inheritance.put(marks, old, new);
        for (start, region, code) in code {
            let (from, end) = (new + (start - old), (new + (region.end - old)).min(new + new_len));
            if from < end {
                self.land_code(from, end, region.prot, &code, new.wrapping_sub(old));
            }
        }
    }

    /// The contents of `start..end` are thrown away, or others appear in their place (madvise(2)).
    pub fn on_discard(&mut self, start: u64, end: u64) {
        self.drop_range(start, end);
        if runs_in_place() {
            for (from, region) in self.map.pieces(start, end) {
                if region.is_exec() && !region.shared {
                    self.code_is_discarded(from, region.end, region.prot);
                }
            }
        }
    }
}

/// What runs in place follows a change of protection. `before`: what was known of `start..end`; `filled`: the parts
/// that may hold something.
fn in_place_protected(
    engine: &mut Engine,
    start: u64,
    end: u64,
    prot: u32,
    before: &[(u64, Region)],
    filled: &[(u64, u64)],
) {
    if prot & k::PROT_EXEC == 0 {
        if prot & k::PROT_WRITE != 0 {
            engine.restore_code(start, end);
        }
        return;
    }
    let arrive = |engine: &mut Engine, start: u64, end: u64| {
        for &(from, to) in filled {
            let (from, to) = (from.max(start), to.min(end));
            if from < to {
                engine.memory_code_arrives(from, to, prot, None);
            }
        }
    };
    // What could be executed before has been looked at.
    let mut at = start;
    for &(from, region) in before.iter().filter(|(_, r)| r.is_exec() || r.shared) {
        if from > at {
            arrive(engine, at, from);
        }
        at = at.max(region.end);
        if !region.shared {
            engine.code_stays(from, region.end, region.prot, prot);
        }
    }
    if at < end {
        arrive(engine, at, end);
    }
}
