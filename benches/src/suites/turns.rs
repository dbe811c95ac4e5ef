//! Rounds until a row has enough of them, and its progress on the terminal.

use std::io::{IsTerminal as _, Write as _};

use super::{Plan, Stop};
use crate::launch::Failure;
use crate::measure::Turns;
use crate::rows::Row;

/// Pairs where a target is within 5 %.
const CLOSE_PAIRS: usize = 15;

/// Measures until the first ways, those with a row, have so many pairs, and fills the rows.
///
/// # Errors
/// The user stopped it; the rows have what was measured.
pub(super) fn take_turns(
    plan: &Plan,
    turns: &mut Turns,
    rows: &mut [Row],
    pairs: usize,
    mut run: impl FnMut(Option<usize>) -> Result<f64, Failure>,
) -> Result<(), Stop> {
    let fill = |rows: &mut [Row], turns: &Turns| rows.iter_mut().zip(turns.ways()).for_each(|(row, way)| row.fill(way));
    let mut wanted = pairs;
    let mut done = 0;
    let result = loop {
        if done == wanted {
            // A target that is close deserves more pairs, unless their number was chosen.
            fill(rows, turns);
            let chosen = plan.quick || plan.pairs.is_some();
            if chosen || wanted >= CLOSE_PAIRS || !rows.iter().any(is_close) {
                break Ok(());
            }
            wanted = CLOSE_PAIRS;
        }
        show_progress(&rows[0], done, wanted);
        if let Err(failure) = turns.take(&mut run) {
            break Err(failure);
        }
        done += 1;
        if turns.ways().iter().take(rows.len()).all(|way| way.failure().is_some()) {
            break Ok(());
        }
    };
    clear_progress();
    fill(rows, turns);
    match result {
        Ok(()) => Ok(()),
        Err(Failure::Failed(reason)) => {
            rows.iter_mut().for_each(|row| row.fail(reason.clone()));
            Ok(())
        }
        Err(Failure::Interrupted) => {
            rows.iter_mut().for_each(|row| row.notes.push("interrupted".to_owned()));
            Err(Stop::Interrupted)
        }
    }
}

fn is_close(row: &Row) -> bool {
    row.target.zip(row.judged()).is_some_and(|(target, (estimate, _))| target.is_close(&estimate))
}

fn show_progress(row: &Row, done: usize, wanted: usize) {
    let mut errors = std::io::stderr();
    if errors.is_terminal() {
        let _ = write!(errors, "\r\x1b[K{}/{}: {done} of {wanted} pairs", row.group, row.name);
    } else if done == 0 {
        let _ = writeln!(errors, "{}/{}", row.group, row.name);
    }
}

fn clear_progress() {
    let mut errors = std::io::stderr();
    if errors.is_terminal() {
        let _ = write!(errors, "\r\x1b[K");
    }
}
