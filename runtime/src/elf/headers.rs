//! ELF images (elf(5)), mapped as the kernel maps them (fs/binfmt_elf.c).

use super::LoadError;
use crate::sys::{Errno, Fd};
use linux_raw_sys::general as k;

/// Bytes of a page.
pub const PAGE: u64 = 4096;
const EM_X86_64: u16 = 62;
const ET_EXEC: u16 = 2;
const ET_DYN: u16 = 3;
const PT_LOAD: u32 = 1;
const PT_INTERP: u32 = 3;
const PT_GNU_STACK: u32 = 0x6474_e551;
const PHENT: usize = 56;
/// Most program headers: a page of them. The kernel takes more.
const MAX_PHDRS: usize = 4096 / PHENT;
/// Most bytes of program headers that the kernel takes (fs/binfmt_elf.c, load_elf_phdrs).
const KERNEL_PHDR_BYTES: usize = 65536;
/// Longest path of an interpreter, with its NUL. The kernel takes longer ones.
pub const INTERP_BYTES: usize = 256;
const USER_END: u64 = 0x7fff_ffff_f000;

/// One program header.
#[derive(Clone, Copy, Default, Debug)]
pub struct Phdr {
    pub(crate) kind: u32,
    pub(crate) flags: u32,
    pub(crate) offset: u64,
    pub(crate) vaddr: u64,
    pub(crate) filesz: u64,
    pub(crate) memsz: u64,
    align: u64,
}

impl Phdr {
    /// The segment's protection, PROT_* bits.
    pub fn prot(&self) -> u32 {
        let mut prot = 0;
        for (flag, bit) in [(4, k::PROT_READ), (2, k::PROT_WRITE), (1, k::PROT_EXEC)] {
            if self.flags & flag != 0 {
                prot |= bit;
            }
        }
        prot
    }
}

/// The headers of a file that is valid as far as they tell.
#[derive(Clone, Copy, Debug)]
pub struct Headers {
    /// ET_DYN: can lie anywhere.
    pub is_dyn: bool,
    pub(crate) entry: u64,
    pub(crate) phoff: u64,
    pub(crate) phnum: usize,
    phdrs: [Phdr; MAX_PHDRS],
    interp: [u8; INTERP_BYTES],
    interp_len: usize,
    stack_flags: Option<u32>,
}

fn u16_at(b: &[u8], at: usize) -> u16 {
    b.get(at..at + 2).and_then(|b| b.try_into().ok()).map_or(0, u16::from_le_bytes)
}
fn u32_at(b: &[u8], at: usize) -> u32 {
    b.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}
fn u64_at(b: &[u8], at: usize) -> u64 {
    b.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}

/// Something to read a file's bytes from.
pub trait FileBytes {
    /// Fills as much of `buf` as the file has at `offset`.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno>;
}

impl FileBytes for Fd {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        Fd::read_at(*self, buf, offset)
    }
}

impl Headers {
    /// Reads and checks the headers.
    pub fn parse(file: &dyn FileBytes) -> Result<Self, LoadError> {
        let mut ehdr = [0u8; 64];
        let n = file.read_at(0, &mut ehdr).map_err(|e| LoadError::Failed("cannot be read", e.number()))?;
        if n < 4 || !ehdr.starts_with(b"\x7fELF") {
            return Err(LoadError::Invalid("is not an ELF executable or a script"));
        }
        if n < 64 {
            return Err(LoadError::Invalid("is a truncated ELF file"));
        }
        let [_, _, _, _, class, data, ..] = ehdr;
        if class != 2 || data != 1 || u16_at(&ehdr, 18) != EM_X86_64 {
            return Err(LoadError::Invalid("is an ELF file for another machine"));
        }
        let kind = u16_at(&ehdr, 16);
        if kind != ET_EXEC && kind != ET_DYN {
            return Err(LoadError::Invalid("is an ELF file, but neither an executable nor a shared object"));
        }
        let (phoff, phentsize, phnum) = (u64_at(&ehdr, 32), u16_at(&ehdr, 54), usize::from(u16_at(&ehdr, 56)));
        if usize::from(phentsize) != PHENT || phnum == 0 || phnum * PHENT > KERNEL_PHDR_BYTES {
            return Err(LoadError::Invalid("has malformed program headers"));
        }
        if phnum > MAX_PHDRS {
            return Err(LoadError::Unusual("more program headers than a page holds"));
        }
        let mut table = [0u8; MAX_PHDRS * PHENT];
        let wanted = phnum * PHENT;
        let Some(bytes) = table.get_mut(..wanted) else {
            return Err(LoadError::Invalid("has malformed program headers"));
        };
        if file.read_at(phoff, bytes) != Ok(wanted) {
            return Err(LoadError::Invalid("is truncated in its program headers"));
        }
        let mut headers = Self {
            is_dyn: kind == ET_DYN,
            entry: u64_at(&ehdr, 24),
            phoff,
            phnum,
            phdrs: [Phdr::default(); MAX_PHDRS],
            interp: [0; INTERP_BYTES],
            interp_len: 0,
            stack_flags: None,
        };
        for (slot, b) in headers.phdrs.iter_mut().zip(table.chunks_exact(PHENT)).take(phnum) {
            *slot = Phdr {
                kind: u32_at(b, 0),
                flags: u32_at(b, 4),
                offset: u64_at(b, 8),
                vaddr: u64_at(b, 16),
                filesz: u64_at(b, 32),
                memsz: u64_at(b, 40),
                align: u64_at(b, 48),
            };
        }
        headers.check(file)?;
        Ok(headers)
    }

