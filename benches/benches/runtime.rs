//! The runtime's tables, and what only runs inside a guest: the gate and the look-up of indirect branches.
//! `cargo build --release && cargo bench -p bt-bench --bench runtime`
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bt_runtime::calls;
use bt_runtime::emulate::descriptors;
use bt_runtime::gate::lane;
use criterion::{Criterion, criterion_group, criterion_main};

/// Call numbers of the table.
const NUMBERS: u64 = 470;

fn tables(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tables");
    let mut next = (0..NUMBERS).cycle();
    group.bench_function("call", |bench| bench.iter(|| calls::row(black_box(next.next().unwrap_or(0)))));
    let mut next = (0..64).cycle();
    group.bench_function("lane", |bench| bench.iter(|| lane::get(black_box(next.next().unwrap_or(0)))));
    descriptors::opened(5, descriptors::Origin::File);
    group.bench_function("descriptor", |bench| bench.iter(|| descriptors::origin(black_box(5))));
    group.finish();
}

/// The driver of single operations, built as the suites build it.
fn driver(directory: &Path) -> Option<PathBuf> {
    bt_bench::build_driver(directory, "primitives").ok().flatten()
}

/// Nanoseconds of `count` operations in a guest, as the driver prints them for each.
fn in_guest(launcher: &Path, options: &[&str], driver: &Path, operation: &str, count: u64) -> Duration {
    let output = Command::new(launcher)
        .args(options)
        .arg("--")
        .arg(driver)
        .args([operation, &count.max(1).to_string()])
        .output()
        .expect("the launcher starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let nanoseconds: f64 = text.trim().parse().expect("a figure");
    Duration::from_secs_f64(nanoseconds * 1e-9 * count as f64)
}

/// Names of rows: what they tell, the driver's operation, the launcher's options.
const IN_GUEST: [(&str, &str, &[&str]); 4] = [
    ("gate, answered", "getpid", &["--engine", "translate", "--emulate", "exact"]),
    ("gate, passed on", "getppid", &["--engine", "translate", "--emulate", "off"]),
    ("stub, passed on", "getppid", &["--engine", "direct", "--emulate", "off"]),
    ("look-up of an indirect branch, 64 targets", "indirect-64", &["--engine", "translate"]),
];

fn guests(criterion: &mut Criterion) {
    // Cargo puts this program two directories below its own.
    let program = std::env::current_exe().expect("own path");
    let target = program.ancestors().nth(3).expect("target directory").to_owned();
    let launcher = std::env::var_os("BT_RUN").map_or_else(|| target.join("release/bt-run"), PathBuf::from);
    let scratch = target.join("bench");
    std::fs::create_dir_all(&scratch).expect("scratch directory");
    let Some(driver) = driver(&scratch).filter(|_| launcher.is_file()) else {
        eprintln!("no rows of guests: they need gcc, and bt-run by `cargo build --release` or in $BT_RUN");
        return;
    };
    let mut group = criterion.benchmark_group("guest");
    group.sample_size(20).measurement_time(Duration::from_secs(3));
    for (name, operation, options) in IN_GUEST {
        group.bench_function(name, |bench| {
            // A process start for each sample: few operations would measure that.
            bench.iter_custom(|count| in_guest(&launcher, options, &driver, operation, count * 1000) / 1000);
        });
    }
    group.finish();
}

criterion_group!(benches, tables, guests);
criterion_main!(benches);
