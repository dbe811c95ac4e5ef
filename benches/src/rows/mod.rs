//! A row: what one way of running gave for one benchmark, what it is compared with, and what was promised of it.

pub mod engine;
pub mod judge;
pub mod result;
pub mod rounds;
pub mod target;
