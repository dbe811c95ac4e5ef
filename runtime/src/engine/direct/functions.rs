//! Where functions begin and end, from what an ELF file says: its unwind tables, else its symbols.
//!
//! Sources: LSB 5.0 Core, "Exception Frames" (.eh_frame, .eh_frame_hdr, pointer encodings); elf(5) for headers and
//! symbols.

use crate::mem::guest;
use crate::sys::plain::Plain;
use crate::sys::{Fd, mem};
use alloc::vec::Vec;
use bt_translator::scan::{Extent, Functions};
use linux_raw_sys::general as k;

const PT_LOAD: u32 = 1;
const PT_GNU_EH_FRAME: u32 = 0x6474_e550;
const SHT_SYMTAB: u32 = 2;
const SHT_DYNSYM: u32 = 11;
const SHT_NOBITS: u32 = 8;
const SHF_ALLOC: u64 = 2;
const SHF_EXECINSTR: u64 = 4;
const STT_FUNC: u8 = 2;
const MAX_HEADERS: u64 = 128;
/// Bytes that a function symbol without a size can represent: what is written so is small, and data may follow.
const LONGEST_UNSIZED: u64 = 512;
/// `DW_EH_PE_pcrel | DW_EH_PE_sdata4`, `DW_EH_PE_udata4`, `DW_EH_PE_datarel | DW_EH_PE_sdata4`: what linkers write.
const HDR_ENCODINGS: [u8; 4] = [1, 0x1b, 0x03, 0x3b];
const PCREL: u8 = 0x10;

/// An ELF image whose file contents can be read at `at`.
pub struct ElfImage {
    at: u64,
    len: u64,
    /// Unmapped when dropped.
    mapped: bool,
    /// Added to the file's addresses.
    bias: u64,
    loads: Vec<Load>,
    /// Address of the search table: .eh_frame_hdr.
    hdr: Option<u64>,
    /// Where no search table exists: all functions, ascending, made when first asked for.
    list: Option<Vec<Extent>>,
    /// What the symbols say, made when first asked for.
    symbols: Option<Vec<Extent>>,
    /// Sections that hold no code, made when first asked for.
    data: Option<Vec<Extent>>,
}

#[derive(Clone, Copy)]
struct Load {
    offset: u64,
    vaddr: u64,
    filesz: u64,
    is_code: bool,
}

/// A section header, as far as it is looked at.
struct Section {
    /// Offset in the section of names.
    name: u32,
    kind: u32,
    flags: u64,
    vaddr: u64,
    offset: u64,
    size: u64,
    entry_size: u64,
}

impl Drop for ElfImage {
    fn drop(&mut self) {
        if self.mapped {
            // SAFETY: our own mapping.
            unsafe { mem::munmap(self.at, self.len) };
        }
    }
}

impl ElfImage {
    /// The file behind `fd`, of which the bytes from `offset` on are mapped at `start`. `None` if it is no ELF file
    /// that loads them.
    #[must_use]
    pub fn of_file(fd: Fd, offset: u64, start: u64) -> Option<Self> {
        let len = fd.stat().ok()?.size;
        let flags = k::MAP_PRIVATE | k::MAP_NORESERVE;
        // SAFETY: a new mapping that nobody else knows; reads of it survive a truncation of the file.
        let at = unsafe { mem::mmap_file(0, len, k::PROT_READ, flags, fd, 0) }.ok()?;
        let mut image = Self::new(at, len, true)?;
        // Segments may share a page of the file: the one before may end where the code begins.
        let holds = |l: &&Load| l.is_code && (l.offset & !4095..l.offset + l.filesz).contains(&offset);
        let load = image.loads.iter().rev().find(holds)?;
        image.bias = start.wrapping_sub(load.vaddr.wrapping_add(offset).wrapping_sub(load.offset));
        Some(image)
    }

    /// An image in memory that is laid out as its file is: the vDSO.
    #[must_use]
    pub fn of_memory(at: u64, len: u64) -> Option<Self> {
        let mut image = Self::new(at, len, false)?;
        let first = image.loads.first()?;
        image.bias = at.wrapping_sub(first.vaddr).wrapping_add(first.offset);
        Some(image)
    }