    /// All program headers.
    pub fn all(&self) -> &[Phdr] {
        self.phdrs.get(..self.phnum).unwrap_or(&[])
    }

    /// The segments that occupy memory.
    pub fn loads(&self) -> impl Iterator<Item = &Phdr> {
        self.all().iter().filter(|p| p.kind == PT_LOAD && p.memsz != 0)
    }

    fn check(&mut self, file: &dyn FileBytes) -> Result<(), LoadError> {
        let mut any = false;
        let mut last = 0;
        let mut interp = None;
        for p in self.phdrs.get(..self.phnum).unwrap_or(&[]) {
            match p.kind {
                PT_LOAD => {
                    let end = p.vaddr.checked_add(p.memsz).filter(|&e| e <= USER_END);
                    let (Some(end), true) = (end, p.filesz <= p.memsz) else {
                        return Err(LoadError::Invalid("has a segment with impossible sizes"));
                    };
                    if p.vaddr % PAGE != p.offset % PAGE {
                        return Err(LoadError::Invalid("has a segment that is not page-aligned in the file"));
                    }
                    if any && p.vaddr < last {
                        return Err(LoadError::Unusual("segments out of order"));
                    }
                    last = end;
                    any = true;
                }
                PT_INTERP if interp.is_none() => interp = Some((p.offset, p.filesz)),
                PT_GNU_STACK => self.stack_flags = Some(p.flags),
                _ => {}
            }
        }
        if !any {
            return Err(LoadError::Invalid("has nothing to load"));
        }
        if let Some((offset, len)) = interp {
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            let Some(buf) = self.interp.get_mut(..len) else {
                // fs/binfmt_elf.c, load_elf_binary.
                return Err(if len <= k::PATH_MAX as usize {
                    LoadError::Unusual("long path of an interpreter")
                } else {
                    LoadError::Invalid("names an interpreter whose path is too long")
                });
            };
            // The string must end in its NUL (fs/binfmt_elf.c).
            if len < 2 || file.read_at(offset, buf) != Ok(len) || buf.last() != Some(&0) {
                return Err(LoadError::Invalid("names its interpreter wrongly"));
            }
            self.interp_len = len;
        }
        Ok(())
    }

    /// Path of the interpreter (PT_INTERP), NUL-terminated.
    #[must_use]
    pub fn interp(&self) -> Option<&core::ffi::CStr> {
        core::ffi::CStr::from_bytes_until_nul(self.interp.get(..self.interp_len)?).ok()
    }

    /// The stack must be executable: PT_GNU_STACK says so. A missing header means no on x86-64
    /// (arch/x86/include/asm/elf.h).
    #[must_use]
    pub fn wants_exec_stack(&self) -> bool {
        self.stack_flags.is_some_and(|f| f & 1 != 0)
    }

    /// First and last-plus-one page address of all segments, unbiased.
    #[must_use]
    pub fn span(&self) -> (u64, u64) {
        let start = self.loads().map(|p| p.vaddr & !(PAGE - 1)).min().unwrap_or(0);
        let end = self.loads().map(|p| (p.vaddr + p.memsz).next_multiple_of(PAGE)).max().unwrap_or(0);
        (start, end)
    }

