//! Files and which others each imports from.

use std::collections::{BTreeMap, BTreeSet};

/// Edges between files, by their paths.
#[derive(Debug, Default)]
pub struct Graph {
    edges: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    /// Makes a file known.
    pub fn add_file(&mut self, file: &str) {
        self.edges.entry(file.to_owned()).or_default();
    }

    /// `from` imports from `to`.
    pub fn add(&mut self, from: &str, to: &str) {
        if from != to {
            self.edges.entry(from.to_owned()).or_default().insert(to.to_owned());
        }
    }

    /// All files.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.edges.keys().map(String::as_str)
    }

    /// What a file imports from.
    pub fn imports(&self, file: &str) -> impl Iterator<Item = &str> {
        self.edges.get(file).into_iter().flatten().map(String::as_str)
    }

    /// The sets of files of which each reaches every other, with more than one file (Tarjan, 1972).
    pub fn circles(&self) -> Vec<Vec<&str>> {
        let mut search = Search { graph: self, places: BTreeMap::new(), stack: Vec::new(), found: Vec::new() };
        for file in self.files() {
            if !search.places.contains_key(file) {
                search.visit(file);
            }
        }
        search.found.sort();
        search.found
    }
}

/// Place of a file in the search: when it was seen, and the earliest on the stack that it reaches.
#[derive(Clone, Copy)]
struct Place {
    seen: usize,
    lowest: usize,
    is_on_stack: bool,
}

struct Search<'a> {
    graph: &'a Graph,
    places: BTreeMap<&'a str, Place>,
    stack: Vec<&'a str>,
    found: Vec<Vec<&'a str>>,
}

impl<'a> Search<'a> {
    /// Returns the earliest file on the stack that `file` reaches.
    fn visit(&mut self, file: &'a str) -> usize {
        let seen = self.places.len();
        let mut lowest = seen;
        self.places.insert(file, Place { seen, lowest, is_on_stack: true });
        self.stack.push(file);
        for other in self.graph.imports(file) {
            match self.places.get(other) {
                None => lowest = lowest.min(self.visit(other)),
                Some(place) if place.is_on_stack => lowest = lowest.min(place.seen),
                Some(_) => {}
            }
        }
        if let Some(place) = self.places.get_mut(file) {
            place.lowest = lowest;
        }
        if lowest == seen {
            let mut circle = Vec::new();
            while let Some(member) = self.stack.pop() {
                if let Some(place) = self.places.get_mut(member) {
                    place.is_on_stack = false;
                }
                circle.push(member);
                if member == file {
                    break;
                }
            }
            if circle.len() > 1 {
                circle.sort_unstable();
                self.found.push(circle);
            }
        }
        lowest
    }
}
