//! The cells of a random design.
//!
//! Every draw is a function of (`sample_seed`, axis, trial, attempt): a larger `n_trials` keeps the
//! cells that there were, and so does a further axis their values on the others.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::baseline::Baseline;
use super::{Expansion, Positions};
use crate::draw::{Draw, Purpose};
use crate::node::{Node, Value};
use crate::settings::{Entry, Reading};

/// Of one trial. Where so many draws bring nothing new, there is hardly anything new.
const MOST_ATTEMPTS: u64 = 1000;

impl Expansion<'_> {
    /// The baseline where the file names it, then the trials. Draws that an exclusion matches are
    /// among them and do not count.
    pub(super) fn trials(&mut self, baseline: &Baseline, reading: &mut Reading) -> Vec<Positions> {
        let Some(trials) = self.file.n_trials.clone() else { return Vec::new() };
        if self.dimensions.is_empty() {
            return Vec::new();
        }
        let mut seen: BTreeSet<Positions> = BTreeSet::new();
        let mut all: Vec<Positions> = Vec::new();
        if baseline.named {
            seen.insert(baseline.positions.clone());
            all.push(baseline.positions.clone());
        }
        let mut places = Places::of(self);
        for trial in 0..trials.value {
            let Some(drawn) = self.trial(trial, &mut seen, &mut all, &mut places, reading) else {
                if self.sound {
                    let message = format!(
                        "{MOST_ATTEMPTS} draws of trial {} brought no new cell: the axes have too few combinations",
                        trial + 1
                    );
                    reading
                        .error(trials.place, message)
                        .help("write a smaller `n_trials`, or design = \"grid\" for all of them");
                }
                break;
            };
            all.push(drawn);
        }
        all
    }

    /// A cell that is neither there nor excluded.
    fn trial(
        &mut self,
        trial: u64,
        seen: &mut BTreeSet<Positions>,
        all: &mut Vec<Positions>,
        places: &mut Places,
        reading: &mut Reading,
    ) -> Option<Positions> {
        for attempt in 0..MOST_ATTEMPTS {
            let drawn: Option<Positions> = (0..self.dimensions.len())
                .map(|index| self.drawn(index, trial, attempt, places, reading).map(Some))
                .collect();
            let positions = self.active(drawn?);
            if !seen.insert(positions.clone()) {
                continue;
            }
            let sound = self.file.excludes.iter().filter(|it| it.sound && !it.entries.is_empty());
            if !sound.clone().any(|exclude| self.matches(exclude, &positions)) {
                return Some(positions);
            }
            all.push(positions);
        }
        None
    }

    /// The position of one axis's value, which is new where there is no list of them.
    fn drawn(
        &mut self,
        index: usize,
        trial: u64,
        attempt: u64,
        places: &mut Places,
        reading: &mut Reading,
    ) -> Option<usize> {
        let seed = self.file.sample_seed.as_ref().map_or(0, |seed| seed.value);
        let it = &mut self.dimensions[index];
        let mut draw = Draw::new(seed ^ stream(&it.name), Purpose::Trial, attempt, trial);
        let Some(drawn) = &it.drawn else {
            let len = it.values.len() as u64;
            return (len > 0).then(|| draw.below(len) as usize);
        };
        let number = drawn.value(&mut draw);
        let whole = number.fract() == 0.0 && number.abs() < 1e15;
        let value = if whole { Value::Integer(number as i128) } else { Value::Float(number) };
        let (leaf, node) = (it.leaves[0], Node { value, place: drawn.place });
        let value = reading.coerce(leaf, &node, &format!("a value of the axis `{leaf}`"))?;
        Some(places.position(index, &value).unwrap_or_else(|| {
            let entry = Entry { leaf, key: it.place, value, place: node.place };
            it.values.push(vec![entry]);
            it.len += 1;
            places.add(index, it.values.len() - 1, &it.values)
        }))
    }
}

/// Where each number stands among an axis's values: equal draws are one value.
struct Places(BTreeMap<(usize, u64), usize>);

impl Places {
    /// Of the baseline's values, which are there before anything is drawn.
    fn of(expansion: &Expansion<'_>) -> Self {
        let mut places = Places(BTreeMap::new());
        for (index, it) in expansion.dimensions.iter().enumerate() {
            if it.drawn.is_some() {
                for at in 0..it.values.len() {
                    places.add(index, at, &it.values);
                }
            }
        }
        places
    }

    fn position(&self, axis: usize, value: &Json) -> Option<usize> {
        self.0.get(&(axis, bits(value))).copied()
    }

    fn add(&mut self, axis: usize, at: usize, values: &[Vec<Entry>]) -> usize {
        self.0.insert((axis, bits(&values[at][0].value)), at);
        at
    }
}

fn bits(value: &Json) -> u64 {
    value.as_f64().expect("only numbers are drawn").to_bits()
}

/// So that every axis has draws of its own.
fn stream(name: &str) -> u64 {
    let hash = blake3::hash(name.as_bytes());
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("a hash has 32 bytes"))
}
