//! The launcher's own code, and code that it makes and finds.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::bench::Bench;
use crate::paths;

/// The gate saves xmm0–15 and nothing else of the vector and floating-point state, and leaves DF as it is: no
/// instruction of the launcher may depend on it or change it. The lanes' copy of long blocks is the exception: it runs
/// after a test of DF.
pub fn instructions(_bench: &Bench) -> Result<()> {
    let done = Command::new("objdump").args(["-d", "--no-show-raw-insn"]).arg(paths::launcher()).output()?;
    ensure!(done.status.success(), "objdump: {}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8_lossy(&done.stdout);
    let mut seen = 0;
    let mut after_a_test = false;
    for line in text.lines() {
        let Some((_, code)) = line.split_once('\t') else {
            if line.ends_with(">:") {
                after_a_test = line.contains("<bt_lane_rep>");
            }
            continue;
        };
        let name = code.split_whitespace().next().unwrap_or_default();
        seen += 1;
        // `xsave64` writes the whole state when the runtime leaves through a signal frame, with the guest's state
        // restored.
        let string = name.starts_with("rep")
            || ["movsb", "movsw", "movsl", "movsq", "std", "cld"].contains(&name)
            || ["stos", "lods", "scas", "cmps"].iter().any(|s| name.starts_with(s) && code.contains("%es:"));
        let float = name.starts_with('f') || name.starts_with('v') || name == "ldmxcsr" || name == "emms";
        ensure!((after_a_test || !string) && !float, "the launcher executes: {line}");
    }
    ensure!(seen > 10_000, "only {seen} instructions seen");
    Ok(())
}

/// A cache that is too small is dropped again and again, while threads are in it.
pub fn small_cache(bench: &Bench) -> Result<()> {
    let file = bench.work.join("stats");
    let stats = format!("--stats={}", file.display());
    let source = "import threading\n\
        def work(n):\n    import json, re, decimal, ast, email.message, xml.dom.minidom, argparse, difflib, ssl, sqlite3\n    \
        out.append(sum(int(x) for x in re.findall(r'\\d+', json.dumps(list(range(n))))))\n\
        out = []\nts = [threading.Thread(target=work, args=(2000 + i,)) for i in range(4)]\n\
        [t.start() for t in ts]; [t.join() for t in ts]; print(sorted(out))\n";
    let done = bench.program(&["--cache-size", "4", &stats], &["/usr/bin/python3", "-c", source])?;
    let expected = (0..4u64).map(|i| (2000 + i) * (1999 + i) / 2).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    ensure!(
        done.stdout == format!("[{expected}]\n").as_bytes(),
        "ended with {:?}, printed {:?}, {}",
        done.end,
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    let text = fs::read_to_string(&file).context("--stats wrote no file")?;
    ensure!(
        text.contains("\"flushes\":") && !text.contains("\"flushes\":0,\"inval"),
        "the cache was never full:\n{text}"
    );
    Ok(())
}

pub fn perf_map(bench: &Bench) -> Result<()> {
    let done = bench.program(&["--perf-map"], &["sh", "-c", "echo $$"])?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let map = Path::new("/tmp").join(format!("perf-{}.map", text.trim()));
    let lines = fs::read_to_string(&map).with_context(|| map.display().to_string())?;
    fs::remove_file(&map)?;
    ensure!(!lines.is_empty(), "the map is empty");
    for line in lines.lines() {
        let mut words = line.splitn(3, ' ');
        let numbers = words.by_ref().take(2).filter(|word| u64::from_str_radix(word, 16).is_ok()).count();
        ensure!(numbers == 2 && words.next().is_some(), "not `start size name`: {line:?}");
    }
    Ok(())
}

/// A `syscall` in code made at run time, with its number loaded far before: no scan can be certain of it.
const HIDDEN_SITE: &str = "import ctypes, mmap\n\
    code = mmap.mmap(-1, 4096, prot=7)\n\
    code.write(bytes.fromhex('89f8' + '90' * 40 + '0f05c3'))\n\
    call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))\n\
    print(call(110) == __import__('os').getppid())\n";

/// `--strict` reports a call that the scan could not know, and nothing else.
pub fn strict(bench: &Bench) -> Result<()> {
    let file = bench.work.join("stats");
    let stats = format!("--stats={}", file.display());
    for (source, missed) in [(HIDDEN_SITE, 1), ("print(True)", 0)] {
        let _ = fs::remove_file(&file);
        let done = bench.program(&["--strict", &stats], &["/usr/bin/python3", "-c", source])?;
        ensure!(done.stdout == b"True\n", "ended with {:?}: {}", done.end, String::from_utf8_lossy(&done.stderr));
        let said = String::from_utf8_lossy(&done.stderr).matches("was not found by the scan").count();
        let text = fs::read_to_string(&file).context("--stats wrote no file")?;
        ensure!(said == missed, "{said} sites reported, not {missed}");
        ensure!(text.contains(&format!("\"missed\":{missed},")), "not {missed} sites in the statistics:\n{text}");
    }
    Ok(())
}
