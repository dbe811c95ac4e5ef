//! Peak resident size, beside what the engine may cost.

use std::path::Path;
use std::time::Duration;

use super::{Session, Stop, drivers, stats_of};
use crate::launch::{Failure, Invocation, Launcher, Output, Side, describe_status};
use crate::programs;
use crate::rows::Unit;
use crate::run_stats::{self, CacheFigures};
use crate::workload::{self, Sizes};

const GROUP: &str = "memory";
const ALL: [(&str, &str); 4] = [("bash", "bash"), ("python", "python3"), ("sqlite", "sqlite3"), ("node", "node")];

/// The names of the rows.
#[must_use]
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|(name, _)| *name).collect()
}

/// Measures the programs that are wanted.
///
/// # Errors
/// See [`Stop`].
pub fn run(session: &mut Session) -> Result<(), Stop> {
    for (name, program) in ALL {
        if session.plan.wants(GROUP, name) {
            measure_one(session, name, program)?;
        }
    }
    Ok(())
}

fn measure_one(session: &mut Session, name: &str, program: &str) -> Result<(), Stop> {
    let mut row = session.row(GROUP, name, Unit::Mebibytes);
    let sizes = if session.plan.quick { &workload::QUICK } else { &workload::FULL };
    let Some(invocation) = command(name, program, sizes, &session.launcher)? else {
        return session.push_not_installed(row, program);
    };
    let Some(driver) = drivers::primitives(&session.launcher.scratch)? else {
        return session.push_not_installed(row, "gcc");
    };
    row.command = invocation.line();
    let figures = match cache_figures(&session.launcher, &invocation) {
        Ok(figures) => figures,
        Err(Failure::Interrupted) => return Err(Stop::Interrupted),
        Err(Failure::Failed(reason)) => {
            row.fail(reason);
            return session.push(row);
        }
    };
    row.memory = Some(figures);
    row.target = session.target(GROUP, name, figures.guest_bytes);
    let shown = |bytes| format!("{:.2}", mebibytes(bytes));
    row.notes.push(format!(
        "translated {} MiB, cache {} MiB, heap {} MiB",
        shown(figures.guest_bytes),
        shown(figures.cache_bytes),
        shown(figures.heap_bytes),
    ));
    let pairs = session.plan.pairs(5, 3);
    session.measure(row, pairs, |launcher, side| peak_rss(launcher, side, &driver, &invocation))?;
    Ok(())
}

fn command(name: &str, program: &str, sizes: &Sizes, launcher: &Launcher) -> anyhow::Result<Option<Invocation>> {
    let Some(path) = programs::find(program) else {
        return Ok(None);
    };
    let plain = |arguments: &[&str]| super::invocation(&path, arguments, launcher);
    Ok(match name {
        "bash" => Some(plain(&["-c", "true"])),
        "python" => Some(plain(&["-c", "pass"])),
        _ => {
            let inputs = workload::prepare(sizes, &launcher.scratch)?;
            workload::find(name).and_then(|workload| workload.invocation(sizes, &inputs))
        }
    })
}

fn cache_figures(launcher: &Launcher, invocation: &Invocation) -> Result<CacheFigures, Failure> {
    let text = stats_of(launcher, invocation)?;
    run_stats::largest_image(&text).ok_or_else(|| Failure::Failed("bt-run: --stats tells no end".to_owned()))
}

/// The driver starts the command, because the kernel counts what the starting process had mapped.
fn peak_rss(launcher: &Launcher, side: Side, driver: &Path, invocation: &Invocation) -> Result<f64, Failure> {
    let file = launcher.scratch.join("peak-rss");
    let mut arguments = vec!["peak-rss".to_owned(), file.display().to_string()];
    let words = launcher.words(side, invocation)?;
    arguments.extend(words.iter().map(|word| word.to_string_lossy().into_owned()));
    let wrapped = Invocation { program: driver.to_owned(), arguments, output: Output::Null, ..invocation.clone() };
    let limit = Duration::from_secs(600);
    let run = launcher.run(Side::Native, &wrapped, Output::Null, &[], limit)?;
    if run.status != 0 {
        let status = describe_status(run.status);
        let said = launcher.first_error_line(Side::Native).unwrap_or_default();
        return Err(Failure::Failed(format!("{}: {status}: {said}", side.name())));
    }
    let text = std::fs::read_to_string(&file).map_err(anyhow::Error::from)?;
    parse_kibibytes(&text)
        .map(|kib| kib / 1024.0)
        .ok_or_else(|| Failure::Failed(format!("{}: no peak: {text:?}", side.name())))
}

fn parse_kibibytes(text: &str) -> Option<f64> {
    text.trim().parse::<u32>().ok().map(f64::from)
}

#[allow(clippy::cast_precision_loss, reason = "memory sizes are far below 2^53")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_is_a_number_of_kibibytes() {
        assert_eq!(parse_kibibytes("3584\n"), Some(3584.0));
        assert_eq!(parse_kibibytes(""), None);
        assert_eq!(parse_kibibytes("-1"), None);
    }
}
