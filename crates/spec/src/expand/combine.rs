//! Which cells a design combines from its axes, how many they may be, and which are left out.

use std::collections::BTreeSet;

use super::baseline::Baseline;
use super::{Draft, Expansion, Positions};
use crate::diagnostic::counted;
use crate::plan::MOST_RUNS;
use crate::settings::Reading;
use crate::sweep_file::{Design, Match};

impl Expansion<'_> {
    /// What a design takes and does not take.
    pub(super) fn design(&self, reading: &mut Reading) {
        let file = self.file;
        let (design, name) = (file.design.value, file.design.value.name());
        let axis = file.dimensions.first();
        if let (Design::Points | Design::LeaveOneOut, Some(axis)) = (design, axis) {
            reading
                .error(axis.place, format!("`design = {name:?}` takes no axes"))
                .help("write design = \"grid\" to have axes beside points or arms");
        }
        let needed = match design {
            Design::Points if file.points.is_empty() => Some("[[points]]"),
            Design::LeaveOneOut if file.arms.is_empty() => Some("[[arms]]"),
            Design::Random if axis.is_none() => Some("[axes]"),
            Design::Random if file.n_trials.is_none() => Some("`n_trials`, the cells to draw"),
            _ => None,
        };
        if let Some(needed) = needed {
            reading.error(file.design.place, format!("`design = {name:?}` needs {needed}"));
        }
        if let (Design::Points, Some(arm)) = (design, file.arms.first()) {
            reading
                .error(arm.place, "`design = \"points\"` takes no arms")
                .help("write [[points]], or design = \"leave-one-out\"");
        }
        if design == Design::Random {
            return;
        }
        for (key, given) in [("n_trials", &file.n_trials), ("sample_seed", &file.sample_seed)] {
            if let Some(given) = given {
                let message = format!("`{key}` is of `design = \"random\"`; this one is {name:?}");
                reading.error(given.place, message);
            }
        }
        for axis in &file.dimensions {
            if axis.drawn.is_some() {
                reading
                    .error(axis.place, format!("`{}` is drawn from a distribution", axis.name))
                    .help("write design = \"random\", or `count` in place of `distribution`");
            }
        }
    }

    /// A product that is never made: its size alone is the error.
    pub(super) fn refuse_boundless(&self, reading: &mut Reading) -> Option<()> {
        let lengths = self.dimensions.iter().map(|it| u128::from(it.len));
        let cells = match self.file.design.value {
            Design::Points => Some(self.file.points.len() as u128),
            Design::LeaveOneOut => Some(1),
            Design::Grid => {
                let mut lengths = lengths;
                lengths.try_fold(1u128, |product, len| product.checked_mul(len))
            }
            Design::OneAtATime => Some(1 + lengths.map(|len| len - 1).sum::<u128>()),
            Design::Random => {
                let trials = self.file.n_trials.as_ref().map_or(0, |trials| trials.value);
                let longest = lengths.max().unwrap_or(0);
                Some(u128::from(trials).max(longest))
            }
        };
        if cells.is_some_and(|cells| cells <= u128::from(MOST_RUNS)) {
            return Some(());
        }
        let runs = cells.and_then(|cells| cells.checked_mul(u128::from(self.file.seeds.len)));
        let runs = runs.map_or("more than 10^38 runs".to_string(), |runs| counted(runs, "run"));
        self.too_many(&runs, reading);
        None
    }

    pub(super) fn refuse_too_many(&self, drafts: &[Draft], reading: &mut Reading) -> Option<()> {
        let runs: u128 = drafts.iter().map(|draft| u128::from(self.seeds(draft).len)).sum();
        if runs > u128::from(self.file.limits.max_runs.min(MOST_RUNS)) {
            self.too_many(&counted(runs, "run"), reading);
            return None;
        }
        Some(())
    }

    fn too_many(&self, runs: &str, reading: &mut Reading) {
        let file = self.file;
        let joiner = if file.design.value == Design::OneAtATime { " + " } else { " × " };
        let factors: Vec<String> =
            self.dimensions.iter().map(|it| format!("{} {}", it.len, it.name)).collect();
        let mut product = match (file.design.value, &file.n_trials) {
            (Design::Random, Some(trials)) => {
                vec![counted(u128::from(trials.value), "trial")]
            }
            _ => vec![factors.join(joiner)],
        };
        product.retain(|factors| !factors.is_empty());
        product.push(counted(u128::from(file.seeds.len), "seed"));
        let mut product = product.join(" × ");
        for (n, noun) in [(file.arms.len(), "arm"), (file.points.len(), "point")] {
            if n > 0 {
                product += &format!(" and {}", counted(n as u128, noun));
            }
        }
        let place = file.max_runs_place.unwrap_or(file.place);
        let max_runs = file.limits.max_runs;
        let (most, help) = if max_runs < MOST_RUNS {
            (format!("`max_runs` = {max_runs}"), "vary less, or raise `max_runs` under [limits]")
        } else {
            (format!("the {MOST_RUNS} of the largest plan"), "vary less, or ask in several files")
        };
        reading.error(place, format!("{product} make {runs}, more than {most}")).help(help);
    }

    pub(super) fn combinations(
        &mut self,
        baseline: &Baseline,
        reading: &mut Reading,
    ) -> Vec<Positions> {
        let sizes: Vec<usize> = self.dimensions.iter().map(|it| it.values.len()).collect();
        let all = match self.file.design.value {
            Design::Points => Vec::new(),
            Design::LeaveOneOut => vec![baseline.positions.clone()],
            Design::Grid => product(&sizes),
            Design::OneAtATime => one_at_a_time(&sizes, &baseline.positions),
            Design::Random => return self.trials(baseline, reading),
        };
        self.active_once(all)
    }

    /// Inactive axes are not multiplied.
    fn active_once(&self, all: Vec<Positions>) -> Vec<Positions> {
        if !self.is_conditional() {
            return all;
        }
        let mut seen: BTreeSet<Positions> = BTreeSet::new();
        let active = all.into_iter().map(|positions| self.active(positions));
        active.filter(|positions| seen.insert(positions.clone())).collect()
    }

    pub(super) fn exclude(
        &self,
        all: Vec<Positions>,
        baseline: &Baseline,
        reading: &mut Reading,
    ) -> Vec<Positions> {
        let mut kept = all.clone();
        for exclude in &self.file.excludes {
            if !self.excludes_something(exclude, reading) {
                continue;
            }
            let matches = |positions: &Positions| self.matches(exclude, positions);
            if !all.iter().any(matches) && self.sound {
                self.matches_nothing(exclude, reading);
            }
            if baseline.named && matches(&baseline.positions) && all.contains(&baseline.positions) {
                reading.error(exclude.place, "this [[exclude]] removes the baseline");
            }
            kept.retain(|positions| !matches(positions));
        }
        if kept.is_empty() && !all.is_empty() && self.sound {
            let place = self.file.excludes.first().map_or(self.file.place, |exclude| exclude.place);
            reading.error(place, "every cell is excluded");
        }
        kept
    }

    fn excludes_something(&self, exclude: &Match, reading: &mut Reading) -> bool {
        let mut sound = exclude.sound && !exclude.entries.is_empty();
        for entry in &exclude.entries {
            if !self.varies(entry.leaf) && self.sound {
                sound = false;
                let message =
                    format!("`{}` does not vary, so nothing can be excluded by it", entry.leaf);
                reading.error(entry.key, message).maybe_help(self.what_varies());
            }
        }
        sound
    }

    fn matches_nothing(&self, exclude: &Match, reading: &mut Reading) {
        let message = "this [[exclude]] matches no cell";
        if self.file.design.value == Design::Random {
            // Chance may bring one where more is drawn.
            reading.findings.warning(exclude.place, message);
        } else {
            reading.error(exclude.place, message).help(
                "an exclusion that removes nothing is a mistake in its values, or not needed",
            );
        }
    }

    /// An axis that does not vary in a cell matches nothing there.
    pub(super) fn matches(&self, exclude: &Match, positions: &[Option<usize>]) -> bool {
        let has = |leaf, value| self.value(positions, leaf) == Some(value);
        exclude.entries.iter().all(|entry| has(entry.leaf, &entry.value))
    }
}

fn product(sizes: &[usize]) -> Vec<Positions> {
    let mut all = vec![Vec::new()];
    for size in sizes {
        let longer =
            |head: Positions| (0..*size).map(move |at| [head.as_slice(), &[Some(at)]].concat());
        all = all.into_iter().flat_map(longer).collect();
    }
    all
}

/// An axis that is inactive in the baseline stays so.
fn one_at_a_time(sizes: &[usize], baseline: &[Option<usize>]) -> Vec<Positions> {
    let mut all = vec![baseline.to_vec()];
    for (index, size) in sizes.iter().enumerate() {
        let Some(own) = baseline[index] else { continue };
        for at in (0..*size).filter(|at| *at != own) {
            let mut positions = baseline.to_vec();
            positions[index] = Some(at);
            all.push(positions);
        }
    }
    all
}
