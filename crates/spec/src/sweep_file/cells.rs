//! `[[arms]]`, `[[points]]` and `[[exclude]]`: cells that are added or left out.

use crate::diagnostic::{Findings, Place};
use crate::node::Node;
use crate::section::Section;
use crate::seeds::{Seeds, read_seeds};
use crate::settings::{Entry, Reading};

/// Values that cells are compared with: the baseline, or an exclusion.
pub(crate) struct Match {
    pub(crate) entries: Vec<Entry>,
    pub(crate) place: Place,
    /// Whether it was read without an error.
    pub(crate) sound: bool,
}

pub(crate) struct Point {
    /// The cell's label, in place of one made from what it sets or from `run_name`.
    pub(crate) name: Option<String>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) seeds: Option<Seeds>,
    pub(crate) note: Option<String>,
    pub(crate) place: Place,
    /// Whether it was read without an error.
    pub(crate) sound: bool,
}

/// A named variant: the baseline with something set, as in "ours without X".
pub(crate) struct Arm {
    pub(crate) name: String,
    pub(crate) entries: Vec<Entry>,
    pub(crate) note: Option<String>,
    pub(crate) place: Place,
    /// Whether it was read without an error.
    pub(crate) sound: bool,
}

pub(super) fn arm(node: &Node, earlier: &[Arm], reading: &mut Reading) -> Option<Arm> {
    let before = reading.findings.errors();
    let mut section = Section::open("[[arms]]", node, &mut reading.findings)?;
    let taken: Vec<&str> = earlier.iter().map(|arm| arm.name.as_str()).collect();
    let name = label(&mut section, "arms", &taken, &mut reading.findings);
    if section.get("name").is_none() {
        reading
            .error(node.place, "[[arms]] needs `name`")
            .help("say what the arm is without, such as \"no-identity\"");
    }
    let entries = set(&mut section, "[[arms]]", node.place, reading);
    let note = section.string("note", &mut reading.findings).map(|note| note.value);
    section.finish(&mut reading.findings);
    let sound = reading.findings.errors() == before;
    Some(Arm { name: name.unwrap_or_default(), entries, note, place: node.place, sound })
}

pub(super) fn point(node: &Node, earlier: &[Point], reading: &mut Reading) -> Option<Point> {
    let before = reading.findings.errors();
    let mut section = Section::open("[[points]]", node, &mut reading.findings)?;
    let taken: Vec<&str> = earlier.iter().filter_map(|point| point.name.as_deref()).collect();
    let name = label(&mut section, "points", &taken, &mut reading.findings);
    let entries = set(&mut section, "[[points]]", node.place, reading);
    let findings = &mut reading.findings;
    let seeds =
        section.get("seeds").map(|(_, node)| read_seeds(node, "`seeds` in [[points]]", findings));
    let note = section.string("note", findings).map(|note| note.value);
    section.finish(findings);
    Some(Point {
        name,
        entries,
        seeds,
        note,
        place: node.place,
        sound: reading.findings.errors() == before,
    })
}

/// The settings of a table that is about nothing else.
pub(crate) fn set(
    section: &mut Section<'_>,
    what: &str,
    place: Place,
    reading: &mut Reading,
) -> Vec<Entry> {
    match section.get("set") {
        Some((_, set)) => reading.settings(set, &format!("`set` in {what}")),
        None => {
            reading.error(place, format!("{what} needs `set`"));
            Vec::new()
        }
    }
}

/// Any one line of text: it is a label, and folders get their own spelling of it.
fn label(
    section: &mut Section<'_>,
    table: &str,
    taken: &[&str],
    findings: &mut Findings,
) -> Option<String> {
    let name = section.string("name", findings)?;
    let text = name.value.trim();
    if text.is_empty() || text.contains(char::is_control) {
        findings.error(name.place, format!("`name` in [[{table}]] must be one line of text"));
    } else if taken.contains(&text) {
        findings.error(name.place, format!("two {table} are called {text:?}"));
    }
    Some(text.to_string())
}

pub(super) fn exclude(node: &Node, reading: &mut Reading) -> Option<Match> {
    let before = reading.findings.errors();
    let mut section = Section::open("[[exclude]]", node, &mut reading.findings)?;
    let entries = match section.get("match") {
        Some((_, matched)) => {
            let entries = reading.settings(matched, "`match` in [[exclude]]");
            if entries.is_empty() && reading.findings.errors() == before {
                reading.error(
                    matched.place,
                    "`match` in [[exclude]] is empty: it would remove every cell",
                );
            }
            entries
        }
        None => {
            reading.error(node.place, "[[exclude]] needs `match`");
            Vec::new()
        }
    };
    // For the reader of the file; the removed cells are not shown anywhere.
    section.string("reason", &mut reading.findings);
    section.finish(&mut reading.findings);
    Some(Match { entries, place: node.place, sound: reading.findings.errors() == before })
}
