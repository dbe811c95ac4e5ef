//! Which plots a report has.

use crate::base::stats::Estimate;
use crate::reporting::data::{Benchmark, Data, Outcome, Suite};
use crate::reporting::format;
use crate::reporting::published::Published;
use crate::rows::result::{Unit, Way};

use super::plot::{Bar, BarGroup, BarPanel, Body, Line, LinePanel, Origin, Plot};

/// Parameters that make an axis, if several values of them were run; the first of these that qualifies.
const AXES: [(&str, &str); 4] =
    [("processes", "processes or threads"), ("threads", "threads"), ("bytes", "bytes"), ("clients", "clients")];
/// As many values make a line.
const POINTS: usize = 3;

/// Every plot, in the order of the suites.
#[must_use]
pub(crate) fn all(data: &Data, published: &Published) -> Vec<Plot> {
    let mut plots = Vec::new();
    for suite in data.suites.iter().filter(|suite| suite.is_beside_native()) {
        match suite.name.as_str() {
            "singularity" => plots.extend(singularity(suite, published)),
            "vmware" => plots.extend(vmware(suite, published)),
            "interpose" => plots.extend(ladder(suite)),
            _ => {}
        }
        plots.extend(slowdowns(suite));
        plots.extend(lines(suite));
        plots.extend(distributions(suite));
    }
    plots
}

fn origin(outcome: &Outcome) -> Origin {
    match outcome.row.way {
        Way::Native => Origin::Native,
        Way::Engine { .. } => Origin::Engine,
        Way::Peer { .. } => Origin::Peer,
    }
}

fn published_bar(system: &str, value: Option<f64>) -> BarGroup {
    let value = value.map(|value| Estimate { median: value, low: value, high: value });
    let bar = Bar {
        series: system.to_owned(),
        origin: Origin::Published,
        value: value.ok_or_else(|| "–".to_owned()),
        marks: "",
    };
    BarGroup { label: system.to_owned(), bars: vec![bar] }
}

/// One bar for each way of the suite, each with its name to the left.
fn measured_bars(
    suite: &Suite,
    benchmark: Option<&Benchmark>,
    figure: impl Fn(&Outcome) -> Option<Estimate>,
) -> Vec<BarGroup> {
    let mut groups = Vec::new();
    for way in &suite.ways {
        let outcome = benchmark.and_then(|benchmark| benchmark.way(way));
        let known = suite.benchmarks.iter().find_map(|benchmark| benchmark.way(way)).map_or(Origin::Peer, origin);
        let value = outcome.ok_or_else(|| "–".to_owned()).and_then(|outcome| bar_value(outcome, &figure));
        let marks = outcome.map_or("", marks);
        groups.push(BarGroup {
            label: way.clone(),
            bars: vec![Bar { series: way.clone(), origin: known, value, marks }],
        });
    }
    groups
}

fn marks(outcome: &Outcome) -> &'static str {
    match (outcome.row.noisy, outcome.row.quick) {
        (true, true) => " ≈ ◦",
        (true, false) => " ≈",
        (false, true) => " ◦",
        (false, false) => "",
    }
}

fn bar_value(outcome: &Outcome, figure: &impl Fn(&Outcome) -> Option<Estimate>) -> Result<Estimate, String> {
    if let Some((state, _)) = outcome.reason() {
        return Err(state.to_owned());
    }
    figure(outcome).filter(|value| value.median > 0.0).ok_or_else(|| "–".to_owned())
}

fn has_figures(panel: &BarPanel) -> bool {
    let mut bars = panel.groups.iter().flat_map(|group| &group.bars);
    bars.any(|bar| bar.value.is_ok() && bar.origin != Origin::Published)
}

