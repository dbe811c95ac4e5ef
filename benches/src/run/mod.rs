//! Measuring: all ways in turns, and rows of what they gave.
//!
//! The way of a figure: [`session`] prepares a benchmark and places it → [`contest`] lets the [`ways`] take [`turns`] →
//! [`sampler`] takes one sample by [`launch`] → [`output`] reads what a driver printed → a [`row`].

mod checks;
mod contest;
pub mod launch;
mod output;
mod peak;
pub mod peers;
mod progress;
pub mod row;
mod run_stats;
mod sampler;
mod server;
pub mod session;
mod turns;
pub mod ways;
