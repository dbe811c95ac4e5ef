//! A row: what one way of running gave for one benchmark, what it is compared with, and what was promised of it.

pub(crate) mod engine;
pub(crate) mod judge;
pub(crate) mod result;
pub(crate) mod rounds;
pub(crate) mod target;
