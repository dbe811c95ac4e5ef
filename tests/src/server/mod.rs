//! Servers on loopback under a real client.

use std::time::Duration;

use anyhow::Result;

use crate::runner::case::Observation;
use crate::runner::launch::Pass;
use crate::spec::Test;

/// What a server test does in one pass.
#[derive(Clone, Copy, Debug)]
pub struct ServerTest {
    run: fn(&Pass, Duration) -> Result<Vec<Observation>>,
}

impl ServerTest {
    /// Runs one pass.
    pub fn run(&self, pass: &Pass, limit: Duration) -> Result<Vec<Observation>> {
        (self.run)(pass, limit)
    }
}

/// All of them.
pub fn collect() -> Vec<Test> {
    Vec::new()
}
