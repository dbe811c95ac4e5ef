//! `--stats`: one JSON line when an image starts, one when it ends, one for each image that was executed natively.

use crate::calls;
use crate::emulate::call::Outcome;
use crate::emulate::sample;
use crate::engine::{self, ring0};
use crate::gate::allowed;
use crate::options;
use crate::process::filter::{self, Own};
use crate::report::{Bytes, LongText};
use crate::sys;
use crate::sys::signal::set_mask;
use crate::sys::{Fd, fs, time};
use crate::thread::registry;
use crate::thread::shared::COUNTED_CALLS;
use crate::thread::shared::{Shared, take};
use bt_shim::uapi::REASONS;
use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU64, Ordering};

/// Calls of threads that have ended.
static ENDED: [AtomicU64; COUNTED_CALLS] = [const { AtomicU64::new(0) }; COUNTED_CALLS];
/// Calls of threads that have ended which the process answered.
static ENDED_ANSWERED: [AtomicU64; COUNTED_CALLS] = [const { AtomicU64::new(0) }; COUNTED_CALLS];
/// Calls of threads that have ended which ring 0 made.
static ENDED_RING0: [AtomicU64; COUNTED_CALLS] = [const { AtomicU64::new(0) }; COUNTED_CALLS];
static ENDED_SIGNALS: AtomicU64 = AtomicU64::new(0);
static ENDED_DISPATCHES: AtomicU64 = AtomicU64::new(0);
static ENDED_HITS: AtomicU64 = AtomicU64::new(0);

/// `--stats-time`: CPU clock ticks in each call.
static TICKS: [AtomicU64; COUNTED_CALLS] = [const { AtomicU64::new(0) }; COUNTED_CALLS];
/// The tick counter and CLOCK_MONOTONIC, in nanoseconds, when the image started.
static BEGIN: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

fn ticks() -> u64 {
    // SAFETY: reads a counter; every x86-64 CPU has it.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Carries out a call and notes how long it takes.
pub fn timed(nr: u32, call: impl FnOnce() -> Outcome) -> Outcome {
    let before = ticks();
    let outcome = call();
    if let Some(total) = TICKS.get(nr as usize) {
        total.fetch_add(ticks().saturating_sub(before), Ordering::Relaxed);
    }
    outcome
}

/// Nanoseconds in a call, all threads together.
fn nanoseconds(nr: usize) -> u64 {
    let [ticks_then, ns_then] = [&BEGIN[0], &BEGIN[1]].map(|word| word.load(Ordering::Relaxed));
    let (ticks_since, ns_since) = (ticks().saturating_sub(ticks_then).max(1), time::now_ns().saturating_sub(ns_then));
    let total = TICKS.get(nr).map_or(0, |total| total.load(Ordering::Relaxed));
    u64::try_from(u128::from(total) * u128::from(ns_since) / u128::from(ticks_since)).unwrap_or(u64::MAX)
}

/// A JSON string of bytes that need not be UTF-8.
struct Json<'a>(&'a [u8]);

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '"' | '\\' => write!(f, "\\{c}")?,
                    c if c < ' ' => write!(f, "\\u{:04x}", c as u32)?,
                    c => f.write_char(c)?,
                }
            }
            for _ in chunk.invalid() {
                f.write_char('\u{fffd}')?;
            }
        }
        f.write_char('"')
    }
}

/// Writes a line. A signal must not end the process in the middle of it: the next process's line would follow the half.
fn emit(line: &[u8]) {
    let mask = set_mask(!0);
    write_line(line);
    set_mask(mask);
}

fn write_line(line: &[u8]) {
    let path = &options::get().stats_path;
    let file = path[0] != 0;
    if !file {
        Fd::STDERR.write_all(line);
        return;
    }
    let Ok(path) = core::ffi::CStr::from_bytes_until_nul(path) else { return };
    if let Ok(fd) = fs::open_to_append(path, 0) {
        fd.write_all(line);
        fd.close();
    }
}

/// An image starts under the engine.
pub fn started(exe: &[u8]) {
    if !options::get().wants_stats() {
        return;
    }
    BEGIN[0].store(ticks(), Ordering::Relaxed);
    BEGIN[1].store(time::now_ns(), Ordering::Relaxed);
    let mut out = LongText::default();
    let _ = writeln!(
        out,
        "{{\"event\":\"start\",\"pid\":{},\"engine\":\"{}\",\"exe\":{}}}",
        sys::process::getpid(),
        options::get().engine.word(),
        Json(exe)
    );
    emit(&out.bytes);
}

