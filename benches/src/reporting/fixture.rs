//! Rows that were never measured, for tests of the reports: plausible, deterministic, from a machine that does not
//! exist.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::base::host::Host;
use crate::base::stats::{self, Estimate, Random};
use crate::rows::result::{ResultRow, State, Unit, Way};

/// Cycles per nanosecond of the machine that does not exist.
const CYCLES_PER_NS: f64 = 2.6;

/// A row of every suite, with all that can go wrong among them.
pub(super) fn rows() -> Vec<ResultRow> {
    // Their intervals take seconds in a debug build.
    static ROWS: OnceLock<Vec<ResultRow>> = OnceLock::new();
    ROWS.get_or_init(make).clone()
}

fn make() -> Vec<ResultRow> {
    let mut maker = Maker { random: Random::new(11), rows: Vec::new() };
    maker.singularity();
    maker.vmware();
    maker.switch();
    maker.interpose();
    maker.others();
    maker.rows
}

/// A machine that does not exist.
pub(super) fn host() -> Host {
    let text = str::to_owned;
    Host {
        cpu: text("Example CPU 9000"),
        cpu_family_model_stepping: text("1/2/3"),
        microcode: text("0x1"),
        cpus: 2,
        hypervisor: true,
        governor: text("none"),
        kernel: text("6.18.0-fixture"),
        distribution: text("Fixture Linux 1"),
        load: text("0.00 0.00 0.00 1/1 1"),
        mitigations: BTreeMap::from([(text("spectre_v2"), text("Mitigation: Fixture"))]),
        revision: text("0123456789abcdef0123456789abcdef01234567"),
        bt_run: text("bt-run 0.1.0"),
        bt_run_sha256: text("00112233445566778899aabbccddeeff"),
        programs: BTreeMap::from([(text("gcc"), text("gcc (Fixture) 12.2.0"))]),
        ..Host::default()
    }
}

fn engine(name: &str, emulate: Option<&str>) -> Way {
    Way::Engine { engine: name.to_owned(), emulate: emulate.map(str::to_owned) }
}

fn peer(name: &str) -> Way {
    Way::Peer { name: name.to_owned(), version: Some("1.0".to_owned()) }
}

struct Maker {
    random: Random,
    rows: Vec<ResultRow>,
}

impl Maker {
    fn noise(&mut self) -> f64 {
        0.97 + u32::try_from(self.random.below(600)).map_or(0.0, f64::from) / 10_000.0
    }

    fn samples(&mut self, value: f64) -> Vec<f64> {
        (0..9).map(|_| value * self.noise()).collect()
    }

    /// Native and other ways of one benchmark.
    fn benchmark(&mut self, name: (&str, &str), params: &[(&str, f64)], unit: Unit, native: f64, ways: &[(Way, f64)]) {
        let base = self.samples(native);
        self.push(name, params, unit, Way::Native, &base, None);
        for (way, factor) in ways {
            let samples = self.samples(native * factor);
            self.push(name, params, unit, way.clone(), &samples, Some(&base));
        }
    }

    fn push(
        &mut self,
        name: (&str, &str),
        params: &[(&str, f64)],
        unit: Unit,
        way: Way,
        samples: &[f64],
        native: Option<&[f64]>,
    ) {
        let estimate = stats::estimate(samples);
        let nanoseconds = unit.in_nanoseconds();
        let cycles = estimate.zip(nanoseconds).map(|(found, factor)| found.scaled(factor * CYCLES_PER_NS));
        let ratio = native.and_then(|native| {
            let ratios: Vec<f64> = samples.iter().zip(native).map(|(own, base)| own / base).collect();
            stats::estimate(&ratios)
        });
        self.rows.push(ResultRow {
            run: "fixture-1".to_owned(),
            date: "2026-01-02T03:04:05Z".to_owned(),
            suite: name.0.to_owned(),
            name: name.1.to_owned(),
            title: name.1.replace('-', " "),
            params: params.iter().map(|&(key, value)| (key.to_owned(), value)).collect(),
            samples: samples.to_vec(),
            estimate,
            spread_percent: stats::spread_percent(samples),
            cycles,
            native: native.map_or_else(Vec::new, <[f64]>::to_vec),
            floor: ratio.map(|_| 0.01),
            ratio,
            repetitions: 1000,
            pinned_cpus: vec![1],
            command: format!("bt-bench run {} --only {}", name.0, name.1),
            host: host(),
            ..ResultRow::blank(way, unit)
        });
    }

