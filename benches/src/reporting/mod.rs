//! From rows to what people read: the tables of a run, `bt-bench report`, `compare` and `merge`.
//!
//! The way of a row: [`load`] reads and chooses → [`data`] puts in order → [`tables`] and [`plots`] say what is shown →
//! [`markdown`], [`csv`], [`latex`], [`html`] and the plots' files say how; [`terminal`] and [`targets`] are what is printed
//! after a run. Nothing is measured here.

pub mod command;
pub mod compare;
mod csv;
pub mod data;
mod effect;
#[cfg(test)]
mod fixture;
mod format;
mod html;
mod latex;
pub mod load;
mod markdown;
mod mean;
pub mod merge;
mod plots;
mod published;
mod table;
mod tables;
pub mod targets;
pub mod terminal;
