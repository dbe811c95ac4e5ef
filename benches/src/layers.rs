//! The check that a layer imports only itself and the layers below it.

use std::fs;
use std::path::Path;

use crate::LAYERS;

/// The first names of all paths that begin with `crate::`, those in braces too.
fn imported(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        match rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            Some((group, _)) => names.extend(group.split(',').map(|path| first_name(path.trim()))),
            None => names.push(first_name(rest)),
        }
    }
    names
}

fn first_name(path: &str) -> &str {
    path.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).next().unwrap_or_default()
}

fn check(directory: &Path, layer: usize, wrong: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            check(&entry, layer, wrong);
        } else if entry.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&entry).unwrap();
            let above = |name: &&str| LAYERS.iter().position(|known| known == name).is_some_and(|place| place > layer);
            wrong.extend(imported(&text).into_iter().filter(above).map(|name| format!("{}: {name}", entry.display())));
        }
    }
}

#[test]
fn imports_go_one_way() {
    let mut wrong = Vec::new();
    for (layer, name) in LAYERS.iter().enumerate() {
        check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name), layer, &mut wrong);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn names_in_braces_are_imports_too() {
    assert_eq!(imported("use crate::run::ways;\nuse crate::{rows, suites::compute};"), ["run", "rows", "suites"]);
}
