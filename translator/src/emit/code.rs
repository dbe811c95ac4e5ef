//! A buffer of code with the address at which it will run.

use super::operand::Encoded;
use crate::addr::CachePc;
use alloc::vec::Vec;

/// Code under construction.
#[derive(Debug, Default)]
pub struct Code {
    at: CachePc,
    bytes: Vec<u8>,
    /// Displacements whose label has no place yet.
    pub(super) unresolved: u32,
    /// Something was asked for that has no encoding.
    pub(super) is_faulty: bool,
}

impl Code {
    /// Forgets the contents; the next byte will run at `at`.
    pub(crate) fn restart(&mut self, at: CachePc) {
        self.at = at;
        self.bytes.clear();
        self.unresolved = 0;
        self.is_faulty = false;
    }

    /// The bytes so far.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Offset of the next byte.
    #[must_use]
    pub fn offset(&self) -> u32 {
        u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)
    }

    /// Address of the next byte.
    #[must_use]
    pub fn here(&self) -> CachePc {
        self.at.plus(self.bytes.len() as u64)
    }

    /// Address of the byte at `offset`.
    #[must_use]
    pub fn address(&self, offset: u32) -> CachePc {
        self.at.plus(u64::from(offset))
    }

    /// The code is what was asked for: every label that is jumped to has a place within reach, and every operand has an
    /// encoding. Code that is not must not run.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.unresolved == 0 && !self.is_faulty
    }

    /// Overwrites four bytes at `offset`.
    pub fn patch32(&mut self, offset: u32, v: i32) {
        let at = offset as usize;
        if let Some(place) = self.bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&v.to_le_bytes());
        }
    }

    /// Appends a constant of 64 bits.
    #[inline]
    pub fn data64(&mut self, value: u64) {
        self.put(&value.to_le_bytes());
    }

    /// Appends bytes of the guest's own instruction as they are.
    #[inline(always)]
    pub(crate) fn copy(&mut self, bytes: &[u8]) {
        self.put(bytes);
    }

    /// Appends the first `len` bytes of `window`, the guest's own instruction, by one move of a fixed length.
    #[inline(always)]
    pub(crate) fn copy_start(&mut self, window: &[u8; 16], len: usize) {
        self.bytes.extend_from_slice(window);
        self.bytes.truncate(self.bytes.len() - 16 + len.min(16));
    }

    /// Appends bytes of the guest's own instruction in which fields are changed: a register number, the form of the
    /// operand, a prefix.
    #[inline(always)]
    pub(crate) fn reencode(&mut self, bytes: &[u8]) {
        self.put(bytes);
    }

    /// Appends `nop`s so that a field of four bytes which begins `ahead` bytes from here does not cross a 32-byte
    /// boundary: such a field can be rewritten while other threads execute it.
    pub(crate) fn align_patch(&mut self, ahead: u64) {
        let at = (self.here().0 + ahead) % 32;
        match at {
            29 => self.nop3(),
            30 => self.nop2(),
            31 => self.nop(),
            _ => {}
        }
    }

    #[inline(always)]
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends an instruction whose length is known when this is compiled: then it is a few stores.
    #[inline(always)]
    pub(super) fn append(&mut self, insn: Encoded) {
        self.is_faulty |= !insn.is_possible();
        self.bytes.extend_from_slice(insn.window().get(..insn.len()).unwrap_or(&[]));
    }

    /// The displacement from `len` bytes after here to `target`, if 32 bits hold it.
    #[inline]
    pub(super) fn rel32_after(&self, len: u64, target: u64) -> Option<i32> {
        let origin = self.here().0.wrapping_add(len);
        i32::try_from(target.wrapping_sub(origin).cast_signed()).ok()
    }

    pub(super) fn patch8(&mut self, offset: u32, v: i8) {
        if let Some(place) = self.bytes.get_mut(offset as usize) {
            *place = v.cast_unsigned();
        }
    }
}
