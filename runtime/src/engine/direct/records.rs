//! What an image says of its code: records, and how they are found in a mapped image.

use super::key::Key;
use super::site::{Patch, SOURCE_BYTES, Stub};
use crate::mem::guest;
use crate::sys::plain::Plain;

/// A patch, in the file; addresses are relative to the code.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PatchRecord {
    at: u32,
    len: u32,
    original: [u8; SOURCE_BYTES],
    /// 1: the site traps. It has no stub here: one is made when it is come to.
    trap: u32,
}
// SAFETY: integers without padding.
unsafe impl Plain for PatchRecord {}

/// A stub, in the file: `at` is relative to the window.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct StubRecord {
    at: u32,
    len: u32,
    tag: u32,
    source_len: u32,
    source: [u8; SOURCE_BYTES],
}
// SAFETY: integers without padding.
unsafe impl Plain for StubRecord {}

/// An address as a record holds it.
pub fn near(address: u64, base: u64) -> u32 {
    u32::try_from(address - base).unwrap_or(0)
}

impl PatchRecord {
    /// The patch at `at`, in the code that begins at `code`.
    #[must_use]
    pub fn of(at: u64, patch: &Patch, code: u64) -> Self {
        let trap = u32::from(patch.trap);
        Self { at: near(at, code), len: near(patch.end, at), original: patch.original, trap }
    }
}

impl StubRecord {
    /// The stub at `at` in the window, for the code that begins at `code`.
    #[must_use]
    pub fn of(at: u64, stub: &Stub, window: u64, code: u64) -> Self {
        Self {
            at: near(at, window),
            len: u32::try_from(stub.len).unwrap_or(0),
            tag: near(stub.tag, code),
            source_len: near(stub.until, stub.tag),
            source: stub.source,
        }
    }
}

/// A mapped image.
#[derive(Clone, Copy, Debug)]
pub struct Image {
    /// The code.
    pub code: (u64, u64),
    /// The stubs.
    pub window: (u64, u64),
    /// The mapping that holds stubs and records.
    pub map: (u64, u64),
    /// The guest's mapping of the code is gone: only threads that are still in a stub need it.
    pub gone: bool,
    /// What identifies it.
    pub key: Key,
    /// Number of its patches' records.
    pub patches: u64,
    /// Number of its stubs' records.
    pub stubs: u64,
}

impl Image {
    fn patch_record(&self, n: u64) -> Option<PatchRecord> {
        guest::read(self.window.1 + n * size_of::<PatchRecord>() as u64)
    }

    fn stub_record(&self, n: u64) -> Option<StubRecord> {
        let stubs_at = self.window.1 + self.patches * size_of::<PatchRecord>() as u64;
        guest::read(stubs_at + n * size_of::<StubRecord>() as u64)
    }

    /// Number of patches that begin at or before `pc`.
    fn patches_before(&self, pc: u64) -> u64 {
        partition(self.patches, |n| self.patch_record(n).is_some_and(|p| self.code.0 + u64::from(p.at) <= pc))
    }

    fn patch(&self, n: u64) -> Option<(u64, Patch)> {
        let record = self.patch_record(n)?;
        let at = self.code.0 + u64::from(record.at);
        Some((at, Patch { end: at + u64::from(record.len), original: record.original, trap: record.trap != 0 }))
    }

    /// The patch that covers `pc`.
    #[must_use]
    pub fn patch_at(&self, pc: u64) -> Option<(u64, Patch)> {
        if self.gone || !(self.code.0..self.code.1).contains(&pc) {
            return None;
        }
        self.patch(self.patches_before(pc).checked_sub(1)?).filter(|(_, patch)| pc < patch.end)
    }

    /// The patches that begin in `start..end`.
    pub fn patches_in(&self, start: u64, end: u64) -> impl Iterator<Item = (u64, Patch)> + '_ {
        let concerned = !self.gone && start < self.code.1 && self.code.0 < end;
        let first = if concerned { self.patches_before(start.saturating_sub(1)) } else { self.patches };
        (first..self.patches).filter_map(|n| self.patch(n)).take_while(move |&(at, _)| at < end)
    }

    /// The stub that covers the cache address `at`.
    #[must_use]
    pub fn stub_at(&self, at: u64) -> Option<(u64, Stub)> {
        if !(self.window.0..self.window.1).contains(&at) {
            return None;
        }
        let start = |s: &StubRecord| self.window.0 + u64::from(s.at);
        let n = partition(self.stubs, |n| self.stub_record(n).is_some_and(|s| start(&s) <= at)).checked_sub(1)?;
        let record = self.stub_record(n)?;
        let tag = self.code.0 + u64::from(record.tag);
        let (len, until) = (u64::from(record.len), tag + u64::from(record.source_len));
        (at - start(&record) < len).then_some((start(&record), Stub { len, tag, until, source: record.source }))
    }
}

/// First number below `count` for which `before` does not hold.
fn partition(count: u64, before: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
