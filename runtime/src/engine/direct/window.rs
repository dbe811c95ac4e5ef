//! Where stubs lie.
//!
//! A site of two bytes is overwritten by `jmp rel32`, which reaches over what follows. Branches may lead there. So the
//! three upper bytes of the displacement are instructions of one byte that raise #GP at user privilege (`hlt` and
//! others; Intel SDM vol. 2): whoever jumps to one of them faults, and the handler knows where the guest wanted to go.
//! The upper bytes are the same for all sites of a module; a *window* is the range at the distance they spell, as long
//! as the module's code. The lowest byte of the displacement, which no instruction begins at, is free: each site has
//! 256 addresses at which its stub may begin.

use crate::sys::{Errno, mem};
use bt_translator::emit::{JMP_NEAR_BYTES, traps};
use linux_raw_sys::general as k;

/// `hlt`: #GP in user mode. It is what fills the rest of a patch.
pub const TRAP: u8 = traps::HLT;
/// Instructions of one byte that raise #GP in user mode, for the upper bytes of a displacement: negative ones, and
/// positive ones.
const HIGH: [u8; 6] = [traps::HLT, traps::CLI, traps::OUT_DX_AL, traps::OUT_DX_EAX, traps::IN_AL_DX, traps::IN_EAX_DX];
const LOW: [u8; 4] = [traps::OUTSD, traps::OUTSB, traps::INSD, traps::INSB];
/// Bytes of `jmp rel32`.
pub const JUMP_BYTES: u64 = JMP_NEAR_BYTES;
/// Bytes of a mapping for stubs that are reached through a trap, and may lie anywhere within reach.
const SPILL_BYTES: u64 = 64 << 10;
/// Distance that such a stub may have from its code: what `jmp rel32` reaches, less room for the module itself.
const REACH: u64 = 0x7000_0000;
/// Addresses a site's stub may begin at.
pub const CHOICES: u64 = 256;

/// Room for the stubs of one range of guest code.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// The guest code it serves.
    pub code: (u64, u64),
    /// The mapping.
    pub map: (u64, u64),
    /// Displacement of the jumps, its lowest byte zero.
    displacement: i32,
    /// Next free byte after the addresses that jumps can reach: for stubs that found no room there.
    pub overflow: u64,
}

/// Room for stubs that are reached through a trap.
#[derive(Debug, Clone, Copy)]
pub struct Spill {
    /// The mapping.
    pub map: (u64, u64),
    /// Next free byte.
    pub next: u64,
}

impl Spill {
    /// Maps room within reach of `pc`: below it, else as far above it as can be, because brk grows there. `None`
    /// without address space.
    #[must_use]
    pub fn map(pc: u64) -> Option<Self> {
        const STEP: u64 = 16 << 20;
        let page = pc & !4095;
        let below = (1..=REACH / STEP).filter_map(|n| page.checked_sub(n * STEP));
        let above = (1..=REACH / STEP).rev().map(|n| page + n * STEP);
        below.chain(above).find_map(|base| {
            let at = map_at(base, SPILL_BYTES).ok()?;
            Some(Self { map: (at, at + SPILL_BYTES), next: at })
        })
    }

    /// It is within reach of `pc` and has room for `bytes`.
    #[must_use]
    pub fn serves(&self, pc: u64, bytes: u64) -> bool {
        self.next.abs_diff(pc) <= REACH && self.next + bytes <= self.map.1
    }
}

impl Window {
    /// Maps a window for `start..end`, with room for stubs that find none where jumps reach. `None` if no distance that
    /// traps is free.
    #[must_use]
    pub fn map(start: u64, end: u64, overflow_bytes: u64) -> Option<Self> {
        let (start, end) = (start & !4095, end.next_multiple_of(4096));
        // A jump from the last byte of the code leads into the page after.
        let reached = end - start + 4096;
        let len = reached + overflow_bytes.next_multiple_of(4096);
        let top = if start < 1 << 31 { &LOW[..] } else { &HIGH[..] };
        for &high in top {
            for middle in HIGH {
                let displacement = i32::from_le_bytes([0, TRAP, middle, high]);
                let Some(base) = start.checked_add_signed(i64::from(displacement)) else { continue };
                let base = base & !4095;
                if let Ok(at) = map_at(base, len) {
                    let overflow = at + reached;
                    return Some(Self { code: (start, end), map: (at, at + len), displacement, overflow });
                }
            }
        }
        None
    }

    /// Stubs are written, or not any more; other threads may be executing some. False where a policy forbids that.
    #[must_use]
    pub fn set_writable(&self, writable: bool) -> bool {
        let access = k::PROT_READ | k::PROT_EXEC | if writable { k::PROT_WRITE } else { 0 };
        // SAFETY: our own mapping, which stays executable.
        unsafe { mem::mprotect(self.map.0, self.map.1 - self.map.0, access) }.is_ok()
    }

    /// First address at which the stub of a jump at `site` may begin.
    #[must_use]
    pub fn first_choice(&self, site: u64) -> Option<u64> {
        (site + JUMP_BYTES).checked_add_signed(i64::from(self.displacement))
    }
}

fn map_at(at: u64, len: u64) -> Result<u64, Errno> {
    let prot = k::PROT_READ | k::PROT_WRITE | k::PROT_EXEC;
    mem::map_own_at(at, len, prot, k::MAP_FIXED_NOREPLACE | k::MAP_NORESERVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_that_traps_lead_to_is_not_where_brk_grows() {
        for pc in [0x40_1000u64, 0x5555_5555_4000] {
            let spill = Spill::map(pc).unwrap();
            assert!(spill.map.1 <= pc || spill.map.0 - pc > 1 << 30, "{:x}", spill.map.0);
            assert!(spill.serves(pc, 1000));
            // SAFETY: mapped above.
            unsafe { mem::munmap_own(spill.map.0, spill.map.1 - spill.map.0) };
        }
    }

    #[test]
    fn a_jump_into_the_window_consists_of_traps() {
        for start in [0x40_0000u64, 0x5555_5555_4000, 0x7f00_1234_5000] {
            let window = Window::map(start, start + 0x10_0000, 1000).unwrap();
            let site = start + 0xabcd;
            let first = window.first_choice(site).unwrap();
            for choice in [0, CHOICES - 1] {
                let stub = first + choice;
                assert!((window.map.0..window.map.1).contains(&stub));
                let rel = i32::try_from(stub.wrapping_sub(site + JUMP_BYTES).cast_signed()).unwrap();
                let [_, b1, b2, b3] = rel.to_le_bytes();
                assert_eq!(b1, TRAP);
                assert!(HIGH.contains(&b2) && (HIGH.contains(&b3) || LOW.contains(&b3)));
            }
            // SAFETY: mapped above.
            unsafe { mem::munmap_own(window.map.0, window.map.1 - window.map.0) };
        }
    }
}
