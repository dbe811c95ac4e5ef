//! Bars that lie: a name needs no turning then, and there is room for the figure after each bar.

use anyhow::Result;
use plotters::style::RGBColor;

use crate::reporting::format;

use super::canvas::{Canvas, Hold, with_hits};
use super::plot::{Bar, BarGroup, BarPanel, Origin, Plot};
use super::scale::{Scale, label};
use super::style::{self, FIELD, GRID, HEADING, INK, MUTED, TEXT, pixel};

const WIDTH: i32 = 1040;
const BAR: i32 = 15;
const GAP: i32 = 7;
/// Heading, subtitle and legend.
const HEAD: i32 = 84;
/// Heading of a field above, axis below.
const ABOVE: i32 = 26;
/// The same where fields have no heading.
const ABOVE_NOTHING: i32 = 6;
const BELOW: i32 = 44;
/// Fields beside each other.
const MOST_COLUMNS: usize = 4;

/// Draws the plot.
///
/// # Errors
/// The backend refused.
pub(super) fn draw(plot: &Plot, panels: &[BarPanel]) -> Result<String> {
    // Fields with the same names share them; they then stand beside each other.
    let shared = panels.len() > 1 && panels.iter().all(|panel| labels(panel) == labels(&panels[0]));
    let columns = match panels.len() {
        5 | 6 | 9 if shared => 3,
        count if shared => count.clamp(1, MOST_COLUMNS),
        count => count.clamp(1, 2),
    };
    let names = panels.iter().flat_map(|panel| &panel.groups).map(|group| style::width(&group.label, TEXT)).max();
    let names = names.unwrap_or(0).clamp(40, 330) + 16;
    let rows: Vec<&[BarPanel]> = panels.chunks(columns).collect();
    let heights: Vec<i32> = rows.iter().map(|row| row.iter().map(body_height).max().unwrap_or(0)).collect();
    let untitled = panels.iter().all(|panel| panel.title.is_empty());
    let above = if untitled { ABOVE_NOTHING } else { ABOVE };
    let height = HEAD + heights.iter().map(|body| body + above + BELOW).sum::<i32>() + 6;

    let mut svg = String::new();
    let mut canvas = Canvas::new(&mut svg, WIDTH, height)?;
    canvas.bold(&plot.title, (16, 20), HEADING, Hold::Left)?;
    canvas.text(&plot.subtitle, (16, 42), TEXT, MUTED, Hold::Left)?;
    let others = others(panels);
    canvas.legend(&legend(panels, &others), (16, 64))?;
    let count = i32::try_from(columns)?;
    let mut top = HEAD;
    for (row, body) in rows.iter().zip(&heights) {
        for (index, panel) in (0..).zip(row.iter()) {
            let (left, right) = if shared {
                let width = (WIDTH - names - 12) / count;
                (names + width * index + 4, names + width * (index + 1) - 12)
            } else {
                let width = WIDTH / count;
                (width * index + names, width * (index + 1) - 16)
            };
            let field = Field { left, right, top: top + above, named: !shared || index == 0, others: &others };
            draw_panel(&mut canvas, panel, &field)?;
        }
        top += body + above + BELOW;
    }
    let hits = canvas.finish()?;
    Ok(with_hits(&svg, &hits))
}

struct Field<'plot> {
    left: i32,
    right: i32,
    top: i32,
    named: bool,
    others: &'plot [&'plot str],
}

fn draw_panel(canvas: &mut Canvas, panel: &BarPanel, field: &Field) -> Result<()> {
    let scale = scale(panel, field.right - field.left);
    let [low, high] = scale.ends();
    let place = |value: f64| {
        let share = (scale.place(value) - low) / (high - low).max(f64::MIN_POSITIVE);
        field.left + pixel(share * f64::from(field.right - field.left))
    };
    let bottom = field.top + body_height(panel);
    if !panel.title.is_empty() {
        canvas.bold(&panel.title, (field.left, field.top - 14), FIELD, Hold::Left)?;
    }
    let room = usize::try_from((field.right - field.left) / 52).unwrap_or(3).max(2);
    for tick in scale.ticks(room) {
        let at = place(tick);
        canvas.line(vec![(at, field.top), (at, bottom)], GRID, 1)?;
        canvas.text(&label(tick), (at, bottom + 11), TEXT - 1.0, MUTED, Hold::Middle)?;
    }
    canvas.text(&panel.axis, (field.left, bottom + 28), TEXT - 1.0, MUTED, Hold::Left)?;
    let base = place(panel.base.unwrap_or_else(|| scale.low()));
    let mut top = field.top + GAP / 2;
    for group in &panel.groups {
        let middle = top + group_height(group) / 2 - GAP / 2;
        if field.named {
            canvas.text(&group.label, (field.left - 8, middle), TEXT, INK, Hold::Right)?;
        }
        for bar in &group.bars {
            draw_bar(canvas, panel, group, bar, (base, top), &place, field)?;
            top += BAR;
        }
        top += GAP;
    }
    canvas.line(vec![(base, field.top), (base, bottom)], if panel.base.is_some() { INK } else { MUTED }, 1)
}

