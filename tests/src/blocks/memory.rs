//! Memory of blocks: mapped at fixed addresses.

use anyhow::{Context as _, Result, bail};

/// The pointer to an address of a block.
pub(super) fn pointer(address: u64) -> *mut u8 {
    std::ptr::with_exposed_provenance_mut(usize::try_from(address).unwrap_or(0))
}

/// Maps memory at a fixed address.
pub(super) fn map(address: u64, bytes: u64, replace: bool) -> Result<()> {
    let fixed = if replace { libc::MAP_FIXED } else { libc::MAP_FIXED_NOREPLACE };
    // SAFETY: the address is free, or holds what was mapped here before.
    let got = unsafe {
        libc::mmap(
            pointer(address).cast(),
            usize::try_from(bytes)?,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | fixed,
            -1,
            0,
        )
    };
    if got as u64 != address {
        bail!("{address:#x} cannot be mapped: {}", std::io::Error::last_os_error());
    }
    Ok(())
}

/// Changes the protection of memory.
pub(super) fn protect(address: u64, bytes: u64, protection: i32) -> Result<()> {
    // SAFETY: a range of ours.
    let done = unsafe { libc::mprotect(pointer(address).cast(), usize::try_from(bytes)?, protection) };
    if done != 0 {
        return Err(std::io::Error::last_os_error()).context("mprotect");
    }
    Ok(())
}

/// Writes to memory that is mapped writable.
pub(super) fn write(address: u64, bytes: &[u8]) {
    // SAFETY: callers write to ranges that they have mapped writable.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), pointer(address), bytes.len()) };
}
