//! What runs translated, and what does not, where engine direct is not certain of a place.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::bench::Bench;
use crate::runner::process::End;

/// Three hundred functions, a page each. The first is beside what looks like a call and is none; the second is a call that the
/// scan cannot tell from data.
const SOURCE: &str = r#"
    #include <stdio.h>
    #include <stdlib.h>
    #include <unistd.h>
    __asm__(".text\n.p2align 12\n"
            "beside: lea 1(%rdi), %eax\nret\n.byte 6, 6, 0xb8, 39, 0, 0, 0, 0x0f, 0x05, 6\n"
            ".p2align 12\n.byte 6, 6\n"
            "in_doubt: mov $39, %eax\nsyscall\nret\n.byte 6, 6\n"
            ".p2align 12\nothers:\n"
            ".rept 300\nlea 2(%rdi), %eax\nret\n.p2align 12\n.endr\n");
    int beside(int), in_doubt(int), others(int);
    int main(int argc, char **argv) {
        int rounds = argc > 1 ? atoi(argv[1]) : 0, sum = 0;
        for (int i = 0; i < rounds; i++) {
            sum += beside(i) - i + (in_doubt(i) == getpid());
            for (int page = 0; page < 300; page++)
                sum += ((int (*)(int))((char *)others + 4096 * page))(i) - i;
        }
        printf("%d\n", sum);
        return 0;
    }"#;

/// Only the pages in doubt are translated, those that turn out to be code only until then; whether the file was scanned or its
/// image is used.
pub fn pages_alone(bench: &Bench) -> Result<()> {
    let directory = bench.work.join("images").display().to_string();
    let (source, program) = (bench.work.join("withheld.c"), bench.work.join("withheld").display().to_string());
    fs::write(&source, SOURCE)?;
    let built = Command::new("gcc").args(["-O1", "-o", &program]).arg(&source).status()?;
    ensure!(built.success(), "the program does not build");
    let file = bench.work.join("stats");
    let stats = format!("--stats={}", file.display());
    let run = |rounds: u64| -> Result<[u64; 4]> {
        let _ = fs::remove_file(&file);
        let done = bench.program(&["--cache-dir", &directory, &stats], &[&program, &rounds.to_string()])?;
        ensure!(done.end == Some(End::Exit(0)), "{:?} {}", done.end, String::from_utf8_lossy(&done.stderr));
        let printed = String::from_utf8_lossy(&done.stdout).into_owned();
        ensure!(printed.trim() == (rounds * 602).to_string(), "printed {printed}");
        let text = fs::read_to_string(&file)?;
        let figure = |name: &str| -> Result<u64> {
            let (_, rest) = text.rsplit_once(&format!("\"{name}\":")).context("no such figure")?;
            Ok(rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().parse()?)
        };
        Ok([figure("doubtful")?, figure("remembered")?, figure("fragments")?, figure("dispatches")?])
    };
    for (doubtful, remembered) in [(2, 0), (0, 3)] {
        let found = run(100)?;
        ensure!(found[..2] == [doubtful, remembered], "doubtful and remembered: {found:?}");
        let [_, _, fragments, dispatches] = found;
        ensure!((1..20).contains(&fragments), "{fragments} fragments");
        // One for each round: from the page that holds data back into place.
        ensure!((100..150).contains(&dispatches), "{dispatches} dispatches");
    }
    // Who comes there all the time stays: a fault each time would cost more.
    let [_, _, fragments, dispatches] = run(20_000)?;
    ensure!(fragments > 300 && dispatches < 10_000, "{fragments} fragments, {dispatches} dispatches");
    Ok(())
}
