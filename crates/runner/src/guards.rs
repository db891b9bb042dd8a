//! Guards: a training that has visibly failed is stopped, as a result.
//!
//! Guards judge means over blocks of [`LOOK_EVERY`] steps, whatever is logged and saved meanwhile:
//! a run's outcome may not hang on how often it is looked at. Only the counting is here. Who trains
//! passes on what each step gave, and keeps the counters in its checkpoints, so that a resumed run is
//! stopped at the same step.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spec::GuardConfig;

use crate::loss_window::{Exact, Quantity};

/// Steps in a block. Looking makes the device wait.
pub(crate) const LOOK_EVERY: u64 = 10;

/// The limits of one run, and how long each was undercut.
#[derive(Debug)]
pub(crate) struct Guards {
    config: GuardConfig,
    counters: GuardCounters,
}

/// By the name of what is observed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct GuardCounters {
    /// Steps on end below the limit. What is not below is absent.
    below: BTreeMap<String, u64>,
    /// The last step that was taken in.
    seen: u64,
    /// Values of the open block.
    block: BTreeMap<String, Vec<Exact>>,
}

/// One guard: what it watches, and what it takes for failure.
struct Limit {
    leaf: &'static str,
    below: f64,
    steps: u64,
    meaning: &'static str,
}

impl Guards {
    /// With the counters of the checkpoint that the run goes on from.
    pub(crate) fn new(config: &GuardConfig, counters: GuardCounters) -> Self {
        Guards { config: config.clone(), counters }
    }

    pub(crate) fn counters(&self) -> &GuardCounters {
        &self.counters
    }

    /// Whether a block ends with this step, and any guard is on.
    pub(crate) fn look_at(&self, step: u64) -> bool {
        let on = self.config.d_loss_below > 0.0 || self.config.output_std_below > 0.0;
        on && step.is_multiple_of(LOOK_EVERY)
    }

    /// Takes in what the steps up to `step` gave, one row a step, the last being `step`'s; those
    /// seen before are looked past. Gives a reason, in words, once a value has stayed below its
    /// limit for as long as its guard waits.
    pub(crate) fn observe(
        &mut self,
        step: u64,
        quantities: &[Quantity],
        rows: &[Vec<f32>],
    ) -> Option<String> {
        let new = step.saturating_sub(self.counters.seen) as usize;
        for (ago, row) in rows.iter().enumerate().map(|(i, row)| (rows.len() - 1 - i, row)) {
            if ago >= new {
                continue;
            }
            for (quantity, &value) in quantities.iter().zip(row) {
                let name = quantity.name();
                if self.limit(&name).is_some() {
                    self.counters.block.entry(name).or_default().push(value.into());
                }
            }
            if (step - ago as u64).is_multiple_of(LOOK_EVERY)
                && let Some(reason) = self.close_block()
            {
                self.counters.seen = step - ago as u64;
                return Some(reason);
            }
        }
        self.counters.seen = step;
        None
    }

    fn close_block(&mut self) -> Option<String> {
        let mut reason = None;
        // All are counted, whichever comes first.
        for (name, values) in std::mem::take(&mut self.counters.block) {
            let steps = values.len() as u64;
            let sum: f64 = values.into_iter().map(|value| f64::from(f32::from(value))).sum();
            let found = self.count(&name, sum / steps as f64, steps);
            reason = reason.or(found);
        }
        reason
    }

    fn count(&mut self, name: &str, mean: f64, block: u64) -> Option<String> {
        let limit = self.limit(name)?;
        // NaN is not below: `guards.non_finite` is about it.
        if mean.is_nan() || mean >= limit.below {
            self.counters.below.remove(name);
            return None;
        }
        let steps = self.counters.below.entry(name.to_string()).or_default();
        *steps = steps.saturating_add(block);
        (*steps >= limit.steps).then(|| {
            format!(
                "guard: {name} stayed below {} for {steps} steps ({}): {}",
                limit.below, limit.leaf, limit.meaning
            )
        })
    }

