//! Where things go in the guest's address space.

use crate::sys::process;

/// Where the kernel puts position-independent programs (arch/x86/include/asm/elf.h, ELF_ET_DYN_BASE).
pub const DYN_BASE: u64 = 0x5555_5555_4000;
/// Bits of randomness of its choice, in pages (vm.mmap_rnd_bits' default).
const DYN_RANDOM_BITS: u32 = 28;
/// Span over which brk starts after a program (arch/x86/kernel/process.c, arch_randomize_brk).
const BRK_RANDOM: u64 = 0x0200_0000;
/// personality(2): no randomization.
const ADDR_NO_RANDOMIZE: u64 = 0x0004_0000;

fn randomize() -> bool {
    process::personality().is_ok_and(|flags| flags & ADDR_NO_RANDOMIZE == 0)
}

/// Address for a position-independent program of `align`.
#[must_use]
pub fn program_base(align: u64) -> u64 {
    let offset = if randomize() { (process::random() & ((1 << DYN_RANDOM_BITS) - 1)) << 12 } else { 0 };
    (DYN_BASE + offset) & !(align - 1)
}

/// Address at which brk starts after a program that ends at `end`.
#[must_use]
pub fn brk_start(end: u64) -> u64 {
    let end = end.next_multiple_of(4096);
    if randomize() { end + ((process::random() % BRK_RANDOM) & !4095) } else { end }
}
