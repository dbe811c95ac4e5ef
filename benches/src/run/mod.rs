//! Measuring: all ways in turns, and rows of what they gave.
//!
//! The way of a figure: [`session`] prepares a benchmark and places it → [`contest`] lets the [`ways`] take [`turns`] →
//! [`sampler`] takes one sample by [`launch`] → [`output`] reads what a driver printed → a [`row`].

mod checks;
mod contest;
pub(crate) mod launch;
mod output;
mod peak;
pub(crate) mod peers;
mod progress;
pub(crate) mod row;
mod run_stats;
mod sampler;
mod server;
pub(crate) mod session;
mod turns;
pub(crate) mod ways;
