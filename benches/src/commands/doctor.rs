//! `bt-bench doctor`: what this machine can measure, and what disturbs it.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::base::cpus::CpuSet;
use crate::base::host::Host;
use crate::base::programs;
use crate::run::peers;
use crate::suites::SUITES;

/// Prints the findings.
///
/// # Errors
/// The kernel does not tell the CPUs.
pub(super) fn run() -> Result<ExitCode> {
    // No launcher is measured here.
    let host = Host::inspect(Path::new("/nonexistent"));
    print!("{}", machine(&host, &CpuSet::allowed()?.cpus()));
    print!("{}", missing());
    let warnings = warnings(&host);
    for warning in &warnings {
        println!("warning: {warning}");
    }
    if warnings.is_empty() {
        println!("nothing was found that would disturb a measurement");
    }
    Ok(ExitCode::SUCCESS)
}

fn machine(host: &Host, cpus: &[usize]) -> String {
    let mut text = String::new();
    let place = if host.hypervisor { "virtual machine" } else { "bare metal" };
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<20} {value}");
    };
    line("CPU", &format!("{} ({}, microcode {})", host.cpu, host.cpu_family_model_stepping, host.microcode));
    line("machine", place);
    line("CPUs", &format!("{} online, of which {cpus:?} may be used", host.cpus));
    line("SMT", &host.smt);
    line("governor", &host.governor);
    let kind = if host.tsc_invariant { "invariant" } else { "not invariant" };
    line("time-stamp counter", &format!("{:.1} MHz, {kind}", host.tsc_hz / 1e6));
    line("PMU", if host.pmu { "yes: rows have counters" } else { "no PMU: perf_event_open gives no counters" });
    line("kernel", &format!("{}, {}", host.kernel, host.distribution));
    line("load", &host.load);
    for (name, state) in &host.mitigations {
        line("mitigation", &format!("{name}: {state}"));
    }
    text
}

/// Programs and peers that are not there, with what brings them.
fn missing() -> String {
    let mut names: Vec<&str> = SUITES
        .iter()
        .flat_map(|suite| (suite.benchmarks)())
        .flat_map(|benchmark| benchmark.programs())
        .filter(|program| programs::find(program).is_none())
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut text = String::new();
    if !names.is_empty() {
        let _ = writeln!(text, "{:<20} {}: {}", "missing programs", names.join(", "), programs::apt_line(&names));
    }
    for reason in peers::discover(&peers::search_path()).into_iter().filter_map(|peer| peer.command.err()) {
        let _ = writeln!(text, "{:<20} {reason}", "missing peer");
    }
    text
}

/// What makes figures stray, or keeps them from being seen.
fn warnings(host: &Host) -> Vec<String> {
    let mut all = Vec::new();
    let load: f64 = host.load.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0.0);
    if load > 0.3 {
        all.push(format!("load {load}: something else runs, and takes its turns in the figures"));
    }
    if host.hypervisor {
        all.push("a virtual machine: its CPUs may be taken away unseen, and exits are dear".to_owned());
    }
    if !["performance", "none"].contains(&host.governor.as_str()) {
        all.push(format!("governor {}: cpupower frequency-set -g performance", host.governor));
    }
    if host.smt == "on" {
        all.push(
            "SMT is on: a neighbour on the same core takes part (echo off > /sys/devices/system/cpu/smt/control)"
                .to_owned(),
        );
    }
    if !host.tsc_invariant {
        all.push("the time-stamp counter is not invariant: cycles per operation are not to be trusted".to_owned());
    }
    if host.cpus < 2 {
        all.push("one CPU: benchmarks across CPUs are not available".to_owned());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_machine_has_no_warning_and_a_noisy_one_has_them() {
        let quiet = Host {
            cpus: 4,
            load: "0.05 0.1 0.2 1/100 5".to_owned(),
            governor: "none".to_owned(),
            smt: "off".to_owned(),
            tsc_invariant: true,
            ..Host::default()
        };
        assert!(warnings(&quiet).is_empty());
        let noisy = Host { load: "1.5 1 1 1/1 1".to_owned(), governor: "powersave".to_owned(), cpus: 1, ..quiet };
        assert_eq!(warnings(&noisy).len(), 3);
    }

    #[test]
    fn machine_without_counters_says_so() {
        let text = machine(&Host { tsc_hz: 2.3e9, tsc_invariant: true, ..Host::default() }, &[0, 1]);
        assert!(text.contains("2300.0 MHz, invariant") && text.contains("no PMU"), "{text}");
    }
}
