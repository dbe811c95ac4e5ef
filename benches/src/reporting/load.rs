//! Reading files of results, and which rows of them a report shows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::base::host::Host;
use crate::rows::result::{self, ResultRow};

/// What distinguishes a benchmark from every other: suite, name, parameters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id {
    /// The suite.
    pub suite: String,
    /// The name within the suite.
    pub name: String,
    /// Parameters as text, by name.
    pub params: Vec<(String, String)>,
}

impl Id {
    /// Of a row.
    #[must_use]
    pub(crate) fn of(row: &ResultRow) -> Self {
        let params = row.params.iter().map(|(name, &value)| (name.clone(), super::format::parameter(value)));
        Self { suite: row.suite.clone(), name: row.name.clone(), params: params.collect() }
    }

    /// `bytes=16384,processes=4`; empty without parameters.
    #[must_use]
    pub(crate) fn params_text(&self) -> String {
        let parts: Vec<String> = self.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        parts.join(",")
    }

    /// `singularity/psr-size:bytes=64`, the key that macros and claims use.
    #[must_use]
    pub(crate) fn key(&self) -> String {
        let name = format!("{}/{}", super::format::slug(&self.suite), super::format::slug(&self.name));
        if self.params.is_empty() { name } else { format!("{name}:{}", super::format::slug(&self.params_text())) }
    }
}

/// What a machine is called in a table, and what distinguishes it from another.
#[must_use]
pub(crate) fn machine(host: &Host) -> String {
    let place = if host.hypervisor { "VM" } else { "bare metal" };
    format!("{}, {} CPUs, {place}, Linux {}", host.cpu, host.cpus, host.kernel)
}

/// Which rows are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    /// Only this run.
    pub run: Option<String>,
    /// Every run beside every other.
    pub all_runs: bool,
    /// Only machines whose description holds this text; without it the machine of the newest row.
    pub machine: Option<String>,
}

/// Rows, and what a reader should know about how they were chosen.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// The rows, in the order of the files.
    pub rows: Vec<ResultRow>,
    /// One line each: what was left out.
    pub warnings: Vec<String>,
}

/// All rows of the files.
///
/// # Errors
/// A file cannot be read, or is damaged.
pub(crate) fn read(files: &[PathBuf]) -> Result<Rows> {
    let mut all = Rows::default();
    for file in files {
        let (rows, skipped) = result::read(file)?;
        all.rows.extend(rows);
        if skipped > 0 {
            let name = file.display();
            all.warnings.push(format!("{name}: {skipped} rows of another schema than {} left out", result::SCHEMA));
        }
    }
    Ok(all)
}

/// The rows to show: of each benchmark and way the newest that is not quick, else the newest quick one.
///
/// # Errors
/// A run or machine is asked for that is not there.
pub(crate) fn choose(mut all: Rows, choice: &Choice) -> Result<Rows> {
    if let Some(run) = &choice.run {
        all.rows.retain(|row| row.run == *run);
        if all.rows.is_empty() {
            bail!("no row of run {run}; `--all-runs` shows which there are");
        }
    }
    keep_one_machine(&mut all, choice.machine.as_deref())?;
    if choice.all_runs {
        return Ok(all);
    }
    let mut newest: BTreeMap<(Id, String), usize> = BTreeMap::new();
    for (index, row) in all.rows.iter().enumerate() {
        let place = newest.entry((Id::of(row), row.way.name())).or_insert(index);
        // RFC 3339 in UTC sorts as text; of equal dates the later line counts.
        let rank = |row: &ResultRow| (!row.quick, row.date.clone());
        if rank(row) >= rank(&all.rows[*place]) {
            *place = index;
        }
    }
    let kept: BTreeSet<usize> = newest.into_values().collect();
    let rows = std::mem::take(&mut all.rows);
    all.rows = rows.into_iter().enumerate().filter(|(index, _)| kept.contains(index)).map(|(_, row)| row).collect();
    Ok(all)
}

