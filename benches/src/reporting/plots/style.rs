//! Colours and sizes. The colours are those of Okabe and Ito, which readers with any colour vision tell apart; native
//! is grey in every plot, what others published is pale.

use plotters::style::RGBColor;

use super::plot::Origin;

/// Text and axes. A page replaces this very colour by its own.
pub(super) const INK: RGBColor = RGBColor(0x24, 0x29, 0x2F);
/// Lines of the grid, likewise.
pub(super) const GRID: RGBColor = RGBColor(0xDF, 0xE3, 0xE8);
/// Less important text, likewise.
pub(super) const MUTED: RGBColor = RGBColor(0x5C, 0x66, 0x70);
/// The ground, likewise.
pub(super) const GROUND: RGBColor = RGBColor(0xFE, 0xFE, 0xFE);

const NATIVE: RGBColor = RGBColor(0x7D, 0x87, 0x91);
const PUBLISHED: RGBColor = RGBColor(0xC9, 0xBD, 0xA3);
const PEER: RGBColor = RGBColor(0xE6, 0x9F, 0x00);
const DIRECT: RGBColor = RGBColor(0x00, 0x72, 0xB2);
const TRANSLATE: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
const RING0: RGBColor = RGBColor(0x00, 0x9E, 0x73);
/// For whatever else occurs, levels of emulation above all.
const FURTHER: [RGBColor; 4] =
    [RGBColor(0x56, 0xB4, 0xE9), RGBColor(0xCC, 0x79, 0xA7), RGBColor(0xE6, 0x9F, 0x00), RGBColor(0xB8, 0xAE, 0x1E)];

/// Size of text in pixels of the drawing.
pub(super) const TEXT: f64 = 12.5;
/// Size of a heading.
pub(super) const HEADING: f64 = 17.0;
/// Size of a field's heading.
pub(super) const FIELD: f64 = 13.5;

/// The colour of a series; `others` are the ways without a colour of their own, in order.
#[must_use]
pub(super) fn colour(series: &str, origin: Origin, others: &[&str]) -> RGBColor {
    match (origin, series) {
        (Origin::Native, _) => NATIVE,
        (Origin::Published, _) => PUBLISHED,
        (_, "direct") => DIRECT,
        (_, "translate") => TRANSLATE,
        (_, "ring0") => RING0,
        (Origin::Peer, _) if others.len() > FURTHER.len() => PEER,
        _ => {
            let place = others.iter().position(|name| *name == series).unwrap_or(0);
            FURTHER[place % FURTHER.len()]
        }
    }
}

/// The series that [`colour`] has no fixed colour for.
#[must_use]
pub(super) fn others<'name>(series: impl Iterator<Item = (&'name str, Origin)>) -> Vec<&'name str> {
    let mut names: Vec<&str> = Vec::new();
    for (name, origin) in series {
        let fixed = ["direct", "translate", "ring0"].contains(&name);
        if !fixed && matches!(origin, Origin::Engine | Origin::Peer) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// How wide a text will be. The backend does not measure fonts: 0.6 em is on the safe side of a sans serif's mean.
#[must_use]
pub(super) fn width(text: &str, size: f64) -> i32 {
    let characters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    pixel(f64::from(characters) * size * 0.6)
}

/// Rounds to a pixel.
#[must_use]
pub(super) fn pixel(value: f64) -> i32 {
    #[allow(clippy::cast_possible_truncation, reason = "a drawing has some thousand pixels")]
    let rounded = value.round().clamp(-1e6, 1e6) as i32;
    rounded
}
