//! Memory: the runtime's own, and access to the guest's.

pub mod concerns;
pub mod guest;
pub mod heap;
pub mod intrinsics;
pub mod lock;
pub mod map;
pub mod spans;
