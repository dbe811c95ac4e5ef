//! The tables of `bt-bench emulation`: a line for each row, engine and level.

use std::fmt::Write as _;

use crate::engine::Engine;
use crate::report::{floor, grid, interval, median, notes, or_dash, ours, target};
use crate::rows::{Row, Unit};
use crate::stats::Estimate;
use crate::variant::Level;

/// Pairs below which an interval says nothing.
const ENOUGH_PAIRS: usize = 3;

/// The rows beside native, then those beside `--emulate off`.
#[must_use]
pub fn tables(rows: &[Row]) -> String {
    // Not by the figures: a row without any belongs to its group all the same.
    let (beside_off, beside_native): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.unit == Unit::CpuSeconds);
    let mut text = String::new();
    if !beside_native.is_empty() {
        text.push_str(&table(&beside_native, "native"));
    }
    if !beside_off.is_empty() {
        let _ = writeln!(text, "\nPrograms that compute, beside the same engine with --emulate off:\n");
        text.push_str(&table(&beside_off, "off"));
    }
    text
}

fn table(rows: &[&Row], base: &str) -> String {
    let titles = ["row", "engine", "level", base, "bt-run", "ratio [95 %]", "times faster", "floor", "target", "notes"];
    let cells: Vec<Vec<String>> = rows.iter().map(|row| cells(row)).collect();
    grid(&titles, &cells)
}

fn level(row: &Row) -> &'static str {
    row.variant.emulate.map_or("–", |level| level.name())
}

fn cells(row: &Row) -> Vec<String> {
    let base = if row.off.is_empty() { &row.native } else { &row.off };
    vec![
        format!("{}/{}", row.group, row.name),
        row.variant.engine.to_string(),
        level(row).to_owned(),
        median(row, base),
        ours(row),
        or_dash(row.ratio.map(|ratio| ratio_cell(&ratio))),
        or_dash(row.ratio.map(|ratio| interval(&ratio.inverse()))),
        or_dash(floor(row)),
        or_dash(target(row)),
        notes(row),
    ]
}

/// A ratio may be a few thousandths here.
fn ratio_cell(ratio: &Estimate) -> String {
    let [median, low, high] = [ratio.median, ratio.low, ratio.high].map(|value| match value {
        small if small < 0.1 => format!("{small:.4}"),
        some if some < 10.0 => format!("{some:.3}"),
        large => format!("{large:.1}"),
    });
    format!("{median} [{low}, {high}]×")
}

/// How many targets each engine meets at one level at least, and which it misses at all.
#[must_use]
pub fn verdicts(rows: &[Row]) -> String {
    let engines = [Engine::Direct, Engine::Translate];
    let texts: Vec<String> = engines.into_iter().filter_map(|engine| verdict(rows, engine)).collect();
    if texts.is_empty() { "no targets".to_owned() } else { texts.join("; ") }
}

fn verdict(rows: &[Row], engine: Engine) -> Option<String> {
    let mut judged: Vec<(String, bool)> = Vec::new();
    for row in rows.iter().filter(|row| row.variant.engine == engine) {
        let Some(met) = row.met else { continue };
        let name = format!("{}/{}", row.group, row.name);
        match judged.iter_mut().find(|(known, _)| *known == name) {
            Some((_, any)) => *any |= met,
            None => judged.push((name, met)),
        }
    }
    let missed: Vec<&str> = judged.iter().filter(|(_, met)| !met).map(|(name, _)| name.as_str()).collect();
    let named = if missed.is_empty() { String::new() } else { format!(" ({})", missed.join(", ")) };
    let met = judged.len() - missed.len();
    (!judged.is_empty()).then(|| format!("{engine}: {met} targets met, {} missed{named}", missed.len()))
}

