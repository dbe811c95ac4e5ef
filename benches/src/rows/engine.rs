//! How bt-run is started: the engine, and which calls it answers in the process.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

/// Which engine of bt-run is measured; the launcher is always told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Engine {
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
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Translate => "translate",
            Self::Ring0 => "ring0",
        }
    }

    /// The engine of a name.
    #[must_use]
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::value_variants().iter().copied().find(|engine| engine.name() == name)
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A level of emulation, as `--emulate` takes it. Each answers what those before it answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// No call.
    Off,
    /// Calls whose answer is provably the kernel's.
    Exact,
    /// As native to every other process.
    Coherent,
}

impl Level {
    /// Its name as `--emulate` takes it.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Exact => "exact",
            Self::Coherent => "coherent",
        }
    }

    /// The level of a name.
    #[must_use]
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::value_variants().iter().copied().find(|level| level.name() == name)
    }
}

/// An engine, and a level where one is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Variant {
    /// The launcher is always told.
    pub engine: Engine,
    /// What the launcher does by default where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emulate: Option<Level>,
}

impl Variant {
    /// The launcher's options.
    #[must_use]
    pub(crate) fn options(self) -> Vec<&'static str> {
        let mut options = vec!["--engine", self.engine.name()];
        if let Some(level) = self.emulate {
            options.extend(["--emulate", level.name()]);
        }
        options
    }
}

impl From<Engine> for Variant {
    fn from(engine: Engine) -> Self {
        Self { engine, emulate: None }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.options().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_is_the_same_as_option_and_in_json() {
        for engine in Engine::value_variants() {
            assert_eq!(Engine::from_str(engine.name(), false), Ok(*engine));
            assert_eq!(serde_json::to_string(engine).unwrap(), format!("\"{engine}\""));
        }
    }

    #[test]
    fn level_is_the_same_as_option_and_in_json() {
        for level in Level::value_variants() {
            assert_eq!(Level::from_str(level.name(), false), Ok(*level));
            assert_eq!(serde_json::to_string(level).unwrap(), format!("\"{}\"", level.name()));
        }
    }

    #[test]
    fn level_is_an_option_only_where_one_is_chosen() {
        let plain = Variant::from(Engine::Direct);
        assert_eq!(plain.to_string(), "--engine direct");
        assert_eq!(serde_json::to_string(&plain).unwrap(), r#"{"engine":"direct"}"#);
        let chosen = Variant { emulate: Some(Level::Off), ..plain };
        assert_eq!(chosen.to_string(), "--engine direct --emulate off");
    }
}