fn bars(id: &str, suite: &Suite, title: &str, subtitle: &str, panels: Vec<BarPanel>) -> Option<Plot> {
    let panels: Vec<BarPanel> = panels.into_iter().filter(has_figures).collect();
    let all_bars = || panels.iter().flat_map(|panel| &panel.groups).flat_map(|group| &group.bars);
    let mut subtitle = subtitle.to_owned();
    for (mark, meaning) in [("≈", " ≈ noisy."), ("◦", " ◦ quick run.")] {
        if all_bars().any(|bar| bar.marks.contains(mark)) {
            subtitle.push_str(meaning);
        }
    }
    (!panels.is_empty()).then(|| Plot {
        id: format::slug(id),
        suite: suite.name.clone(),
        title: title.to_owned(),
        subtitle,
        body: Body::Bars(panels),
    })
}

fn singularity(suite: &Suite, published: &Published) -> Option<Plot> {
    let rows = &published.singularity_mspc2006.row;
    let first = |names: &[&str]| names.iter().find_map(|name| suite.find(name, None));
    let columns = [
        ("ABI call", first(&["abi-call"]), rows.iter().map(|row| row.abi_call_cycles).collect::<Vec<_>>()),
        (
            "Thread yield",
            first(&["thread-yield", "sched-yield"]),
            rows.iter().map(|row| row.thread_yield_cycles).collect(),
        ),
        (
            "Byte there and back",
            first(&["psr-socketpair", "psr-pipe", "psr-tcp"]),
            rows.iter().map(|row| row.psr_cycles).collect(),
        ),
        (
            "Create process",
            first(&["create-process-spawn-dynamic", "create-process-spawn-static", "create-process-fork"]),
            rows.iter().map(|row| row.create_process_cycles).collect(),
        ),
    ];
    let panels = columns.into_iter().map(|(title, benchmark, values)| {
        let others = rows.iter().zip(values).map(|(row, value)| published_bar(&row.system, value));
        let groups = others.chain(measured_bars(suite, benchmark, Outcome::cycles)).collect();
        BarPanel { title: title.to_owned(), axis: "cycles".to_owned(), base: None, groups }
    });
    bars(
        "singularity-paper",
        suite,
        "Basic costs of Singularity and others in 2006, and here",
        "Cycles, logarithmic. Published: Aiken et al., MSPC 2006, on an Athlon 64 of 1.8 GHz.",
        panels.collect(),
    )
}

fn vmware(suite: &Suite, published: &Published) -> Vec<Plot> {
    let source = &published.vmware_asplos2006;
    let systems = ["native (2006)", "software VMM", "hardware VMM"];
    let panel =
        |title: &str, unit: &str, values: Option<&[f64; 3]>, benchmark, figure: fn(&Outcome) -> Option<Estimate>| {
            let others = (0..3).map(|index| published_bar(systems[index], values.map(|values| values[index])));
            let groups = others.chain(measured_bars(suite, benchmark, figure)).collect();
            BarPanel { title: title.to_owned(), axis: unit.to_owned(), base: None, groups }
        };
    let nano = ["syscall", "call-ret", "pgfault", "divzero", "ptemod"].map(|name| {
        let values = source.nano_cycles.get(&name.replace('-', "_"));
        panel(name, "cycles", values, suite.find(name, None), Outcome::cycles)
    });
    let macros = &source.whole_programs;
    let seconds = |outcome: &Outcome| Some(outcome.nanoseconds()?.scaled(1e-9));
    let clients = Some(("clients", 128.0));
    let whole_run = |outcome: &Outcome| outcome.row.unit != Unit::Nanoseconds && !outcome.row.quick;
    let forkwait = suite.find("forkwait", None).filter(|benchmark| benchmark.results.iter().all(whole_run));
    let whole = vec![
        panel("forkwait, 40,000 processes", "s", macros.get("forkwait_40000_seconds"), forkwait, seconds),
        panel("compile", "s", macros.get("compile_linux_seconds"), suite.find("compile", None), seconds),
        panel(
            "web, 128 clients (more is better)",
            "requests/s",
            macros.get("apache_linux_128_clients_requests_per_second"),
            suite.find("web-server", clients),
            Outcome::estimate,
        ),
    ];
    let note = "Logarithmic. Published: Adams & Agesen, ASPLOS 2006, on a Pentium 4 of 3.8 GHz.";
    let plots = [
        bars("vmware-nano", suite, "Single operations under VMware in 2006, and here", note, nano.into()),
        bars("vmware-macro", suite, "Whole programs under VMware in 2006, and here", note, whole),
    ];
    plots.into_iter().flatten().collect()
}

