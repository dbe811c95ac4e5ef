//! Flags that need care (Intel SDM vol. 1, 3.4.3).

/// What Rust code cannot run with: AC (bit 18), TF (bit 8).
pub const UNSAFE: u32 = 1 << 18 | 1 << 8;
/// Flags besides the arithmetic ones that must be put back, which `sahf` does not reach: these, and DF (bit 10). Lanes
/// leave calls made with them to Rust.
pub const RARE: u32 = UNSAFE | 1 << 10;
