//! The engines of bt-run.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

/// Which engine of bt-run is measured; the launcher is always told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// In place, system call sites patched.
    Direct,
    /// From a code cache.
    Translate,
    /// In place, and what makes many calls runs in the kernel; needs the module.
    Ring0,
}

impl Engine {
    /// Its name as `--engine` takes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Translate => "translate",
            Self::Ring0 => "ring0",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option_and_json_use_the_same_name() {
        for engine in Engine::value_variants() {
            assert_eq!(Engine::from_str(engine.name(), false), Ok(*engine));
            assert_eq!(serde_json::to_string(engine).unwrap(), format!("\"{engine}\""));
        }
    }
}
