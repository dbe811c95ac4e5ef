//! Imports between the files of a Rust crate.
//!
//! An import is a path that begins with `crate`, `self` or `super`, or with the name of a module next to the file: in a
//! `use`, in an expression, a type or a macro's arguments. Code for tests does not count. A module that only hands on
//! what another defines (`pub use`) is transparent: who imports from it imports from the file that defines the item.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Attribute, Item, ItemUse, UseTree, Visibility};

use super::graph::Graph;

/// A module path from the crate's root.
type Module = Vec<String>;

/// One file as far as imports concern it.
struct File {
    path: String,
    /// Paths that the code names, from the root, the item at the end.
    named: Vec<Vec<String>>,
    /// What it hands on: the name, and the path of what it is.
    handed_on: BTreeMap<String, Vec<String>>,
}

/// Reads the files below the directory `source`.
pub fn read(source: &Path) -> Result<Graph> {
    let mut paths = Vec::new();
    collect(source, &mut paths)?;
    paths.sort();
    let mut modules: BTreeMap<Module, File> = BTreeMap::new();
    for path in paths {
        let relative = path.strip_prefix(source)?;
        let module = module_of(relative);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let parsed = syn::parse_file(&text).with_context(|| path.display().to_string())?;
        let mut file = File { path: relative.display().to_string(), named: Vec::new(), handed_on: BTreeMap::new() };
        read_items(&parsed.items, &module, &mut file);
        modules.insert(module, file);
    }
    Ok(connect(&modules))
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

/// The module of a file, by its path below the source directory.
fn module_of(relative: &Path) -> Module {
    let mut parts: Module = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let last = parts.pop().unwrap_or_default();
    let name = last.strip_suffix(".rs").unwrap_or(&last);
    // A program's root and the library's are different crates in one directory.
    if !matches!(name, "mod" | "lib") {
        parts.push(name.to_owned());
    }
    parts
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg") && attribute.meta.to_token_stream().to_string().contains("test")
    })
}

fn read_items(items: &[Item], module: &Module, file: &mut File) {
    for item in items {
        match item {
            Item::Use(item) if !is_for_tests(&item.attrs) => read_use(item, module, file),
            Item::Mod(inner) if !is_for_tests(&inner.attrs) => {
                if let Some((_, items)) = &inner.content {
                    let mut inside = module.clone();
                    inside.push(inner.ident.to_string());
                    read_items(items, &inside, file);
                }
            }
            Item::Use(_) | Item::Mod(_) => {}
            Item::Fn(item) if is_for_tests(&item.attrs) => {}
            other => read_tokens(other.to_token_stream(), module, file),
        }
    }
}

fn read_use(item: &ItemUse, module: &Module, file: &mut File) {
    let mut leaves = Vec::new();
    flatten(&item.tree, &mut Vec::new(), &mut leaves);
    let is_handed_on = !matches!(item.vis, Visibility::Inherited);
    for (path, name) in leaves {
        let Some(path) = absolute(&path, module) else { continue };
        match name.filter(|_| is_handed_on) {
            Some(name) => {
                file.handed_on.insert(name, path);
            }
            None => file.named.push(path),
        }
    }
}

/// The paths of a `use`, with the name by which each item is known; none for `*`.
fn flatten(tree: &UseTree, before: &mut Vec<String>, leaves: &mut Vec<(Vec<String>, Option<String>)>) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, leaves);
            before.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, leaves)),
        UseTree::Glob(_) => leaves.push((before.clone(), None)),
        UseTree::Name(name) => {
            let mut path = before.clone();
            let name = name.ident.to_string();
            if name == "self" {
                leaves.push((path.clone(), path.last().cloned()));
            } else {
                path.push(name.clone());
                leaves.push((path, Some(name)));
            }
        }
        UseTree::Rename(rename) => {
            let mut path = before.clone();
            path.push(rename.ident.to_string());
            leaves.push((path, Some(rename.rename.to_string())));
        }
    }
}

