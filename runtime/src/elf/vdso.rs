//! Functions of the vDSO, by name (vdso(7)). It is an ELF library in memory; symbols are found as a dynamic linker
//! finds them (System V ABI, "Hash Table"; the GNU table is described in binutils' bfd/elflink.c).

use crate::mem::guest;

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const DT_HASH: u64 = 4;
const DT_STRTAB: u64 = 5;
const DT_SYMTAB: u64 = 6;
const DT_GNU_HASH: u64 = 0x6fff_fef5;
/// Bytes of a program header, a dynamic entry, a symbol.
const PHDR_BYTES: u64 = 56;
const DYN_BYTES: u64 = 16;
const SYM_BYTES: u64 = 24;
/// More entries than any vDSO has: a damaged image must not keep us.
const MOST: usize = 4096;

/// The vDSO at an address.
#[derive(Clone, Copy, Debug)]
pub struct Vdso {
    bias: u64,
    strings: u64,
    symbols: u64,
    hash: Option<u64>,
    gnu_hash: Option<u64>,
}

impl Vdso {
    /// Reads the dynamic section of the image at `base`.
    #[must_use]
    pub fn at(base: u64) -> Option<Self> {
        let headers: u64 = guest::read(base + 32)?;
        let count = u16::from_le_bytes(guest::read::<[u8; 2]>(base + 56)?);
        let (mut first, mut dynamic) = (None, None);
        for i in 0..u64::from(count) {
            let at = base.checked_add(headers)?.checked_add(i * PHDR_BYTES)?;
            let vaddr: u64 = guest::read(at + 16)?;
            match guest::read::<u32>(at)? {
                PT_LOAD if first.is_none() => first = Some(vaddr.wrapping_sub(guest::read::<u64>(at + 8)?)),
                PT_DYNAMIC => dynamic = Some(vaddr),
                _ => {}
            }
        }
        let bias = base.wrapping_sub(first?);
        let mut found = Self { bias, strings: 0, symbols: 0, hash: None, gnu_hash: None };
        let dynamic = bias.wrapping_add(dynamic?);
        for i in 0..MOST as u64 {
            let [tag, value] = guest::read::<[u64; 2]>(dynamic + i * DYN_BYTES)?;
            let at = bias.wrapping_add(value);
            match tag {
                0 => break,
                DT_STRTAB => found.strings = at,
                DT_SYMTAB => found.symbols = at,
                DT_HASH => found.hash = Some(at),
                DT_GNU_HASH => found.gnu_hash = Some(at),
                _ => {}
            }
        }
        (found.strings != 0 && found.symbols != 0).then_some(found)
    }

    /// The address of a function.
    #[must_use]
    pub fn function(&self, name: &[u8]) -> Option<u64> {
        match (self.gnu_hash, self.hash) {
            (Some(table), _) => self.by_gnu_hash(table, name),
            // nchain, the second word, is the number of symbols.
            (None, Some(table)) => {
                let count: u32 = guest::read(table + 4)?;
                (0..u64::from(count)).take(MOST).find_map(|i| self.named(i, name))
            }
            (None, None) => None,
        }
    }

    fn by_gnu_hash(&self, table: u64, name: &[u8]) -> Option<u64> {
        let [buckets, first, bloom, _] = guest::read::<[u32; 4]>(table)?;
        let wanted = name.iter().fold(5381u32, |hash, &byte| hash.wrapping_mul(33).wrapping_add(u32::from(byte)));
        let bucket = wanted.checked_rem(buckets)?;
        let buckets_at = table + 16 + 8 * u64::from(bloom);
        let chains_at = buckets_at + 4 * u64::from(buckets);
        let start: u32 = guest::read(buckets_at + 4 * u64::from(bucket))?;
        for symbol in (u64::from(start)..).take(MOST) {
            let hash: u32 = guest::read(chains_at + 4 * symbol.checked_sub(u64::from(first))?)?;
            if hash | 1 == wanted | 1
                && let Some(at) = self.named(symbol, name)
            {
                return Some(at);
            }
            if hash & 1 != 0 {
                return None;
            }
        }
        None
    }

    /// The value of a symbol, if it is defined and has this name.
    fn named(&self, symbol: u64, name: &[u8]) -> Option<u64> {
        let at = self.symbols + symbol * SYM_BYTES;
        let text = self.strings + u64::from(guest::read::<u32>(at)?);
        let section = guest::read::<[u8; 2]>(at + 6)?;
        let is_it = name.iter().chain(&[0]).zip(text..).all(|(&byte, at)| guest::read::<u8>(at) == Some(byte));
        if section == [0, 0] || !is_it {
            return None;
        }
        Some(self.bias.wrapping_add(guest::read(at + 8)?))
    }
}
