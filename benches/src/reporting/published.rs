//! What others published: `data/published.toml`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// The whole file.
#[derive(Debug, Deserialize)]
pub(super) struct Published {
    /// Singularity's table of basic costs.
    pub singularity_mspc2006: Singularity,
    /// Singularity's cost of isolation mechanisms, in percent.
    pub singularity_unsafe_code_tax: BTreeMap<String, toml::Value>,
    /// VMware's comparison of software and hardware virtualisation.
    pub vmware_asplos2006: Vmware,
    /// What came since.
    #[serde(default)]
    pub related: Vec<Related>,
}

/// Table 1 of Aiken et al.
#[derive(Debug, Deserialize)]
pub(super) struct Singularity {
    /// Where it stands.
    pub source: String,
    /// What it was measured on.
    pub machine: String,
    /// The systems.
    pub row: Vec<System>,
}

/// A system of that table; cycles.
#[derive(Debug, Deserialize)]
pub(super) struct System {
    /// Its name.
    pub system: String,
    /// A call of the kernel.
    pub abi_call_cycles: Option<f64>,
    /// A yield between two threads.
    pub thread_yield_cycles: Option<f64>,
    /// A byte to another process and back.
    pub psr_cycles: Option<f64>,
    /// Process creation.
    pub create_process_cycles: Option<f64>,
}

/// Figure 4 and the appendix of Adams & Agesen: native, software VMM, hardware VMM.
#[derive(Debug, Deserialize)]
pub(super) struct Vmware {
    /// Where it stands.
    pub source: String,
    /// What it was measured on.
    pub machine: String,
    /// SPECint 2000 under the software VMM.
    pub specint2000_slowdown_software_percent: f64,
    /// SPECint 2000 under the hardware VMM.
    pub specint2000_slowdown_hardware_percent: f64,
    /// Cycles of single operations.
    pub nano_cycles: BTreeMap<String, [f64; 3]>,
    /// Whole programs, units in the keys.
    #[serde(rename = "macro")]
    pub whole_programs: BTreeMap<String, [f64; 3]>,
}

/// A system that came since.
#[derive(Debug, Deserialize)]
pub(super) struct Related {
    /// Name and venue.
    pub system: String,
    /// What it reports.
    pub result: String,
    /// How it works.
    pub mechanism: String,
}

/// Reads the file that is compiled in.
///
/// # Errors
/// It is not what the types say.
pub(super) fn read() -> Result<Published> {
    toml::from_str(include_str!("../../data/published.toml")).context("data/published.toml")
}

impl Published {
    /// Every figure with its key, for a paper's text: `singularity/linux/abi-call`.
    #[must_use]
    pub(super) fn figures(&self) -> Vec<(String, f64)> {
        let mut figures = Vec::new();
        for system in &self.singularity_mspc2006.row {
            let name = key(system.system.trim_start_matches("Singularity "));
            for (column, value) in [
                ("abi-call", system.abi_call_cycles),
                ("thread-yield", system.thread_yield_cycles),
                ("psr", system.psr_cycles),
                ("create-process", system.create_process_cycles),
            ] {
                figures.extend(value.map(|value| (format!("singularity/{name}/{column}"), value)));
            }
        }
        for (name, value) in &self.singularity_unsafe_code_tax {
            let value = value
                .as_float()
                .or_else(|| value.as_integer().and_then(|whole| i32::try_from(whole).ok()).map(f64::from));
            figures.extend(value.map(|value| (format!("singularity/tax/{}", key(name)), value)));
        }
        let vmware = &self.vmware_asplos2006;
        figures.push(("vmware/specint/software".to_owned(), vmware.specint2000_slowdown_software_percent));
        figures.push(("vmware/specint/hardware".to_owned(), vmware.specint2000_slowdown_hardware_percent));
        for (name, values) in vmware.nano_cycles.iter().chain(&vmware.whole_programs) {
            for (way, value) in ["native", "software", "hardware"].iter().zip(values) {
                figures.push((format!("vmware/{}/{way}", key(name)), *value));
            }
        }
        figures
    }
}

fn key(name: &str) -> String {
    name.to_lowercase().replace(['_', ' '], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_is_what_the_types_say() {
        let published = read().unwrap();
        assert_eq!(published.singularity_mspc2006.row.len(), 7);
        assert_eq!(published.vmware_asplos2006.nano_cycles["syscall"], [242.0, 2308.0, 246.0]);
        assert!(published.related.len() > 5);
    }

    #[test]
    fn figures_have_keys() {
        let figures: BTreeMap<String, f64> = read().unwrap().figures().into_iter().collect();
        assert_eq!(figures["singularity/linux/abi-call"], 437.0);
        assert_eq!(figures["singularity/sip-phys/psr"], 1041.0);
        assert_eq!(figures["singularity/tax/ring3-percent"], 33.0);
        assert_eq!(figures["vmware/call-ret/software"], 51.0);
        assert!(!figures.contains_key("singularity/sip-page/thread-yield"));
    }
}
