//! Where things go in the guest's address space.

use crate::sys::raw;
use linux_raw_sys::general as k;

/// Where the kernel puts position-independent programs (arch/x86/include/asm/elf.h, ELF_ET_DYN_BASE).
pub const DYN_BASE: u64 = 0x5555_5555_4000;
/// Bits of randomness of its choice, in pages (vm.mmap_rnd_bits' default).
const DYN_RANDOM_BITS: u32 = 28;
/// Span over which brk starts behind a program (arch/x86/kernel/process.c, arch_randomize_brk).
const BRK_RANDOM: u64 = 0x0200_0000;
/// personality(2): no randomization.
const ADDR_NO_RANDOMIZE: u64 = 0x0004_0000;

fn random() -> u64 {
    let mut value = 0u64;
    // SAFETY: getrandom(2) writes eight bytes. GRND_NONBLOCK = 1: early in boot the layout is not random.
    let _ = unsafe { raw::syscall(k::__NR_getrandom, [&raw mut value as u64, 8, 1]) };
    value
}

fn randomize() -> bool {
    // SAFETY: 0xffffffff asks without changing.
    unsafe { raw::syscall(k::__NR_personality, [0xffff_ffff]) }.is_ok_and(|p| p & ADDR_NO_RANDOMIZE == 0)
}

/// Address for a position-independent program of `align`.
#[must_use]
pub fn program_base(align: u64) -> u64 {
    let offset = if randomize() { (random() & ((1 << DYN_RANDOM_BITS) - 1)) << 12 } else { 0 };
    (DYN_BASE + offset) & !(align - 1)
}

/// Address at which brk starts behind a program that ends at `end`.
#[must_use]
pub fn brk_start(end: u64) -> u64 {
    let end = end.next_multiple_of(4096);
    if randomize() { end + ((random() % BRK_RANDOM) & !4095) } else { end }
}