/// The cost of one call by each way of catching it, cheapest first.
fn ladder(suite: &Suite) -> Option<Plot> {
    let panels = suite.benchmarks.iter().map(|benchmark| {
        let mut groups = measured_bars(suite, Some(benchmark), Outcome::estimate);
        let cost = |group: &BarGroup| {
            group.bars.first().and_then(|bar| bar.value.as_ref().ok()).map_or(f64::INFINITY, |value| value.median)
        };
        groups.sort_by(|left, right| cost(left).total_cmp(&cost(right)));
        BarPanel { title: benchmark.title.clone(), axis: benchmark.unit.symbol().to_owned(), base: None, groups }
    });
    let subtitle = "Time of one call as the program sees it, logarithmic; native is the call without anybody between.";
    bars(
        "interpose-ladder",
        suite,
        "What it costs to stand between a program and its system calls",
        subtitle,
        panels.collect(),
    )
}

/// Each benchmark's slow-down, native being 1. In a suite of mixed kinds the compute programs have a plot of their own.
fn slowdowns(suite: &Suite) -> Vec<Plot> {
    if suite.name == "interpose" {
        return Vec::new();
    }
    let (compute, rest): (Vec<&Benchmark>, Vec<&Benchmark>) =
        suite.benchmarks.iter().partition(|benchmark| benchmark.is_compute());
    let mut plots = Vec::new();
    for (id, what, benchmarks) in [("compute", "compute programs, ", compute), ("slowdown", "", rest)] {
        let single: Vec<&Benchmark> =
            benchmarks.into_iter().filter(|benchmark| !is_on_a_line(suite, benchmark)).collect();
        let groups: Vec<BarGroup> = single
            .into_iter()
            .map(|benchmark| ratio_group(suite, benchmark))
            .filter(|group| !group.bars.is_empty())
            .collect();
        let panel = BarPanel { title: String::new(), axis: "× native".to_owned(), base: Some(1.0), groups };
        plots.extend(bars(
            &format!("{}-{id}", suite.name),
            suite,
            &format!("Suite {}: {what}time relative to native", suite.name),
            "Logarithmic, medians with 95 % intervals. Left of the line: faster than native; right: slower. Rates are inverted.",
            vec![panel],
        ));
    }
    plots
}

fn ratio_group(suite: &Suite, benchmark: &Benchmark) -> BarGroup {
    // A way that has no ratio anywhere, because it is missing on this machine, takes no room here; the tables name it.
    let has_ratios = |way: &str| {
        suite.benchmarks.iter().filter_map(|benchmark| benchmark.way(way)).any(|outcome| outcome.ratio.is_some())
    };
    let others = benchmark.results.iter().filter(|outcome| outcome.row.way != Way::Native && has_ratios(&outcome.way));
    let bars = others.map(|outcome| Bar {
        series: outcome.way.clone(),
        origin: origin(outcome),
        value: bar_value(outcome, &Outcome::slowdown),
        marks: marks(outcome),
    });
    BarGroup { label: benchmark.title.clone(), bars: bars.collect() }
}

/// The parameter that a benchmark of this name is drawn over.
fn axis_of(suite: &Suite, name: &str) -> Option<(&'static str, &'static str)> {
    let named: Vec<&Benchmark> = suite.benchmarks.iter().filter(|benchmark| benchmark.id.name == name).collect();
    AXES.into_iter().find(|(param, _)| {
        let mut values: Vec<f64> = named.iter().filter_map(|benchmark| benchmark.param(param)).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values.len() >= POINTS
    })
}

fn is_on_a_line(suite: &Suite, benchmark: &Benchmark) -> bool {
    axis_of(suite, &benchmark.id.name).is_some_and(|(param, _)| benchmark.param(param).is_some())
}

