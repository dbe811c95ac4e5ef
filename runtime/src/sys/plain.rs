//! Structures of which any bytes are a value.

/// A plain structure shared with the kernel or the guest: any bytes are a value.
///
/// # Safety
/// Only for `repr(C)` types without padding that matters, references or invalid bit patterns.
pub unsafe trait Plain: Copy {}
// SAFETY: integers.
unsafe impl Plain for u8 {}
// SAFETY: integers.
unsafe impl Plain for u16 {}
// SAFETY: integers.
unsafe impl Plain for u32 {}
// SAFETY: integers.
unsafe impl Plain for i32 {}
// SAFETY: integers.
unsafe impl Plain for u64 {}
// SAFETY: arrays of plain values.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

/// A value's bytes, as they stand in a file.
#[must_use]
pub fn bytes_of<T: Plain>(value: &T) -> &[u8] {
    // SAFETY: a value whose bytes are all initialised: those who call it have types without any padding.
    unsafe { core::slice::from_raw_parts(core::ptr::from_ref(value).cast(), size_of::<T>()) }
}