/// The whole programs that certainly run faster than native, each as the variant that gains most, by gain. Empty
/// where no program was measured. Without emulation there is nothing to gain from: such a row is noise.
#[must_use]
pub fn faster_programs(rows: &[Row]) -> String {
    let programs: Vec<&Row> = rows.iter().filter(|row| row.unit == Unit::Milliseconds).collect();
    if programs.is_empty() {
        return String::new();
    }
    let mut faster: Vec<(&Row, Estimate)> = programs
        .into_iter()
        .filter(|row| row.variant.emulate != Some(Level::Off) && is_faster(row))
        .filter_map(|row| Some((row, row.ratio?.inverse())))
        .collect();
    faster.sort_by(|one, other| other.1.median.total_cmp(&one.1.median));
    let mut text = String::from(
        "\nUnmodified programs that run faster than native (the whole interval, by more than the floor), most first:\n\n",
    );
    let mut names: Vec<&str> = Vec::new();
    for (row, gain) in faster {
        if names.contains(&row.name.as_str()) {
            continue;
        }
        names.push(&row.name);
        let _ = writeln!(
            text,
            "* {} × faster: `{}` (engine {}, {})",
            interval(&gain),
            row.command.replace('\n', "; "),
            row.variant.engine,
            level(row)
        );
    }
    if names.is_empty() {
        text.push_str("none.\n");
    }
    text
}

fn is_faster(row: &Row) -> bool {
    let beyond_floor = row.ratio.zip(row.ratio_floor).is_some_and(|(ratio, floor)| ratio.high < 1.0 - floor);
    row.bt_run.len() >= ENOUGH_PAIRS && beyond_floor
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Turns;
    use crate::target::Target;
    use crate::variant::Variant;

    fn row(name: &str, level: Level, unit: Unit, ours: f64, at_least: f64) -> Row {
        let mut turns = Turns::of(1);
        for _ in 0..3 {
            turns.take(|way| Ok(way.map_or(4.0, |_| ours))).unwrap();
        }
        let variant = Variant { engine: Engine::Direct, emulate: Some(level) };
        let mut row = Row::new(variant, "program", name, unit);
        row.command = format!("{name} some");
        row.target = Some(Target::Faster { at_least });
        row.fill(&turns.ways()[0]);
        row.judge();
        row
    }

    #[test]
    fn line_names_engine_level_and_how_many_times_faster() {
        let text = tables(&[row("dd", Level::Coherent, Unit::Milliseconds, 0.125, 20.0)]);
        let line = text.lines().nth(2).unwrap();
        for part in [
            "program/dd",
            "direct",
            "coherent",
            "4.00 ms",
            "0.0312 [0.0312, 0.0312]×",
            "32.0 [32.0, 32.0]",
            "≥ 20.0× native's speed: met",
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
    }

    #[test]
    fn rows_beside_off_stand_in_a_table_of_their_own() {
        let mut compute = row("xz", Level::Relaxed, Unit::CpuSeconds, 4.0, 0.98);
        compute.compare_with_off();
        let text = tables(&[compute]);
        assert!(text.contains("--emulate off"), "{text}");
        assert!(text.contains("| off ") && !text.contains("| native"), "{text}");
        assert!(text.contains("| 4.00 s | 4.00 s |"), "{text}");
    }

    #[test]
    fn one_level_that_meets_the_target_is_enough() {
        let rows = [
            row("dd", Level::Coherent, Unit::Milliseconds, 2.0, 5.0),
            row("dd", Level::Relaxed, Unit::Milliseconds, 0.5, 5.0),
            row("od", Level::Relaxed, Unit::Milliseconds, 2.0, 5.0),
        ];
        assert_eq!(verdicts(&rows), "direct: 1 targets met, 1 missed (program/od)");
        assert_eq!(verdicts(&[]), "no targets");
    }

    #[test]
    fn programs_stand_once_by_gain_and_only_where_it_is_certain() {
        let rows = [
            row("slow", Level::Coherent, Unit::Milliseconds, 5.0, 1.0),
            row("plain", Level::Off, Unit::Milliseconds, 3.0, 1.0),
            row("some", Level::Coherent, Unit::Milliseconds, 2.0, 1.0),
            row("most", Level::Coherent, Unit::Milliseconds, 1.0, 1.0),
            row("most", Level::Relaxed, Unit::Milliseconds, 0.5, 1.0),
        ];
        let text = faster_programs(&rows);
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with('*')).collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].starts_with("* 8.00") && lines[0].contains("relaxed"), "{text}");
        assert!(lines[1].contains("some"), "{text}");
        assert_eq!(faster_programs(&[]), "");
    }
}