/// What the parameters other than the axis are, as a field's heading.
fn field_of(benchmark: &Benchmark, axis: &str) -> String {
    let rest = benchmark.id.params.iter().filter(|(name, _)| name != axis);
    let parts = rest.map(|(name, value)| match (name.as_str(), value.as_str()) {
        ("bytes", _) => format!("working set {value} bytes"),
        _ => format!("{name} {value}"),
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn names(suite: &Suite) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for benchmark in &suite.benchmarks {
        if !names.contains(&benchmark.id.name.as_str()) {
            names.push(&benchmark.id.name);
        }
    }
    names
}

fn lines(suite: &Suite) -> Vec<Plot> {
    let mut plots = Vec::new();
    for name in names(suite) {
        let Some((axis, axis_title)) = axis_of(suite, name) else { continue };
        let mut panels: Vec<LinePanel> = Vec::new();
        for benchmark in suite.benchmarks.iter().filter(|benchmark| benchmark.id.name == name) {
            let (field, Some(x)) = (field_of(benchmark, axis), benchmark.param(axis)) else { continue };
            let unit = benchmark.unit.symbol();
            let position = panels.iter().position(|panel| panel.title == field);
            let index = position.unwrap_or(panels.len());
            if position.is_none() {
                let axes = [axis_title.to_owned(), unit.to_owned()];
                panels.push(LinePanel { title: field, axes, logarithmic: [true, true], lines: Vec::new() });
            }
            for outcome in &benchmark.results {
                if let Some(estimate) = outcome.estimate().filter(|estimate| estimate.median > 0.0 && x > 0.0) {
                    add_point(&mut panels[index], outcome, (x, estimate));
                }
            }
        }
        panels.retain(|panel| !panel.lines.is_empty());
        if !panels.is_empty() {
            plots.push(line_plot(
                suite,
                &format!("{}-{name}", suite.name),
                name,
                "Medians with 95 % intervals; both axes logarithmic.",
                panels,
            ));
        }
    }
    plots
}

fn add_point(panel: &mut LinePanel, outcome: &Outcome, point: (f64, Estimate)) {
    if let Some(line) = panel.lines.iter_mut().find(|line| line.series == outcome.way) {
        line.points.push(point);
    } else {
        let series = outcome.way.clone();
        panel.lines.push(Line { series, origin: origin(outcome), points: vec![point], marked: true });
    }
}

fn line_plot(suite: &Suite, id: &str, name: &str, subtitle: &str, panels: Vec<LinePanel>) -> Plot {
    Plot {
        id: format::slug(id),
        suite: suite.name.clone(),
        title: format!("Suite {}: {}", suite.name, name.replace('-', " ")),
        subtitle: subtitle.to_owned(),
        body: Body::Lines(panels),
    }
}

/// Latencies of single operations: which share took at most so long.
fn distributions(suite: &Suite) -> Vec<Plot> {
    let mut plots = Vec::new();
    for name in names(suite) {
        let mut panels = Vec::new();
        for benchmark in suite.benchmarks.iter().filter(|benchmark| benchmark.id.name == name) {
            let timed = benchmark.results.iter().filter(|outcome| outcome.row.quantiles.len() > 1);
            let lines: Vec<Line> = timed.map(distribution).collect();
            if !lines.is_empty() {
                let axes = ["ns".to_owned(), "share of operations".to_owned()];
                panels.push(LinePanel { title: field_of(benchmark, ""), axes, logarithmic: [true, false], lines });
            }
        }
        if !panels.is_empty() {
            let subtitle = "Latency of single operations: the share that took at most so long.";
            plots.push(line_plot(suite, &format!("{}-{name}-latency", suite.name), name, subtitle, panels));
        }
    }
    plots
}

fn distribution(outcome: &Outcome) -> Line {
    let steps = outcome.row.quantiles.len() - 1;
    let share =
        |index: usize| f64::from(u32::try_from(index).unwrap_or(0)) / f64::from(u32::try_from(steps).unwrap_or(1));
    let points =
        outcome.row.quantiles.iter().enumerate().filter(|(_, latency)| **latency > 0.0).map(|(index, &latency)| {
            let share = share(index);
            (latency, Estimate { median: share, low: share, high: share })
        });
    Line { series: outcome.way.clone(), origin: origin(outcome), points: points.collect(), marked: false }
}
