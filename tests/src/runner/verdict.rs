//! What became of a test.

/// Outcome of a test under one engine.
#[derive(Debug)]
pub enum Verdict {
    /// Everything held.
    Passed,
    /// What did not.
    Failed(String),
    /// Why it was not run.
    Skipped(String),
}
