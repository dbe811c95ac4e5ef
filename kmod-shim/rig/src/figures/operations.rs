//! What instructions of user code cost in ring 0: where a program's own part goes.

use std::ptr;

use anyhow::{Result, bail};

use super::region::{BASE, DATA, DATA_BYTES, Region};
use super::report::report;
use crate::command::Bench;

/// Sequences, put into the same loop each. With `%` begin the operands relative to the pc: four bytes are put there.
const SEQUENCES: &[(&str, &[&[u8]])] = &[
    ("mov_rax_[rdi]", &[&[0x48, 0x8b, 0x07]]),
    ("mov_[rdi]_rax", &[&[0x48, 0x89, 0x07]]),
    ("mov_rax_[rsp+8]", &[&[0x48, 0x8b, 0x44, 0x24, 0x08]]),
    ("mov_rax_[rdi]_rcx_[rdi+8]", &[&[0x48, 0x8b, 0x07, 0x48, 0x8b, 0x4f, 0x08]]),
    ("mov_rax_[rip+x]", &[&[0x48, 0x8b, 0x05], b"%"]),
    ("cmp_byte_[rip+x]_0", &[&[0x80, 0x3d], b"%", &[0]]),
    ("mov_rax_fs:[40]", &[&[0x64, 0x48, 0x8b, 0x04, 0x25, 40, 0, 0, 0]]),
    ("push_rbp_pop_rbp", &[&[0x55, 0x5d]]),
    ("push_rbp_rdi_rsi_pop_all", &[&[0x55, 0x57, 0x56, 0x5e, 0x5f, 0x5d]]),
    ("test_jcc", &[&[0x85, 0xc0, 0x0f, 0x88, 0, 0, 1, 0]]),
    // call +2; jmp +1; ret
    ("call_jmp_ret", &[&[0xe8, 2, 0, 0, 0, 0xeb, 1, 0xc3]]),
];

/// Each sequence, as the translator makes operations of it.
pub fn operations(bench: &Bench) -> Result<()> {
    // SAFETY: nothing is mapped there: programs are position independent.
    let data = unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE | libc::MAP_POPULATE;
        libc::mmap(ptr::without_provenance_mut(DATA), DATA_BYTES, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
    };
    if data.addr() != DATA {
        bail!("no memory at {DATA:#x}");
    }
    let empty = Region::load(&in_loop(&[]))?.per_round(0)?;
    for (name, parts) in SEQUENCES {
        let cost = Region::load(&in_loop(&assemble(parts)))?.per_round(0)? - empty;
        report(bench, name, cost)?;
    }
    Ok(())
}

/// Fills in operands; the sequence is at [`BASE`].
fn assemble(parts: &[&[u8]]) -> Vec<u8> {
    let len: usize = parts.iter().map(|part| if *part == b"%" { 4 } else { part.len() }).sum();
    let base = usize::try_from(BASE).unwrap_or(0);
    let distance = u32::try_from(DATA - base - len).unwrap_or(0).to_le_bytes();
    parts.iter().flat_map(|part| if *part == b"%" { &distance } else { *part }).copied().collect()
}

/// The sequence, and what ends a loop that counts rbx down.
fn in_loop(sequence: &[u8]) -> Vec<u8> {
    let back = -i32::try_from(sequence.len() + 10).unwrap_or(0);
    let mut code = sequence.to_vec();
    code.extend([0x48, 0x83, 0xeb, 1, 0x0f, 0x85]); // sub rbx, 1; jne the begin
    code.extend(back.to_le_bytes());
    code.extend([0x0f, 0x0b]); // ud2
    code
}
