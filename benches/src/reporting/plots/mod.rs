//! Plots: [`choose`] says which there are, [`bars`] and [`lines`] draw them as SVG, [`export`] makes PDF and PNG of
//! that.

mod bars;
mod canvas;
pub(super) mod choose;
pub(super) mod export;
mod lines;
pub(super) mod plot;
mod scale;
mod style;

use plot::{Body, Plot};

/// A plot as SVG that stands alone; every bar and point says its figure when pointed at.
///
/// # Errors
/// The drawing failed.
pub(super) fn svg(plot: &Plot) -> anyhow::Result<String> {
    match &plot.body {
        Body::Bars(panels) => bars::draw(plot, panels),
        Body::Lines(panels) => lines::draw(plot, panels),
    }
}

#[cfg(test)]
mod tests;
