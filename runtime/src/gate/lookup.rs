//! The second level of the look-up of indirect branches, as the gate's routine reads it. `engine::translate::ibl` fills
//! it.

use core::sync::atomic::AtomicU64;

/// Multiplier of the hash; the routine uses it sign-extended.
pub const HASH: i32 = 0x1e37_79b1;
/// Address of the table: pairs of guest pc and prologue.
pub static TABLE: AtomicU64 = AtomicU64::new(0);
/// Slots of the table minus one.
pub static MASK: AtomicU64 = AtomicU64::new(0);
/// Moves before anything is taken out of the tables. The routine, which writes the first level without the engine's
/// lock, takes its entry back when it has moved meanwhile.
pub static CHANGES: AtomicU64 = AtomicU64::new(0);
