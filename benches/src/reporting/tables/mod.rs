//! Which tables a report has.

pub(super) mod generic;
mod latency;
mod singularity;
pub(super) mod targets;
mod vmware;

use super::data::Data;
use super::published::Published;
use super::table::Table;

/// Every table, in order: of each suite the paper's, all benchmarks, the targets and the latencies.
#[must_use]
pub(super) fn all(data: &Data, published: &Published) -> Vec<Table> {
    let mut tables = Vec::new();
    for suite in &data.suites {
        match suite.name.as_str() {
            "singularity" => tables.push(singularity::table(suite, published)),
            "vmware" => tables.push(vmware::table(suite, published)),
            _ => {}
        }
        let is_beside_native = suite.is_beside_native();
        if is_beside_native {
            tables.push(generic::table(suite));
        }
        if targets::has_targets(suite) || !is_beside_native {
            tables.push(targets::table(suite));
        }
        tables.extend(latency::table(suite));
    }
    tables
}

#[cfg(test)]
mod tests;
