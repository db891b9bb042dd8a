//! Across tasks: the interquartile mean of normalised scores.
//!
//! Source: Agarwal et al. 2021, Deep Reinforcement Learning at the
//! Edge of the Statistical Precipice, arXiv:2108.13264, §4 (library rliable).

use crate::error::StatsError;
use crate::interval::{Interval, Level};
use crate::resample::{Draws, Resampling};
use crate::sample::middle;

/// Fewer runs have no middle half worth the name: of 4 runs, 2 would remain.
pub const MIN_RUNS: usize = 8;

/// Normalised scores of one arm, by task, such as a data set; the scale is common
/// to all tasks, as the gain's is.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    tasks: Vec<Vec<f64>>,
}

/// Mean of the middle half of all runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interquartile {
    pub mean: f64,
    /// Percentile interval over resampled seeds, within tasks. `None` where a
    /// task has a single run: resampling it would claim that it never varies.
    pub interval: Option<Interval>,
    pub runs: usize,
    pub tasks: usize,
}

impl Pool {
    /// A failed run comes in with what it counts as. A task without runs is none.
    ///
    /// # Errors
    /// [`StatsError::Score`] for a score that is not finite.
    pub fn new<'a>(
        tasks: impl IntoIterator<Item = (&'a str, Vec<f64>)>,
    ) -> Result<Pool, StatsError> {
        let mut kept = Vec::new();
        for (task, scores) in tasks {
            if let Some(run) = scores.iter().position(|score| !score.is_finite()) {
                return Err(StatsError::Score { task: task.into(), run, value: scores[run] });
            }
            if !scores.is_empty() {
                kept.push(scores);
            }
        }
        Ok(Pool { tasks: kept })
    }

    pub fn runs(&self) -> usize {
        self.tasks.iter().map(Vec::len).sum()
    }

    /// `None` of fewer than [`MIN_RUNS`] runs.
    pub fn interquartile(&self, level: Level, resampling: Resampling) -> Option<Interquartile> {
        let runs = self.runs();
        if runs < MIN_RUNS {
            return None;
        }
        let interval = self.can_resample().then(|| {
            let mut resamples = Resamples::of(self, resampling);
            let means =
                (0..resampling.resamples).map(|_| middle_half_mean(resamples.next().concat()));
            middle(means.collect(), level)
        });
        Some(Interquartile {
            mean: middle_half_mean(self.tasks.concat()),
            interval,
            runs,
            tasks: self.tasks.len(),
        })
    }

    fn can_resample(&self) -> bool {
        self.tasks.iter().all(|task| task.len() > 1)
    }
}

/// Stratified: each task keeps its number of runs.
struct Resamples<'a> {
    pool: &'a Pool,
    draws: Draws,
    drawn: Vec<Vec<f64>>,
}

impl<'a> Resamples<'a> {
    fn of(pool: &'a Pool, resampling: Resampling) -> Resamples<'a> {
        let drawn = vec![Vec::new(); pool.tasks.len()];
        Resamples { pool, draws: Draws::new(resampling.seed), drawn }
    }

    fn next(&mut self) -> &[Vec<f64>] {
        for (drawn, task) in self.drawn.iter_mut().zip(&self.pool.tasks) {
            drawn.clear();
            self.draws.resample(task, drawn);
        }
        &self.drawn
    }
}

/// A quarter, rounded down, is cut from either end, as scipy's `trim_mean` and so rliable do.
fn middle_half_mean(mut scores: Vec<f64>) -> f64 {
    scores.sort_unstable_by(f64::total_cmp);
    let cut = scores.len() / 4;
    let kept = &scores[cut..scores.len() - cut];
    kept.iter().sum::<f64>() / kept.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [f64; 10] = [0.1, 0.9, 0.35, 0.4, -2.0, 0.55, 0.6, 0.2, 0.75, 5.0];
    const RESAMPLING: Resampling = Resampling { resamples: 2000, seed: 1 };

    fn pool(tasks: &[&[f64]]) -> Pool {
        Pool::new(tasks.iter().map(|scores| ("task", scores.to_vec()))).expect("finite scores")
    }

    fn interquartile(tasks: &[&[f64]]) -> Option<Interquartile> {
        pool(tasks).interquartile(Level::NINETY_FIVE, RESAMPLING)
    }

    /// scipy's `trim_mean`, `tests/reference/stats.py`.
    #[test]
    fn the_mean_matches_scipy_however_the_runs_lie_in_tasks() {
        for (n, expected) in [(10, 0.475), (9, 0.42), (8, 0.375)] {
            for split in [0, 3, 5] {
                let (one, other) = SCORES[..n].split_at(split);
                let found = interquartile(&[one, other]).expect("eight runs or more");
                assert!((found.mean - expected).abs() < 1e-12, "n {n}: {found:?}");
                assert_eq!((found.runs, found.tasks), (n, if split == 0 { 1 } else { 2 }));
            }
        }
    }

    #[test]
    fn it_is_absent_for_a_small_pool_and_its_interval_for_a_single_run() {
        assert_eq!(interquartile(&[&SCORES[..4], &SCORES[4..7]]), None);
        assert_eq!(interquartile(&[]), None);
        assert_eq!(interquartile(&[&SCORES[..1], &SCORES[1..]]).expect("ten").interval, None);
        assert!(interquartile(&[&SCORES[..2], &SCORES[2..]]).expect("ten").interval.is_some());
    }

    #[test]
    fn resampling_stays_within_tasks() {
        // Tasks far apart and constant: only a draw across tasks could move the mean.
        let found = interquartile(&[&[1.0; 4], &[5.0; 4]]).expect("eight runs");
        assert_eq!(found.interval, Some(Interval { lower: 3.0, upper: 3.0 }));
        let found = interquartile(&[&SCORES[..5], &SCORES[5..]]).expect("ten runs");
        let interval = found.interval.expect("two runs a task");
        assert!(interval.contains(found.mean) && interval.width() > 0.1, "{found:?}");
        assert_eq!(Some(found), interquartile(&[&SCORES[..5], &SCORES[5..]]));
    }

    #[test]
    fn a_score_that_is_none_is_named() {
        let error = Pool::new([("maps", vec![0.1, f64::NAN])]).expect_err("not a number");
        let expected =
            "run 1 of `maps` has the score NaN; a run without a finite score counts as failed";
        assert_eq!(error.to_string(), expected);
    }
}