/// An image is executed natively.
pub fn native(path: &[u8], reason: &str) {
    if !options::get().wants_stats() {
        return;
    }
    let mut out = LongText::default();
    let _ = writeln!(
        out,
        "{{\"event\":\"native\",\"pid\":{},\"path\":{},\"reason\":\"{}\"}}",
        sys::process::getpid(),
        Json(path),
        Bytes(reason.as_bytes())
    );
    emit(&out.bytes);
}

/// A thread ends: its counters outlive it.
pub fn thread_ended(shared: &Shared) {
    if !options::get().wants_stats() {
        return;
    }
    for (nr, total) in ENDED.iter().enumerate() {
        total.fetch_add(sample::passed(shared, nr), Ordering::Relaxed);
    }
    for count in &shared.counts {
        count.store(0, Ordering::Relaxed);
    }
    sample::begin(shared);
    for (total, n) in ENDED_ANSWERED.iter().zip(&shared.answered) {
        total.fetch_add(take(n), Ordering::Relaxed);
    }
    if allowed::is_chosen() {
        for (total, n) in ENDED_RING0.iter().zip(&shared.ring0_calls) {
            total.fetch_add(take(n), Ordering::Relaxed);
        }
    }
    ENDED_SIGNALS.fetch_add(take(&shared.signals), Ordering::Relaxed);
    ENDED_DISPATCHES.fetch_add(take(&shared.dispatches), Ordering::Relaxed);
    ENDED_HITS.fetch_add(take(&shared.lookup_hits), Ordering::Relaxed);
}

/// In the child of a fork: its figures begin anew. If nobody asks for them they go on, and no page of theirs is copied.
pub fn reset(shared: &Shared) {
    if !options::get().wants_stats() {
        return;
    }
    for total in ENDED.iter().chain(&ENDED_ANSWERED).chain(&TICKS) {
        total.store(0, Ordering::Relaxed);
    }
    if allowed::is_chosen() {
        for total in &ENDED_RING0 {
            total.store(0, Ordering::Relaxed);
        }
    }
    shared.reset_figures(allowed::is_chosen());
    ENDED_SIGNALS.store(0, Ordering::Relaxed);
    ENDED_DISPATCHES.store(0, Ordering::Relaxed);
    ENDED_HITS.store(0, Ordering::Relaxed);
    sample::begin(shared);
}

/// Figures of engine `ring0`, with why it was left.
fn write_ring0(out: &mut LongText, ring0: &ring0::Stats) {
    let _ = write!(
        out,
        "\"ring0\":{{\"units\":{},\"code_bytes\":{},\"drops\":{},\"sites\":{},\"dropped_sites\":{},\"entries\":{},\"calls\":{},\"leaves\":{{",
        ring0.units, ring0.code_bytes, ring0.drops, ring0.sites, ring0.dropped_sites, ring0.entries, ring0.calls,
    );
    let mut comma = "";
    for ((_, word), n) in REASONS.iter().zip(&ring0.leaves).filter(|(_, n)| **n != 0) {
        let _ = write!(out, "{comma}\"{word}\":{n}");
        comma = ",";
    }
    let _ = out.write_str("}},");
}

/// What all threads of the image have counted, those that ended included.
struct Sums {
    /// Calls that were passed on, by number.
    counts: [u64; COUNTED_CALLS],
    answered: [u64; COUNTED_CALLS],
    in_ring0: [u64; COUNTED_CALLS],
    /// Numbers outside the table, with their counts.
    unknown: alloc::vec::Vec<(u64, u64)>,
    signals: u64,
    dispatches: u64,
    hits: u64,
}