/// A path from the crate's root; `None` for one that may leave the crate. The first part of such a path can be a module
/// next to the file's own, which [`connect`] finds out: it is kept below the module.
fn absolute(path: &[String], module: &Module) -> Option<Vec<String>> {
    let (first, rest) = path.split_first()?;
    let mut from: Vec<String> = match first.as_str() {
        "crate" => Vec::new(),
        "super" => module.get(..module.len().checked_sub(1)?)?.to_vec(),
        "self" => module.clone(),
        "std" | "core" | "alloc" => return None,
        other => {
            let mut from = module.clone();
            from.push(other.to_owned());
            from
        }
    };
    let mut rest = rest;
    while let Some((next, after)) = rest.split_first().filter(|(next, _)| *next == "super") {
        let _ = next;
        from.pop()?;
        rest = after;
    }
    from.extend(rest.iter().cloned());
    Some(from)
}

/// Finds `a::b::c` in the tokens of an item.
fn read_tokens(tokens: TokenStream, module: &Module, file: &mut File) {
    let mut path: Vec<String> = Vec::new();
    let mut colons = 0;
    let end = |path: &mut Vec<String>, file: &mut File| {
        if path.len() > 1
            && let Some(path) = absolute(path, module)
        {
            file.named.push(path);
        }
        path.clear();
    };
    for token in tokens {
        match token {
            TokenTree::Ident(name) => {
                if colons != 2 {
                    end(&mut path, file);
                }
                path.push(name.to_string());
                colons = 0;
            }
            TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
            other => {
                end(&mut path, file);
                colons = 0;
                if let TokenTree::Group(group) = other {
                    read_tokens(group.stream(), module, file);
                }
            }
        }
    }
    end(&mut path, file);
}

/// Makes edges of the paths.
fn connect(modules: &BTreeMap<Module, File>) -> Graph {
    let mut graph = Graph::default();
    for file in modules.values() {
        graph.add_file(&file.path);
    }
    for (module, file) in modules {
        for path in &file.named {
            if let Some(target) = resolve(modules, path, 0).filter(|target| *target != module) {
                graph.add(&file.path, &modules[target].path);
            }
        }
    }
    graph
}

/// The module that defines what a path names.
fn resolve<'a>(modules: &'a BTreeMap<Module, File>, path: &[String], depth: usize) -> Option<&'a Module> {
    /// Modules that hand something on, one after the other, at most.
    const DEPTH: usize = 8;
    let (module, file) = (1..=path.len()).rev().find_map(|len| modules.get_key_value(path.get(..len)?))?;
    let Some(item) = path.get(module.len()).filter(|_| depth < DEPTH) else { return Some(module) };
    if let Some(target) = file.handed_on.get(item) {
        let mut target = target.clone();
        target.extend(path.get(module.len() + 1..)?.iter().cloned());
        return resolve(modules, &target, depth + 1).or(Some(module));
    }
    Some(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(files: &[(&str, &str)]) -> Vec<String> {
        let directory = std::env::temp_dir().join(format!("bt-layers-{}-{}", std::process::id(), files.len()));
        let _ = fs::remove_dir_all(&directory);
        for (path, text) in files {
            let path = directory.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let graph = read(&directory).unwrap();
        fs::remove_dir_all(&directory).unwrap();
        graph.files().flat_map(|file| graph.imports(file).map(move |other| format!("{file} -> {other}"))).collect()
    }

    #[test]
    fn imports_are_found_in_uses_expressions_and_macros() {
        let found = edges(&[
            ("lib.rs", "mod a; mod b; mod c; mod d;"),
            ("a.rs", "use crate::b::{X, Y};\nfn f() { super::c::g(); m!(crate::d::LIMIT) }"),
            ("b.rs", "pub struct X;"),
            ("c.rs", "pub fn g() {}"),
            ("d.rs", "#[cfg(test)]\nmod tests { use crate::a::f; }"),
        ]);
        assert_eq!(found, ["a.rs -> b.rs", "a.rs -> c.rs", "a.rs -> d.rs"]);
    }

    #[test]
    fn what_is_handed_on_leads_to_the_file_that_defines_it() {
        let found = edges(&[
            ("lib.rs", "mod a; mod dir; mod user;"),
            ("a.rs", ""),
            ("dir/mod.rs", "mod part;\npub use part::Thing;\nuse crate::a;"),
            ("dir/part.rs", "pub struct Thing;"),
            ("user.rs", "use crate::dir::Thing;"),
            ("z.rs", ""),
        ]);
        assert_eq!(found, ["dir/mod.rs -> a.rs", "user.rs -> dir/part.rs"]);
    }
}
