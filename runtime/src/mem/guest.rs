//! Copies between the runtime and guest memory that survive a fault.
//!
//! The copy has loops of 32, 8 and 1 bytes. The host SIGSEGV/SIGBUS handler asks [`fixup`]: a fault in a loop continues
//! in the next one, a fault in the byte loop ends the copy, which then says how much it could not do.

use crate::sys::plain::Plain;
use core::arch::naked_asm;
use core::mem::{MaybeUninit, size_of};

/// Copies `len` bytes, returns how many were *not* copied.
#[unsafe(naked)]
unsafe extern "C" fn copy(dst: u64, src: u64, len: u64) -> u64 {
    naked_asm!(
        ".globl bt_copy32_start, bt_copy8_start, bt_copy8_end, bt_copy1_start, bt_copy1_end, bt_copy_done",
        ".hidden bt_copy32_start, bt_copy8_start, bt_copy8_end, bt_copy1_start, bt_copy1_end, bt_copy_done",
        "bt_copy32_start:",
        "cmp rdx, 32",
        "jb bt_copy8_start",
        "movups xmm0, [rsi]",
        "movups xmm1, [rsi + 16]",
        "movups [rdi], xmm0",
        "movups [rdi + 16], xmm1",
        "add rsi, 32",
        "add rdi, 32",
        "sub rdx, 32",
        "jmp bt_copy32_start",
        "bt_copy8_start:",
        "cmp rdx, 8",
        "jb bt_copy8_end",
        "mov rax, [rsi]",
        "mov [rdi], rax",
        "add rsi, 8",
        "add rdi, 8",
        "sub rdx, 8",
        "jmp bt_copy8_start",
        "bt_copy8_end:",
        "bt_copy1_start:",
        "test rdx, rdx",
        "je bt_copy_done",
        "mov al, [rsi]",
        "mov [rdi], al",
        "inc rsi",
        "inc rdi",
        "dec rdx",
        "jmp bt_copy1_start",
        "bt_copy1_end:",
        "bt_copy_done:",
        "mov rax, rdx",
        "ret",
    )
}

unsafe extern "C" {
    static bt_copy32_start: u8;
    static bt_copy8_start: u8;
    static bt_copy8_end: u8;
    static bt_copy1_start: u8;
    static bt_copy1_end: u8;
    static bt_copy_done: u8;
}

/// Where a thread that faulted at `pc` continues, if `pc` belongs to a guest memory copy.
#[must_use]
pub fn fixup(pc: u64) -> Option<u64> {
    let at = |label: *const u8| label as u64;
    let (s8, e8) = (at(&raw const bt_copy8_start), at(&raw const bt_copy8_end));
    let (s1, e1) = (at(&raw const bt_copy1_start), at(&raw const bt_copy1_end));
    let s32 = at(&raw const bt_copy32_start);
    if (s32..s8).contains(&pc) {
        Some(s8)
    } else if (s8..e8).contains(&pc) {
        Some(s1)
    } else if (s1..e1).contains(&pc) {
        Some(at(&raw const bt_copy_done))
    } else {
        None
    }
}

/// Reads up to `buf.len()` bytes at guest address `addr`; returns how many were readable.
pub fn read_bytes(addr: u64, buf: &mut [u8]) -> usize {
    // SAFETY: the destination is ours; a fault in the source ends the copy.
    let left = unsafe { copy(buf.as_mut_ptr() as u64, addr, buf.len() as u64) };
    buf.len() - usize::try_from(left).unwrap_or(0)
}

/// Writes `buf` at guest address `addr`; returns how many bytes were writable.
pub fn write_bytes(addr: u64, buf: &[u8]) -> usize {
    // SAFETY: the destination is guest memory, which no Rust reference covers; a fault ends the copy.
    let left = unsafe { copy(addr, buf.as_ptr() as u64, buf.len() as u64) };
    buf.len() - usize::try_from(left).unwrap_or(0)
}

/// Copies `len` bytes from one guest address to another, either of which may be memory of ours; returns how many.
pub fn copy_across(to: u64, from: u64, len: u64) -> u64 {
    // SAFETY: no Rust reference covers either; a fault ends the copy.
    len - unsafe { copy(to, from, len) }
}

/// Addresses in `start..start + len`, one on each page.
fn pages(start: u64, len: u64) -> impl Iterator<Item = u64> {
    let end = start.saturating_add(len);
    core::iter::successors(Some(start), |at| Some((at & !4095) + 4096)).take_while(move |&at| at < end)
}

/// All of it can be read.
#[must_use]
pub fn can_read(start: u64, len: u64) -> bool {
    pages(start, len).all(|at| read::<u8>(at).is_some())
}

/// All of it can be written: every page takes a byte that it holds already. Only while the process has one thread.
#[must_use]
pub fn can_write(start: u64, len: u64) -> bool {
    pages(start, len).all(|at| read::<u8>(at).is_some_and(|byte| write(at, &byte).is_some()))
}

/// Reads a value at guest address `addr`; `None` if a byte of it cannot be read.
#[must_use]
pub fn read<T: Plain>(addr: u64) -> Option<T> {
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: the destination is ours and as large as T; a fault in the source ends the copy.
    let left = unsafe { copy(value.as_mut_ptr() as u64, addr, size_of::<T>() as u64) };
    // SAFETY: all bytes were written, and any bytes are a T.
    (left == 0).then(|| unsafe { value.assume_init() })
}

/// Writes a value at guest address `addr`; `None` if a byte of it cannot be written.
#[must_use]
pub fn write<T: Plain>(addr: u64, value: &T) -> Option<()> {
    // SAFETY: as in `write_bytes`.
    let left = unsafe { copy(addr, core::ptr::from_ref(value) as u64, size_of::<T>() as u64) };
    (left == 0).then_some(())
}

/// Reads a C string of at most `buf.len() - 1` bytes; returns it without the NUL, `None` on a fault,
/// `Some(Err(()))` when it does not fit.
#[must_use]
pub fn read_cstr(addr: u64, buf: &mut [u8]) -> Option<Result<&[u8], ()>> {
    let mut done = 0usize;
    while done < buf.len() {
        let at = addr.wrapping_add(done as u64);
        // Never read past the page that holds the NUL: the next one may be anything.
        let in_page = 4096 - usize::try_from(at & 4095).unwrap_or(0);
        let want = in_page.min(buf.len() - done);
        let chunk = buf.get_mut(done..done + want)?;
        let got = read_bytes(at, chunk);
        if let Some(nul) = chunk.get(..got)?.iter().position(|&b| b == 0) {
            return Some(Ok(buf.get(..done + nul)?));
        }
        if got < want {
            return None;
        }
        done += want;
    }
    Some(Err(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_every_length() {
        let src: std::vec::Vec<u8> = (0..100u8).collect();
        for len in 0..=src.len() {
            let mut dst = std::vec![0xffu8; len];
            assert_eq!(read_bytes(src.as_ptr() as u64, &mut dst), len);
            assert_eq!(dst, src[..len]);
        }
    }

    #[test]
    fn a_string_that_does_not_fit_is_told_apart_from_a_fault() {
        let s = b"hello\0";
        let mut small = [0u8; 4];
        assert_eq!(read_cstr(s.as_ptr() as u64, &mut small), Some(Err(())));
        let mut large = [0u8; 64];
        assert_eq!(read_cstr(s.as_ptr() as u64, &mut large), Some(Ok(&b"hello"[..])));
    }
}