    /// The executable segments: offset in the file, address and length, whole pages.
    pub fn code(&self) -> impl Iterator<Item = (u64, u64, u64)> + '_ {
        self.loads().filter(|p| p.flags & 1 != 0).map(|p| {
            let skew = p.offset % PAGE;
            (p.offset - skew, p.vaddr - skew, (p.filesz + skew).next_multiple_of(PAGE))
        })
    }

    /// Largest alignment of a segment, at least a page; one that no address has is none.
    #[must_use]
    pub fn align(&self) -> u64 {
        let is_one = |align: &u64| align.is_power_of_two() && *align < USER_END;
        self.loads().map(|p| p.align).filter(is_one).max().unwrap_or(PAGE).max(PAGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bytes(std::vec::Vec<u8>);
    impl FileBytes for Bytes {
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
            let from = usize::try_from(offset).unwrap_or(usize::MAX).min(self.0.len());
            let n = buf.len().min(self.0.len() - from);
            buf[..n].copy_from_slice(&self.0[from..from + n]);
            Ok(n)
        }
    }

    #[test]
    fn this_test_program_parses() {
        let own = std::fs::read("/proc/self/exe").unwrap();
        let headers = Headers::parse(&Bytes(own)).unwrap();
        assert!(headers.interp().is_some());
        assert!(!headers.wants_exec_stack());
    }

    #[test]
    fn every_truncation_of_the_headers_is_refused_or_parses() {
        let own = std::fs::read("/proc/self/exe").unwrap();
        for len in 0..2048 {
            let _ = Headers::parse(&Bytes(own[..len].to_vec()));
        }
        assert_eq!(
            Headers::parse(&Bytes(own[..63].to_vec())).unwrap_err(),
            LoadError::Invalid("is a truncated ELF file")
        );
    }

    /// xorshift64*
    fn next(state: &mut u64) -> u64 {
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    #[test]
    fn mutated_headers_are_refused_or_make_sense() {
        const INTERESTING: [u64; 10] = [0, 1, 0x7f, 0xff, 0xffff, 1 << 31, 0xffff_ffff, USER_END, 1 << 63, u64::MAX];
        const MUTATIONS: usize = 100_000;
        let seed = 0xe1f0_0001u64;
        println!("seed {seed:#x}");
        let mut state = seed;
        let own = std::fs::read("/proc/self/exe").unwrap();
        let real = &own[..own.len().min(8192)];
        let headers_end = 64 + 16 * PHENT;
        let mut accepted = 0;
        for _ in 0..MUTATIONS {
            let mut bytes = real.to_vec();
            for _ in 0..1 + next(&mut state) % 4 {
                let at = usize::try_from(next(&mut state) >> 33).unwrap() % headers_end;
                let at = if next(&mut state) & 1 == 0 { at & !7 } else { at };
                let value = next(&mut state);
                match value >> 61 {
                    0..=2 => bytes[at] = (value & 0xff) as u8,
                    3 | 4 => bytes[at] ^= 1 << (value & 7),
                    _ => {
                        let n = usize::try_from(value & 0xffff).unwrap() % INTERESTING.len();
                        bytes[at..at + 8].copy_from_slice(&INTERESTING[n].to_le_bytes());
                    }
                }
            }
            if next(&mut state).is_multiple_of(8) {
                bytes.truncate(usize::try_from(next(&mut state) % 4096).unwrap());
            }
            let Ok(headers) = Headers::parse(&Bytes(bytes)) else { continue };
            accepted += 1;
            let (start, end) = headers.span();
            assert!(start <= end && end <= USER_END.next_multiple_of(PAGE));
            assert!(headers.align().is_power_of_two() && headers.align() >= PAGE);
            let mut last = 0;
            for p in headers.loads() {
                assert!(p.filesz <= p.memsz && p.vaddr >= last);
                last = p.vaddr.checked_add(p.memsz).unwrap();
                assert!(last <= USER_END && p.vaddr % PAGE == p.offset % PAGE);
            }
            assert!(headers.interp().is_none_or(|path| path.to_bytes().len() < INTERP_BYTES));
        }
        // Most fields decide nothing here: an all-refusing parser would not be tested.
        assert!(accepted > MUTATIONS / 20, "{accepted} accepted");
    }
}
