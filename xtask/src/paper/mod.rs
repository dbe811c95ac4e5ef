//! `cargo xtask paper`: tables, plots and figures from the committed rows, then the paper itself.
//!
//! `--check` builds no PDF. It fails if the text states a measured figure by itself, uses a macro that no row defines,
//! or if a claim names a row that was not committed, or if README.md shows another table than that of the rows.

mod check;
mod readme;
mod text;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};
use bt_tests::paths;
use bt_tests::runner::Totals;
use clap::Args;

use crate::apt;
use crate::check::totals_of;
use check::Generated;
use readme::Made;

const ROWS: &str = "benches/results";
const PAPER: &str = "paper";
const PACKAGES: [&str; 4] =
    ["texlive-latex-recommended", "texlive-latex-extra", "texlive-fonts-recommended", "latexmk"];

#[derive(Args)]
pub struct Arguments {
    /// Checks the text and the claims against the rows; builds no PDF
    #[arg(long)]
    check: bool,
    /// Files of rows instead of those in benches/results
    #[arg(long, value_name = "FILE")]
    rows: Vec<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let workspace = paths::workspace();
    let rows = if arguments.rows.is_empty() { committed_rows(&workspace.join(ROWS))? } else { arguments.rows.clone() };
    let paper = workspace.join(PAPER);
    if arguments.check {
        let problems = checked(&rows)?;
        for problem in &problems {
            eprintln!("{problem}");
        }
        return Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let generated = paper.join("generated");
    generate(&rows, &generated, "latex,pdf,svg,md")?;
    let problems = problems(&paper, &generated)?;
    if let Some(made) = Made::of(workspace, &generated)? {
        made.write(workspace)?;
    }
    for problem in &problems {
        eprintln!("warning: {problem}");
    }
    build(&paper)
}

/// What is wrong with text, claims and README.md. Files are made outside of the source.
fn checked(rows: &[PathBuf]) -> Result<Vec<String>> {
    let workspace = paths::workspace();
    let generated = paths::target().join("paper");
    generate(rows, &generated, "latex,svg,md")?;
    let mut problems = problems(&workspace.join(PAPER), &generated)?;
    if let Some(made) = Made::of(workspace, &generated)? {
        problems.extend(made.problem(workspace));
    }
    Ok(problems)
}

/// `--check` as one test of the suite.
pub fn test() -> Totals {
    let problems = committed_rows(&paths::workspace().join(ROWS)).and_then(|rows| checked(&rows));
    totals_of("cargo xtask paper --check", &problems.unwrap_or_else(|error| vec![format!("{error:#}")]))
}

/// All `*.jsonl`, by name; none if the directory is missing.
fn committed_rows(directory: &Path) -> Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(directory) else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| directory.display().to_string())?.path();
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn generate(rows: &[PathBuf], directory: &Path, formats: &str) -> Result<()> {
    // What an earlier row made must not outlive it.
    if directory.exists() {
        fs::remove_dir_all(directory).with_context(|| directory.display().to_string())?;
    }
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["run", "--quiet", "-p", "bt-bench", "--", "report", "--format", formats, "--output"]).arg(directory);
    // Without rows the files are made all the same: they define the macros.
    let nothing = [PathBuf::from("/dev/null")];
    command.args(if rows.is_empty() { &nothing } else { rows });
    let status = command.current_dir(paths::workspace()).status().context("cargo run -p bt-bench")?;
    if !status.success() {
        bail!("bt-bench report: {status}");
    }
    Ok(())
}

fn problems(paper: &Path, generated_directory: &Path) -> Result<Vec<String>> {
    let read = |path: PathBuf| fs::read_to_string(&path).with_context(|| path.display().to_string());
    let source = read(paper.join("paper.tex"))?;
    let allowed = read(paper.join("allowed-figures.txt"))?;
    let claims = read(paper.join("claims.md"))?;
    let directory = generated_directory.join("latex");
    let generated = Generated::of(
        &read(directory.join("numbers.tex"))?,
        &read(directory.join("published.tex"))?,
        &read(directory.join("rows.txt"))?,
    );
    if !generated.has_rows() {
        eprintln!("no rows are committed in {ROWS}: macros of measured figures and the claims' rows are not checked");
    }
    let mut problems = check::literal_figures(&source, &allowed);
    problems.extend(check::undefined_macros(&source, &generated));
    problems.extend(check::claims(&claims, &generated));
    if generated.has_rows() {
        problems.extend(missing_files(&source, generated_directory));
    }
    Ok(problems)
}

/// Tables and plots that the paper shows and no row has made.
fn missing_files(source: &str, generated: &Path) -> Vec<String> {
    let source = text::without_comments(source);
    let mut problems = Vec::new();
    for (command, directory, ending) in [("bttable", "latex", "tex"), ("btfigure", "plots", "svg")] {
        for id in text::arguments(&source, command).into_iter().filter(|id| !id.contains('#')) {
            if !generated.join(directory).join(format!("{id}.{ending}")).exists() {
                problems.push(format!("paper/paper.tex: no committed row makes \\{command}{{{id}}}"));
            }
        }
    }
    problems
}

fn build(paper: &Path) -> Result<ExitCode> {
    let directory = "build";
    fs::create_dir_all(paper.join(directory)).context("paper/build")?;
    if is_installed("latexmk") && is_installed("pdflatex") {
        let arguments = ["-pdf", "-quiet", "-interaction=nonstopmode", "-halt-on-error"];
        let mut command = Command::new("latexmk");
        command.args(arguments).arg(format!("-outdir={directory}")).arg("paper.tex");
        let status = command.current_dir(paper).stdout(Stdio::null()).status().context("latexmk")?;
        if !status.success() {
            bail!("latexmk: {status}; see paper/build/paper.log");
        }
        println!("{}", paper.join(directory).join("paper.pdf").display());
        return Ok(ExitCode::SUCCESS);
    }
    println!("tables and plots are in paper/generated; for the PDF: {}", apt::line(&PACKAGES));
    Ok(ExitCode::SUCCESS)
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}
