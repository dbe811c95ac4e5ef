//! Prints how long decoding takes per instruction, over the text of libc or of the file given.
//!
//! `cargo run --release -p bt-translator --example decode_speed [FILE]`

use std::hint::black_box;
use std::time::Instant;

use bt_translator::decode::decode;

fn main() -> std::io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "/usr/lib/x86_64-linux-gnu/libc.so.6".to_owned());
    let file = std::fs::read(&path)?;
    // Without reading section headers: the longest stretch without a bad byte is text.
    let text = longest_valid_run(&file);
    let mut best_ns = f64::INFINITY;
    let mut count = 0;
    for _ in 0..20 {
        let start = Instant::now();
        count = count_insns(black_box(text));
        best_ns = best_ns.min(start.elapsed().as_secs_f64() * 1e9);
    }
    let (insns, bytes) = (f64::from(count), f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX)));
    println!("{path}: {count} instructions, {} bytes", text.len());
    println!("best of 20: {:.2} ns per instruction, {:.0} MB/s", best_ns / insns, bytes / best_ns * 1e3);

    let start = Instant::now();
    let mut checksum = 0u32;
    for_each_insn(black_box(text), |insn| {
        let effect = insn.flag_effect();
        checksum += u32::from(effect.read) + u32::from(effect.write) + u32::from(insn.may_write_memory());
    });
    let ns = start.elapsed().as_secs_f64() * 1e9;
    println!("with flag and memory effects: {:.2} ns per instruction (checksum {checksum})", ns / insns);
    Ok(())
}

fn for_each_insn(mut text: &[u8], mut visit: impl FnMut(&bt_translator::decode::Insn)) {
    while let Ok(insn) = decode(text) {
        visit(&insn);
        text = text.get(usize::from(insn.len)..).unwrap_or_default();
    }
}

fn count_insns(text: &[u8]) -> u32 {
    let mut count = 0;
    for_each_insn(text, |insn| {
        black_box(insn);
        count += 1;
    });
    count
}

fn longest_valid_run(file: &[u8]) -> &[u8] {
    let (mut best, mut start, mut at) = (0..0, 0, 0);
    while at < file.len() {
        match decode(&file[at..]) {
            // Zeros decode, but are padding.
            Ok(insn) if !file[at..].starts_with(&[0; 8]) => at += usize::from(insn.len),
            _ => {
                if at - start > best.len() {
                    best = start..at;
                }
                at += 1;
                start = at;
            }
        }
    }
    &file[best]
}
