//! Which C file of the kernel module calls functions of which other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::graph::Graph;

/// Reads the `.c` files of a directory. A function that is not static and is defined at the left margin, as the
/// kernel's style has it, belongs to its file; a file that names it calls it.
pub fn read(directory: &Path) -> Result<Graph> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "c") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            texts.insert(
                name,
                without_comments(&fs::read_to_string(&path).with_context(|| path.display().to_string())?),
            );
        }
    }
    let mut graph = Graph::default();
    let mut homes: BTreeMap<String, &str> = BTreeMap::new();
    for (file, text) in &texts {
        graph.add_file(file);
        for function in definitions(text) {
            homes.insert(function, file);
        }
    }
    for (file, text) in &texts {
        for word in words(text) {
            if let Some(home) = homes.get(word) {
                graph.add(file, home);
            }
        }
    }
    Ok(graph)
}

fn without_comments(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect()
}

/// Names of the functions that a file defines for others: a line at the left margin with `(`, and `{` at the margin
/// before any `;`.
fn definitions(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut head: Option<String> = None;
    for line in text.lines() {
        let is_at_margin = line.starts_with(|c: char| c.is_ascii_alphabetic());
        if is_at_margin && line.contains('(') && !line.starts_with("static") && !line.contains('=') {
            let name = line.split('(').next().unwrap_or("").rsplit([' ', '*']).next().unwrap_or("");
            head = (!line.ends_with(';')).then(|| name.to_owned());
        } else if line == "{" {
            found.extend(head.take());
        } else if line.ends_with(';') {
            head = None;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_for_others_are_found() {
        let text = "int bt_run(struct file *f,\n\t   int n)\n{\n}\nstatic int own(void)\n{\n}\nvoid declared(int);\n";
        assert_eq!(definitions(text), ["bt_run"]);
    }

    #[test]
    fn comments_do_not_call() {
        assert_eq!(without_comments("a /* b */ c"), "a  c");
    }
}
