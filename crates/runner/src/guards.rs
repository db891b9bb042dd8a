//! Guards: a training that has visibly failed is stopped, as a result.
//!
//! Only the counting is here. Who trains says what a closed log window held, and keeps the counters
//! in its checkpoints, so that a resumed run is stopped at the same step.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spec::GuardConfig;

/// The limits of one run, and how long each was undercut.
#[derive(Debug)]
pub(crate) struct Guards {
    config: GuardConfig,
    counters: GuardCounters,
}

/// Steps on end below the limit, by the name of what was observed. What is not below is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GuardCounters(BTreeMap<String, u64>);

/// What one log window says of one value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Observed<'a> {
    /// As it is logged: `loss/d_a`, or `output/std_b`. Others are looked past.
    pub(crate) name: &'a str,
    pub(crate) mean: f64,
    /// Steps in the window.
    pub(crate) count: u32,
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

    /// Counts one closed window. Gives a reason, in words, once a value has stayed below its limit
    /// for as long as its guard waits.
    pub(crate) fn window(&mut self, stats: &[Observed<'_>]) -> Option<String> {
        let mut reason = None;
        // All are counted, whichever comes first.
        for observed in stats {
            let found = self.count(observed);
            reason = reason.or(found);
        }
        reason
    }

    fn count(&mut self, observed: &Observed<'_>) -> Option<String> {
        let limit = self.limit(observed.name)?;
        // NaN is not below: `guards.non_finite` is about it. A window without steps says nothing.
        let below = observed.mean < limit.below;
        if observed.count > 0 && !below {
            self.counters.0.remove(observed.name);
            return None;
        }
        let steps = self.counters.0.entry(observed.name.to_string()).or_default();
        *steps = steps.saturating_add(u64::from(observed.count));
        (*steps >= limit.steps).then(|| {
            format!(
                "guard: {} stayed below {} for {steps} steps ({}): {}",
                observed.name, limit.below, limit.leaf, limit.meaning
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

    /// Windows of one value, as (mean, steps), and the window, from 1, in which the guard fires.
    fn check(config: GuardConfig, name: &str, windows: &[(f64, u32)], expected: Option<usize>) {
        let mut guards = guards(config);
        let fires = |&(mean, count): &(f64, u32)| {
            guards.window(&[Observed { name, mean, count }]).is_some()
        };
        assert_eq!(windows.iter().position(fires).map(|at| at + 1), expected, "{name} {windows:?}");
    }

    #[test]
    fn a_guard_fires_once_its_steps_are_over() {
        let low = (0.01, 50);
        for name in ["loss/d_a", "loss/d_b", "output/std_a", "output/std_b"] {
            check(both(), name, &[low], None);
            check(both(), name, &[low, low, low], Some(2));
            check(both(), name, &[(0.01, 99), (0.01, 1)], Some(2));
            check(both(), name, &[(0.01, 100)], Some(1));
            check(both(), name, &[(0.01, u32::MAX)], Some(1));
        }
    }

    #[test]
    fn steps_count_on_end() {
        let low = (0.01, 60);
        let not_below = [0.5, 0.6, 1e9, f64::NAN, f64::INFINITY];
        for mean in not_below {
            check(both(), "loss/d_a", &[low, (mean, 1), low], None);
            check(both(), "loss/d_a", &[low, (mean, 1), low, low], Some(4));
        }
        check(both(), "loss/d_a", &[low, (-1.0, 40)], Some(2));
        check(both(), "output/std_b", &[(0.099, 60), (0.1, 60), (0.099, 60)], None);
        // A window in which nothing was trained.
        check(both(), "loss/d_a", &[low, (f64::NAN, 0), low], Some(3));
        check(both(), "loss/d_a", &[(0.01, 99), (0.01, 0)], None);
    }

    #[test]
    fn each_guard_is_off_by_itself_and_looks_past_the_rest() {
        let all = [(0.0, 10_000), (0.0, 10_000)];
        for name in ["loss/d_a", "output/std_b"] {
            check(GuardConfig::default(), name, &all, None);
        }
        check(GuardConfig { d_loss_below: 0.0, ..both() }, "loss/d_a", &all, None);
        check(GuardConfig { d_loss_below: 0.0, ..both() }, "output/std_a", &all, Some(1));
        for name in ["loss/gan_g_ab", "loss/cycle_a", "weighted/d_a", "loss/gp_a", "output/std"] {
            check(both(), name, &all, None);
        }
    }

    #[test]
    fn values_are_counted_apart_and_the_first_one_speaks() {
        let mut guards = guards(both());
        let window = |d_a, d_b, std_b| {
            [("loss/d_a", d_a), ("loss/d_b", d_b), ("output/std_b", std_b)]
                .map(|(name, mean)| Observed { name, mean, count: 50 })
        };
        assert_eq!(guards.window(&window(0.01, 0.9, 0.9)), None);
        assert_eq!(guards.window(&window(0.9, 0.01, 0.01)), None);
        let reason = guards.window(&window(0.9, 0.01, 0.01)).expect("two of them, 100 steps");
        let expected = "guard: loss/d_b stayed below 0.5 for 100 steps (guards.d_loss_below): \
                        the discriminator has won";
        assert_eq!(reason, expected);
        let counted = [("loss/d_b".to_string(), 100), ("output/std_b".to_string(), 100)];
        assert_eq!(*guards.counters(), GuardCounters(counted.into()));
    }

    #[test]
    fn a_collapse_is_named() {
        let mut guards = guards(GuardConfig { output_std_below: 1e-4, ..both() });
        let window = [Observed { name: "output/std_a", mean: 0.0, count: 130 }];
        assert_eq!(
            guards.window(&window).expect("130 of 100 steps"),
            "guard: output/std_a stayed below 0.0001 for 130 steps (guards.output_std_below): \
             the generator has collapsed to a constant output"
        );
    }

    #[test]
    fn a_resumed_run_is_stopped_at_the_same_step() {
        let window = [Observed { name: "loss/d_a", mean: 0.1, count: 25 }];
        let mut straight = guards(both());
        for _ in 0..3 {
            assert_eq!(straight.window(&window), None);
        }
        let kept = serde_json::to_string(straight.counters()).expect("a map of numbers");
        assert_eq!(kept, r#"{"loss/d_a":75}"#);
        let kept: GuardCounters = serde_json::from_str(&kept).expect("reads back");
        let mut resumed = Guards::new(&both(), kept);
        assert_eq!(resumed.counters(), straight.counters());
        let reason = straight.window(&window);
        assert!(reason.is_some());
        assert_eq!(resumed.window(&window), reason);
    }
}
