//! What each number of a seed is.

use super::elf;
use crate::blocks::Random;

/// A file to execute, and the first string of its environment.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// The file.
    pub file: Vec<u8>,
    /// The string.
    pub first: Option<Vec<u8>>,
}

/// The mutant of a number. `honest` is the string that the launcher hands to its next image.
pub fn mutant(seed: u64, number: u64, bases: &[Vec<u8>], honest: &[u8]) -> Mutant {
    let mut random = Random::new(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let base = usize::try_from(random.below(bases.len() as u64)).unwrap_or(0);
    let base = bases.get(base).cloned().unwrap_or_default();
    match random.below(20) {
        0..=2 => Mutant { file: script(&mut random), first: None },
        3 => Mutant { file: base, first: Some(string(&mut random, honest)) },
        _ => {
            let mut file = base;
            loop {
                let before = file.clone();
                elf::mutate(&mut file, &mut random);
                if elf::stands_alone(&file) || file.len() < before.len() {
                    break;
                }
                file = before;
            }
            Mutant { file, first: None }
        }
    }
}

/// A program as it is, and a string that its family never wrote: for a launcher that takes it for its family's.
pub fn forgery(seed: u64, number: u64, bases: &[Vec<u8>], honest: &[u8]) -> Mutant {
    let mut random = Random::new(!seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let base = usize::try_from(number % bases.len() as u64).unwrap_or(0);
    Mutant { file: bases.get(base).cloned().unwrap_or_default(), first: Some(string(&mut random, honest)) }
}

/// The first line of a script, and what follows it.
fn script(random: &mut Random) -> Vec<u8> {
    const INTERPRETERS: [&str; 10] = [
        "/bin/sh",
        "/bin/echo",
        "/usr/bin/env",
        "/bin/cat",
        "/no/such/file",
        "/bin",
        "./0",
        "/etc/passwd",
        "",
        "/usr/bin/../bin/true",
    ];
    const SPACES: [&str; 6] = ["", " ", "\t", "   ", "\r", "\u{b}"];
    const ARGUMENTS: [&str; 8] = ["", " -e", " one two", "\t-x ", " sh", " \0hidden", " -", " --version"];
    const ENDS: [&str; 6] = ["\n", "", "\r\n", "\0\n", " \n", "\n#!/bin/false\n"];
    let mut text = String::from("#!");
    text += random.pick(&SPACES);
    if random.one_in(8) {
        // Around the 256 bytes that the kernel reads.
        let slashes = 230 + usize::try_from(random.below(40)).unwrap_or(0);
        text += &"/".repeat(slashes);
        text += "bin/echo";
    } else {
        text += random.pick(&INTERPRETERS);
    }
    text += random.pick(&ARGUMENTS);
    if random.one_in(8) {
        text += &"x".repeat(usize::try_from(random.below(300)).unwrap_or(0));
    }
    text += random.pick(&ENDS);
    text += "echo a line\nexit 5\n";
    let mut bytes = text.into_bytes();
    if random.one_in(4) {
        let at = usize::try_from(random.below(40.min(bytes.len() as u64))).unwrap_or(0);
        if let Some(byte) = bytes.get_mut(at) {
            *byte = random.byte();
        }
    }
    if random.one_in(10) {
        bytes.truncate(usize::try_from(random.below(bytes.len() as u64)).unwrap_or(0));
    }
    bytes
}

/// The honest string with some digits or bytes changed, cut, or longer; never with a zero byte in it.
fn string(random: &mut Random, honest: &[u8]) -> Vec<u8> {
    let mut bytes = honest.to_vec();
    for _ in 0..random.below(6) {
        let at = usize::try_from(random.below(bytes.len() as u64)).unwrap_or(0);
        if let Some(byte) = bytes.get_mut(at) {
            *byte = if random.one_in(4) { random.byte().max(1) } else { random.pick(b"0123456789abcdef") };
        }
    }
    match random.below(10) {
        0 => bytes.truncate(usize::try_from(random.below(bytes.len() as u64)).unwrap_or(0)),
        1 => bytes.extend(std::iter::repeat_n(b'/', usize::try_from(random.below(6000)).unwrap_or(0))),
        _ => {}
    }
    bytes
}
