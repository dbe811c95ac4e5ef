//! From rows to what people read: the tables of a run, `bt-bench report`, `compare` and `merge`.
//!
//! The way of a row: [`load`] reads and chooses → [`data`] puts in order → [`tables`] and [`plots`] say what is shown →
//! [`markdown`], [`csv`], [`latex`], [`html`] and the plots' files say how; [`terminal`] and [`verdicts`] are what is
//! printed after a run. Nothing is measured here.

pub(crate) mod command;
pub(crate) mod compare;
mod csv;
pub(crate) mod data;
mod effect;
#[cfg(test)]
mod fixture;
mod format;
mod html;
mod latex;
pub(crate) mod load;
mod markdown;
mod mean;
pub(crate) mod merge;
mod plots;
mod published;
mod table;
mod tables;
pub(crate) mod terminal;
pub(crate) mod verdicts;
