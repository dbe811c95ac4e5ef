//! `cargo xtask kmod bench`: figures in instructions, a column per kernel.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use bt_tests::runner::Totals;
use clap::Args;

use super::common::Common;
use super::console::{Console, Figure};
use super::machine::{LIMIT_SECONDS, Machine};
use super::prepare::{Prepared, prepare, prepare_kernel};
use super::report::record;

#[derive(Args)]
pub struct Arguments {
    /// Measures the figures whose name contains one of these
    filters: Vec<String>,
    #[command(flatten)]
    common: Common,
    /// Time limit of a machine in seconds
    #[arg(long, default_value_t = LIMIT_SECONDS)]
    timeout: u64,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut columns = Vec::new();
    prepare(&arguments.common)?;
    for kernel in arguments.common.kernels() {
        let prepared = prepare_kernel(kernel, &arguments.common)?;
        match measure(arguments, &prepared)? {
            Some(figures) => columns.push((prepared.kernel.release, figures)),
            None => return Ok(ExitCode::FAILURE),
        }
    }
    print!("{}", table(&columns));
    Ok(ExitCode::SUCCESS)
}

/// The figures of one kernel; nothing when a case failed, which is printed.
fn measure(arguments: &Arguments, prepared: &Prepared) -> Result<Option<Vec<Figure>>> {
    let machine = Machine {
        kernel: &prepared.kernel,
        initramfs: &prepared.initramfs,
        flavour: "bench",
        // Addresses at random and offsets of the kernel's stack at random change the number of instructions.
        parameters: "nokaslr norandmaps randomize_kstack_offset=off",
        cpu: "max",
        cpus: 1,
        counts_instructions: true,
        mode: "--bench",
        filters: &arguments.filters,
        limit: Duration::from_secs(arguments.timeout),
    };
    let mut console = Console::default();
    let mut outcomes = Vec::new();
    let before = Instant::now();
    let ending = machine.run(|line| outcomes.extend(console.line(line)))?;
    let (last, figures) = console.end(ending);
    outcomes.extend(last);
    outcomes.retain(|outcome| outcome.verdict != super::console::Verdict::Passed);
    let mut totals = Totals::default();
    for outcome in outcomes {
        record(&mut totals, &format!("{}/bench", prepared.kernel.name), outcome, before.elapsed());
    }
    Ok(totals.failed.is_empty().then_some(figures))
}

/// A Markdown table: a row per figure in the order in which they came, a column per kernel. What misses its target says
/// so.
fn table(columns: &[(String, Vec<Figure>)]) -> String {
    let mut rows: Vec<&Figure> = Vec::new();
    for figure in columns.iter().flat_map(|(_, figures)| figures) {
        if !rows.iter().any(|row| is_same(row, figure)) {
            rows.push(figure);
        }
    }
    let mut text = String::from("| Instructions | Target |");
    text.extend(columns.iter().map(|(release, _)| format!(" {release} |")));
    text.push_str("\n|---|---:|");
    text.push_str(&"---:|".repeat(columns.len()));
    for row in rows {
        let target = row.target.map_or_else(String::new, |target| format!(" {target}"));
        text.push_str(&format!("\n| {} {} |{target} |", row.name, row.key));
        for (_, figures) in columns {
            let found = figures.iter().find(|figure| is_same(figure, row));
            text.push_str(&found.map_or_else(String::new, |figure| format!(" {}", cell(figure))));
            text.push_str(" |");
        }
    }
    text.push('\n');
    text
}

fn is_same(one: &Figure, other: &Figure) -> bool {
    one.name == other.name && one.key == other.key
}

fn cell(figure: &Figure) -> String {
    let value = figure.value;
    match figure.target.map(|target| target.is_met(value)) {
        None => value.to_string(),
        Some(true) => format!("{value} met"),
        Some(false) => format!("{value} **missed**"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Figure, table};
    use bt_kmod_rig::protocol::Target;

    #[test]
    fn table_has_a_column_per_kernel_gaps_and_verdicts() {
        let figure =
            |name: &str, key: &str, value, target| Figure { name: name.to_owned(), key: key.to_owned(), value, target };
        let target = Some(Target::AtMost(7));
        let columns = [
            ("6.1".to_owned(), vec![figure("getppid", "ring3", 325, None), figure("call", "ring0", 8, target)]),
            ("6.12".to_owned(), vec![figure("call", "ring0", 7, target), figure("read", "ring0", 9, None)]),
        ];
        assert_eq!(
            table(&columns),
            "| Instructions | Target | 6.1 | 6.12 |\n|---|---:|---:|---:|\n| getppid ring3 | | 325 | |\n\
             | call ring0 | <=7 | 8 **missed** | 7 met |\n| read ring0 | | | 9 |\n"
        );
    }
}
