//! Reports figures to the host.

use anyhow::Result;

use crate::command::Bench;
use crate::kmsg;
use crate::protocol::{Message, Target};

/// Reports a figure of the running case.
pub fn report(bench: &Bench, key: &str, value: i64) -> Result<()> {
    tell(bench, key, value, None)
}

/// Reports a figure that has a target.
pub fn report_against(bench: &Bench, key: &str, value: i64, target: Target) -> Result<()> {
    tell(bench, key, value, Some(target))
}

fn tell(bench: &Bench, key: &str, value: i64, target: Option<Target>) -> Result<()> {
    Ok(kmsg::say(&Message::Figure { name: bench.name.clone(), key: key.to_owned(), value, target })?)
}
