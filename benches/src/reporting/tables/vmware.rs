//! The comparison of Adams & Agesen (ASPLOS 2006), continued by this machine: nano-benchmarks in cycles, whole programs
//! in the paper's units.

use crate::reporting::data::{Benchmark, Outcome, Suite};
use crate::reporting::format;
use crate::reporting::mean::geometric_slowdown;
use crate::reporting::published::Published;
use crate::reporting::table::{Cell, Column, Row, Table};
use crate::rows::result::{Unit, Way};

/// The paper's nano-benchmarks that a process can run: name here, key there.
const NANO: [(&str, &str); 5] = [
    ("syscall", "syscall"),
    ("call-ret", "call_ret"),
    ("pgfault", "pgfault"),
    ("divzero", "divzero"),
    ("ptemod", "ptemod"),
];

/// The paper's forkwait creates so many processes.
const FORKS: f64 = 40_000.0;

/// Published native, software and hardware VMM beside native and each engine here.
#[must_use]
pub(super) fn table(suite: &Suite, published: &Published) -> Table {
    let source = &published.vmware_asplos2006;
    let mut columns = vec![Column::words("benchmark"), Column::words("unit")];
    columns.extend(["native (2006)", "software VMM", "hardware VMM"].map(|title| Column::figures(title, None)));
    columns.extend(suite.ways.iter().map(|way| Column::figures(way, Some(way))));
    let caption = format!(
        "Published figures: {} ({}); the ways to the right were measured here. ptemod is an mprotect here, \
         the compute suite is not SPECint, compile and web are not the paper's programs; compare each with its own native.",
        source.source, source.machine
    );
    let mut table = Table::new((&suite.name, "vmware-paper"), "VMware's comparison, then and here", &caption, columns);
    for (index, (name, key)) in NANO.into_iter().enumerate() {
        let section = (index == 0).then(|| "Single operations".to_owned());
        let cycles = |outcome: &Outcome| outcome.cycles().map(|cycles| cycles.median);
        push(&mut table, suite, section, (name, "cycles"), source.nano_cycles.get(key), suite.find(name, None), cycles);
    }
    let specint = [source.specint2000_slowdown_software_percent, source.specint2000_slowdown_hardware_percent];
    push_compute(&mut table, suite, specint);
    let macros = &source.whole_programs;
    let forkwait = suite.find("forkwait", None);
    let title = ("forkwait, 40,000 processes", "s");
    push(&mut table, suite, None, title, macros.get("forkwait_40000_seconds"), forkwait, forkwait_seconds);
    let compile = suite.find("compile", None);
    let seconds = |outcome: &Outcome| outcome.nanoseconds().map(|time| time.median / 1e9);
    push(&mut table, suite, None, ("compile", "s"), macros.get("compile_linux_seconds"), compile, seconds);
    let of_paper = Some(("clients", 128.0));
    let web = suite.find("web-server", of_paper).or_else(|| most_clients(suite));
    let clients = web.and_then(|web| web.param("clients")).map_or_else(|| "128".to_owned(), format::parameter);
    // What the paper measured with 128 clients does not stand beside another number of them.
    let apache = macros.get("apache_linux_128_clients_requests_per_second").filter(|_| clients == "128");
    let rate = |outcome: &Outcome| outcome.estimate().map(|found| found.median);
    push(&mut table, suite, None, (&format!("web server, {clients} clients"), "requests/s"), apache, web, rate);
    let walk = suite.find("large-memory", None);
    let unit = walk.map_or("", |walk| walk.unit.symbol());
    push(&mut table, suite, None, ("memory walk", unit), None, walk, rate);
    table
}

fn push(
    table: &mut Table,
    suite: &Suite,
    section: Option<String>,
    (title, unit): (&str, &str),
    published: Option<&[f64; 3]>,
    benchmark: Option<&Benchmark>,
    figure: impl Fn(&Outcome) -> Option<f64>,
) {
    let mut cells = vec![Cell::text(title), Cell::text(unit)];
    cells.extend((0..3).map(|column| Cell::published(published.map(|values| values[column]))));
    for way in &suite.ways {
        let outcome = benchmark.and_then(|benchmark| benchmark.way(way));
        cells.push(table.outcome(outcome, |outcome| figure(outcome).map(|value| (format::number(value), value))));
    }
    table.rows.push(Row { section, way: None, cells });
}

fn push_compute(table: &mut Table, suite: &Suite, [software, hardware]: [f64; 2]) {
    let mut cells = vec![Cell::text("compute, slow-down (geometric mean)"), Cell::text("%"), Cell::dash()];
    cells.extend([software, hardware].map(|value| Cell::published(Some(value))));
    for way in &suite.ways {
        let native = suite
            .benchmarks
            .iter()
            .any(|benchmark| benchmark.way(way).is_some_and(|outcome| outcome.row.way == Way::Native));
        let mut cell = Cell::dash();
        if let Some(mean) = geometric_slowdown(suite, way, Benchmark::is_compute).filter(|_| !native) {
            let value = (mean.estimate.median - 1.0) * 100.0;
            cell = Cell { text: format::percent(value), value: Some(value), ..Cell::default() };
            cell.sign = match () {
                () if mean.estimate.low > 1.0 + mean.floor => "▼",
                () if mean.estimate.high < 1.0 - mean.floor => "▲",
                () => "",
            };
            if mean.counted < mean.tried {
                cell.note =
                    Some(table.note(&format!("{way}: {} of {} programs; the others failed", mean.counted, mean.tried)));
            }
        }
        cells.push(cell);
    }
    table.rows.push(Row { section: Some("Whole programs".to_owned()), way: None, cells });
}

/// A row in nanoseconds is about one process, any other about a whole run.
fn forkwait_seconds(outcome: &Outcome) -> Option<f64> {
    let seconds = outcome.nanoseconds()?.median / 1e9;
    match outcome.row.unit {
        Unit::Nanoseconds => Some(seconds * FORKS),
        // A quick run creates fewer, and nothing says how many.
        _ => Some(seconds).filter(|_| !outcome.row.quick),
    }
}

fn most_clients(suite: &Suite) -> Option<&Benchmark> {
    let web = suite.benchmarks.iter().filter(|benchmark| benchmark.id.name == "web-server");
    web.max_by(|left, right| {
        left.param("clients").partial_cmp(&right.param("clients")).unwrap_or(std::cmp::Ordering::Equal)
    })
}
