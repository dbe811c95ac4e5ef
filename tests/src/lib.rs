//! Tests of bt-run as a user sees it: guests, programs of the distribution, servers.
//!
//! Every test runs natively first and must pass there; then it runs under each engine and shows the
//! same output, end and files. `cargo xtask test` is the way in.

pub mod blocks;
pub mod device;
pub mod differential;
mod environment;
pub mod extent;
mod guest;
mod launcher;
mod model;
mod mutants;
pub mod packages;
pub mod paths;
mod program;
pub mod runner;
mod server;
pub mod spec;
pub mod stats;
mod strace;
pub mod suite;

use anyhow::{Result, bail};
use extent::Extent;
use spec::Test;

/// The tests of the suite.
pub fn all_tests(extent: Extent) -> Result<Vec<Test>> {
    let mut tests = guest::collect()?;
    tests.push(differential::test(extent)?);
    tests.extend(model::tests(extent)?);
    tests.extend(mutants::tests(extent)?);
    tests.extend(program::collect());
    tests.extend(server::collect());
    tests.extend(launcher::collect());
    let mut names: Vec<&str> = tests.iter().map(|test| test.name.as_str()).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair.first() == pair.last()) {
        bail!("two tests have the name {}", pair.join(" "));
    }
    Ok(tests)
}
