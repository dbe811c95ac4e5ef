//! Which tables a report has.

pub mod generic;
mod latency;
mod singularity;
pub mod targets;
mod vmware;

use super::data::Data;
use super::published::Published;
use super::table::Table;

/// Every table, in order: those of the papers first, then one for each suite.
#[must_use]
pub fn all(data: &Data, published: &Published) -> Vec<Table> {
    let mut tables = Vec::new();
    for suite in &data.suites {
        match suite.name.as_str() {
            "singularity" => tables.push(singularity::table(suite, published)),
            "vmware" => tables.push(vmware::table(suite, published)),
            _ => {}
        }
        tables.push(generic::table(suite));
        if targets::has_targets(suite) {
            tables.push(targets::table(suite));
        }
        tables.extend(latency::table(suite));
    }
    tables
}

#[cfg(test)]
mod tests;
