//! Random instructions in ring 0, compared with ring 3 (`bt_tests::blocks`).

use anyhow::{Result, bail};

use super::ring0::{SAME_CODE, in_plain_flavours};
use crate::command::Bench;
use crate::module;

const BLOCKS: &str = "/bt/blocks";
/// With this seed the emulator itself does all blocks alike, natively and in pieces. Of others one block in two
/// thousand differs by a fault of the emulator's: garbage in the flags after a vector rounding, flags of a rotation
/// that faults.
const SEED: &str = "5";
const COUNT: &str = "1000";
/// Differing blocks that are shown.
const SHOWN: usize = 3;

/// Each block ends in the same state, entered in ring 0 or not.
pub fn are_as_native(bench: &Bench) -> Result<()> {
    in_plain_flavours(SAME_CODE)?;
    module::ensure_loaded()?;
    let arguments = [BLOCKS, "--emulator", "--seed", SEED, "--count", COUNT];
    let native = bench.native("native", &arguments)?;
    let ring0 = bench.native("ring0", &[&arguments[..], &["--ring0"]].concat())?;
    // It fails natively too when so few blocks do not hold every instruction.
    if native.end != ring0.end || ring0.stdout.is_empty() {
        bail!("natively {:?}, in ring 0 {:?}\n{}", native.end, ring0.end, String::from_utf8_lossy(&ring0.stderr));
    }
    let [native, ring0] = [native, ring0].map(|run| String::from_utf8_lossy(&run.stdout).into_owned());
    let differing: Vec<&str> = native
        .lines()
        .zip(ring0.lines())
        .filter(|(was, is)| was != is && was.starts_with(|first: char| first.is_ascii_digit()))
        .filter_map(|(was, _)| was.split(' ').next())
        .collect();
    for block in differing.iter().take(SHOWN) {
        for entered in [&[][..], &["--ring0"]] {
            let shown = bench.native("show", &[&arguments[..4], &["--show", block], entered].concat())?;
            println!("{}", String::from_utf8_lossy(&shown.stdout));
        }
    }
    if !differing.is_empty() || native.lines().count() != ring0.lines().count() {
        bail!("{} of {COUNT} blocks end differently in ring 0", differing.len());
    }
    Ok(())
}
