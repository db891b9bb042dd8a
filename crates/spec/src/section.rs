//! Reading one table: typed keys, and everything left over is an error.

use crate::diagnostic::{Findings, Located, Place, quoted};
use crate::node::{Key, Node, Value};

/// A table being read. [`Section::finish`] reports keys nobody asked for.
pub(crate) struct Section<'a> {
    /// As messages call it: `[sweep]`.
    name: String,
    entries: &'a [(Key, Node)],
    known: Vec<&'static str>,
    later: Vec<(&'static str, &'static str)>,
    never: Vec<(&'static str, &'static str)>,
}

impl<'a> Section<'a> {
    /// `None`, with an error, where the node is no table.
    pub(crate) fn open(name: &str, node: &'a Node, findings: &mut Findings) -> Option<Self> {
        let Value::Table(entries) = &node.value else {
            findings.error(node.place, format!("{name} must be a table, found {}", node.found()));
            return None;
        };
        Some(Section {
            name: name.to_string(),
            entries,
            known: Vec::new(),
            later: Vec::new(),
            never: Vec::new(),
        })
    }

    /// Declares a key and gives its value.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<(&'a Key, &'a Node)> {
        self.known.push(key);
        self.entries.iter().find(|(found, _)| found.text == key).map(|(key, node)| (key, node))
    }

    /// A key of a later version: refused, never ignored. `instead` may be empty.
    pub(crate) fn later(&mut self, key: &'static str, instead: &'static str) {
        self.later.push((key, instead));
    }

    /// A key that one might expect here and that no version has; `why` is a sentence.
    pub(crate) fn never(&mut self, key: &'static str, why: &'static str) {
        self.never.push((key, why));
    }

    pub(crate) fn string(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
    ) -> Option<Located<String>> {
        let (_, node) = self.get(key)?;
        self.as_string(key, node, findings)
    }

    /// A text that is shown with every cell, so that it cannot be long.
    pub(crate) fn line(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
    ) -> Option<Located<String>> {
        let (_, node) = self.get(key)?;
        let text = self.as_string(key, node, findings)?;
        if !is_line(&text.value) {
            let wanted = format!("one line of at most {LONGEST_LINE} bytes");
            self.unexpected(key, &wanted, node, findings);
            return None;
        }
        Some(text)
    }

    pub(crate) fn strings(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
    ) -> Vec<Located<String>> {
        match self.get(key).map(|(_, node)| node) {
            None => Vec::new(),
            Some(Node { value: Value::Array(items), .. }) => {
                items.iter().filter_map(|item| self.as_string(key, item, findings)).collect()
            }
            Some(node) => {
                self.unexpected(key, "an array of strings", node, findings);
                Vec::new()
            }
        }
    }

    fn as_string(
        &self,
        key: &str,
        node: &Node,
        findings: &mut Findings,
    ) -> Option<Located<String>> {
        let Value::String(text) = &node.value else {
            self.unexpected(key, "a string", node, findings);
            return None;
        };
        Some(Located { value: text.clone(), place: node.place })
    }

    /// A whole number within the given range.
    pub(crate) fn whole(
        &mut self,
        key: &'static str,
        range: std::ops::RangeInclusive<u64>,
        findings: &mut Findings,
    ) -> Option<Located<u64>> {
        let (_, node) = self.get(key)?;
        if let Value::Integer(number) = node.value
            && let Ok(number) = u64::try_from(number)
            && range.contains(&number)
        {
            return Some(Located { value: number, place: node.place });
        }
        let wanted = if *range.end() == u64::MAX {
            format!("a whole number ≥ {}", range.start())
        } else {
            format!("a whole number from {} to {}", range.start(), range.end())
        };
        self.unexpected(key, &wanted, node, findings);
        None
    }

    /// One of the named options; `later` are names of other versions.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        options: &[(&'static str, T)],
        later: &[&str],
        findings: &mut Findings,
    ) -> Option<Located<T>> {
        let text = self.string(key, findings)?;
        if let Some((_, option)) = options.iter().find(|(name, _)| *name == text.value) {
            return Some(Located { value: *option, place: text.place });
        }
        if later.contains(&text.value.as_str()) {
            unavailable(&format!("{key} = {:?}", text.value), text.place, "", findings);
            return None;
        }
        let names: Vec<&str> = options.iter().map(|(name, _)| *name).collect();
        let message = format!("unknown {key} {:?} in {}", text.value, self.name);
        let help = findings
            .did_you_mean(&text.value, names.iter().copied())
            .unwrap_or_else(|| format!("one of {}", quoted(&names, "or")));
        findings.error(text.place, message).help(help);
        None
    }

    pub(crate) fn unexpected(&self, key: &str, wanted: &str, node: &Node, findings: &mut Findings) {
        let message =
            format!("`{key}` in {}: expected {wanted}, found {}", self.name, node.found());
        findings.error(node.place, message);
    }

    /// Reports every key that was not asked for.
    pub(crate) fn finish(self, findings: &mut Findings) {
        for (key, node) in self.entries {
            if self.known.contains(&key.text.as_str()) {
                continue;
            }
            let of = |list: &[(&str, &'static str)]| {
                list.iter().find(|(name, _)| *name == key.text).map(|(_, why)| *why)
            };
            if let Some(instead) = of(&self.later) {
                let shown = shown_key(&key.text, &self.name, node);
                unavailable(&shown, key.place, instead, findings);
            } else if let Some(why) = of(&self.never) {
                findings.error(key.place, format!("`{}` in {}: {why}", key.text, self.name));
            } else {
                self.unknown(key, findings);
            }
        }
    }

    fn unknown(&self, key: &Key, findings: &mut Findings) {
        let message = match self.name.as_str() {
            "" => format!("unknown key `{}`", key.text),
            name => format!("unknown key `{}` in {name}", key.text),
        };
        let help = findings
            .did_you_mean(&key.text, self.known.iter().copied())
            .unwrap_or_else(|| format!("known here: {}", quoted(&self.known, "and")));
        findings.error(key.place, message).help(help);
    }
}

pub(crate) const LONGEST_LINE: usize = 200;

pub(crate) fn is_line(text: &str) -> bool {
    text.len() <= LONGEST_LINE && !text.contains(char::is_control)
}

/// `[[rules]]`, `[derive]`, `when`: as the reader wrote it.
fn shown_key(key: &str, section: &str, node: &Node) -> String {
    match (&node.value, section) {
        (Value::Array(_), "") => format!("[[{key}]]"),
        (_, "") => format!("[{key}]"),
        _ => key.to_string(),
    }
}

pub(crate) fn unavailable(what: &str, place: Place, instead: &str, findings: &mut Findings) {
    let help = (!instead.is_empty()).then(|| instead.to_string());
    findings.error(place, format!("`{what}` is not available in this version")).maybe_help(help);
}