fn draw_bar(
    canvas: &mut Canvas,
    panel: &BarPanel,
    group: &BarGroup,
    bar: &Bar,
    (base, top): (i32, i32),
    place: &impl Fn(f64) -> i32,
    field: &Field,
) -> Result<()> {
    let middle = top + BAR / 2;
    let name = if group.label == bar.series { group.label.clone() } else { format!("{}, {}", group.label, bar.series) };
    let value = match &bar.value {
        Ok(value) => value,
        Err(reason) => {
            canvas.text(reason, (base.max(field.left) + 5, middle), TEXT - 1.5, MUTED, Hold::Left)?;
            return Ok(());
        }
    };
    let end = place(value.median);
    canvas.filled([(base, top + 1), (end, top + BAR - 2)], style::colour(&bar.series, bar.origin, field.others))?;
    let (from, to) = (place(value.low), place(value.high));
    if to - from > 2 {
        canvas.line(vec![(from, middle), (to, middle)], INK, 1)?;
        for at in [from, to] {
            canvas.line(vec![(at, middle - 3), (at, middle + 3)], INK, 1)?;
        }
    }
    let published = bar.origin == Origin::Published;
    let figure = if published { format::exact(value.median) } else { format::number(value.median) };
    let text = format!("{figure}{}", bar.marks);
    if end < base {
        canvas.text(&text, (from.min(end) - 5, middle), TEXT - 1.5, INK, Hold::Right)?;
    } else {
        canvas.text(&text, (to.max(end) + 5, middle), TEXT - 1.5, INK, Hold::Left)?;
    }
    let tip = format!("{name}: {} {} ({})", format::interval(value), panel.axis, panel.title);
    canvas.hit([(base, top), (end, top + BAR)], &tip);
    Ok(())
}

fn scale(panel: &BarPanel, width: i32) -> Scale {
    let bars = || panel.groups.iter().flat_map(|group| &group.bars);
    let values =
        bars().filter_map(|bar| bar.value.as_ref().ok()).flat_map(|value| [value.low, value.median, value.high]);
    let scale = Scale::of(values.chain(panel.base), true);
    // Room for the figure after the longest bar, on both sides where bars go both ways.
    let room = 58.0 / f64::from(width.max(140) - 58);
    if panel.base.is_some() {
        scale.with_room_above(room).with_more_room_below(room)
    } else {
        scale.with_room_below().with_room_above(room)
    }
}

fn group_height(group: &BarGroup) -> i32 {
    i32::try_from(group.bars.len()).unwrap_or(0) * BAR + GAP
}

fn body_height(panel: &BarPanel) -> i32 {
    panel.groups.iter().map(group_height).sum::<i32>()
}

fn labels(panel: &BarPanel) -> Vec<&str> {
    panel.groups.iter().map(|group| group.label.as_str()).collect()
}

fn series(panels: &[BarPanel]) -> impl Iterator<Item = &Bar> {
    panels.iter().flat_map(|panel| &panel.groups).flat_map(|group| &group.bars)
}

fn others(panels: &[BarPanel]) -> Vec<&str> {
    style::others(series(panels).map(|bar| (bar.series.as_str(), bar.origin)))
}

/// Each way once; what others published, and peers that share a colour, as one entry.
fn legend<'plot>(panels: &'plot [BarPanel], others: &[&str]) -> Vec<(&'plot str, RGBColor)> {
    let mut entries: Vec<(&str, RGBColor)> = Vec::new();
    for bar in series(panels) {
        let colour = style::colour(&bar.series, bar.origin, others);
        let name = match bar.origin {
            Origin::Published => "published",
            Origin::Peer if others.len() > 4 => "other mechanisms",
            _ => &bar.series,
        };
        if !entries.iter().any(|entry| entry.0 == name) {
            entries.push((name, colour));
        }
    }
    entries
}
