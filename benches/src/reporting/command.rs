//! `bt-bench report`.

use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};

use super::data::Data;
use super::load::{self, Choice};
use super::plots;
use super::plots::plot::Plot;
use super::published::{self, Published};
use super::table::Table;
use super::{csv, html, latex, markdown, tables};
use crate::base::directories;

/// Where `run` puts its rows, in the target directory.
const ROWS: &str = "bench/results.jsonl";
/// Where a report goes unless `--output` says otherwise, in the target directory.
const DIRECTORY: &str = "bench/report";

/// What a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Format {
    /// report.md; on standard output if there is no --output and no other format
    Md,
    /// csv/SUITE.csv
    Csv,
    /// latex/TABLE.tex, numbers.tex, published.tex, related.tex, legend.tex and rows.txt
    Latex,
    /// plots/PLOT.svg
    Svg,
    /// plots/PLOT.pdf
    Pdf,
    /// plots/PLOT.png
    Png,
    /// report.html, one page that needs nothing else
    Html,
    /// All of them
    All,
}

/// The command line.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Files of rows, as `run` writes them [default: bench/results.jsonl in the target directory]
    files: Vec<PathBuf>,
    /// What to write
    #[arg(long, value_enum, value_delimiter = ',', default_value = "md")]
    format: Vec<Format>,
    /// Directory to write to [default: bench/report in the target directory]
    #[arg(long)]
    output: Option<PathBuf>,
    #[command(flatten)]
    choice: ChoiceArguments,
}

/// Which rows are shown; shared with `compare`.
#[derive(Args, Debug)]
pub(crate) struct ChoiceArguments {
    /// Only the rows of this run; otherwise the newest of each benchmark and way that is not quick
    #[arg(long, value_name = "ID", conflicts_with = "all_runs")]
    run: Option<String>,
    /// The rows of all runs beside each other
    #[arg(long)]
    all_runs: bool,
    /// Only machines whose description holds this text; otherwise the machine of the newest row
    #[arg(long, value_name = "TEXT")]
    machine: Option<String>,
}

impl ChoiceArguments {
    /// As [`load::choose`] takes it.
    #[must_use]
    pub(crate) fn choice(&self) -> Choice {
        Choice { run: self.run.clone(), all_runs: self.all_runs, machine: self.machine.clone() }
    }
}

/// Everything that the formats are made of.
struct Report {
    data: Data,
    tables: Vec<Table>,
    plots: Vec<Plot>,
    published: Published,
}

/// Writes the report.
///
/// # Errors
/// Rows cannot be read, or files cannot be written.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let files =
        if arguments.files.is_empty() { vec![directories::target()?.join(ROWS)] } else { arguments.files.clone() };
    let rows = load::choose(load::read(&files)?, &arguments.choice.choice())?;
    let data = Data::of(rows);
    let published = published::read()?;
    let (tables, plots) = (tables::all(&data, &published), plots::choose::all(&data, &published));
    let report = Report { data, tables, plots, published };
    let mut formats: BTreeSet<Format> = arguments.format.iter().copied().collect();
    if formats.remove(&Format::All) {
        formats.extend(Format::value_variants().iter().filter(|format| **format != Format::All));
    }
    if arguments.output.is_none() && formats.iter().eq([&Format::Md]) {
        print(&markdown::page(&report.data, &report.tables))?;
        return Ok(ExitCode::SUCCESS);
    }
    let directory = match &arguments.output {
        Some(directory) => directory.clone(),
        None => directories::target()?.join(DIRECTORY),
    };
    for format in formats {
        report.write(format, &directory)?;
    }
    for warning in &report.data.warnings {
        eprintln!("bt-bench: {warning}");
    }
    println!("{}", directory.display());
    Ok(ExitCode::SUCCESS)
}

impl Report {
    fn write(&self, format: Format, directory: &Path) -> Result<()> {
        match format {
            Format::Md => write(&directory.join("report.md"), &markdown::page(&self.data, &self.tables)),
            Format::Csv => self.data.suites.iter().try_for_each(|suite| {
                write(
                    &directory.join("csv").join(format!("{}.csv", super::format::slug(&suite.name))),
                    &csv::file(suite),
                )
            }),
            Format::Latex => self.write_latex(&directory.join("latex")),
            Format::Html => write(&directory.join("report.html"), &html::page(&self.data, &self.tables, &self.plots)?),
            Format::Svg => self.write_plots(directory, "svg", |svg| Ok(svg.as_bytes().to_vec())),
            Format::Pdf => self.write_plots(directory, "pdf", plots::export::pdf),
            Format::Png => self.write_plots(directory, "png", plots::export::png),
            Format::All => bail!("all is not one format"),
        }
    }

    fn write_plots(&self, directory: &Path, ending: &str, convert: fn(&str) -> Result<Vec<u8>>) -> Result<()> {
        for plot in &self.plots {
            let file = convert(&plots::svg(plot)?).with_context(|| plot.id.clone())?;
            write(&directory.join("plots").join(format!("{}.{ending}", plot.id)), &file)?;
        }
        Ok(())
    }

    fn write_latex(&self, directory: &Path) -> Result<()> {
        for table in &self.tables {
            write(&directory.join(format!("{}.tex", table.id)), &latex::table(table))?;
        }
        write(&directory.join("numbers.tex"), &latex::numbers(&self.data))?;
        write(&directory.join("published.tex"), &latex::published(&self.published))?;
        write(&directory.join("related.tex"), &latex::related(&self.published))?;
        write(&directory.join("legend.tex"), &latex::legend())?;
        write(&directory.join("rows.txt"), &latex::row_keys(&self.data))
    }
}

/// Writes to standard output; a reader that has seen enough is no error.
///
/// # Errors
/// It cannot be written.
pub(crate) fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.context("standard output"),
    }
}

/// Writes a file and the directories it lies in.
///
/// # Errors
/// It cannot be written.
pub(crate) fn write(path: &Path, text: &(impl AsRef<[u8]> + ?Sized)) -> Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    }
    fs::write(path, text).with_context(|| path.display().to_string())
}
