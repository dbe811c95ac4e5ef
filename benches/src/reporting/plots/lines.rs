//! Lines over a parameter with their intervals as bands, and distributions.

use anyhow::Result;

use crate::reporting::format;

use super::canvas::{Canvas, Hold, with_hits};
use super::plot::{LinePanel, Plot};
use super::scale::{Scale, label};
use super::style::{self, FIELD, GRID, HEADING, MUTED, TEXT, pixel};

const WIDTH: i32 = 1040;
const HEAD: i32 = 84;
const BODY: i32 = 250;
const ABOVE: i32 = 26;
/// The same where fields have no heading.
const ABOVE_NOTHING: i32 = 6;
const BELOW: i32 = 48;
/// Room for the figures and the name of an upright axis.
const LEFT: i32 = 66;

/// Draws the plot.
///
/// # Errors
/// The backend refused.
pub(super) fn draw(plot: &Plot, panels: &[LinePanel]) -> Result<String> {
    let columns = panels.len().clamp(1, 3);
    let rows = i32::try_from(panels.len().div_ceil(columns))?;
    let width = WIDTH / i32::try_from(columns)?;
    let untitled = panels.iter().all(|panel| panel.title.is_empty());
    let above = if untitled { ABOVE_NOTHING } else { ABOVE };
    let height = HEAD + rows * (BODY + above + BELOW) + 6;
    let mut svg = String::new();
    let mut canvas = Canvas::new(&mut svg, WIDTH, height)?;
    canvas.bold(&plot.title, (16, 20), HEADING, Hold::Left)?;
    canvas.text(&plot.subtitle, (16, 42), TEXT, MUTED, Hold::Left)?;
    let all = || panels.iter().flat_map(|panel| &panel.lines);
    let others = style::others(all().map(|line| (line.series.as_str(), line.origin)));
    let mut entries = Vec::new();
    for line in all() {
        if !entries.iter().any(|(name, _)| *name == line.series.as_str()) {
            entries.push((line.series.as_str(), style::colour(&line.series, line.origin, &others)));
        }
    }
    canvas.legend(&entries, (16, 64))?;
    for (row, panels) in (0..).zip(panels.chunks(columns)) {
        for (column, panel) in (0..).zip(panels) {
            let left = width * column + LEFT;
            let top = HEAD + row * (BODY + above + BELOW) + above;
            let field = Field { left, right: width * (column + 1) - 18, top, bottom: top + BODY };
            draw_panel(&mut canvas, panel, &field, &others)?;
        }
    }
    let hits = canvas.finish()?;
    Ok(with_hits(&svg, &hits))
}

struct Field {
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
}

fn draw_panel(canvas: &mut Canvas, panel: &LinePanel, field: &Field, others: &[&str]) -> Result<()> {
    let points = || panel.lines.iter().flat_map(|line| &line.points);
    let across = Scale::of(points().map(|(x, _)| *x), panel.logarithmic[0]);
    let up = Scale::of(points().flat_map(|(_, y)| [y.low, y.median, y.high]), panel.logarithmic[1]);
    let at = |x: f64, y: f64| {
        let share = |scale: &Scale, value: f64| {
            let [low, high] = scale.ends();
            (scale.place(value) - low) / (high - low).max(f64::MIN_POSITIVE)
        };
        let right = pixel(share(&across, x) * f64::from(field.right - field.left));
        let above = pixel(share(&up, y) * f64::from(field.bottom - field.top));
        (field.left + right, field.bottom - above)
    };
    if !panel.title.is_empty() {
        canvas.bold(&panel.title, (field.left, field.top - 14), FIELD, Hold::Left)?;
    }
    let room = usize::try_from((field.right - field.left) / 48).unwrap_or(4).max(2);
    for tick in ticks(panel, &across, room) {
        let (x, _) = at(tick, 0.0);
        canvas.line(vec![(x, field.top), (x, field.bottom)], GRID, 1)?;
        canvas.text(&label(tick), (x, field.bottom + 12), TEXT - 1.0, MUTED, Hold::Middle)?;
    }
    for tick in up.ticks(6) {
        let (_, y) = at(0.0, tick);
        canvas.line(vec![(field.left, y), (field.right, y)], GRID, 1)?;
        canvas.text(&label(tick), (field.left - 6, y), TEXT - 1.0, MUTED, Hold::Right)?;
    }
    canvas.text(
        &panel.axes[0],
        (i32::midpoint(field.left, field.right), field.bottom + 32),
        TEXT,
        MUTED,
        Hold::Middle,
    )?;
    canvas.upright(&panel.axes[1], (field.left - LEFT + 14, i32::midpoint(field.top, field.bottom)))?;
    for line in &panel.lines {
        let colour = style::colour(&line.series, line.origin, others);
        let lower = line.points.iter().map(|(x, y)| at(*x, y.low));
        let upper = line.points.iter().rev().map(|(x, y)| at(*x, y.high));
        if line.points.iter().any(|(_, y)| y.low < y.high) && line.points.len() > 1 {
            canvas.area(lower.chain(upper).collect(), colour, 0.18)?;
        }
        canvas.line(line.points.iter().map(|(x, y)| at(*x, y.median)).collect(), colour, 2)?;
        for (x, y) in &line.points {
            let place = at(*x, y.median);
            if line.marked {
                canvas.mark(place, colour)?;
            }
            let tip = if line.marked {
                format!("{}, {} {}: {} {}", line.series, panel.axes[0], label(*x), format::interval(y), panel.axes[1])
            } else {
                format!("{}: {:.0} % within {} {}", line.series, y.median * 100.0, format::number(*x), panel.axes[0])
            };
            canvas.hit([(place.0 - 5, place.1 - 5), (place.0 + 5, place.1 + 5)], &tip);
        }
    }
    Ok(())
}

/// A parameter has few values: they themselves are the ticks.
fn ticks(panel: &LinePanel, scale: &Scale, room: usize) -> Vec<f64> {
    let mut values: Vec<f64> = Vec::new();
    for (x, _) in panel.lines.iter().filter(|line| line.marked).flat_map(|line| &line.points) {
        if !values.contains(x) {
            values.push(*x);
        }
    }
    if values.is_empty() || values.len() > room { scale.ticks(room) } else { values }
}
