//! How descriptors look into the guest's memory.

/// The guest's memory, as far as it can be read without a fault.
pub trait GuestMemory {
    /// Copies up to `buf.len()` bytes from `addr` and returns how many were readable.
    fn read(&self, addr: u64, buf: &mut [u8]) -> usize;
}

/// Reads exactly `N` bytes, or nothing.
pub(crate) fn read_bytes<const N: usize>(mem: &dyn GuestMemory, addr: u64) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    (mem.read(addr, &mut bytes) == N).then_some(bytes)
}

/// Reads a 32-bit word.
pub(crate) fn read_u32(mem: &dyn GuestMemory, addr: u64) -> Option<u32> {
    read_bytes(mem, addr).map(u32::from_le_bytes)
}

/// Reads a 64-bit word.
pub(crate) fn read_u64(mem: &dyn GuestMemory, addr: u64) -> Option<u64> {
    read_bytes(mem, addr).map(u64::from_le_bytes)
}
