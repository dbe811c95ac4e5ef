//! The cases, by what they are about.

mod bench;
mod blocks;
mod boundaries;
mod device;
mod faults;
mod module;
mod programs;
mod programs_ring0;
mod promptness;
pub(crate) mod ring0;
mod servers;
mod table;

pub use table::CASES;
