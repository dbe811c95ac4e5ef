//! A structure of the guest's, copied out whole.

use crate::calls::GuestMemory;

/// The largest structure whose fields are shown.
const RECORD_BYTES_MAX: usize = 256;

/// The first bytes of a structure in guest memory.
pub(super) struct Record {
    bytes: [u8; RECORD_BYTES_MAX],
}

impl Record {
    /// Copies a structure, or its first [`RECORD_BYTES_MAX`] bytes; `None` if it cannot be read.
    pub(super) fn read(mem: &dyn GuestMemory, addr: u64, len_bytes: u64) -> Option<Record> {
        let mut record = Record { bytes: [0; RECORD_BYTES_MAX] };
        let wanted = usize::try_from(len_bytes).unwrap_or(RECORD_BYTES_MAX).min(RECORD_BYTES_MAX);
        let got = mem.read(addr, record.bytes.get_mut(..wanted)?);
        (addr != 0 && got == wanted).then_some(record)
    }

    /// The bytes from `offset` on.
    pub(super) fn bytes(&self, offset: usize, len: usize) -> &[u8] {
        self.bytes.get(offset..offset.saturating_add(len)).unwrap_or_default()
    }

    /// A field of `N` bytes.
    fn field<const N: usize>(&self, offset: usize) -> [u8; N] {
        self.bytes(offset, N).first_chunk::<N>().copied().unwrap_or([0; N])
    }

    /// A 16-bit field.
    pub(super) fn u16(&self, offset: usize) -> u16 {
        u16::from_le_bytes(self.field(offset))
    }

    /// A 16-bit field in network order.
    pub(super) fn u16_be(&self, offset: usize) -> u16 {
        u16::from_be_bytes(self.field(offset))
    }

    /// A signed 16-bit field.
    pub(super) fn i16(&self, offset: usize) -> i16 {
        i16::from_le_bytes(self.field(offset))
    }

    /// A 32-bit field.
    pub(super) fn u32(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.field(offset))
    }

    /// A 32-bit field in network order.
    pub(super) fn u32_be(&self, offset: usize) -> u32 {
        u32::from_be_bytes(self.field(offset))
    }

    /// A signed 32-bit field.
    pub(super) fn i32(&self, offset: usize) -> i32 {
        i32::from_le_bytes(self.field(offset))
    }

    /// A 64-bit field.
    pub(super) fn u64(&self, offset: usize) -> u64 {
        u64::from_le_bytes(self.field(offset))
    }

    /// A signed 64-bit field.
    pub(super) fn i64(&self, offset: usize) -> i64 {
        i64::from_le_bytes(self.field(offset))
    }
}
