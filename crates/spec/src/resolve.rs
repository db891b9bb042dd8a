//! One cell's configuration from the layers that set it, with the origin of every leaf.
//!
//! preset < built-in rules < base files < `[set]` < axes and zips < arms and points < `[[rules]]`
//! < `[derive]` < `--set`.
//!
//! Two pairs are alternatives: `data.dataset` or `data.path`, and epochs or
//! steps. Setting one clears what the preset or a base file says of the other,
//! and `--set` clears what the file says; both on one level is an error.
//!
//! Built-in rules fill leaves that neither the file nor the preset decides. `[[rules]]` and
//! `[derive]` see the configuration as it is by then, filled leaves and `--set` included, so that
//! what they say is about the run as it will be.

mod consequences;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value as Json;

use crate::check::Problem;
use crate::condition::{Derived, Rule};
use crate::diagnostic::{Place, quoted};
use crate::leaf;
use crate::node::{Node, Value};
use crate::preset::Preset;
use crate::run_config::RunConfig;
use crate::settings::Entry;

/// Who gave a leaf its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The preset of this name.
    Preset(String),
    /// A built-in rule that applies while nobody sets the leaf, such as "6 below 256 px".
    Rule(String),
    /// The base file, as written in `base`.
    Base(String),
    Set,
    /// `select` in `[sweep.metric]`.
    Select,
    /// The axis of this label.
    Axis(String),
    /// The zip of this name.
    Zip(String),
    /// The arm of this name.
    Arm(String),
    /// The `[[points]]` table of this index, from 0.
    Point(usize),
    /// The `[[rules]]` table of this index, from 0, and its condition.
    FileRule(usize, String),
    /// The expression of `[derive]`.
    Derived(String),
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Preset(name) => write!(formatter, "preset {name}"),
            Origin::Rule(rule) => write!(formatter, "rule: {rule}"),
            Origin::Base(file) => write!(formatter, "base {file}"),
            Origin::Set => write!(formatter, "[set]"),
            Origin::Select => write!(formatter, "[sweep.metric] select"),
            Origin::Axis(label) => write!(formatter, "axis {label}"),
            Origin::Zip(name) => write!(formatter, "zip {name}"),
            Origin::Arm(name) => write!(formatter, "arm {name}"),
            Origin::Point(index) => write!(formatter, "point {}", index + 1),
            Origin::FileRule(index, when) => write!(formatter, "[[rules]] {}: {when}", index + 1),
            Origin::Derived(value) => write!(formatter, "[derive]: {value}"),
            Origin::CommandLine => write!(formatter, "--set"),
        }
    }
}

/// Settings of one origin.
pub(crate) struct Layer<'a> {
    /// Alternatives on the same level clash; a higher level clears a lower one.
    pub(crate) level: usize,
    pub(crate) origin: Origin,
    pub(crate) entries: Vec<&'a Entry>,
}

/// What is decided from the configuration itself.
pub(crate) struct Afterwards<'a> {
    pub(crate) rules: &'a [Rule],
    /// In an order in which each finds what it asks for.
    pub(crate) derived: &'a [&'a Derived],
    /// The metric that the sweep declares.
    pub(crate) metric: Option<&'a str>,
    /// Level of `[[rules]]`, above which only derived leaves and `--set` stand.
    pub(crate) level: usize,
}

pub(crate) struct Resolved {
    pub(crate) config: RunConfig,
    pub(crate) origins: BTreeMap<String, Origin>,
    /// Clashes of alternatives, and what is missing.
    pub(crate) problems: Vec<Problem>,
    /// The `[[rules]]` that were true of it.
    pub(crate) fired: Vec<usize>,
    setters: BTreeMap<&'static str, Setter>,
}

#[derive(Clone)]
struct Setter {
    /// Later layers rank higher.
    rank: usize,
    level: usize,
    place: Place,
    origin: Origin,
}

