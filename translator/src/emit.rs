//! A buffer of code with the address at which it will run.

use crate::addr::CachePc;
use alloc::vec::Vec;

/// General registers by encoding.
pub mod gpr {
    #![allow(missing_docs, reason = "register names")]
    pub const RAX: u8 = 0;
    pub const RCX: u8 = 1;
    pub const RDX: u8 = 2;
    pub const RSP: u8 = 4;
    pub const RSI: u8 = 6;
    pub const RDI: u8 = 7;
    pub const R8: u8 = 8;
    pub const R9: u8 = 9;
    pub const R10: u8 = 10;
    pub const R11: u8 = 11;
    pub const R14: u8 = 14;
    pub const R15: u8 = 15;
}

/// Code under construction.
#[derive(Debug, Default)]
pub struct Code {
    at: CachePc,
    bytes: Vec<u8>,
}

impl Code {
    /// Forgets the contents; the next byte will run at `at`.
    pub fn restart(&mut self, at: CachePc) {
        self.at = at;
        self.bytes.clear();
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

    /// Appends bytes.
    #[inline(always)]
    pub fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends the first `len` bytes of `window`, by one move of a fixed length.
    #[inline(always)]
    pub fn put_start(&mut self, window: &[u8; 16], len: usize) {
        self.bytes.extend_from_slice(window);
        self.bytes.truncate(self.bytes.len() - 16 + len.min(16));
    }

    /// Appends a 32-bit value.
    pub fn put32(&mut self, v: i32) {
        self.put(&v.to_le_bytes());
    }

    /// Removes the last `n` bytes.
    pub fn drop_last(&mut self, n: usize) {
        self.bytes.truncate(self.bytes.len().saturating_sub(n));
    }

    /// Overwrites the byte at `offset`.
    pub fn patch8(&mut self, offset: u32, v: u8) {
        if let Some(place) = self.bytes.get_mut(offset as usize) {
            *place = v;
        }
    }

    /// Overwrites four bytes at `offset`.
    pub fn patch32(&mut self, offset: u32, v: i32) {
        let at = offset as usize;
        if let Some(place) = self.bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&v.to_le_bytes());
        }
    }

    /// Appends a 32-bit displacement to `target`, relative to the end of the field plus `behind` further bytes.
    /// `None` when it is out of reach: four zero bytes are appended.
    pub fn put_rel32(&mut self, target: u64, behind: u8) -> Option<()> {
        let origin = self.here().0.wrapping_add(4 + u64::from(behind));
        let rel = i32::try_from(target.wrapping_sub(origin).cast_signed());
        self.put32(*rel.as_ref().unwrap_or(&0));
        rel.ok().map(|_| ())
    }

    /// `mov gs:[slot], reg`
    pub fn store_slot(&mut self, slot: i32, reg: u8) {
        self.gs_absolute(0x89, slot, reg);
    }

    /// `mov reg, gs:[slot]`
    pub fn load_slot(&mut self, reg: u8, slot: i32) {
        self.gs_absolute(0x8b, slot, reg);
    }

    fn gs_absolute(&mut self, opcode: u8, slot: i32, reg: u8) {
        self.put(&[0x65, 0x48 | reg >> 3 << 2, opcode, 0x04 | (reg & 7) << 3, 0x25]);
        self.put32(slot);
    }

    /// `jmp gs:[slot]`
    pub fn jump_slot(&mut self, slot: i32) {
        self.put(&[0x65, 0xff, 0x24, 0x25]);
        self.put32(slot);
    }

    /// `mov reg, value` in the shortest form.
    pub fn load_imm(&mut self, reg: u8, value: u64) {
        let b = reg >> 3;
        if let Ok(v) = u32::try_from(value) {
            if b != 0 {
                self.put(&[0x41]);
            }
            self.put(&[0xb8 | reg & 7]);
            self.put(&v.to_le_bytes());
        } else if let Ok(v) = i32::try_from(value.cast_signed()) {
            self.put(&[0x48 | b, 0xc7, 0xc0 | reg & 7]);
            self.put32(v);
        } else {
            self.put(&[0x48 | b, 0xb8 | reg & 7]);
            self.put(&value.to_le_bytes());
        }
    }

    /// `lea reg, [rip → value]` where it reaches, else `mov reg, value`.
    pub fn load_address(&mut self, reg: u8, value: u64) {
        let origin = self.here().0.wrapping_add(7);
        match i32::try_from(value.wrapping_sub(origin).cast_signed()) {
            Ok(rel) if u32::try_from(value).is_err() => {
                self.put(&[0x48 | reg >> 3 << 2, 0x8d, 0x05 | (reg & 7) << 3]);
                self.put32(rel);
            }
            _ => self.load_imm(reg, value),
        }
    }

    /// Appends `nop`s so that a field of four bytes which begins `ahead` bytes from here does not cross a 32-byte
    /// boundary: such a field can be rewritten while other threads execute it.
    pub fn align_patch(&mut self, ahead: u64) {
        let at = (self.here().0 + ahead) % 32;
        match at {
            29 => self.put(&[0x0f, 0x1f, 0x00]),
            30 => self.put(&[0x66, 0x90]),
            31 => self.put(&[0x90]),
            _ => {}
        }
    }
}
