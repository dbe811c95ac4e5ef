//! Makes the module's code area executable in the finished file.
//!
//! The sources declare it `"aw",@nobits`: objtool of Linux 6.12 crashes on an executable section without
//! contents. The loader maps sections by their flags, so that the change after the link is all it takes.

use anyhow::{Context as _, Result, bail};

/// Name of the section.
pub const CODE_AREA: &str = ".btcode";

// elf(5): sh_type and sh_flags.
const SHT_NOBITS: u32 = 8;
const SHF_ALLOC: u64 = 2;
const SHF_EXECINSTR: u64 = 4;

/// Offsets in Elf64_Ehdr and Elf64_Shdr.
mod offset {
    pub const E_SHOFF: usize = 0x28;
    pub const E_SHENTSIZE: usize = 0x3a;
    pub const E_SHNUM: usize = 0x3c;
    pub const E_SHSTRNDX: usize = 0x3e;
    pub const SH_NAME: usize = 0x00;
    pub const SH_TYPE: usize = 0x04;
    pub const SH_FLAGS: usize = 0x08;
    pub const SH_OFFSET: usize = 0x18;
    pub const SH_SIZE: usize = 0x20;
}

/// Gives section `name` the flags "alloc, execute" and returns its size; nothing when there is no such section.
pub fn make_executable(elf: &mut [u8], name: &str) -> Result<Option<u64>> {
    if elf.get(..6) != Some(b"\x7fELF\x02\x01") {
        bail!("not a 64-bit little-endian ELF file");
    }
    let table = place(word(elf, offset::E_SHOFF)?)?;
    let entry_bytes = half(elf, offset::E_SHENTSIZE)?;
    let header = |index: usize| table + index * entry_bytes;
    let names = place(word(elf, header(half(elf, offset::E_SHSTRNDX)?) + offset::SH_OFFSET)?)?;
    for index in 0..half(elf, offset::E_SHNUM)? {
        let header = header(index);
        let start = names + place(int(elf, header + offset::SH_NAME)?.into())?;
        let rest = elf.get(start..).context("section name")?;
        if rest.split(|&byte| byte == 0).next() != Some(name.as_bytes()) {
            continue;
        }
        if int(elf, header + offset::SH_TYPE)? != SHT_NOBITS {
            bail!("section {name} has contents: it must be declared @nobits");
        }
        let flags = header + offset::SH_FLAGS;
        let bytes = elf.get_mut(flags..flags + 8).context("section header")?;
        bytes.copy_from_slice(&(SHF_ALLOC | SHF_EXECINSTR).to_le_bytes());
        return Ok(Some(word(elf, header + offset::SH_SIZE)?));
    }
    Ok(None)
}

fn bytes<const N: usize>(elf: &[u8], at: usize) -> Result<[u8; N]> {
    let found = elf.get(at..).and_then(|rest| rest.first_chunk());
    found.copied().context("the ELF file is cut off")
}

fn half(elf: &[u8], at: usize) -> Result<usize> {
    Ok(u16::from_le_bytes(bytes(elf, at)?).into())
}

fn int(elf: &[u8], at: usize) -> Result<u32> {
    Ok(u32::from_le_bytes(bytes(elf, at)?))
}

fn word(elf: &[u8], at: usize) -> Result<u64> {
    Ok(u64::from_le_bytes(bytes(elf, at)?))
}

fn place(value: u64) -> Result<usize> {
    usize::try_from(value).context("the ELF file is damaged")
}

#[cfg(test)]
mod tests {
    use super::{SHT_NOBITS, int, make_executable, offset, word};

    const TABLE: usize = 0x40;
    const ENTRY: usize = 0x40;

    /// Sections: none, `.btcode` of 2 MiB, `.shstrtab`.
    fn object(kind: u32) -> Vec<u8> {
        let names = b"\0.btcode\0.shstrtab\0";
        let mut elf = vec![0; TABLE + 3 * ENTRY];
        let mut put = |at: usize, bytes: &[u8]| elf[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"\x7fELF\x02\x01");
        put(offset::E_SHOFF, &(TABLE as u64).to_le_bytes());
        put(offset::E_SHENTSIZE, &[0x40, 0, 3, 0, 2, 0]);
        let code = TABLE + ENTRY;
        put(code + offset::SH_NAME, &1_u32.to_le_bytes());
        put(code + offset::SH_TYPE, &kind.to_le_bytes());
        put(code + offset::SH_FLAGS, &3_u64.to_le_bytes());
        put(code + offset::SH_SIZE, &(2_u64 << 20).to_le_bytes());
        let strings = TABLE + 2 * ENTRY;
        put(strings + offset::SH_NAME, &9_u32.to_le_bytes());
        put(strings + offset::SH_OFFSET, &((TABLE + 3 * ENTRY) as u64).to_le_bytes());
        elf.extend_from_slice(names);
        elf
    }

    #[test]
    fn code_area_becomes_executable_and_nothing_else_changes() {
        let before = object(SHT_NOBITS);
        let mut after = before.clone();
        assert_eq!(make_executable(&mut after, ".btcode").unwrap(), Some(2 << 20));
        let flags = TABLE + ENTRY + offset::SH_FLAGS;
        assert_eq!(word(&after, flags).unwrap(), 6);
        assert_eq!(int(&after, TABLE + ENTRY + offset::SH_TYPE).unwrap(), SHT_NOBITS);
        after[flags] = 3;
        assert_eq!(after, before);
    }

    #[test]
    fn module_without_the_section_is_left_alone() {
        let mut elf = object(SHT_NOBITS);
        assert_eq!(make_executable(&mut elf, ".other").unwrap(), None);
        assert_eq!(elf, object(SHT_NOBITS));
    }

    #[test]
    fn section_with_contents_and_damaged_files_are_errors() {
        assert!(make_executable(&mut object(1), ".btcode").is_err());
        assert!(make_executable(&mut b"#!/bin/sh\n".to_vec(), ".btcode").is_err());
        let mut elf = object(SHT_NOBITS);
        elf.truncate(TABLE + ENTRY);
        assert!(make_executable(&mut elf, ".btcode").is_err());
    }
}