    /// The guard that watches a value; `None` where none does, or it is off.
    fn limit(&self, name: &str) -> Option<Limit> {
        let config = &self.config;
        let limit = match name {
            "loss/d_a" | "loss/d_b" => Limit {
                leaf: "guards.d_loss_below",
                below: config.d_loss_below,
                steps: config.d_loss_steps,
                meaning: "the discriminator has won",
            },
            "output/std_a" | "output/std_b" => Limit {
                leaf: "guards.output_std_below",
                below: config.output_std_below,
                steps: config.output_std_steps,
                meaning: "the generator has collapsed to a constant output",
            },
            _ => return None,
        };
        (limit.below > 0.0).then_some(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Term;

    /// Waits of 100 steps, below 0.5 and 0.1.
    fn both() -> GuardConfig {
        GuardConfig {
            d_loss_below: 0.5,
            d_loss_steps: 100,
            output_std_below: 0.1,
            output_std_steps: 100,
            ..GuardConfig::default()
        }
    }

    fn guards(config: GuardConfig) -> Guards {
        Guards::new(&config, GuardCounters::default())
    }

    /// One value at each step, taken in `every` so many steps; the step at which the guard fires.
    fn fires(config: GuardConfig, quantity: Quantity, values: &[f32], every: usize) -> Option<u64> {
        let mut guards = guards(config);
        let rows: Vec<Vec<f32>> = values.iter().map(|&value| vec![value]).collect();
        (every..=values.len()).step_by(every).find_map(|end| {
            // Some of what was seen before is still there.
            let start = end.saturating_sub(every + 3);
            guards.observe(end as u64, &[quantity], &rows[start..end])?;
            Some(guards.counters.seen)
        })
    }

    fn check(config: GuardConfig, quantity: Quantity, blocks: &[(f32, usize)], at: Option<u64>) {
        let values: Vec<f32> =
            blocks.iter().flat_map(|&(value, steps)| vec![value; steps]).collect();
        for every in [1, 5, 10, values.len()] {
            let found = fires(config.clone(), quantity, &values, every);
            assert_eq!(found, at, "{} {blocks:?} every {every}", quantity.name());
        }
    }

    const D_A: Quantity = Quantity::Loss(Term::DA);

    #[test]
    fn a_guard_fires_once_its_steps_are_over_however_often_it_is_shown_them() {
        for quantity in [D_A, Quantity::Loss(Term::DB), Quantity::OutputStdA, Quantity::OutputStdB]
        {
            check(both(), quantity, &[(0.01, 90)], None);
            check(both(), quantity, &[(0.01, 300)], Some(100));
            check(both(), quantity, &[(0.9, 30), (0.01, 300)], Some(130));
            // The wait is over in the middle of a block.
            let config = GuardConfig { d_loss_steps: 95, output_std_steps: 95, ..both() };
            check(config, quantity, &[(0.01, 300)], Some(100));
        }
    }

    #[test]
    fn blocks_below_count_on_end() {
        for value in [0.5, 0.6, 1e9, f32::NAN, f32::INFINITY] {
            check(both(), D_A, &[(0.01, 90), (value, 10), (0.01, 90)], None);
            check(both(), D_A, &[(0.01, 90), (value, 10), (0.01, 100)], Some(200));
        }
        check(both(), D_A, &[(0.01, 90), (-1.0, 10)], Some(100));
        // The mean of a block counts, not each of its steps.
        check(both(), D_A, &[(0.01, 94), (0.9, 1), (0.01, 5)], Some(100));
        check(both(), D_A, &[(0.01, 94), (9.0, 1), (0.01, 5)], None);
    }

    #[test]
    fn each_guard_is_off_by_itself_and_looks_past_the_rest() {
        let all = [(0.0, 1000)];
        for quantity in [D_A, Quantity::OutputStdB] {
            check(GuardConfig::default(), quantity, &all, None);
        }
        check(GuardConfig { d_loss_below: 0.0, ..both() }, D_A, &all, None);
        let without_d = GuardConfig { d_loss_below: 0.0, ..both() };
        check(without_d, Quantity::OutputStdA, &all, Some(100));
        for term in [Term::GanGAb, Term::CycleA] {
            check(both(), Quantity::Loss(term), &all, None);
        }
        assert!(!guards(GuardConfig::default()).look_at(10));
        assert!(guards(both()).look_at(10) && !guards(both()).look_at(11));
    }

    #[test]
    fn values_are_counted_apart_and_say_which() {
        let mut guards = guards(both());
        let quantities = [D_A, Quantity::Loss(Term::DB), Quantity::OutputStdB];
        let steps = |d_a, d_b, std_b| vec![vec![d_a, d_b, std_b]; 50];
        assert_eq!(guards.observe(50, &quantities, &steps(0.01, 0.9, 0.9)), None);
        assert_eq!(guards.observe(100, &quantities, &steps(0.9, 0.01, 0.01)), None);
        let reason = guards.observe(150, &quantities, &steps(0.9, 0.01, 0.01));
        let expected = "guard: loss/d_b stayed below 0.5 for 100 steps (guards.d_loss_below): \
                        the discriminator has won";
        assert_eq!(reason.expect("two of them, 100 steps"), expected);
        let counted = [("loss/d_b".to_string(), 100), ("output/std_b".to_string(), 100)];
        assert_eq!(guards.counters().below, counted.into());
    }

    #[test]
    fn a_resumed_run_is_stopped_at_the_same_step() {
        let row = vec![0.1_f32];
        let mut straight = guards(both());
        assert_eq!(straight.observe(73, &[D_A], &vec![row.clone(); 73]), None);
        let kept = serde_json::to_string(straight.counters()).expect("maps of numbers");
        let kept: GuardCounters = serde_json::from_str(&kept).expect("reads back");
        let mut resumed = Guards::new(&both(), kept);
        assert_eq!(resumed.counters(), straight.counters());
        // The open window holds steps from before.
        let more = vec![row.clone(); 77];
        let reason = straight.observe(120, &[D_A], &more);
        assert!(reason.is_some());
        assert_eq!(resumed.observe(120, &[D_A], &more), reason);
        assert_eq!((straight.counters().seen, resumed.counters().seen), (100, 100));
    }

    #[test]
    fn a_collapse_is_named() {
        let config = GuardConfig { output_std_below: 1e-4, output_std_steps: 95, ..both() };
        let reason = guards(config).observe(100, &[Quantity::OutputStdA], &vec![vec![0.0]; 100]);
        assert_eq!(
            reason.expect("100 of 95 steps"),
            "guard: output/std_a stayed below 0.0001 for 100 steps (guards.output_std_below): \
             the generator has collapsed to a constant output"
        );
    }
}
