//! `cargo xtask layers`: every file of the runtime imports from its own layer and from layers below only, and no files
//! of a crate, nor of the kernel module, import each other in a circle.
//!
//! The list of layers is the table in ARCHITECTURE.md: there a reader looks for it, and here it is enforced.

mod c_files;
mod graph;
mod imports;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use bt_tests::paths;
use bt_tests::runner::Totals;

use crate::check::totals_of;
use graph::Graph;

/// Source directories of the workspace's crates, in which no circle may be.
const CRATES: &[&str] = &[
    "benches/src",
    "kmod-shim/client/src",
    "kmod-shim/rig/src",
    "runtime/src",
    "tests/src",
    "translator/src",
    "xtask/src",
];
/// The crate that has layers.
const LAYERED: &str = "runtime/src";
/// The kernel module's C files.
const MODULE: &str = "kmod-shim/module";
const LIST: &str = "ARCHITECTURE.md";

/// A layer: the modules that belong to it, by their names at the root of the crate.
#[derive(Debug, PartialEq, Eq)]
struct Layer {
    modules: Vec<String>,
}

/// Prints what is wrong.
pub fn run() -> Result<ExitCode> {
    let problems = problems()?;
    for problem in &problems {
        println!("{problem}");
    }
    if problems.is_empty() {
        println!("0 circles, 0 imports from a layer above");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// The check as one test of the suite.
pub fn test() -> Totals {
    totals_of("cargo xtask layers", &problems().unwrap_or_else(|error| vec![format!("{error:#}")]))
}

/// One line for each import from above and each circle.
fn problems() -> Result<Vec<String>> {
    let root = paths::workspace();
    let list = fs::read_to_string(root.join(LIST)).context(LIST)?;
    let layers = parse_layers(&list)?;
    let mut found = Vec::new();
    for directory in CRATES {
        let graph = imports::read(&root.join(directory)).with_context(|| (*directory).to_owned())?;
        if *directory == LAYERED {
            found.extend(upward(&graph, &layers).into_iter().map(|text| format!("{directory}: {text}")));
        }
        found.extend(circles(&graph).into_iter().map(|text| format!("{directory}: {text}")));
    }
    let graph = c_files::read(&root.join(MODULE)).context(MODULE)?;
    found.extend(circles(&graph).into_iter().map(|text| format!("{MODULE}: {text}")));
    Ok(found)
}

/// Reads the table of layers: rows `| number | modules | sentence |`, from the lowest layer up, modules in backquotes.
fn parse_layers(text: &str) -> Result<Vec<Layer>> {
    let mut layers = Vec::new();
    for line in text.lines() {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let (Some(number), Some(modules)) = (cells.next(), cells.next()) else { continue };
        if number.parse() != Ok(layers.len()) {
            continue;
        }
        let modules = modules.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        layers.push(Layer { modules });
    }
    if layers.len() < 2 {
        bail!("{LIST} has no table of layers");
    }
    Ok(layers)
}

/// The layer of a file, by the first part of its module path.
fn layer_of(layers: &[Layer], file: &str) -> Option<usize> {
    let first = Path::new(file).components().next()?.as_os_str().to_str()?;
    let module = first.strip_suffix(".rs").unwrap_or(first);
    layers.iter().position(|layer| layer.modules.iter().any(|name| name == module))
}

/// Imports from a layer above, and files that belong to no layer.
fn upward(graph: &Graph, layers: &[Layer]) -> Vec<String> {
    let mut found = Vec::new();
    for file in graph.files() {
        if file == "lib.rs" || file == "main.rs" {
            continue;
        }
        let Some(own) = layer_of(layers, file) else {
            found.push(format!("{file} belongs to no layer of {LIST}"));
            continue;
        };
        for other in graph.imports(file) {
            if let Some(theirs) = layer_of(layers, other).filter(|&theirs| theirs > own) {
                found.push(format!("{file} (layer {own}) imports from {other} (layer {theirs})"));
            }
        }
    }
    found
}

fn circles(graph: &Graph) -> Vec<String> {
    graph.circles().into_iter().map(|files| format!("a circle of {} files: {}", files.len(), files.join(" "))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "| layer | modules | what |\n|---|---|---|\n| 0 | `sys` | calls |\n| 1 | `gate`, `lanes` | ways |\n";

    fn graph(pairs: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::default();
        for (from, to) in pairs {
            graph.add_file(from);
            graph.add_file(to);
            graph.add(from, to);
        }
        graph
    }

    #[test]
    fn layers_are_read_from_the_table() {
        let layers = parse_layers(TABLE).unwrap();
        assert_eq!(layer_of(&layers, "sys/raw.rs"), Some(0));
        assert_eq!(layer_of(&layers, "lanes.rs"), Some(1));
        assert_eq!(layer_of(&layers, "start/mod.rs"), None);
        assert!(parse_layers("no table").is_err());
    }

    #[test]
    fn an_import_from_above_is_named_with_both_files() {
        let layers = parse_layers(TABLE).unwrap();
        let graph = graph(&[("sys/raw.rs", "gate/asm.rs"), ("gate/asm.rs", "lanes.rs")]);
        assert_eq!(upward(&graph, &layers), ["sys/raw.rs (layer 0) imports from gate/asm.rs (layer 1)"]);
    }

    #[test]
    fn a_circle_is_named() {
        assert!(circles(&graph(&[("a.rs", "b.rs"), ("b.rs", "c.rs")])).is_empty());
        let found = circles(&graph(&[("a.rs", "b.rs"), ("b.rs", "c.rs"), ("c.rs", "a.rs")]));
        assert_eq!(found, ["a circle of 3 files: a.rs b.rs c.rs"]);
    }

    #[test]
    fn the_project_keeps_its_layers() {
        assert_eq!(problems().unwrap(), Vec::<String>::new());
    }
}