fn sums() -> Sums {
    let mut counts = [0u64; COUNTED_CALLS];
    for (c, n) in counts.iter_mut().zip(&ENDED) {
        *c = n.load(Ordering::Relaxed);
    }
    let mut answered = [0u64; COUNTED_CALLS];
    for (c, n) in answered.iter_mut().zip(&ENDED_ANSWERED) {
        *c = n.load(Ordering::Relaxed);
    }
    let mut in_ring0 = [0u64; COUNTED_CALLS];
    for (c, n) in in_ring0.iter_mut().zip(&ENDED_RING0) {
        *c = n.load(Ordering::Relaxed);
    }
    let mut unknown = alloc::vec::Vec::new();
    let mut signals = ENDED_SIGNALS.load(Ordering::Relaxed);
    let mut dispatches = ENDED_DISPATCHES.load(Ordering::Relaxed);
    let mut hits = ENDED_HITS.load(Ordering::Relaxed);
    registry::for_each(|shared| {
        for (nr, c) in counts.iter_mut().enumerate() {
            *c += sample::passed(shared, nr);
        }
        for (c, n) in answered.iter_mut().zip(&shared.answered) {
            *c += n.load(Ordering::Relaxed);
        }
        if allowed::is_chosen() {
            for (c, n) in in_ring0.iter_mut().zip(&shared.ring0_calls) {
                *c += n.load(Ordering::Relaxed);
            }
        }
        unknown
            .extend(shared.unknown_calls.iter().map(|(nr, n)| (nr.load(Ordering::Relaxed), n.load(Ordering::Relaxed))));
        signals += shared.signals.load(Ordering::Relaxed);
        dispatches += shared.dispatches.load(Ordering::Relaxed);
        hits += shared.lookup_hits.load(Ordering::Relaxed);
    });
    Sums { counts, answered, in_ring0, unknown, signals, dispatches, hits }
}

/// The figures of each call that was made.
fn write_calls(out: &mut LongText, sums: &Sums) {
    let Sums { counts, answered, in_ring0, unknown, .. } = sums;
    let _ = out.write_str("\"syscalls\":{");
    let mut first = true;
    for (nr, ((n, answered), in_ring0)) in counts.iter().zip(answered).zip(in_ring0).enumerate() {
        let count = n + answered + in_ring0;
        if count == 0 {
            continue;
        }
        if !first {
            out.bytes.push(b',');
        }
        first = false;
        match calls::name(nr as u64) {
            Some(name) => {
                let _ = write!(out, "\"{name}\"");
            }
            None => {
                let _ = write!(out, "\"syscall_{nr:#x}\"");
            }
        }
        let _ = write!(out, ":{{\"count\":{count},\"passthrough\":{n},\"emulated\":{answered}");
        if allowed::is_chosen() {
            let _ = write!(out, ",\"ring0\":{in_ring0}");
        }
        if options::get().stats_time {
            let _ = write!(out, ",\"ns\":{}", nanoseconds(nr));
        }
        out.bytes.push(b'}');
    }
    for (nr, n) in unknown.iter().filter(|(_, n)| *n != 0) {
        let comma = if core::mem::take(&mut first) { "" } else { "," };
        let _ = write!(out, "{comma}\"syscall_{nr:#x}\":{{\"count\":{n},\"passthrough\":{n},\"emulated\":0}}");
    }
    let _ = out.write_str("}}\n");
}

/// The image ends (by exit, exec or signal): prints its figures.
pub fn finish(how: &str) {
    if !options::get().wants_stats() || !filter::allows(Own::Report) {
        return;
    }
    let sums = sums();
    let Sums { signals, dispatches, hits, .. } = sums;
    let engine::Figures { cache: stats, links, sites, ring0 } = engine::lock().figures();
    let mut out = LongText { bytes: alloc::vec::Vec::with_capacity(4096) };
    let _ = write!(
        out,
        "{{\"event\":\"end\",\"pid\":{},\"engine\":\"{}\",\"exe\":{},\"how\":\"{how}\",\"fragments\":{},\"insns\":{},\"guest_bytes\":{},\"cache_bytes\":{},\"heap_bytes\":{},\"links\":{links},\"dispatches\":{dispatches},\"lookup_hits\":{hits},\"flushes\":{},\"invalidations\":{},\"write_faults\":{},\"steps\":{},\"signals\":{signals},\"sites\":{{\"displaced\":{},\"numbered\":{},\"trapped\":{},\"doubtful\":{},\"remembered\":{},\"missed\":{},\"scanned_bytes\":{},\"traps\":{}}},",
        sys::process::getpid(),
        options::get().engine.word(),
        Json(crate::process::exe_path()),
        stats.fragments,
        stats.insns,
        stats.guest_bytes,
        stats.cache_bytes,
        crate::mem::heap::HEAP.held_bytes(),
        stats.flushes,
        stats.invalidations,
        stats.write_faults,
        stats.steps,
        sites.displaced,
        sites.numbered,
        sites.trapped,
        sites.doubtful,
        sites.remembered,
        sites.missed,
        sites.scanned_bytes,
        sites.traps,
    );
    if allowed::is_chosen() {
        write_ring0(&mut out, &ring0);
    }
    write_calls(&mut out, &sums);
    emit(&out.bytes);
}