    fn last(&mut self) -> &mut ResultRow {
        self.rows.last_mut().expect("a row was made")
    }

    /// A way that gave nothing.
    fn nothing(&mut self, name: (&str, &str), unit: Unit, way: Way, state: State) {
        self.push(name, &[], unit, way, &[], None);
        self.last().state = state;
    }

    fn singularity(&mut self) {
        let engines =
            |direct: f64, translate: f64| [(engine("direct", None), direct), (engine("translate", None), translate)];
        let calls = [
            ("abi-call", 92.0, 0.09),
            ("abi-call-getpid", 88.0, 0.03),
            ("thread-yield", 160.0, 1.01),
            ("sched-yield", 210.0, 1.05),
        ];
        for (name, native, factor) in calls {
            self.benchmark(("singularity", name), &[], Unit::Nanoseconds, native, &engines(factor, factor * 1.4));
        }
        for (name, native) in [("psr-pipe", 4800.0), ("psr-socketpair", 5300.0), ("psr-tcp", 11000.0)] {
            self.benchmark(("singularity", name), &[], Unit::Nanoseconds, native, &engines(0.9, 1.0));
            let across = format!("{name}-cross-cpu");
            self.benchmark(("singularity", &across), &[], Unit::Nanoseconds, native * 9.0, &engines(0.12, 0.13));
        }
        for bytes in [65536.0, 1.0, 64.0, 1024.0, 4096.0, 16384.0] {
            let factor = 0.2 + bytes / 100_000.0;
            let native = 5000.0 + bytes * 0.4;
            let ways = engines(factor, factor + 0.1);
            self.benchmark(("singularity", "psr-size"), &[("bytes", bytes)], Unit::Nanoseconds, native, &ways);
        }
        for (name, native, factor) in [
            ("create-process-fork", 0.14, 1.3),
            ("create-process-spawn-static", 0.31, 1.6),
            ("create-process-spawn-dynamic", 0.62, 0.93),
        ] {
            self.benchmark(("singularity", name), &[], Unit::Milliseconds, native, &engines(factor, factor * 3.0));
        }
    }

    fn vmware(&mut self) {
        let engines =
            |direct: f64, translate: f64| [(engine("direct", None), direct), (engine("translate", None), translate)];
        for (name, native, direct, translate) in [
            ("syscall", 84.0, 1.07, 1.2),
            ("call-ret", 0.8, 1.0, 1.6),
            ("pgfault", 410.0, 1.0, 1.02),
            ("divzero", 640.0, 1.9, 2.2),
            ("ptemod", 520.0, 1.1, 1.15),
        ] {
            self.benchmark(("vmware", name), &[], Unit::Nanoseconds, native, &engines(direct, translate));
        }
        for (name, native, translate) in [
            ("xz", 4.2, 1.03),
            ("gzip", 2.2, 1.02),
            ("zstd", 1.1, 1.3),
            ("sqlite", 3.0, 2.1),
            ("python", 2.8, 1.7),
            ("node", 1.9, 2.4),
            ("lua", 2.0, 1.4),
        ] {
            self.benchmark(("vmware", name), &[], Unit::Seconds, native, &engines(1.004, translate));
        }
        self.last().noisy = true;
        self.benchmark(("vmware", "compile"), &[], Unit::Seconds, 31.0, &engines(1.06, 2.3));
        self.benchmark(("vmware", "forkwait"), &[], Unit::Seconds, 5.6, &engines(1.35, 1.5));
        self.benchmark(("vmware", "large-memory"), &[], Unit::MegabytesPerSecond, 9100.0, &engines(0.998, 0.997));
        for clients in [1.0, 16.0, 128.0] {
            let native = 9000.0 + clients * 60.0;
            self.benchmark(
                ("vmware", "web-server"),
                &[("clients", clients)],
                Unit::PerSecond,
                native,
                &engines(1.02, 0.8),
            );
        }
    }

