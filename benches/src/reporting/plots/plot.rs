//! A plot before it is drawn: its fields, and what stands in them.

use crate::base::stats::Estimate;

/// A plot before it is drawn.
#[derive(Debug)]
pub(crate) struct Plot {
    /// File name and anchor.
    pub id: String,
    /// The suite that it shows.
    pub suite: String,
    /// Heading.
    pub title: String,
    /// What is below the heading.
    pub subtitle: String,
    /// What is drawn.
    pub body: Body,
}

/// The two kinds of plots.
#[derive(Debug)]
pub(crate) enum Body {
    /// Bars that lie, with their names to the left.
    Bars(Vec<BarPanel>),
    /// Lines over a parameter, or distributions.
    Lines(Vec<LinePanel>),
}

/// One field of a plot of bars.
#[derive(Debug)]
pub(crate) struct BarPanel {
    /// Heading of the field.
    pub title: String,
    /// What the axis counts.
    pub axis: String,
    /// Where bars begin: native in plots of ratios. Without it at the axis' lower end.
    pub base: Option<f64>,
    /// The bars, each group with a name.
    pub groups: Vec<BarGroup>,
}

/// Bars that stand together.
#[derive(Debug)]
pub(crate) struct BarGroup {
    /// What stands to the left.
    pub label: String,
    /// The bars, from above.
    pub bars: Vec<Bar>,
}

/// A bar.
#[derive(Debug)]
pub(crate) struct Bar {
    /// The way or system that it is about; decides the colour.
    pub series: String,
    /// Whose figure it is.
    pub origin: Origin,
    /// Its length and interval; without one it says why.
    pub value: Result<Estimate, String>,
    /// Marks after the figure: ≈ noisy, ◦ quick.
    pub marks: &'static str,
}

/// Whose figure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Published by others.
    Published,
    /// Native here.
    Native,
    /// An engine here.
    Engine,
    /// Another program here.
    Peer,
}

/// One field of a plot of lines.
#[derive(Debug)]
pub(crate) struct LinePanel {
    /// Heading of the field.
    pub title: String,
    /// What the axes count.
    pub axes: [String; 2],
    /// Whether the axes are logarithmic.
    pub logarithmic: [bool; 2],
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line.
#[derive(Debug)]
pub(crate) struct Line {
    /// The way; decides the colour.
    pub series: String,
    /// Whose figures they are.
    pub origin: Origin,
    /// The points from left to right, with intervals where there are any.
    pub points: Vec<(f64, Estimate)>,
    /// Points are marked; not in distributions, which have too many.
    pub marked: bool,
}
