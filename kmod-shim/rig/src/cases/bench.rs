//! `bt-bench` measures engine `ring0` on a machine that has the module.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Result, bail};
use serde_json::Value;

use super::ring0::{in_plain_flavours, silently};
use crate::command::{Bench, LAUNCHER, RING0, events, expect_success};

/// Suites and benchmarks: what stays in ring 0, what waits there, what leaves it for handlers.
const MEASURED: &[(&str, &str)] = &[("singularity", "abi-call"), ("singularity", "psr-pipe"), ("switch", "signal")];

/// Each gets a row with a figure.
pub fn measures(bench: &Bench) -> Result<()> {
    in_plain_flavours("it only has to run")?;
    silently(|| {
        let file = bench.work.join("rows.jsonl");
        let mut command = Command::new("/bt/bt-bench");
        command.arg("run").args(MEASURED.iter().map(|(suite, _)| suite).collect::<BTreeSet<_>>());
        command.args(["--quick", "--runs", "1", "--engines", "native,ring0", "--drivers", "/bt/drivers"]);
        command.args(["--bt-run", LAUNCHER, "--results"]).arg(&file);
        command.arg("--only").args(MEASURED.iter().map(|(_, name)| name));
        let finished = bench.run("bt-bench", &mut command)?;
        println!("{}", String::from_utf8_lossy(&finished.stdout));
        expect_success("bt-bench", &finished)?;
        let rows = events(&file)?;
        for (suite, name) in MEASURED {
            let is_measured = |row: &&Value| {
                let way = row.pointer("/way/engine");
                row["suite"] == *suite
                    && row["name"] == *name
                    && way == Some(&RING0.into())
                    && row["state"] == "measured"
            };
            if rows.iter().filter(is_measured).count() != 1 {
                bail!("{suite} {name} was not measured in ring 0");
            }
        }
        Ok(())
    })
}
