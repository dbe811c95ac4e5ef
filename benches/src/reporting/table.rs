//! A table before anyone has decided how it is written: Markdown, LaTeX and HTML are made of the same one.

use super::data::{Outcome, Verdict};
use super::format;

/// One table.
#[derive(Debug)]
pub(super) struct Table {
    /// File name and anchor.
    pub id: String,
    /// The suite that it shows.
    pub suite: String,
    /// Heading.
    pub title: String,
    /// What must be known to read it.
    pub caption: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its lines.
    pub rows: Vec<Row>,
    /// Footnotes; a cell names its one by index.
    pub notes: Vec<String>,
}

/// A column.
#[derive(Debug)]
pub(super) struct Column {
    /// Its heading.
    pub title: String,
    /// It holds figures, which stand to the right.
    pub numeric: bool,
    /// The way whose figures it holds.
    pub way: Option<String>,
}

/// A line.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// Begins a part of the table with this heading.
    pub section: Option<String>,
    /// The way whose figures it holds, where lines are ways.
    pub way: Option<String>,
    /// One for each column.
    pub cells: Vec<Cell>,
}

/// A cell.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    /// What stands in it.
    pub text: String,
    /// The figure that it shows, by which a page sorts.
    pub value: Option<f64>,
    /// Better or worse than native.
    pub sign: &'static str,
    /// The figures stray too far.
    pub noisy: bool,
    /// The work was scaled down.
    pub quick: bool,
    /// Index of a footnote.
    pub note: Option<usize>,
    /// The key of the row that it is about.
    pub key: Option<String>,
}

impl Column {
    /// A column of words.
    #[must_use]
    pub(super) fn words(title: &str) -> Self {
        Self { title: title.to_owned(), numeric: false, way: None }
    }

    /// A column of figures.
    #[must_use]
    pub(super) fn figures(title: &str, way: Option<&str>) -> Self {
        Self { title: title.to_owned(), numeric: true, way: way.map(str::to_owned) }
    }
}

impl Cell {
    /// Words.
    #[must_use]
    pub(super) fn text(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// A figure.
    #[cfg(test)]
    #[must_use]
    pub(super) fn figure(value: f64) -> Self {
        Self { text: format::number(value), value: Some(value), ..Self::default() }
    }

    /// A published figure, with all its digits, or a dash.
    #[must_use]
    pub(super) fn published(value: Option<f64>) -> Self {
        value.map_or_else(Self::dash, |value| Self {
            text: format::exact(value),
            value: Some(value),
            ..Self::default()
        })
    }

    /// Nothing to say.
    #[must_use]
    pub(super) fn dash() -> Self {
        Self::text("–")
    }

    /// The text with every mark except the footnote.
    #[must_use]
    pub(super) fn marked(&self) -> String {
        let mut text = self.text.clone();
        let marks = [(!self.sign.is_empty(), self.sign), (self.noisy, "≈"), (self.quick, "◦")];
        for (_, sign) in marks.into_iter().filter(|(wanted, _)| *wanted) {
            text.push(' ');
            text.push_str(sign);
        }
        text
    }
}

/// What the marks mean; stands below the tables.
pub(super) const LEGEND: &str = "▲ better, ▼ worse than native by more than the interval and the floor of the run explain; \
≈ noisy: native against native strays far, so the figure says little; ◦ quick run with less work. \
Figures are medians, brackets 95 % bootstrap intervals. × is this way / native in the same turns: below 1 is better for times and sizes, above 1 for rates.";

impl Table {
    /// A table without lines.
    #[must_use]
    pub(super) fn new((suite, id): (&str, &str), title: &str, caption: &str, columns: Vec<Column>) -> Self {
        Self {
            id: format::slug(id),
            suite: suite.to_owned(),
            title: title.to_owned(),
            caption: caption.to_owned(),
            columns,
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a footnote unless it is there already.
    pub(super) fn note(&mut self, text: &str) -> usize {
        let found = self.notes.iter().position(|note| note == text);
        found.unwrap_or_else(|| {
            self.notes.push(text.to_owned());
            self.notes.len() - 1
        })
    }

    /// A cell about a row: the figure where there is one, with the row's marks, else why there is none.
    pub(super) fn outcome(
        &mut self,
        outcome: Option<&Outcome>,
        figure: impl Fn(&Outcome) -> Option<(String, f64)>,
    ) -> Cell {
        let Some(outcome) = outcome else { return Cell::dash() };
        if let Some((state, reason)) = outcome.reason() {
            let note = self.note(&format!("{}: {reason}", outcome.way));
            let key = Some(outcome.key());
            return Cell { text: state.to_owned(), note: Some(note), key, ..Cell::default() };
        }
        let Some((text, value)) = figure(outcome) else { return Cell::dash() };
        let verdict = outcome.verdict();
        let remarks: Vec<&str> = outcome.row.notes.iter().map(String::as_str).collect();
        let mut note = None;
        if !remarks.is_empty() {
            // As it is: many remarks are the same for all ways and for several benchmarks, and stand once then.
            note = Some(self.note(&remarks.join("; ")));
        } else if outcome.row.samples.len() < 3 {
            note = Some(self.note("too few samples for an interval"));
        }
        let sign = if verdict == Verdict::None { "" } else { verdict.sign() };
        Cell {
            text,
            value: Some(value),
            sign,
            noisy: outcome.row.noisy,
            quick: outcome.row.quick,
            note,
            key: Some(outcome.key()),
        }
    }

    /// Every line has as many cells as there are columns.
    #[cfg(test)]
    #[must_use]
    pub(super) fn is_even(&self) -> bool {
        self.rows.iter().all(|row| row.cells.len() == self.columns.len())
    }
}

#[cfg(test)]
mod tests {
    use super::super::data::Data;
    use super::super::fixture;
    use super::super::load::Rows;
    use super::*;

    #[test]
    fn footnotes_stand_once() {
        let mut table = Table::new(("s", "a b"), "", "", Vec::new());
        assert_eq!([table.note("x"), table.note("y"), table.note("x")], [0, 1, 0]);
        assert_eq!(table.id, "a-b");
    }

    #[test]
    fn marks_follow_the_figure() {
        let cell = Cell { sign: "▼", noisy: true, quick: true, ..Cell::figure(2.0) };
        assert_eq!(cell.marked(), "2.00 ▼ ≈ ◦");
        assert_eq!(Cell::published(None).marked(), "–");
    }

    #[test]
    fn failures_become_footnotes() {
        let data = Data::of(Rows { rows: fixture::rows(), warnings: Vec::new() });
        let mut table = Table::new(("s", "t"), "", "", Vec::new());
        let failed = data.suite("interpose").unwrap().benchmarks[0].way("lazypoline");
        let cell = table.outcome(failed, |_| None);
        assert_eq!((cell.text.as_str(), cell.note), ("failed", Some(0)));
        assert!(table.notes[0].contains("signal 11"));
        assert_eq!(table.outcome(None, |_| None).text, "–");
    }
}
