//! What both kinds of plots draw with: text, lines and boxes in pixels, on plotters' SVG backend.

use std::fmt::Write as _;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::{
    Circle, DrawingArea, FontFamily, FontStyle, IntoDrawingArea as _, IntoTextStyle as _, PathElement, Polygon,
    Rectangle, SVGBackend, ShapeStyle, Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontTransform, RGBColor};

use crate::reporting::format;

use super::style::{self, GROUND, INK, MUTED};

/// The backend writes sizes divided by this.
const FONT_FACTOR: f64 = 1.24;

/// Where a text is held.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hold {
    /// By its left end.
    Left,
    /// By its middle.
    Middle,
    /// By its right end.
    Right,
}

/// A drawing in the making.
pub(super) struct Canvas<'text> {
    area: DrawingArea<SVGBackend<'text>, Shift>,
    hits: String,
}

impl<'text> Canvas<'text> {
    /// An empty drawing.
    ///
    /// # Errors
    /// The backend refused.
    pub(super) fn new(svg: &'text mut String, width: i32, height: i32) -> Result<Self> {
        let size = (width.max(1).unsigned_abs(), height.max(1).unsigned_abs());
        let area = SVGBackend::with_string(svg, size).into_drawing_area();
        area.fill(&GROUND).map_err(problem)?;
        Ok(Self { area, hits: String::new() })
    }

    /// A text, its middle at this height.
    ///
    /// # Errors
    /// The backend refused.
    pub(super) fn text(&self, text: &str, at: (i32, i32), size: f64, colour: RGBColor, hold: Hold) -> Result<()> {
        self.styled(text, at, (size, FontStyle::Normal, FontTransform::None), colour, hold)
    }

    /// A heading.
    ///
    /// # Errors
    /// The backend refused.
    pub(super) fn bold(&self, text: &str, at: (i32, i32), size: f64, hold: Hold) -> Result<()> {
        self.styled(text, at, (size, FontStyle::Bold, FontTransform::None), INK, hold)
    }

    /// The name of an upright axis.
    ///
    /// # Errors
    /// The backend refused.
    pub(super) fn upright(&self, text: &str, at: (i32, i32)) -> Result<()> {
        self.styled(text, at, (style::TEXT, FontStyle::Normal, FontTransform::Rotate270), MUTED, Hold::Middle)
    }

    fn styled(
        &self,
        text: &str,
        at: (i32, i32),
        (size, weight, turned): (f64, FontStyle, FontTransform),
        colour: RGBColor,
        hold: Hold,
    ) -> Result<()> {
        let horizontal = match hold {
            Hold::Left => HPos::Left,
            Hold::Middle => HPos::Center,
            Hold::Right => HPos::Right,
        };
        let font = plotters::style::FontDesc::new(FontFamily::SansSerif, size * FONT_FACTOR, weight);
        let style =
            font.transform(turned).into_text_style(&self.area).color(&colour).pos(Pos::new(horizontal, VPos::Center));
        self.area.draw(&Text::new(text.to_owned(), at, style)).map_err(problem)
    }

    /// A line through points.
    ///
    /// # Errors
    /// The backend refused.
    pub(super) fn line(&self, points: Vec<(i32, i32)>, colour: RGBColor, width: u32) -> Result<()> {
        self.area.draw(&PathElement::new(points, ShapeStyle::from(&colour).stroke_width(width))).map_err(problem)
    }

    /// A filled area.
    ///
    /// # Errors
    /// The backend refused.
    pub(super) fn area(&self, points: Vec<(i32, i32)>, colour: RGBColor, opacity: f64) -> Result<()> {
        let colour = plotters::style::Color::mix(&colour, opacity);
        self.area.draw(&Polygon::new(points, colour)).map_err(problem)
    }

    /// A filled box.
    ///
    /// # Errors
    /// The backend refused.
    pub(super) fn filled(&self, corners: [(i32, i32); 2], colour: RGBColor) -> Result<()> {
        self.area.draw(&Rectangle::new(corners, ShapeStyle::from(&colour).filled())).map_err(problem)
    }

    /// A mark at a point.
    ///
    /// # Errors
    /// The backend refused.
    pub(super) fn mark(&self, at: (i32, i32), colour: RGBColor) -> Result<()> {
        self.area.draw(&Circle::new(at, 3, ShapeStyle::from(&colour).filled())).map_err(problem)
    }

    /// A box that shows `tip` when pointed at.
    pub(super) fn hit(&mut self, [from, to]: [(i32, i32); 2], tip: &str) {
        let (left, top) = (from.0.min(to.0), from.1.min(to.1));
        let (width, height) = ((to.0 - from.0).abs().max(6), (to.1 - from.1).abs().max(6));
        let tip = format::html(tip);
        let _ = writeln!(
            self.hits,
            "<rect class=\"hit\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"none\" \
             pointer-events=\"all\" data-tip=\"{tip}\"><title>{tip}</title></rect>"
        );
    }

    /// The names of the series with their colours, in one line that begins at `at`.
    ///
    /// # Errors
    /// The backend refused.
    pub(super) fn legend(&self, entries: &[(&str, RGBColor)], at: (i32, i32)) -> Result<()> {
        let mut left = at.0;
        for (name, colour) in entries {
            self.filled([(left, at.1 - 5), (left + 11, at.1 + 6)], *colour)?;
            self.text(name, (left + 16, at.1), style::TEXT, INK, Hold::Left)?;
            left += 16 + style::width(name, style::TEXT) + 18;
        }
        Ok(())
    }

    /// Ends the drawing; what is returned belongs before the closing tag.
    ///
    /// # Errors
    /// The backend refused.
    pub(super) fn finish(self) -> Result<String> {
        self.area.present().map_err(problem)?;
        Ok(self.hits)
    }
}

/// Puts the boxes that can be pointed at on top of everything.
#[must_use]
pub(super) fn with_hits(svg: &str, hits: &str) -> String {
    svg.rfind("</svg>").map_or_else(|| svg.to_owned(), |end| format!("{}{hits}</svg>\n", &svg[..end]))
}

fn problem(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("a plot could not be drawn: {error}")
}
