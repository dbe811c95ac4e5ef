//! Guest threads: their state, and where all of them are found.

pub mod actions;
pub mod held;
pub mod registers;
pub mod registry;
pub mod shared;
pub mod shared_maps;
pub mod state;
