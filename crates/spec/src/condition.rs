//! `[[rules]]`, `[derive]`, `[[require]]` and `when`: expressions as they stand in a sweep file.

use crate::diagnostic::{Located, Place, quoted};
use crate::expression::{Expression, ExpressionError, Scope};
use crate::node::{self, Node, Value};
use crate::section::Section;
use crate::settings::{Entry, Reading};
use crate::sweep_file;

/// A condition, and the string that it was read from.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) expression: Expression,
    pub(crate) place: Place,
}

/// Settings of the cells of which something is true.
pub(crate) struct Rule {
    pub(crate) when: Condition,
    pub(crate) entries: Vec<Entry>,
    pub(crate) reason: Option<String>,
}

/// A leaf that is computed from others.
pub(crate) struct Derived {
    pub(crate) leaf: &'static str,
    pub(crate) value: Expression,
    pub(crate) key: Place,
    pub(crate) place: Place,
}

/// What must be true of every cell.
pub(crate) struct Requirement {
    pub(crate) condition: Condition,
    pub(crate) message: Option<String>,
}

pub(crate) fn read_rule(node: &Node, reading: &mut Reading) -> Option<Rule> {
    let mut section = Section::open("[[rules]]", node, &mut reading.findings)?;
    let when = required_condition(&mut section, "[[rules]]", "when", node.place, reading);
    let entries = sweep_file::set(&mut section, "[[rules]]", node.place, reading);
    let reason = section.line("reason", &mut reading.findings).map(|reason| reason.value);
    section.finish(&mut reading.findings);
    Some(Rule { when: when?, entries, reason })
}

pub(crate) fn read_requirement(node: &Node, reading: &mut Reading) -> Option<Requirement> {
    let mut section = Section::open("[[require]]", node, &mut reading.findings)?;
    let condition = required_condition(&mut section, "[[require]]", "expr", node.place, reading);
    let message = section.line("message", &mut reading.findings).map(|message| message.value);
    section.finish(&mut reading.findings);
    Some(Requirement { condition: condition?, message })
}

fn required_condition(
    section: &mut Section<'_>,
    what: &str,
    key: &'static str,
    place: Place,
    reading: &mut Reading,
) -> Option<Condition> {
    if section.get(key).is_none() {
        reading
            .error(place, format!("{what} needs `{key}`"))
            .help(format!("a condition, such as {key} = \"pool.size > 0\""));
    }
    let text = section.string(key, &mut reading.findings)?;
    reading.condition(&text)
}

pub(crate) fn read_derived(node: &Node, reading: &mut Reading) -> Vec<Derived> {
    let Value::Table(table) = &node.value else {
        reading.error(node.place, format!("[derive] must be a table, found {}", node.found()));
        return Vec::new();
    };
    let mut derived = Vec::new();
    for flat in reading.flatten(table, "", |_| false) {
        let Some(leaf) = reading.leaf(&flat.path, flat.key) else { continue };
        let found = flat.node;
        let Value::String(text) = &found.value else {
            let message = format!(
                "`{leaf}` in [derive]: expected an expression in quotes, found {}",
                found.found()
            );
            reading.error(found.place, message).help("a fixed value belongs under [set]");
            reading.broken.insert(leaf);
            continue;
        };
        let text = Located { value: text.clone(), place: found.place };
        match Expression::value(&text.value, leaf) {
            Ok(value) => derived.push(Derived { leaf, value, key: flat.key, place: text.place }),
            Err(error) => {
                reading.broken.insert(leaf);
                reading.refuse(&text, error);
            }
        }
    }
    derived
}

/// The order in which each finds computed what it asks for; `None`, with an error, where there is
/// none.
pub(crate) fn in_order<'a>(
    derived: &'a [Derived],
    reading: &mut Reading,
) -> Option<Vec<&'a Derived>> {
    let mut order: Vec<&Derived> = Vec::new();
    let mut waiting: Vec<&Derived> = derived.iter().collect();
    while !waiting.is_empty() {
        let is_open = |leaf: &&str| waiting.iter().any(|it| it.leaf == *leaf);
        let ready = waiting.iter().position(|it| !it.value.leaves().iter().any(is_open));
        let Some(ready) = ready else {
            let cycle = cycle(&waiting);
            let names: Vec<&str> = cycle.iter().chain(&cycle[..1]).map(|it| it.leaf).collect();
            let message = match names.as_slice() {
                [one, _] => format!("`{one}` is derived from itself"),
                names => format!("[derive] goes in a circle: {}", names.join(" needs ")),
            };
            reading.error(cycle[0].key, message).help("set one of them elsewhere");
            return None;
        };
        order.push(waiting.remove(ready));
    }
    Some(order)
}

/// Of some that all wait for each other, those that go in a circle, the file's first one first.
fn cycle<'a>(waiting: &[&'a Derived]) -> Vec<&'a Derived> {
    let next = |it: &Derived| -> &'a Derived {
        let needed = it.value.leaves();
        let found = waiting.iter().find(|other| needed.contains(&other.leaf));
        found.expect("each waits for another one")
    };
    // After as many steps as there are any walk is in its circle.
    let start = waiting.iter().fold(waiting[0], |at, _| next(at));
    let mut circle = vec![start];
    let mut at = next(start);
    while at.leaf != start.leaf {
        circle.push(at);
        at = next(at);
    }
    let first = circle.iter().enumerate().min_by_key(|(_, it)| it.key).map_or(0, |(at, _)| at);
    circle.rotate_left(first);
    circle
}

impl Reading {
    /// A condition on cells. What is wrong with it is reported inside its string.
    pub(crate) fn condition(&mut self, text: &Located<String>) -> Option<Condition> {
        match Expression::condition(&text.value, Scope::Cell) {
            Ok(expression) => Some(Condition { expression, place: text.place }),
            Err(error) => {
                self.refuse(text, error);
                None
            }
        }
    }

    /// A condition on runs, which also know their seed and label.
    pub(crate) fn filter(&mut self, text: &Located<String>) -> Option<Expression> {
        match Expression::parse(&text.value) {
            Ok(expression) => Some(expression),
            Err(error) => {
                self.refuse(text, error);
                None
            }
        }
    }

    fn refuse(&mut self, text: &Located<String>, error: ExpressionError) {
        let place = node::inside(&self.text, text.place, &text.value, error.span);
        self.error(place, error.message).maybe_help(error.help);
    }

    /// Refuses a condition that asks for what is decided later than it.
    pub(crate) fn refuse_later(&mut self, condition: &Condition, later: &[&str], how: &str) {
        let asked = condition.expression.leaves();
        let found: Vec<&str> = asked.into_iter().filter(|leaf| later.contains(leaf)).collect();
        if !found.is_empty() {
            let verb = if found.len() == 1 { "is" } else { "are" };
            let message = format!("{} {verb} {how}", quoted(&found, "and"));
            self.error(condition.place, message).help("ask for something that is decided before");
        }
    }
}
