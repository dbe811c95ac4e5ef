//! From rows to what people read: `bt-bench report`, `compare` and `merge`.
//!
//! The way of a row: [`load`] reads and chooses → [`data`] puts in order → [`tables`] and [`plots`] say what is shown →
//! [`markdown`], [`csv`], [`latex`], [`html`] and the plots' files say how. Nothing is measured here.

pub mod command;
pub mod compare;
pub mod csv;
pub mod data;
pub mod effect;
#[cfg(test)]
mod fixture;
pub mod format;
pub mod html;
pub mod latex;
pub mod load;
pub mod markdown;
pub mod merge;
pub mod plots;
pub mod published;
pub mod table;
pub mod tables;

pub use command::{Arguments, run};
