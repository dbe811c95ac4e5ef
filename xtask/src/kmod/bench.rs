//! `cargo xtask kmod bench`: figures in instructions, a column per kernel.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use bt_tests::runner::Totals;
use clap::Args;

use super::console::{Console, Figure};
use super::machine::Machine;
use super::{Common, Prepared, prepare, prepare_kernel, record};

#[derive(Args)]
pub struct Arguments {
    /// Measures the figures whose name contains one of these
    filters: Vec<String>,
    #[command(flatten)]
    common: Common,
    /// Time limit of a machine in seconds
    #[arg(long, default_value_t = 600)]
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

/// A Markdown table: a row per figure in the order in which they came, a column per kernel.
fn table(columns: &[(String, Vec<Figure>)]) -> String {
    let mut rows: Vec<(&str, &str)> = Vec::new();
    for figure in columns.iter().flat_map(|(_, figures)| figures) {
        let row = (figure.name.as_str(), figure.key.as_str());
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    let mut text = String::from("| Instructions |");
    text.extend(columns.iter().map(|(release, _)| format!(" {release} |")));
    text.push_str("\n|---|");
    text.push_str(&"---:|".repeat(columns.len()));
    for (name, key) in rows {
        text.push_str(&format!("\n| {name} {key} |"));
        for (_, figures) in columns {
            let found = figures.iter().find(|figure| figure.name == name && figure.key == key);
            text.push_str(&found.map_or_else(|| " |".to_owned(), |figure| format!(" {} |", figure.value)));
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::{Figure, table};

    #[test]
    fn table_has_a_column_per_kernel_and_gaps() {
        let figure = |name: &str, key: &str, value| Figure { name: name.to_owned(), key: key.to_owned(), value };
        let columns = [
            ("6.1".to_owned(), vec![figure("getppid", "ring3", 325)]),
            ("6.12".to_owned(), vec![figure("getppid", "ring3", 330), figure("read", "ring0", 7)]),
        ];
        assert_eq!(
            table(&columns),
            "| Instructions | 6.1 | 6.12 |\n|---|---:|---:|\n| getppid ring3 | 325 | 330 |\n| read ring0 | | 7 |\n"
        );
    }
}