    fn switch(&mut self) {
        let engines = [(engine("direct", None), 1.03), (engine("translate", None), 1.3)];
        for (name, native) in [
            ("syscall", 82.0),
            ("syscall-invalid", 70.0),
            ("signal", 980.0),
            ("page-fault-anonymous", 430.0),
            ("page-fault-file", 310.0),
        ] {
            self.benchmark(("switch", name), &[], Unit::Nanoseconds, native, &engines);
        }
        for (kind, count) in [("thread-switch", "threads"), ("process-switch", "processes")] {
            for processes in [2.0, 4.0, 8.0, 16.0] {
                for kib in [0.0, 16.0, 64.0] {
                    let native = 1100.0 + processes * 25.0 + kib * processes;
                    let params = [(count, processes), ("bytes", kib * 1024.0)];
                    self.benchmark(("switch", kind), &params, Unit::Nanoseconds, native, &engines);
                }
            }
        }
        for (name, native) in [("wake-up", 2400.0), ("wake-up-cross-cpu", 9600.0)] {
            self.benchmark(("switch", name), &[], Unit::Nanoseconds, native, &engines);
            let count = self.rows.len();
            for (index, row) in self.rows[count - 3..].iter_mut().enumerate() {
                let scale = native * [1.0, 1.05, 1.3][index];
                row.quantiles = (0..=100)
                    .map(|step| scale * (0.6 + 0.5 * f64::from(step) / 100.0 + 0.004 * (f64::from(step) / 12.0).exp()))
                    .collect();
            }
        }
    }

    fn interpose(&mut self) {
        let mut ways = vec![
            (engine("direct", None), 1.07),
            (engine("direct", Some("relaxed")), 0.04),
            (engine("translate", None), 1.2),
        ];
        for (name, factor) in [
            ("sud", 26.0),
            ("seccomp-trap", 27.0),
            ("seccomp-notify", 140.0),
            ("ptrace", 180.0),
            ("strace", 410.0),
            ("valgrind", 6.0),
            ("qemu-user", 3.4),
            ("zpoline", 1.4),
        ] {
            ways.push((peer(name), factor));
        }
        self.benchmark(("interpose", "getppid"), &[], Unit::Nanoseconds, 82.0, &ways);
        let missing = State::Unavailable { reason: "runsc is not on PATH; see gvisor.dev & co_".to_owned() };
        self.nothing(("interpose", "getppid"), Unit::Nanoseconds, peer("gvisor"), missing);
        let failed = State::Failed { reason: "signal 11 | after 3 s, 50% done".to_owned() };
        self.nothing(("interpose", "getppid"), Unit::Nanoseconds, peer("lazypoline"), failed);
    }

    fn others(&mut self) {
        let engines = [(engine("direct", None), 0.95), (engine("translate", None), 2.2)];
        self.benchmark(("startup", "true"), &[], Unit::Milliseconds, 0.6, &engines);
        self.benchmark(("startup", "bash"), &[], Unit::Milliseconds, 1.9, &engines);
        self.benchmark(("compute", "xz"), &[], Unit::Seconds, 4.2, &[engines[1].clone()]);
        self.nothing(
            ("compute", "xz"),
            Unit::Seconds,
            engine("ring0", None),
            State::Failed { reason: "module not loaded".to_owned() },
        );
        let levels = [(engine("direct", Some("off")), 1.04), (engine("direct", Some("coherent")), 0.06)];
        self.benchmark(("syscalls", "read-512"), &[], Unit::Nanoseconds, 240.0, &levels);
        self.benchmark(("servers", "nginx"), &[("clients", 64.0)], Unit::PerSecond, 21_000.0, &engines[..1]);
        self.benchmark(("pipelines", "tar-zstd"), &[], Unit::MegabytesPerSecond, 310.0, &engines[..1]);
        self.benchmark(("unheard-of", "memory_peak"), &[], Unit::Mebibytes, 12.0, &engines);
        self.last().quick = true;
        self.push(("unheard-of", "once"), &[], Unit::Seconds, Way::Native, &[3.0], None);
        let alone = Estimate { median: 4.0, low: 4.0, high: 4.0 };
        self.push(("unheard-of", "once"), &[], Unit::Seconds, engine("direct", None), &[4.0], Some(&[3.0]));
        self.last().estimate = Some(alone);
    }
}

#[test]
fn rows_survive_a_file() {
    for row in rows() {
        let back: ResultRow = serde_json::from_str(&serde_json::to_string(&row).unwrap()).unwrap();
        assert_eq!((back.state, back.way, back.params), (row.state, row.way, row.params));
        assert_eq!((back.quantiles.len(), back.samples.len()), (row.quantiles.len(), row.samples.len()));
    }
}

/// For a look at what reports make of them.
#[test]
fn rows_are_written_where_asked_for() {
    let Some(path) = std::env::var_os("BT_FIXTURE").map(std::path::PathBuf::from) else { return };
    let _ = std::fs::remove_file(&path);
    let mut writer = crate::rows::result::Writer::append_to(&path).unwrap();
    for row in rows() {
        writer.write(&row).unwrap();
    }
}
