//! Which plots there are, and that their drawings hold what they should.

use super::plot::*;
use super::{choose, style, svg};
use crate::reporting::data::Data;
use crate::reporting::load::Rows;
use crate::reporting::{fixture, published};
use crate::rows::result::{ResultRow, State};

fn plots(rows: Vec<ResultRow>) -> Vec<Plot> {
    choose::all(&Data::of(Rows { rows, warnings: Vec::new() }), &published::read().unwrap())
}

fn plot(id: &str) -> Plot {
    let plots = plots(fixture::rows());
    let ids: Vec<String> = plots.iter().map(|plot| plot.id.clone()).collect();
    plots.into_iter().find(|plot| plot.id == id).unwrap_or_else(|| panic!("{id} in {ids:?}"))
}

#[test]
fn every_kind_of_plot_is_there_and_draws() {
    let plots = plots(fixture::rows());
    let ids: Vec<&str> = plots.iter().map(|plot| plot.id.as_str()).collect();
    for id in [
        "singularity-paper",
        "singularity-psr-size",
        "vmware-nano",
        "vmware-macro",
        "vmware-compute",
        "vmware-web-server",
        "switch-process-switch",
        "switch-wake-up-latency",
        "interpose-ladder",
        "startup-slowdown",
    ] {
        assert!(ids.contains(&id), "{id} in {ids:?}");
    }
    for plot in &plots {
        let svg = super::svg(plot).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{}", plot.id);
        assert!(svg.contains("class=\"hit\"") && !svg.contains("NaN"), "{}", plot.id);
    }
}

#[test]
fn ladder_is_sorted_and_says_what_failed() {
    let plot = plot("interpose-ladder");
    let Body::Bars(panels) = &plot.body else { panic!("bars") };
    let labels: Vec<&str> = panels[0].groups.iter().map(|group| group.label.as_str()).collect();
    assert_eq!(labels[0], "direct relaxed");
    let svg = super::svg(&plot).unwrap();
    assert!(svg.contains("unavailable") && svg.contains("failed"));
}

#[test]
fn bars_show_their_figure_when_pointed_at() {
    let svg = super::svg(&plot("singularity-paper")).unwrap();
    assert!(svg.contains("Linux: 437 cycles (ABI call)"));
}

#[test]
fn context_switches_are_lines_over_processes_with_a_field_for_each_working_set() {
    let plot = plot("switch-process-switch");
    let Body::Lines(panels) = &plot.body else { panic!("lines") };
    assert_eq!(
        panels.iter().map(|panel| panel.title.as_str()).collect::<Vec<_>>(),
        ["working set 0 bytes", "working set 16384 bytes", "working set 65536 bytes"]
    );
    assert!(panels.iter().all(|panel| panel.lines.len() == 3 && panel.lines.iter().all(|line| line.points.len() == 4)));
}

#[test]
fn native_has_one_colour_everywhere() {
    let native = style::colour("native", Origin::Native, &[]);
    assert_eq!(style::colour("native (second)", Origin::Native, &["x"]), native);
    assert_ne!(style::colour("direct", Origin::Engine, &[]), native);
}

#[test]
fn without_figures_there_are_no_plots_and_no_rows_are_no_error() {
    let mut rows = fixture::rows();
    for row in &mut rows {
        row.state = State::Failed { reason: "no such thing".to_owned() };
        row.quantiles.clear();
    }
    assert!(plots(rows).is_empty());
    assert!(plots(Vec::new()).is_empty());
}

#[test]
fn noisy_and_quick_bars_are_marked() {
    let noisy = plot("vmware-compute");
    assert!(noisy.subtitle.ends_with("≈ noisy."), "{}", noisy.subtitle);
    assert!(svg(&noisy).unwrap().contains(" ≈\n"));
    assert!(plot("unheard-of-slowdown").subtitle.ends_with("◦ quick run."));
}
