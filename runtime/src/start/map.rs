//! Mapping an ELF image as the kernel maps it (fs/binfmt_elf.c).

use crate::elf::LoadError;
use crate::elf::headers::{Headers, PAGE};
use crate::sys::{Errno, Fd, mem, process};
use linux_raw_sys::general as k;

/// A mapped image.
#[derive(Clone, Copy, Debug, Default)]
pub struct Image {
    /// Added to the file's addresses.
    pub bias: u64,
    /// Entry point.
    pub entry: u64,
    /// Address of the program headers in memory; where the image begins if they are not mapped.
    pub phdr: u64,
    /// Number of program headers.
    pub phnum: u64,
    /// First address after the last segment: brk begins there or later.
    pub brk: u64,
    /// Start and end of code and data (proc(5), stat).
    pub code: (u64, u64),
    /// See `code`.
    pub data: (u64, u64),
}

/// Told of each executable range of a mapped image: start, end, protection, offset in the file that it is from.
pub type OnExec<'a> = &'a mut dyn FnMut(u64, u64, u32, Option<u64>);

fn map_fd(addr: u64, len: u64, prot: u32, fd: Fd, offset: u64) -> Result<(), LoadError> {
    // SAFETY: inside the range that was reserved for the image.
    unsafe { mem::mmap_file(addr, len, prot, k::MAP_PRIVATE | k::MAP_FIXED, fd, offset) }
        .map(|_| ())
        .map_err(|e| LoadError::Failed("cannot be mapped", e.number()))
}

/// Bytes behind an image that are left free.
const GAP: u64 = 1 << 16;

/// Protection of memory that a segment has beyond its part of the file.
fn blank_prot(of_file: u32) -> u32 {
    k::PROT_READ | k::PROT_WRITE | of_file & k::PROT_EXEC
}

/// Reserves the address range of an image; returns its start.
fn reserve(headers: &Headers, base: u64) -> Result<u64, Errno> {
    let (start, end) = headers.span();
    let (align, len) = (headers.align(), end - start);
    if !headers.is_dyn {
        return mem::mmap_anon(start, len, k::PROT_NONE, k::MAP_FIXED_NOREPLACE | k::MAP_NORESERVE);
    }
    // An access behind the image must not find what the kernel has placed before, bt-run itself.
    let room = len + GAP + if align > PAGE { align } else { 0 };
    let flags = if base == 0 { 0 } else { k::MAP_FIXED_NOREPLACE };
    let got = mem::mmap_anon(base, room, k::PROT_NONE, flags | k::MAP_NORESERVE)
        .or_else(|_| mem::mmap_anon(0, room, k::PROT_NONE, k::MAP_NORESERVE))?;
    let aligned = got.next_multiple_of(align);
    // SAFETY: the ends of our own reservation.
    unsafe {
        if aligned > got {
            mem::munmap(got, aligned - got);
        }
        if got + room > aligned + len {
            mem::munmap(aligned + len, got + room - aligned - len);
        }
    }
    Ok(aligned)
}

/// Maps the image. ET_DYN is placed at `base` (0: where the kernel likes), ET_EXEC where it says.
pub fn map(fd: Fd, headers: &Headers, base: u64, on_exec: OnExec<'_>) -> Result<Image, LoadError> {
    let failed = |e: Errno| LoadError::Failed("cannot be mapped", e.number());
    // One reservation first, so that the segments lie together and replace nothing.
    let at = reserve(headers, base).map_err(failed)?;
    let bias = at.wrapping_sub(headers.span().0);
    let mut image = Image {
        bias,
        entry: headers.entry.wrapping_add(bias),
        phnum: headers.phnum as u64,
        phdr: bias,
        code: (u64::MAX, 0),
        ..Image::default()
    };
    // What is replaced counts as room for data (mm/vma.c, `mmap_region`), but natively nothing is.
    let replaces = process::soft_limit(k::RLIMIT_DATA) == u64::MAX;
    let clear = |from: u64, to: u64| {
        if !replaces && to > from {
            // SAFETY: inside the reservation, and mapped anew at once.
            unsafe { mem::munmap(from, to - from) };
        }
    };
    let mut mapped_to = at;
    for p in headers.loads() {
        let from = bias.wrapping_add(p.vaddr);
        let page = from & !(PAGE - 1);
        let file_end = from + p.filesz;
        let end = (from + p.memsz).next_multiple_of(PAGE);
        // Gaps between segments are not mapped natively.
        if page > mapped_to {
            // SAFETY: inside the reservation.
            unsafe { mem::munmap(mapped_to, page - mapped_to) };
        }
        let file_page_end = if p.filesz == 0 { page } else { file_end.next_multiple_of(PAGE) };
        if p.filesz != 0 {
            clear(page, file_page_end);
            map_fd(page, file_page_end - page, p.prot(), fd, p.offset & !(PAGE - 1))?;
        }
        if p.memsz > p.filesz {
            if p.flags & 2 != 0 && p.filesz != 0 {
                // The rest of the last page belongs to bss.
                zero(file_end, file_page_end - file_end)?;
            }
            if end > file_page_end {
                // Whatever the segment's protection is (vm_brk_flags): only execution is taken from it.
                let prot = blank_prot(p.prot());
                clear(file_page_end, end);
                mem::mmap_anon(file_page_end, end - file_page_end, prot, k::MAP_FIXED).map_err(failed)?;
            }
        }
        mapped_to = end.max(mapped_to);
        if p.flags & 1 != 0 {
            if file_page_end > page {
                on_exec(page, file_page_end, p.prot(), Some(p.offset & !(PAGE - 1)));
            }
            if end > file_page_end {
                on_exec(file_page_end, end, blank_prot(p.prot()), None);
            }
            image.code = (image.code.0.min(from), image.code.1.max(from + p.filesz));
        } else {
            image.data = (from, from + p.filesz);
        }
        // fs/binfmt_elf.c: AT_PHDR is where the last segment that holds the headers puts them, whatever PT_PHDR says.
        if headers.phoff.checked_sub(p.offset).is_some_and(|distance| distance < p.filesz) {
            image.phdr = headers.phoff - p.offset + from;
        }
        image.brk = image.brk.max(from + p.memsz);
    }
    Ok(image)
}

/// Zeroes the rest of a page that was just mapped writable; it fails if the file ends before.
fn zero(at: u64, len: u64) -> Result<(), LoadError> {
    const ZEROS: [u8; 4096] = [0; 4096];
    let zeros = ZEROS.get(..usize::try_from(len).unwrap_or(0)).unwrap_or(&[]);
    if crate::mem::guest::write_bytes(at, zeros) == zeros.len() {
        Ok(())
    } else {
        Err(LoadError::Invalid("is truncated: a segment reaches past its end"))
    }
}
