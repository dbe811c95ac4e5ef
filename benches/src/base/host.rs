//! The fingerprint of the machine, carried by every row.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{counters, programs};

/// Everything about the machine that a reader of a figure may ask for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Host {
    /// Model name of the CPU.
    pub cpu: String,
    /// Family, model and stepping.
    pub cpu_family_model_stepping: String,
    /// Microcode revision.
    pub microcode: String,
    /// CPUs that are online.
    pub cpus: usize,
    /// Whether this is a virtual machine.
    pub hypervisor: bool,
    /// Governor of CPU 0; "none" in most virtual machines.
    pub governor: String,
    /// Kernel release.
    pub kernel: String,
    /// Distribution.
    pub distribution: String,
    /// Load averages when the run began.
    pub load: String,
    /// Mitigations that are not "Not affected".
    pub mitigations: BTreeMap<String, String>,
    /// Git revision of the project, with "-dirty" where files were changed.
    pub revision: String,
    /// `bt-run --version`.
    pub bt_run: String,
    /// SHA-256 of the launcher that was measured.
    pub bt_run_sha256: String,
    /// What the measured programs say about their versions.
    pub programs: BTreeMap<String, String>,
    /// Cycles of the time-stamp counter in a second; 0 in rows of before it was looked at.
    #[serde(default)]
    pub tsc_hz: f64,
    /// The time-stamp counter runs at the same speed in every state of the CPU.
    #[serde(default)]
    pub tsc_invariant: bool,
    /// There are performance counters: `counters` of a row is not empty for want of a PMU.
    #[serde(default)]
    pub pmu: bool,
    /// Whether threads share cores: "on", "off", "notsupported", or "none" where the kernel does not say.
    #[serde(default)]
    pub smt: String,
}

fn read(path: &str) -> String {
    fs::read_to_string(path).map_or_else(|_| "none".to_owned(), |text| text.trim().to_owned())
}

/// The value of the first line `key : value`.
fn field<'text>(text: &'text str, key: &str) -> Option<&'text str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once([':', '='])?;
        (name.trim() == key).then(|| value.trim().trim_matches('"'))
    })
}

fn first_line_of(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next()?.trim().to_owned();
    (output.status.success() && !line.is_empty()).then_some(line)
}

fn revision() -> String {
    // The program lies in the project's target directory, wherever it is called from.
    let here = std::env::current_exe().ok();
    let directory = here.as_deref().and_then(Path::parent);
    let directories = [directory, Some(Path::new("."))];
    let mut found = directories.into_iter().flatten().filter_map(|directory| {
        first_line_of(Command::new("git").arg("-C").arg(directory).args([
            "describe",
            "--always",
            "--dirty",
            "--abbrev=40",
            "--exclude=*",
        ]))
    });
    found.next().unwrap_or_else(|| "unknown".to_owned())
}

fn mitigations() -> BTreeMap<String, String> {
    let Ok(entries) = fs::read_dir("/sys/devices/system/cpu/vulnerabilities") else {
        return BTreeMap::new();
    };
    entries
        .flatten()
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, read(&entry.path().to_string_lossy()))
        })
        .filter(|(_, state)| state != "Not affected")
        .collect()
}

impl Host {
    /// Looks at this machine and at the launcher that will be measured.
    #[must_use]
    pub(crate) fn inspect(bt_run: &Path) -> Self {
        let cpuinfo = read("/proc/cpuinfo");
        let of_cpu = |key| field(&cpuinfo, key).unwrap_or("unknown");
        let has_flags = |names: &[&str]| names.iter().all(|name| of_cpu("flags").split(' ').any(|flag| flag == *name));
        let digest = first_line_of(Command::new("sha256sum").arg(bt_run));
        Self {
            cpu: of_cpu("model name").to_owned(),
            cpu_family_model_stepping: format!("{}/{}/{}", of_cpu("cpu family"), of_cpu("model"), of_cpu("stepping")),
            microcode: of_cpu("microcode").to_owned(),
            cpus: cpuinfo.lines().filter(|line| line.starts_with("processor")).count(),
            hypervisor: has_flags(&["hypervisor"]),
            governor: read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            kernel: read("/proc/sys/kernel/osrelease"),
            distribution: field(&read("/etc/os-release"), "PRETTY_NAME").unwrap_or("unknown").to_owned(),
            load: read("/proc/loadavg"),
            mitigations: mitigations(),
            revision: revision(),
            bt_run: first_line_of(Command::new(bt_run).arg("--version")).unwrap_or_else(|| "unknown".to_owned()),
            bt_run_sha256: digest
                .and_then(|line| line.split(' ').next().map(str::to_owned))
                .unwrap_or_else(|| "unknown".to_owned()),
            programs: programs::ALL
                .iter()
                .filter_map(|program| Some((program.name.to_owned(), programs::version(program.name)?)))
                .collect(),
            tsc_hz: counters::tsc_hz(),
            tsc_invariant: has_flags(&["constant_tsc", "nonstop_tsc"]),
            pmu: counters::has_performance_counters(),
            smt: read("/sys/devices/system/cpu/smt/control"),
        }
    }
}

/// Now, in UTC, as RFC 3339 writes it.
#[must_use]
pub(crate) fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    format_utc(since.map_or(0, |time| time.as_secs()))
}

fn format_utc(seconds: u64) -> String {
    // Days to date: H. Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
    let (days, second_of_day) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(format_utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(format_utc(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(format_utc(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(format_utc(1_735_689_599), "2024-12-31T23:59:59Z");
    }

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "cpu family\t: 6\nmodel\t\t: 207\nmodel name\t: Some CPU\n";
        assert_eq!(field(text, "model"), Some("207"));
        assert_eq!(field(text, "model name"), Some("Some CPU"));
        assert_eq!(field(text, "missing"), None);
        assert_eq!(field("PRETTY_NAME=\"Some 12\"\n", "PRETTY_NAME"), Some("Some 12"));
    }
}
