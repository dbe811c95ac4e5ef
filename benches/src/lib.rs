//! Measures bt-run beside native execution: both interleaved in one run, every figure with its spread, what loses
//! printed too.
//!
//! The way of a figure: a suite in `suites` names a benchmark → `run` lets native and the other ways take turns
//! with it → a row of `rows` keeps the figures, and the target where one is promised → `reporting` makes tables and
//! plots of rows. `commands` are the command lines.
//!
//! Each of these is a layer, and a layer imports only itself and those before it: base, rows, suites, run, reporting,
//! commands (`layers.rs` checks it).
#![deny(unsafe_code)]
#![warn(unreachable_pub)]

mod base;
mod commands;
#[cfg(test)]
mod layers;
mod reporting;
mod rows;
mod run;
mod suites;

pub use commands::main;
pub use suites::drivers::build as build_driver;

/// The layers from the lowest to the highest.
#[cfg(test)]
const LAYERS: [&str; 6] = ["base", "rows", "suites", "run", "reporting", "commands"];
