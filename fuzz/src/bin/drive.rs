//! Runs the fuzz targets for some seconds without libFuzzer: inputs are pieces of real programs, changed at random, and
//! random bytes. An input that makes a target panic is written to a file, whose name is printed.
//!
//! `drive [--seconds N] [--target NAME] [--seed N] [--only FILE]`

use bt_fuzz::{TARGETS, Target};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Numbers that are not good, but the same every time (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// A number below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

/// Bytes that lead into the interesting parts of the decoder more often than others.
const LEADS: [u8; 19] =
    [0x65, 0x64, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x0f, 0x62, 0xc4, 0xc5, 0x8f, 0xff, 0xe8, 0xe3, 0x05, 0xa2, 0xae, 0x48];

/// One input: a piece of a file, its beginning, or random bytes; and some changes.
fn input(random: &mut Random, files: &[Vec<u8>], max_len: usize) -> Vec<u8> {
    let len = 1 + random.below(max_len);
    let file = &files[random.below(files.len())];
    let mut bytes: Vec<u8> = match random.below(4) {
        0 => (0..len).map(|_| random.byte()).collect(),
        1 => file.iter().take(len).copied().collect(),
        _ => file.iter().skip(random.below(file.len())).take(len).copied().collect(),
    };
    for _ in 0..random.below(16) {
        let at = random.below(bytes.len());
        bytes[at] = match random.below(4) {
            0 => random.byte(),
            1 => bytes[at] ^ 1 << random.below(8),
            2 => [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            _ => LEADS[random.below(LEADS.len())],
        };
    }
    bytes
}

/// Whether a target panics on an input.
fn fails(target: &Target, bytes: &[u8]) -> bool {
    catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))).is_err()
}

/// Runs a target until the time is over; false if an input made it panic.
fn drive(target: &Target, files: &[Vec<u8>], seed: u64, time: Duration) -> bool {
    let mut random = Random(seed | 1);
    let (start, mut count) = (Instant::now(), 0u64);
    while start.elapsed() < time {
        let bytes = input(&mut random, files, target.max_len);
        count += 1;
        if fails(target, &bytes) {
            let path = format!("crash-{}-{seed:x}-{count}", target.name);
            let written = std::fs::write(&path, &bytes).is_ok();
            println!(
                "FAIL  {}: input {count} of seed {seed:#x}, {}",
                target.name,
                if written { &path } else { "lost" }
            );
            return false;
        }
    }
    println!("ok    {}: {count} inputs of seed {seed:#x} in {:.1} s", target.name, start.elapsed().as_secs_f64());
    true
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut seconds, mut name, mut seed, mut only) = (10, None, None, None);
    while let Some(option) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        match option.as_str() {
            "--seconds" => seconds = value.parse().unwrap_or(seconds),
            "--target" => name = Some(value),
            "--seed" => seed = value.parse().ok(),
            "--only" => only = Some(value),
            _ => {
                eprintln!("drive [--seconds N] [--target NAME] [--seed N] [--only FILE]");
                return ExitCode::from(2);
            }
        }
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |time| time.as_secs());
    let seed = seed.unwrap_or(now);
    let own = std::env::current_exe().unwrap_or_default();
    let sources = [own.as_path(), Path::new("/lib/x86_64-linux-gnu/libc.so.6"), Path::new("/usr/lib64/libc.so.6")];
    let files: Vec<Vec<u8>> = sources.iter().filter_map(|path| std::fs::read(path).ok()).collect();
    let mut is_good = true;
    for target in TARGETS.iter().filter(|target| name.as_deref().is_none_or(|name| name == target.name)) {
        is_good &= match &only {
            Some(path) => !std::fs::read(path).is_ok_and(|bytes| fails(target, &bytes)),
            None => drive(target, &files, seed, Duration::from_secs(seconds)),
        };
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
