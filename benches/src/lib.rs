//! Measures bt-run beside native execution: both interleaved in one run, every figure with its
//! spread, what loses printed too.
//!
//! The way of a figure: [`suites`] name what is run → [`launch`] runs it once → [`measure`]
//! interleaves the sides → [`stats`] estimates → [`rows`] keeps the row → [`report`] prints it.
#![deny(unsafe_code)]

pub mod c_source;
pub mod command;
pub mod doctor;
pub mod emulation;
pub mod emulation_report;
pub mod engine;
pub mod host;
pub mod inputs;
pub mod launch;
pub mod measure;
pub mod mechanisms;
pub mod os;
pub mod peers;
pub mod programs;
pub mod promises;
pub mod report;
pub mod reporting;
pub mod result;
pub mod rows;
pub mod run;
pub mod run_stats;
pub mod speed;
pub mod stats;
pub mod suites;
pub mod target;
pub mod variant;
pub mod workload;