fn keep_one_machine(all: &mut Rows, wanted: Option<&str>) -> Result<()> {
    let machines: BTreeSet<String> = all.rows.iter().map(|row| machine(&row.host)).collect();
    let chosen = match wanted {
        Some(text) => machines.iter().find(|name| name.contains(text)).cloned(),
        None => all.rows.iter().max_by_key(|row| (!row.quick, row.date.clone())).map(|row| machine(&row.host)),
    };
    let Some(chosen) = chosen else {
        match wanted {
            Some(text) => bail!("no row of a machine with {text:?}; there are: {}", join(&machines)),
            None => return Ok(()),
        }
    };
    let before = all.rows.len();
    all.rows.retain(|row| machine(&row.host) == chosen);
    if all.rows.len() < before {
        let others: BTreeSet<String> = machines.into_iter().filter(|name| *name != chosen).collect();
        all.warnings.push(format!(
            "{} rows of other machines left out ({}); --machine TEXT shows them, `bt-bench merge` all side by side",
            before - all.rows.len(),
            join(&others)
        ));
    }
    Ok(())
}

fn join(names: &BTreeSet<String>) -> String {
    names.iter().cloned().collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    fn rows(rows: Vec<ResultRow>) -> Rows {
        Rows { rows, warnings: Vec::new() }
    }

    fn of_run(run: &str, date: &str, quick: bool) -> ResultRow {
        let mut row = fixture::rows().remove(0);
        row.run = run.to_owned();
        row.date = date.to_owned();
        row.quick = quick;
        row
    }

    #[test]
    fn newest_run_that_is_not_quick_counts() {
        let candidates = vec![
            of_run("old", "2026-01-01T00:00:00Z", false),
            of_run("new", "2026-02-01T00:00:00Z", false),
            of_run("look", "2026-03-01T00:00:00Z", true),
        ];
        let kept = choose(rows(candidates), &Choice::default()).unwrap();
        assert_eq!(kept.rows.iter().map(|row| row.run.as_str()).collect::<Vec<_>>(), ["new"]);
    }

    #[test]
    fn quick_rows_stand_in_where_there_is_no_other() {
        let candidates = vec![of_run("a", "2026-01-01T00:00:00Z", true), of_run("b", "2026-01-02T00:00:00Z", true)];
        let kept = choose(rows(candidates), &Choice::default()).unwrap();
        assert_eq!(kept.rows[0].run, "b");
    }

    #[test]
    fn one_run_or_all_can_be_asked_for() {
        let candidates =
            || vec![of_run("a", "2026-01-01T00:00:00Z", false), of_run("b", "2026-01-02T00:00:00Z", false)];
        let one = Choice { run: Some("a".to_owned()), ..Choice::default() };
        assert_eq!(choose(rows(candidates()), &one).unwrap().rows[0].run, "a");
        let all = Choice { all_runs: true, ..Choice::default() };
        assert_eq!(choose(rows(candidates()), &all).unwrap().rows.len(), 2);
        let none = Choice { run: Some("c".to_owned()), ..Choice::default() };
        assert!(choose(rows(candidates()), &none).is_err());
    }

    #[test]
    fn machines_are_not_mixed() {
        let mut other = of_run("b", "2026-01-02T00:00:00Z", false);
        other.host.cpu = "Other CPU".to_owned();
        let candidates = || vec![of_run("a", "2026-01-01T00:00:00Z", false), other.clone()];
        let kept = choose(rows(candidates()), &Choice::default()).unwrap();
        assert_eq!((kept.rows.len(), kept.rows[0].run.as_str()), (1, "b"));
        assert!(kept.warnings[0].contains("1 rows of other machines"), "{:?}", kept.warnings);
        let first = Choice { machine: Some("Example".to_owned()), ..Choice::default() };
        assert_eq!(choose(rows(candidates()), &first).unwrap().rows[0].run, "a");
    }

    #[test]
    fn keys_name_suite_benchmark_and_parameters() {
        let row = fixture::rows().into_iter().find(|row| row.name == "psr-size").unwrap();
        assert_eq!(Id::of(&row).key(), "singularity/psr-size:bytes=65536");
    }

    #[test]
    fn nothing_is_no_error() {
        assert!(choose(Rows::default(), &Choice::default()).unwrap().rows.is_empty());
    }
}