    fn new(at: u64, len: u64, mapped: bool) -> Option<Self> {
        let mut image =
            Self { at, len, mapped, bias: 0, loads: Vec::new(), hdr: None, list: None, symbols: None, data: None };
        if image.file::<[u8; 4]>(0)? != *b"\x7fELF" {
            return None;
        }
        let phoff: u64 = image.file(32)?;
        for i in 0..u64::from(image.half(56)?).min(MAX_HEADERS) {
            let at = phoff.checked_add(i * 56)?;
            let [kind, flags]: [u32; 2] = [image.file(at)?, image.file(at + 4)?];
            let (offset, vaddr, filesz) = (image.file(at + 8)?, image.file(at + 16)?, image.file::<u64>(at + 32)?);
            match kind {
                PT_LOAD => image.loads.push(Load { offset, vaddr, filesz, is_code: flags & 1 != 0 }),
                PT_GNU_EH_FRAME => image.hdr = Some(vaddr),
                _ => {}
            }
        }
        Some(image)
    }

    /// A value at an offset of the file.
    fn file<T: Plain>(&self, offset: u64) -> Option<T> {
        let end = offset.checked_add(core::mem::size_of::<T>() as u64)?;
        if end > self.len { None } else { guest::read(self.at + offset) }
    }

    fn half(&self, offset: u64) -> Option<u16> {
        self.file::<[u8; 2]>(offset).map(u16::from_le_bytes)
    }

    /// A value at an address of the file's.
    fn value<T: Plain>(&self, vaddr: u64) -> Option<T> {
        let load = self.loads.iter().find(|l| vaddr >= l.vaddr && vaddr - l.vaddr < l.filesz)?;
        self.file(vaddr - load.vaddr + load.offset)
    }

    /// A word of an entry of the search table: (start, FDE), both relative to the table's section, ascending.
    fn search_entry(&self, n: u64, word: u64) -> Option<u64> {
        let hdr = self.hdr?;
        if n >= u64::from(self.value::<u32>(hdr + 8)?) {
            return None;
        }
        self.value::<i32>(hdr + 12 + n * 8 + word * 4).map(|v| hdr.wrapping_add_signed(i64::from(v)))
    }

