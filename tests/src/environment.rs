//! What the environment may choose.

use anyhow::{Context as _, Result};

/// A number that the environment may choose.
pub fn number(variable: &str, default: u64) -> Result<u64> {
    match std::env::var(variable) {
        Err(_) => Ok(default),
        Ok(text) => match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => text.parse(),
        }
        .with_context(|| format!("{variable} is not a number: {text}")),
    }
}
