//! The gate: the ways between guest code and the runtime.
//!
//! [`asm`] holds the assembly and the register contract of each entry, [`lanes`] that of calls answered by descriptor,
//! [`clock`] that of calls answered by the vDSO, [`filters`] that of calls that only seldom concern the runtime,
//! [`duplicates`] that of descriptors duplicated, [`ring0`] that of calls at which ring 0 is entered; [`region`] tells a signal handler where in it a thread was
//! stopped. [`routes`] decides which of them a call takes, from the calls' rows and the [`facts`] about the process.
//! What the gate calls in Rust is in `entries`.

#[macro_use]
mod operands;

pub mod allowed;
pub mod asm;
pub mod classify;
pub mod clock;
pub mod duplicates;
mod entries;
mod entry;
pub mod facts;
pub mod filters;
mod flags;
pub mod labels;
pub mod lane;
pub mod lanes;
pub mod lookup;
pub mod low;
pub mod piece;
pub mod region;
pub mod ring0;
pub mod routes;
pub mod vdso;

pub use entry::{ANSWERS, CallEntry};
pub use routes::prepare;
