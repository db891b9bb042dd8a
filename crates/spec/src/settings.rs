//! Tables of settings: dotted or quoted paths to leaves, and their typed values.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::diagnostic::{Diagnostic, Findings, Place};
use crate::leaf::{self, Path};
use crate::node::{Key, Node, Value};

/// A seed is no setting: every cell is run with each of them.
const SEEDS: &str = "write seeds = [1, 2, 3] under [sweep]: every cell is run with every seed";

/// One leaf given one value, and where.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) leaf: &'static str,
    pub(crate) key: Place,
    pub(crate) value: Json,
    pub(crate) place: Place,
}

/// What reading collects beside its results.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// The sweep file's text, for places inside its strings.
    pub(crate) text: String,
    pub(crate) findings: Findings,
    /// Leaves with a rejected value: later checks would only repeat the news.
    pub(crate) broken: BTreeSet<&'static str>,
}

impl Reading {
    pub(crate) fn error(&mut self, place: Place, message: impl Into<String>) -> &mut Diagnostic {
        self.findings.error(place, message)
    }

    /// The typed value as the leaf's type; `what` opens the message.
    pub(crate) fn coerce(&mut self, leaf: &'static str, node: &Node, what: &str) -> Option<Json> {
        match leaf::coerce(leaf, node) {
            Ok(value) => Some(value),
            Err(mismatch) => {
                self.broken.insert(leaf);
                self.error(node.place, format!("{what}: {}", mismatch.message))
                    .maybe_help(mismatch.help);
                None
            }
        }
    }

    /// The leaf a path names, or an error.
    pub(crate) fn leaf(&mut self, path: &str, place: Place) -> Option<&'static str> {
        match leaf::resolve(path) {
            Path::Leaf(leaf) => return Some(leaf),
            Path::Section(leaves) => {
                let help = format!("its settings are {}", leaf::listed(&leaves));
                self.error(place, format!("`{path}` is a section, not a setting")).help(help);
            }
            Path::Unknown => {
                let help = match path.rsplit('.').next() {
                    Some("seed" | "seeds") => Some(SEEDS.to_string()),
                    _ => self.findings.did_you_mean(path, leaf::paths()),
                };
                self.error(place, format!("`{path}` is not a setting of a run")).maybe_help(help);
            }
        }
        None
    }

    /// Reads a table of settings; `what` is how messages call it.
    pub(crate) fn settings(&mut self, node: &Node, what: &str) -> Vec<Entry> {
        self.settings_of("", node, what)
    }

    /// Likewise of one section, whose name the keys leave out.
    pub(crate) fn settings_of(&mut self, section: &str, node: &Node, what: &str) -> Vec<Entry> {
        let Value::Table(table) = &node.value else {
            self.error(node.place, format!("{what} must be a table, found {}", node.found()));
            return Vec::new();
        };
        let mut entries = Vec::new();
        for flat in self.flatten(table, section, |_| false) {
            let Some(leaf) = self.leaf(&flat.path, flat.key) else { continue };
            if let Some(value) = self.coerce(leaf, flat.node, &format!("`{leaf}`")) {
                entries.push(Entry { leaf, key: flat.key, value, place: flat.node.place });
            }
        }
        entries
    }

    /// Joins nested tables to dotted paths behind `prefix`, in the order of the file, and
    /// reports a path that is given twice (dotted and quoted).
    pub(crate) fn flatten<'a>(
        &mut self,
        table: &'a [(Key, Node)],
        prefix: &str,
        stop: impl Fn(&Node) -> bool + Copy,
    ) -> Vec<Flat<'a>> {
        let mut found = Vec::new();
        descend(table, prefix, stop, &mut found);
        // Dotted keys of one section need not stand together; the file's order counts.
        found.sort_by_key(|flat| flat.key);
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut unique: Vec<Flat<'a>> = Vec::new();
        for flat in found {
            if seen.insert(flat.path.clone()) {
                unique.push(flat);
            } else {
                self.error(flat.key, format!("`{}` is given twice", flat.path))
                    .help("a dotted key and a quoted one mean the same");
            }
        }
        unique
    }
}

/// A dotted path with its value.
pub(crate) struct Flat<'a> {
    pub(crate) path: String,
    pub(crate) key: Place,
    pub(crate) node: &'a Node,
}

/// No path of settings is as long; below such a one there is nothing to find.
const LONGEST_PATH: usize = 200;

fn descend<'a>(
    table: &'a [(Key, Node)],
    prefix: &str,
    stop: impl Fn(&Node) -> bool + Copy,
    found: &mut Vec<Flat<'a>>,
) {
    for (key, node) in table {
        let path =
            if prefix.is_empty() { key.text.clone() } else { format!("{prefix}.{}", key.text) };
        match &node.value {
            Value::Table(inner) if !stop(node) && path.len() <= LONGEST_PATH => {
                let leaf = matches!(leaf::resolve(&path), Path::Leaf(_));
                // An empty section says nothing; an empty table in a leaf's place is a mistake.
                if leaf || (inner.is_empty() && matches!(leaf::resolve(&path), Path::Unknown)) {
                    found.push(Flat { path, key: key.place, node });
                } else {
                    descend(inner, &path, stop, found);
                }
            }
            _ => found.push(Flat { path, key: key.place, node }),
        }
    }
}
