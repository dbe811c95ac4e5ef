//! Makes the module's code area executable in the finished file.
//!
//! The sources declare it `"aw",@nobits`: objtool of Linux 6.12 crashes on an executable section without
//! contents. The loader maps sections by their flags, so that the change after the link is all it takes.

use std::mem::offset_of;

use anyhow::{Context as _, Result, bail};
use goblin::elf::Elf;
use goblin::elf::section_header::{SHF_ALLOC, SHF_EXECINSTR, SHT_NOBITS};
use goblin::elf64::section_header::SectionHeader;

/// Name of the section.
pub const CODE_AREA: &str = ".btcode";

/// Gives section `name` the flags "alloc, execute" and returns its size; nothing when there is no such section.
pub fn make_executable(elf: &mut [u8], name: &str) -> Result<Option<u64>> {
    let file = Elf::parse(elf)?;
    if !file.is_64 || !file.little_endian {
        bail!("not a 64-bit little-endian ELF file");
    }
    let is_wanted = |section: &goblin::elf::SectionHeader| file.shdr_strtab.get_at(section.sh_name) == Some(name);
    let Some(index) = file.section_headers.iter().position(is_wanted) else { return Ok(None) };
    let section = &file.section_headers[index];
    if section.sh_type != SHT_NOBITS {
        bail!("section {name} has contents: it must be declared @nobits");
    }
    let size_bytes = section.sh_size;
    let table = usize::try_from(file.header.e_shoff).context("the ELF file is damaged")?;
    let flags = table + index * usize::from(file.header.e_shentsize) + offset_of!(SectionHeader, sh_flags);
    let bytes = elf.get_mut(flags..flags + 8).context("section header")?;
    bytes.copy_from_slice(&u64::from(SHF_ALLOC | SHF_EXECINSTR).to_le_bytes());
    Ok(Some(size_bytes))
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use goblin::elf64::header::{ELFCLASS64, ELFDATA2LSB, ELFMAG, Header};
    use goblin::elf64::section_header::{SHT_NOBITS, SHT_STRTAB, SectionHeader};

    use super::make_executable;

    const TABLE: usize = 0x40;
    const ENTRY: usize = 0x40;

    /// Sections: none, `.btcode` of 2 MiB, `.shstrtab`.
    fn object(kind: u32) -> Vec<u8> {
        let names = b"\0.btcode\0.shstrtab\0";
        let mut elf = vec![0; TABLE + 3 * ENTRY];
        let mut put = |at: usize, bytes: &[u8]| elf[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &[ELFMAG.as_slice(), &[ELFCLASS64, ELFDATA2LSB]].concat());
        put(offset_of!(Header, e_shoff), &(TABLE as u64).to_le_bytes());
        put(offset_of!(Header, e_shentsize), &[0x40, 0, 3, 0, 2, 0]);
        let code = TABLE + ENTRY;
        put(code + offset_of!(SectionHeader, sh_name), &1_u32.to_le_bytes());
        put(code + offset_of!(SectionHeader, sh_type), &kind.to_le_bytes());
        put(code + offset_of!(SectionHeader, sh_flags), &3_u64.to_le_bytes());
        put(code + offset_of!(SectionHeader, sh_size), &(2_u64 << 20).to_le_bytes());
        let strings = TABLE + 2 * ENTRY;
        put(strings + offset_of!(SectionHeader, sh_name), &9_u32.to_le_bytes());
        put(strings + offset_of!(SectionHeader, sh_type), &SHT_STRTAB.to_le_bytes());
        put(strings + offset_of!(SectionHeader, sh_size), &(names.len() as u64).to_le_bytes());
        put(strings + offset_of!(SectionHeader, sh_offset), &((TABLE + 3 * ENTRY) as u64).to_le_bytes());
        elf.extend_from_slice(names);
        elf
    }

    #[test]
    fn code_area_becomes_executable_and_nothing_else_changes() {
        let before = object(SHT_NOBITS);
        let mut after = before.clone();
        assert_eq!(make_executable(&mut after, ".btcode").unwrap(), Some(2 << 20));
        let flags = TABLE + ENTRY + offset_of!(SectionHeader, sh_flags);
        assert_eq!(after[flags..flags + 8], 6_u64.to_le_bytes());
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
