//! A balanced grid taken apart: main effects, two-way interactions, and the
//! residual that the seeds leave.
//!
//! Every cell is run with the same seeds, and a seed fixes init and data order
//! in all of them: seeds are blocks (randomised complete block design). The
//! residual is what a seed does differently in different cells.
//!
//! The p values assume normal residuals of equal spread; with few seeds read
//! the effects and their intervals first.
//!
//! Source: Montgomery, Design and Analysis of Experiments, 8th ed., §4.1 (blocks), §5.3 (factors).

mod anova;
mod grid;

pub use anova::{AnovaRow, Source};
pub use grid::{Factor, Grid, GridRun, Observation};

use crate::interval::Level;
use crate::sample::Sample;

/// The table of a grid, and the means behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Factorial {
    pub factors: Vec<Factor>,
    /// Ascending.
    pub seeds: Vec<u64>,
    /// Seed, main effects, two-way interactions, higher ones (of 3 factors or
    /// more, in one row), residual, total.
    pub rows: Vec<AnovaRow>,
    /// By factor, then level, both in input order.
    pub levels: Vec<LevelMean>,
}

/// One level of one factor, averaged over all others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelMean {
    pub factor: usize,
    pub level: usize,
    /// Over seeds, each seed's cells with this level averaged first. Its
    /// interval holds what another sweep with other seeds would find.
    pub mean: Sample,
    /// The same minus the seed's mean over all its cells: what the level does,
    /// freed of the seed's own luck, so that levels are compared by this one.
    pub effect: Sample,
}

impl Factorial {
    pub fn of(grid: &Grid, level: Level) -> Factorial {
        Factorial {
            factors: grid.factors().to_vec(),
            seeds: grid.seeds().to_vec(),
            rows: anova::rows(grid),
            levels: level_means(grid, level),
        }
    }

    pub fn row(&self, source: Source) -> Option<&AnovaRow> {
        self.rows.iter().find(|row| row.source == source)
    }

    /// As a table's first column has it: `ngf`, `ngf × lambda_cycle`, `residual`.
    pub fn name(&self, source: Source) -> String {
        let name = |factor: usize| self.factors[factor].name.as_str();
        match source {
            Source::Seed => "seed".into(),
            Source::Main { factor } => name(factor).into(),
            Source::Interaction { factors: [a, b] } => format!("{} × {}", name(a), name(b)),
            Source::HigherOrder => "higher interactions".into(),
            Source::Residual => "residual".into(),
            Source::Total => "total".into(),
        }
    }
}

fn level_means(grid: &Grid, level: Level) -> Vec<LevelMean> {
    let blocks: Vec<f64> =
        (0..grid.seeds().len()).map(|seed| grid.mean(|_| true, Some(seed))).collect();
    let mut found = Vec::new();
    for (factor, of) in grid.factors().iter().enumerate() {
        for at in 0..of.levels.len() {
            let means: Vec<f64> = (0..blocks.len())
                .map(|seed| grid.mean(|cell| cell[factor] == at, Some(seed)))
                .collect();
            let effects: Vec<f64> =
                means.iter().zip(&blocks).map(|(mean, all)| mean - all).collect();
            let sample = |values: &[f64]| {
                Sample::of(values, level)
                    .expect("a grid has seeds and finite values, checked when built")
            };
            let (mean, effect) = (sample(&means), sample(&effects));
            found.push(LevelMean { factor, level: at, mean, effect });
        }
    }
    found
}

#[cfg(test)]
mod tests;
