//! A case: a named check, and how one says that it cannot run.

use anyhow::Result;

use crate::command::Bench;

/// A named check that runs in a process of its own, for no longer than the limits allow.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What holds when it passes.
    pub name: &'static str,
    /// The check; what it prints is shown when it fails.
    pub run: fn(&Bench) -> Result<()>,
}

/// A row of a table of cases.
pub const fn case(name: &'static str, run: fn(&Bench) -> Result<()>) -> Case {
    Case { name, run }
}

/// The error of a case that could not run, which is no failure.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Skipped(String);

impl Skipped {
    /// Says why.
    pub fn because(reason: impl Into<String>) -> anyhow::Error {
        Self(reason.into()).into()
    }
}

/// Skips the case unless the initramfs holds `command`.
pub fn need(command: &str) -> Result<()> {
    match bt_tests::paths::find_command(command) {
        Some(_) => Ok(()),
        None => Err(Skipped::because(format!("{command} is not installed on the host"))),
    }
}

/// Cases of `table` whose name contains one of `filters`; all without filters.
pub fn select<'a>(table: &'a [Case], filters: &[String]) -> Vec<&'a Case> {
    table
        .iter()
        .filter(|case| filters.is_empty() || filters.iter().any(|text| case.name.contains(text.as_str())))
        .collect()
}