    /// Number of entries of the search table that begin at or before `pc`.
    fn search_index(&self, pc: u64) -> Option<u64> {
        let hdr = self.hdr?;
        if self.value::<[u8; 4]>(hdr)? != HDR_ENCODINGS {
            return None;
        }
        let (mut low, mut high) = (0, u64::from(self.value::<u32>(hdr + 8)?));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.search_entry(middle, 0)? <= pc {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Some(low)
    }

    /// By the search table.
    fn search(&self, pc: u64) -> Option<Extent> {
        let last = self.search_index(pc)?.checked_sub(1)?;
        self.extent(self.search_entry(last, 1)?).filter(|&(start, end)| (start..end).contains(&pc))
    }

    /// The code that an FDE describes.
    fn extent(&self, fde: u64) -> Option<Extent> {
        let back: u32 = self.value(fde.wrapping_add(4))?;
        let (encoding, is_signal_frame) = self.pc_encoding(fde.wrapping_add(4).checked_sub(u64::from(back))?)?;
        let (start, size) = self.pointer(fde.wrapping_add(8), encoding)?;
        let (len, _) = self.pointer(fde.wrapping_add(8).wrapping_add(size), encoding & 15)?;
        // A signal's restorer is described from the byte before it on, because unwinders look up pc - 1.
        Some((start.checked_add(u64::from(is_signal_frame))?, start.checked_add(len)?))
    }

    /// An encoded pointer and its size.
    fn pointer(&self, at: u64, encoding: u8) -> Option<(u64, u64)> {
        let (value, size) = match encoding & 15 {
            0 | 4 | 12 => (self.value::<u64>(at)?, 8),
            3 => (u64::from(self.value::<u32>(at)?), 4),
            11 => (i64::from(self.value::<i32>(at)?).cast_unsigned(), 4),
            _ => return None,
        };
        match encoding & 0xf0 {
            0 => Some((value, size)),
            PCREL => Some((at.wrapping_add(value), size)),
            _ => None,
        }
    }

    /// How a CIE says that code addresses are written, and whether its code is reached by signals only.
    fn pc_encoding(&self, cie: u64) -> Option<(u8, bool)> {
        let version: u8 = self.value(cie + 8)?;
        let mut at = cie + 9;
        let mut augmentation = [0u8; 8];
        for slot in &mut augmentation {
            *slot = self.value(at)?;
            at += 1;
            if *slot == 0 {
                break;
            }
        }
        let letters = augmentation.split(|&b| b == 0).next().unwrap_or(&[]);
        let Some((b'z', letters)) = letters.split_first() else {
            return letters.is_empty().then_some((0, false));
        };
        let is_signal_frame = letters.contains(&b'S');
        self.skip_leb(&mut at)?;
        self.skip_leb(&mut at)?;
        if version == 1 {
            at += 1;
        } else {
            self.skip_leb(&mut at)?;
        }
        self.skip_leb(&mut at)?;
        for letter in letters {
            match letter {
                b'R' => return self.value(at).map(|encoding| (encoding, is_signal_frame)),
                b'L' => at += 1,
                b'P' => at += 1 + self.pointer(at + 1, self.value::<u8>(at)? & 15)?.1,
                b'S' | b'B' => {}
                _ => return None,
            }
        }
        Some((0, is_signal_frame))
    }

    fn skip_leb(&self, at: &mut u64) -> Option<()> {
        while self.value::<u8>(*at)? & 0x80 != 0 {
            *at += 1;
        }
        *at += 1;
        Some(())
    }

    fn sections(&self) -> Option<Vec<Section>> {
        let (at, count) = (self.file::<u64>(40)?, u64::from(self.half(60)?).min(4096));
        let mut found = Vec::new();
        for i in 0..count {
            let s = at.checked_add(i * 64)?;
            found.push(Section {
                name: self.file(s)?,
                kind: self.file(s + 4)?,
                flags: self.file(s + 8)?,
                vaddr: self.file(s + 16)?,
                offset: self.file(s + 24)?,
                size: self.file(s + 32)?,
                entry_size: self.file(s + 56)?,
            });
        }
        Some(found)
    }

    /// All FDEs of .eh_frame, for files without a search table (static programs).
    fn all_frames(&self) -> Option<Vec<Extent>> {
        let sections = self.sections()?;
        let names = sections.get(usize::from(self.half(62)?))?.offset;
        let is_frames = |name: u32| self.file::<[u8; 10]>(names + u64::from(name)) == Some(*b".eh_frame\0");
        let &Section { vaddr, size, .. } = sections.iter().find(|s| s.vaddr != 0 && is_frames(s.name))?;
        let (mut at, end) = (vaddr, vaddr.checked_add(size)?);
        let mut found = Vec::new();
        while at + 8 <= end {
            let len = u64::from(self.value::<u32>(at)?);
            if len == 0 || len >= 0xffff_fff0 {
                break;
            }
            // A CIE has 0 where an FDE points back to its CIE.
            if self.value::<u32>(at + 4)? != 0
                && let Some(extent) = self.extent(at)
            {
                found.push(extent);
            }
            at += 4 + len;
        }
        found.sort_unstable();
        Some(found)
    }

    /// Sections of the image that are not to be executed.
    fn all_data(&self) -> Option<Vec<Extent>> {
        let is_data = |s: &Section| s.flags & SHF_ALLOC != 0 && s.flags & SHF_EXECINSTR == 0 && s.kind != SHT_NOBITS;
        let sections = self.sections()?;
        let mut found: Vec<Extent> =
            sections.iter().filter(|s| is_data(s)).map(|s| (s.vaddr, s.vaddr.saturating_add(s.size))).collect();
        found.sort_unstable();
        Some(found)
    }

    /// Function symbols. One without a size, as assembly may leave it, reaches to the next if that is near.
    fn all_symbols(&self) -> Option<Vec<Extent>> {
        let mut found = Vec::new();
        for Section { kind, offset, size, entry_size, .. } in self.sections()? {
            if !matches!(kind, SHT_SYMTAB | SHT_DYNSYM) || entry_size != 24 {
                continue;
            }
            for i in 0..size / 24 {
                let at = offset.checked_add(i * 24)?;
                let (info, start, len) =
                    (self.file::<u8>(at + 4)?, self.file::<u64>(at + 8)?, self.file::<u64>(at + 16)?);
                if info & 15 == STT_FUNC && start != 0 {
                    found.push((start, start.saturating_add(len)));
                }
            }
        }
        found.sort_unstable();
        Some(with_sizes(&found))
    }
}

/// Extents in ascending order, where empty ones reach to the next if that is near, and are left out if not.
fn with_sizes(list: &[Extent]) -> Vec<Extent> {
    let sized = |(n, &(start, end)): (usize, &Extent)| {
        if end > start {
            return Some((start, end));
        }
        let &(next, _) = list.get(n..)?.iter().find(|&&(next, _)| next > start)?;
        // Of several names for one place the one with a size tells more.
        let is_told = list.get(n + 1).is_some_and(|&(other, end)| other == start && end > start);
        (!is_told && next - start <= LONGEST_UNSIZED).then_some((start, next))
    };
    let mut found: Vec<Extent> = list.iter().enumerate().filter_map(sized).collect();
    found.dedup_by_key(|&mut (start, _)| start);
    found
}

fn holding(list: &[Extent], pc: u64) -> Option<Extent> {
    let n = list.partition_point(|&(start, _)| start <= pc);
    list.get(n.checked_sub(1)?).copied().filter(|&(start, end)| (start..end).contains(&pc))
}

/// The hole around `pc` in a list, none of whose extents holds it.
fn hole(list: &[Extent], pc: u64) -> Extent {
    let n = list.partition_point(|&(start, _)| start <= pc);
    let before = n.checked_sub(1).and_then(|i| list.get(i)).map_or(0, |&(_, end)| end);
    (before, list.get(n).map_or(u64::MAX, |&(start, _)| start))
}

impl ElfImage {
    /// All functions that the unwind tables name, where there is no search table.
    fn frames(&mut self) -> &[Extent] {
        if self.list.is_none() {
            self.list = Some(self.all_frames().unwrap_or_default());
        }
        self.list.as_deref().unwrap_or(&[])
    }

