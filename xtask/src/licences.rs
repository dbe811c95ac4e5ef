//! `cargo xtask licences`: the project is built from crates whose licences are on a short list.
//!
//! The list has licences that ask for no more than to be named, and MPL-2.0, which asks for the source of the crate's
//! own files. Advisories are not looked at: their database is not in the registry that cargo has.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use bt_tests::paths;
use bt_tests::runner::Totals;
use serde::Deserialize;
use spdx::{Expression, LicenseReq, ParseMode};

use crate::check::totals_of;

/// Licences that a crate may have, by their names in the SPDX list.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// What `cargo metadata` says, as far as it is needed.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    /// An SPDX expression; older crates separate alternatives by a slash.
    license: Option<String>,
}

/// Prints what is wrong.
pub fn run() -> Result<ExitCode> {
    let packages = packages()?;
    let problems = problems(&packages);
    for problem in &problems {
        println!("{problem}");
    }
    if problems.is_empty() {
        println!("{} crates, all with licences of the list", packages.len());
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// The check as one test of the suite.
pub fn test() -> Totals {
    let problems = packages().map_or_else(|error| vec![format!("{error:#}")], |packages| problems(&packages));
    totals_of("cargo xtask licences", &problems)
}

/// The crates of the workspace and everything that they depend on, on this platform.
fn packages() -> Result<Vec<Package>> {
    let done = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(paths::workspace())
        .output()
        .context("cannot start cargo")?;
    if !done.status.success() {
        bail!("cargo metadata failed\n{}", String::from_utf8_lossy(&done.stderr));
    }
    let metadata: Metadata = serde_json::from_slice(&done.stdout).context("cargo metadata")?;
    Ok(metadata.packages)
}

/// One line for each crate whose licence is not allowed.
fn problems(packages: &[Package]) -> Vec<String> {
    let problem = |package: &Package| {
        let why = match &package.license {
            None => "names no licence".to_owned(),
            Some(text) => refusal(text)?,
        };
        Some(format!("{} {}: {why}", package.name, package.version))
    };
    packages.iter().filter_map(problem).collect()
}

/// Why a licence expression is not allowed; nothing if it is.
fn refusal(text: &str) -> Option<String> {
    match Expression::parse_mode(text, ParseMode::LAX) {
        Err(error) => Some(format!("{text:?} is no licence expression: {}", error.reason)),
        Ok(expression) if expression.evaluate(is_allowed) => None,
        Ok(_) => Some(format!("{text} is not on the list of xtask/src/licences.rs")),
    }
}

/// An exception only ever allows more than the licence that it belongs to.
fn is_allowed(wanted: &LicenseReq) -> bool {
    wanted.license.id().is_some_and(|id| ALLOWED.contains(&id.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alternative_is_enough_and_all_parts_are_needed() {
        assert_eq!(refusal("MIT"), None);
        assert_eq!(refusal("MIT/Apache-2.0"), None);
        assert_eq!(refusal("GPL-3.0-only OR MIT"), None);
        assert_eq!(refusal("(MIT OR Apache-2.0) AND Unicode-3.0"), None);
        assert_eq!(refusal("Apache-2.0 WITH LLVM-exception"), None);
        assert!(refusal("MIT AND GPL-2.0-only").is_some());
        assert!(refusal("AGPL-3.0-or-later").is_some());
        assert!(refusal("whatever I like").is_some());
    }

    #[test]
    fn a_crate_without_a_licence_is_named() {
        let package = |license: Option<&str>| Package {
            name: "thing".to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
        };
        assert_eq!(problems(&[package(Some("MIT")), package(None)]), ["thing 1.0.0: names no licence"]);
    }

    #[test]
    fn allowed_names_are_those_of_the_list() {
        for name in ALLOWED {
            assert!(spdx::license_id(name).is_some(), "{name}");
        }
    }
}
