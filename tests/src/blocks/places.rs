//! Where code and data of the blocks lie: at fixed addresses, so that both runs see the same.

/// Bytes from one block to the next; not a divisor of a page, so that blocks straddle pages.
pub(crate) const SLOT_BYTES: u64 = 960;
/// Blocks that are written before they are run.
pub(crate) const SLOTS: u64 = 4096;
/// Bytes of a code region.
pub(crate) const CODE_BYTES: u64 = (SLOT_BYTES * SLOTS).next_multiple_of(4096);
/// Bytes of an arena; the pages around it are not mapped.
pub(crate) const ARENA_BYTES: u64 = 16 << 10;
/// Bytes of the constants.
pub(crate) const CONSTANTS_BYTES: u64 = 2 * 4096;
/// Selector of user data (arch/x86/include/asm/segment.h).
pub(crate) const USER_DS: u64 = 0x2b;
/// In the constants: eight small numbers of 64 bits, sixteen of 32 bits, MXCSR values, selectors, and an
/// xsave image.
pub(crate) const INDICES_64: u64 = 0;
/// See [`INDICES_64`].
pub(crate) const INDICES_32: u64 = 64;
/// See [`INDICES_64`].
pub(crate) const MXCSR_VALUES: u64 = 1024;
/// See [`INDICES_64`].
pub(crate) const SELECTORS: u64 = 2048;
/// See [`INDICES_64`].
pub(crate) const XSAVE_IMAGE: u64 = 4096;

/// A place for code and the arenas its operands use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Region {
    /// First slot.
    pub(crate) code: u64,
    /// Code is rewritten in place while it can be executed.
    pub(crate) in_place: bool,
    /// Read-only data.
    pub(crate) constants: u64,
    /// Arenas.
    pub(crate) arenas: &'static [u64],
}

/// Below 2 GiB: what 32-bit addresses reach.
pub(crate) const LOW: u64 = 0x5200_0000;
const NEAR: u64 = 0x1000_0100_0000;
/// Within reach of RIP-relative operands of the code, not of a copy somewhat below it.
const FAR_UP: u64 = 0x1000_7fb0_0000;
const FAR_DOWN: u64 = 0x0fff_8100_0000;
const FAR_LOW: u64 = 0xce00_0000;

/// Every arena.
pub(crate) const ARENAS: [u64; 5] = [LOW, NEAR, FAR_UP, FAR_DOWN, FAR_LOW];

/// Code regions: high, low (return addresses fit 32 bits), and rewritten in place.
pub(crate) const REGIONS: [Region; 3] = [
    Region {
        code: 0x1000_0000_0000,
        in_place: false,
        constants: 0x0fff_fff0_0000,
        arenas: &[NEAR, NEAR, FAR_UP, FAR_DOWN, LOW],
    },
    Region { code: 0x5000_0000, in_place: false, constants: 0x4ff0_0000, arenas: &[LOW, LOW, FAR_LOW] },
    Region { code: 0x1000_0080_0000, in_place: true, constants: 0x0fff_fff0_0000, arenas: &[NEAR, FAR_UP, LOW] },
];

/// Slots of a region whose code is rewritten in place.
const SLOTS_IN_PLACE: u64 = 6;

impl Region {
    /// Where block `index` begins.
    pub(crate) fn slot(&self, index: u64) -> u64 {
        let slots = if self.in_place { SLOTS_IN_PLACE } else { SLOTS };
        self.code + index % slots * SLOT_BYTES
    }
}

/// The region of block `index`: whole batches alternate, some blocks of each are rewritten in place.
pub(crate) fn region_of(index: u64) -> &'static Region {
    if index % 24 == 7 {
        &REGIONS[2]
    } else if index / SLOTS % 4 == 1 {
        &REGIONS[1]
    } else {
        &REGIONS[0]
    }
}