    fn symbols(&mut self) -> &[Extent] {
        if self.symbols.is_none() {
            self.symbols = Some(self.all_symbols().unwrap_or_default());
        }
        self.symbols.as_deref().unwrap_or(&[])
    }

    /// The functions before and after `pc`, by the search table.
    fn neighbours(&self, pc: u64) -> Option<Extent> {
        let n = self.search_index(pc)?;
        let before = match n.checked_sub(1) {
            Some(last) => self.extent(self.search_entry(last, 1)?)?.1,
            None => 0,
        };
        Some((before, self.search_entry(n, 0).unwrap_or(u64::MAX)))
    }
}

impl Functions for ElfImage {
    fn holding(&mut self, pc: u64) -> Option<Extent> {
        let pc = pc.wrapping_sub(self.bias);
        let (start, end) = self
            .search(pc)
            .or_else(|| if self.hdr.is_none() { holding(self.frames(), pc) } else { None })
            .or_else(|| holding(self.symbols(), pc))?;
        Some((start.wrapping_add(self.bias), end.wrapping_add(self.bias)))
    }

    fn is_data(&mut self, pc: u64) -> bool {
        if self.data.is_none() {
            self.data = Some(self.all_data().unwrap_or_default());
        }
        holding(self.data.as_deref().unwrap_or(&[]), pc.wrapping_sub(self.bias)).is_some()
    }

    fn hole(&mut self, pc: u64) -> Option<Extent> {
        let pc = pc.wrapping_sub(self.bias);
        let (low, high) = match self.neighbours(pc) {
            Some(hole) => hole,
            None => hole(self.frames(), pc),
        };
        let (from, to) = hole(self.symbols(), pc);
        // Where the file's addresses end, those of the range that is scanned hold.
        let biased = |v: u64| if v == 0 || v == u64::MAX { v } else { v.wrapping_add(self.bias) };
        Some((biased(low.max(from)), biased(high.min(to))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_of_this_program_is_found_with_its_bounds() {
        use std::os::fd::AsRawFd;
        let exe = std::fs::File::open("/proc/self/exe").unwrap();
        let pc = super::holding as *const () as u64;
        // The mapping that holds it, from /proc/self/maps.
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let (start, offset) = maps
            .lines()
            .find_map(|line| {
                let mut words = line.split_whitespace();
                let (start, end) = words.next()?.split_once('-')?;
                let (start, end) = (u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?);
                let offset = u64::from_str_radix(words.nth(1)?, 16).ok()?;
                (start..end).contains(&pc).then_some((start, offset))
            })
            .unwrap();
        let mut image = ElfImage::of_file(Fd(exe.as_raw_fd()), offset, start).unwrap();
        assert!(image.hdr.is_some());
        let data = b"data that no code is".as_ptr() as u64;
        assert!(image.is_data(data) && !image.is_data(pc));
        let (low, high) = Functions::holding(&mut image, pc).unwrap();
        assert_eq!(low, pc);
        assert!(high > low && high - low < 4096);
        // The symbols and the linear list say the same.
        let unbiased = pc - image.bias;
        assert_eq!(super::holding(&image.all_frames().unwrap(), unbiased), Some((low - image.bias, high - image.bias)));
        assert_eq!(
            super::holding(&image.all_symbols().unwrap(), unbiased),
            Some((low - image.bias, high - image.bias))
        );
    }

    #[test]
    fn symbols_without_a_size_reach_to_the_next() {
        let list = [(10, 10), (20, 30), (30, 30), (30, 34), (40, 40), (2000, 2000)];
        assert_eq!(with_sizes(&list), [(10, 20), (20, 30), (30, 34)]);
    }

    #[test]
    fn what_is_no_elf_file_is_refused() {
        use std::os::fd::AsRawFd;
        let file = std::fs::File::open("/etc/passwd").unwrap();
        assert!(ElfImage::of_file(Fd(file.as_raw_fd()), 0, 0x1000).is_none());
    }
}
