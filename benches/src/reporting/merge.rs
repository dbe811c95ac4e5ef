//! `bt-bench merge`: rows of several machines in one table.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use crate::base::host::Host;
use crate::reporting::markdown::grid;
use crate::rows::result::{ResultRow, Writer};

use super::command::print;
use super::data::{Data, Machine, Outcome};
use super::format;
use super::load::{self, Choice, Rows, machine};

/// The command line.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Files of rows, of one machine or several each
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// File to write all rows to; it must not exist
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Prints the table, and writes the rows where asked for.
///
/// # Errors
/// A file cannot be read, the output exists, or the same run stands in two files.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut joined = Rows::default();
    let mut runs: Vec<(String, String)> = Vec::new();
    for file in &arguments.files {
        let rows = load::read(std::slice::from_ref(file))?;
        refuse_duplicates(&mut runs, &rows.rows, &file.display().to_string())?;
        joined.rows.extend(rows.rows);
        joined.warnings.extend(rows.warnings);
    }
    for warning in &joined.warnings {
        eprintln!("bt-bench: {warning}");
    }
    if let Some(output) = &arguments.output {
        if output.exists() {
            bail!("{} exists; name another file, or remove it", output.display());
        }
        let mut writer = Writer::append_to(output)?;
        joined.rows.iter().try_for_each(|row| writer.write(row))?;
    }
    print(&page(joined.rows)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Two files with rows of one run are most likely the same file twice.
fn refuse_duplicates(seen: &mut Vec<(String, String)>, rows: &[ResultRow], file: &str) -> Result<()> {
    let runs: BTreeSet<&str> = rows.iter().map(|row| row.run.as_str()).collect();
    for run in runs {
        if let Some((_, first)) = seen.iter().find(|(known, _)| known == run) {
            bail!("run {run} stands in {first} and in {file}; leave one of them out");
        }
        seen.push((run.to_owned(), file.to_owned()));
    }
    Ok(())
}

/// The table: a line for each benchmark and way, and for each machine time, cycles and ratio.
///
/// # Errors
/// The rows of a machine cannot be chosen.
pub(crate) fn page(rows: Vec<ResultRow>) -> Result<String> {
    let hosts = hosts(&rows);
    let labels = labels(&hosts);
    let mut machines = Vec::new();
    for host in &hosts {
        let name = machine(host);
        let own: Vec<ResultRow> = rows.iter().filter(|row| machine(&row.host) == name).cloned().collect();
        machines.push(Data::of(load::choose(Rows { rows: own, warnings: Vec::new() }, &Choice::default())?));
    }
    let mut text = String::from("# Several machines\n\n");
    for (label, data) in labels.iter().zip(&machines) {
        for Machine { host, date, runs, .. } in data.machines() {
            text.push_str(&format!("* **{label}**: {}, {date}, run {}\n", machine(host), runs.join(", ")));
        }
    }
    text.push_str(
        "\nOf each machine the newest rows that are not quick (◦ where there are only quick ones): median, cycles where the unit is a \
         time, this way / native there.\n\n",
    );
    let mut titles = vec!["row".to_owned(), "unit".to_owned()];
    for label in &labels {
        titles.extend([label.clone(), "cycles".to_owned(), "× native".to_owned()]);
    }
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let mut keys: Vec<(String, &'static str)> = Vec::new();
    for outcome in Data::of(Rows { rows: deduplicated(&rows), warnings: Vec::new() }).outcomes() {
        keys.push((outcome.key(), outcome.row.unit.symbol()));
    }
    let lines: Vec<Vec<String>> = keys
        .into_iter()
        .map(|(key, unit)| {
            let mut line = vec![format::markdown(&key), unit.to_owned()];
            for data in &machines {
                line.extend(cells(data.outcomes().find(|outcome| outcome.key() == key)));
            }
            line
        })
        .collect();
    text.push_str(&grid(&titles, &lines));
    Ok(text)
}

/// One row for each key: the order of the lines.
fn deduplicated(rows: &[ResultRow]) -> Vec<ResultRow> {
    let mut seen = BTreeSet::new();
    rows.iter().filter(|row| seen.insert((load::Id::of(row), row.way.name()))).cloned().collect()
}

fn cells(outcome: Option<&Outcome>) -> [String; 3] {
    let dash = || "–".to_owned();
    let Some(outcome) = outcome else { return [dash(), dash(), dash()] };
    if let Some((state, _)) = outcome.reason() {
        return [state.to_owned(), dash(), dash()];
    }
    let number = |value: Option<f64>| value.map_or_else(dash, format::number);
    let mut median = number(outcome.estimate().map(|found| found.median));
    for (wanted, mark) in [(outcome.row.noisy, " ≈"), (outcome.row.quick, " ◦")] {
        if wanted {
            median.push_str(mark);
        }
    }
    let ratio = outcome.ratio.map_or_else(dash, |ratio| {
        let text = format!("{}× {}", format::number(ratio.median), outcome.verdict().sign());
        text.trim_end().to_owned()
    });
    [median, number(outcome.cycles().map(|cycles| cycles.median)), ratio]
}

fn hosts(rows: &[ResultRow]) -> Vec<Host> {
    let mut hosts: Vec<Host> = Vec::new();
    for row in rows {
        if !hosts.iter().any(|host| machine(host) == machine(&row.host)) {
            hosts.push(row.host.clone());
        }
    }
    hosts
}

/// As short as possible: the CPU, then what else is needed to tell the machines apart.
#[must_use]
pub(crate) fn labels(hosts: &[Host]) -> Vec<String> {
    let place = |host: &Host| if host.hypervisor { "VM" } else { "metal" };
    let forms: [&dyn Fn(&Host) -> String; 3] = [
        &|host| short_cpu(&host.cpu),
        &|host| format!("{} {}×{}", short_cpu(&host.cpu), host.cpus, place(host)),
        &|host| format!("{} {}×{} {}", short_cpu(&host.cpu), host.cpus, place(host), host.kernel),
    ];
    let mut labels = Vec::new();
    for form in forms {
        labels = hosts.iter().map(form).collect();
        if labels.iter().collect::<BTreeSet<_>>().len() == labels.len() {
            break;
        }
    }
    labels
}

fn short_cpu(cpu: &str) -> String {
    let noise = ["(R)", "(TM)", "(r)", "(tm)", "Processor", "CPU"];
    let mut text = cpu.split(" @ ").next().unwrap_or(cpu).to_owned();
    for word in noise {
        text = text.replace(word, "");
    }
    let words: Vec<&str> = text.split_whitespace().filter(|word| !word.ends_with("-Core")).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    fn other_machine() -> Vec<ResultRow> {
        let mut rows = fixture::rows();
        for row in &mut rows {
            row.host.cpu = "Other(R) Processor 1 @ 3.00GHz".to_owned();
            row.run = "fixture-2".to_owned();
        }
        rows
    }

    #[test]
    fn machines_stand_beside_each_other() {
        let mut rows = fixture::rows();
        rows.extend(other_machine());
        let text = page(rows).unwrap();
        let titles = text.lines().find(|line| line.starts_with("| row")).unwrap();
        assert!(titles.contains("Example 9000") && titles.contains("Other 1"), "{titles}");
        let line = text.lines().find(|line| line.starts_with("| singularity/abi-call/direct ")).unwrap();
        assert_eq!(line.matches('▲').count(), 2, "{line}");
    }

    #[test]
    fn rows_of_one_machine_only_leave_dashes() {
        let mut rows = fixture::rows();
        rows.extend(other_machine().into_iter().filter(|row| row.suite == "vmware"));
        let text = page(rows).unwrap();
        let line = text.lines().find(|line| line.starts_with("| singularity/abi-call/direct ")).unwrap();
        assert_eq!(line.matches('–').count(), 3, "{line}");
    }

    #[test]
    fn the_same_run_twice_is_refused() {
        let mut seen = Vec::new();
        let rows = fixture::rows();
        refuse_duplicates(&mut seen, &rows, "a.jsonl").unwrap();
        let error = refuse_duplicates(&mut seen, &rows, "b.jsonl").unwrap_err().to_string();
        assert!(error.contains("fixture-1 stands in a.jsonl and in b.jsonl"), "{error}");
        refuse_duplicates(&mut seen, &other_machine(), "c.jsonl").unwrap();
    }

    #[test]
    fn labels_are_as_long_as_they_must_be() {
        let mut hosts = vec![fixture::host(), fixture::host()];
        hosts[1].cpu = "AMD EPYC 7763 64-Core Processor".to_owned();
        assert_eq!(labels(&hosts), ["Example 9000", "AMD EPYC 7763"]);
        hosts[1] = fixture::host();
        hosts[1].hypervisor = false;
        assert_eq!(labels(&hosts), ["Example 9000 2×VM", "Example 9000 2×metal"]);
        hosts[1] = fixture::host();
        hosts[1].kernel = "7.0".to_owned();
        assert!(labels(&hosts)[1].ends_with(" 7.0"));
    }
}