impl Resolved {
    /// Where the leaf was set that was set last of these; `None` if none was.
    pub(crate) fn blame(&self, leaves: &[&'static str]) -> Option<Place> {
        let mut last: Option<&Setter> = None;
        for setter in leaves.iter().filter_map(|leaf| self.setters.get(leaf)) {
            if last.is_none_or(|last| setter.rank > last.rank) {
                last = Some(setter);
            }
        }
        last.map(|setter| setter.place)
    }
}

/// Applies the layers in order, then rules and what is derived.
pub(crate) fn resolve(preset: Preset, layers: &[Layer<'_>], after: &Afterwards<'_>) -> Resolved {
    let mut draft = Draft::new(preset, layers);
    if after.rules.is_empty() && after.derived.is_empty() {
        return draft.settle(preset, after.metric).finish(preset, Vec::new());
    }
    let mut settled = draft.clone().settle(preset, after.metric);
    let mut fired = Vec::new();
    for (index, rule) in after.rules.iter().enumerate() {
        if rule.when.expression.holds_in(&settled.tree) {
            fired.push(index);
            draft.apply(rule, index, layers.len() + index, after.level);
            settled = draft.clone().settle(preset, after.metric);
        }
    }
    let mut refused = Vec::new();
    for derived in after.derived {
        let rank = layers.len() + after.rules.len();
        refused.extend(draft.derive(derived, &settled.tree, rank, after.level + 1));
        settled = draft.clone().settle(preset, after.metric);
    }
    if refused.is_empty() {
        refused
            .extend(after.derived.iter().filter_map(|derived| unsettled(derived, &settled.tree)));
    }
    settled.problems.extend(refused);
    settled.finish(preset, fired)
}

/// The tree that the layers alone give.
pub(crate) fn tree(preset: Preset, layers: &[Layer<'_>]) -> Json {
    Draft::new(preset, layers).settle(preset, None).tree
}

/// A built-in rule may have moved what a derived leaf was computed from.
fn unsettled(derived: &Derived, tree: &Json) -> Option<Problem> {
    let again = derived.value.value_in(tree).map(|value| coerced(derived, value));
    let kept = leaf::get(tree, derived.leaf);
    let same = again.is_some_and(|again| again.ok().as_ref() == kept);
    (!same).then(|| Problem {
        leaves: vec![derived.leaf],
        message: format!("`{}` is derived from what depends on it", derived.leaf),
        help: Some("a built-in rule fills a leaf that nobody sets: set it".to_string()),
    })
}

fn coerced(derived: &Derived, value: Value) -> Result<Json, leaf::Mismatch> {
    leaf::coerce(derived.leaf, &Node { value, place: derived.place })
}

#[derive(Clone)]
struct Draft {
    tree: Json,
    setters: BTreeMap<&'static str, Setter>,
    /// Leaves that a rule or a cleared alternative decided.
    ruled: BTreeMap<&'static str, Origin>,
    problems: Vec<Problem>,
}

/// Who sets what.
impl Draft {
    fn new(preset: Preset, layers: &[Layer<'_>]) -> Self {
        let mut draft = Draft {
            tree: preset.tree().clone(),
            setters: BTreeMap::new(),
            ruled: BTreeMap::new(),
            problems: Vec::new(),
        };
        for (rank, layer) in layers.iter().enumerate() {
            for entry in &layer.entries {
                let (level, place, origin) = (layer.level, entry.place, layer.origin.clone());
                draft.set(entry.leaf, entry.value.clone(), Setter { rank, level, place, origin });
            }
        }
        draft
    }

    fn set(&mut self, leaf: &'static str, value: Json, setter: Setter) {
        leaf::set(&mut self.tree, leaf, value);
        self.setters.insert(leaf, setter);
    }

    fn apply(&mut self, rule: &Rule, index: usize, rank: usize, level: usize) {
        let why = rule.reason.as_deref().unwrap_or(rule.when.expression.text());
        for entry in &rule.entries {
            let last = self.setters.get(entry.leaf).map(|setter| &setter.origin);
            if last != Some(&Origin::CommandLine) {
                let origin = Origin::FileRule(index, why.to_string());
                let setter = Setter { rank, level, place: entry.place, origin };
                self.set(entry.leaf, entry.value.clone(), setter);
            }
        }
    }

    /// Sets the leaf, or says why there is nothing to set.
    fn derive(
        &mut self,
        derived: &Derived,
        tree: &Json,
        rank: usize,
        level: usize,
    ) -> Option<Problem> {
        let (text, leaf) = (derived.value.text(), derived.leaf);
        let place = derived.place;
        let origin = Origin::Derived(text.to_string());
        let refuse = |message: String, help: Option<String>| {
            Some(Problem { leaves: vec![leaf], message, help })
        };
        let (value, problem) = match derived.value.value_in(tree) {
            None => {
                let absent = derived
                    .value
                    .leaves()
                    .into_iter()
                    .filter(|leaf| leaf::get(tree, leaf).is_none_or(Json::is_null));
                let absent = quoted(&absent.collect::<Vec<_>>(), "and");
                (None, refuse(format!("`{leaf}` = {text}: {absent} is not set"), None))
            }
            Some(value) => match coerced(derived, value) {
                Ok(value) => (Some(value), None),
                Err(it) => (None, refuse(format!("`{leaf}` = {text}: {}", it.message), None)),
            },
        };
        let value = value.or_else(|| leaf::get(&self.tree, leaf).cloned()).unwrap_or(Json::Null);
        self.set(leaf, value, Setter { rank, level, place, origin });
        problem
    }
}

impl Draft {
    fn finish(self, preset: Preset, fired: Vec<usize>) -> Resolved {
        let mut origins = BTreeMap::new();
        for path in leaf::paths() {
            let origin = match (self.setters.get(path), self.ruled.get(path)) {
                (Some(setter), _) => setter.origin.clone(),
                (None, Some(rule)) => rule.clone(),
                (None, None) => Origin::Preset(preset.name().to_string()),
            };
            origins.insert(path.to_string(), origin);
        }
        let config =
            serde_json::from_value(self.tree).expect("every value was coerced to its leaf");
        Resolved { config, origins, problems: self.problems, fired, setters: self.setters }
    }
}
