//! The analysis of variance of a balanced grid: sums of squares from means.

use super::grid::Grid;
use crate::fisher_f;

/// Where variation comes from; factors by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The block: seeds that are good or bad in all cells.
    Seed,
    Main {
        factor: usize,
    },
    Interaction {
        factors: [usize; 2],
    },
    /// All interactions of three factors or more.
    HigherOrder,
    /// Seed by cell.
    Residual,
    Total,
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnovaRow {
    pub source: Source,
    pub df: u32,
    /// In the metric's unit, squared.
    pub sum_of_squares: f64,
    /// `None` for the total, and of a residual without degrees of freedom.
    pub mean_square: Option<f64>,
    /// Mean square over that of the residual. `None` for residual and total,
    /// and where there is no residual: one seed, or seeds that repeat each other.
    pub f: Option<f64>,
    /// `P(F ≥ f)`, present with `f`.
    pub p: Option<f64>,
    /// Share of the total sum of squares, in [0, 1]; too large on average, as
    /// noise has a share too. `None` where nothing varies.
    pub eta_squared: Option<f64>,
    /// The share less what noise alone would have; below 0 where there is less
    /// than that. Present with `f`.
    pub omega_squared: Option<f64>,
}

pub(super) fn rows(grid: &Grid) -> Vec<AnovaRow> {
    let effects = Effects::of(grid);
    let seeds = grid.seeds().len() as f64;
    let squares = |effects: &[f64]| effects.iter().map(|e| e * e).sum::<f64>();

    let mut found = vec![plain(
        Source::Seed,
        seeds - 1.0,
        squares(&effects.blocks) * grid.cells().len() as f64,
    )];
    let mut higher = effects.cells.clone();
    let mut higher_df = grid.cells().len() as f64 - 1.0;
    for (source, df, by_cell) in effects.of_factors {
        found.push(plain(source, df, squares(&by_cell) * seeds));
        higher_df -= df;
        for (rest, effect) in higher.iter_mut().zip(by_cell) {
            *rest -= effect;
        }
    }
    if higher_df > 0.0 {
        found.push(plain(Source::HigherOrder, higher_df, squares(&higher) * seeds));
    }

    let mut residual = 0.0;
    let mut total = 0.0;
    let mut largest = 0.0_f64;
    for ((_, values), cell) in grid.rows().zip(&effects.cells) {
        for (value, block) in values.iter().zip(&effects.blocks) {
            residual += (value - effects.grand - cell - block).powi(2);
            total += (value - effects.grand).powi(2);
            largest = largest.max(value.abs());
        }
    }
    let n = grid.cells().len() as f64 * seeds;
    // What rounding leaves is no residual to measure effects by.
    if residual <= n * (16.0 * f64::EPSILON * largest).powi(2) {
        residual = 0.0;
    }
    found.push(plain(
        Source::Residual,
        (grid.cells().len() as f64 - 1.0) * (seeds - 1.0),
        residual,
    ));
    found.push(plain(Source::Total, n - 1.0, total));
    compared(found, residual, total)
}

/// Deviations from the grand mean, taken apart.
struct Effects {
    grand: f64,
    /// By seed.
    blocks: Vec<f64>,
    /// By cell.
    cells: Vec<f64>,
    /// Main effects, then two-way interactions: degrees of freedom, and the effect in every cell.
    of_factors: Vec<(Source, f64, Vec<f64>)>,
}

impl Effects {
    fn of(grid: &Grid) -> Effects {
        let grand = grid.mean(|_| true, None);
        let blocks =
            (0..grid.seeds().len()).map(|seed| grid.mean(|_| true, Some(seed)) - grand).collect();
        let cells = grid
            .rows()
            .map(|(_, values)| values.iter().sum::<f64>() / values.len() as f64 - grand)
            .collect();

        let levels: Vec<usize> = grid.factors().iter().map(|factor| factor.levels.len()).collect();
        let mains: Vec<Vec<f64>> = (0..levels.len())
            .map(|factor| {
                let by_level: Vec<f64> = (0..levels[factor])
                    .map(|level| grid.mean(|cell| cell[factor] == level, None) - grand)
                    .collect();
                grid.cells().iter().map(|cell| by_level[cell[factor]]).collect()
            })
            .collect();
        let mut interactions = Vec::new();
        for a in 0..levels.len() {
            for b in a + 1..levels.len() {
                let both: Vec<f64> = (0..levels[a] * levels[b])
                    .map(|at| (at / levels[b], at % levels[b]))
                    .map(|(i, j)| grid.mean(|cell| cell[a] == i && cell[b] == j, None) - grand)
                    .collect();
                let by_cell = grid.cells().iter().enumerate().map(|(at, cell)| {
                    both[cell[a] * levels[b] + cell[b]] - mains[a][at] - mains[b][at]
                });
                let df = (levels[a] - 1) * (levels[b] - 1);
                let source = Source::Interaction { factors: [a, b] };
                interactions.push((source, df as f64, by_cell.collect()));
            }
        }
        let mains = mains.into_iter().enumerate().map(|(factor, by_cell)| {
            (Source::Main { factor }, levels[factor] as f64 - 1.0, by_cell)
        });
        Effects { grand, blocks, cells, of_factors: mains.chain(interactions).collect() }
    }
}

fn plain(source: Source, df: f64, sum_of_squares: f64) -> AnovaRow {
    AnovaRow {
        source,
        df: df as u32,
        sum_of_squares,
        mean_square: (df > 0.0 && source != Source::Total).then(|| sum_of_squares / df),
        f: None,
        p: None,
        eta_squared: None,
        omega_squared: None,
    }
}

/// With F, p and shares, where residual and total allow them.
fn compared(mut rows: Vec<AnovaRow>, residual: f64, total: f64) -> Vec<AnovaRow> {
    let residual_row = rows.iter().find(|row| row.source == Source::Residual).copied();
    let noise =
        residual_row.filter(|_| residual > 0.0).and_then(|row| row.mean_square.zip(Some(row.df)));
    for row in &mut rows {
        row.eta_squared = (total > 0.0).then(|| (row.sum_of_squares / total).min(1.0));
        if matches!(row.source, Source::Residual | Source::Total) {
            continue;
        }
        if let (Some((noise, noise_df)), Some(mean_square)) = (noise, row.mean_square) {
            let f = mean_square / noise;
            row.f = Some(f);
            row.p = Some(fisher_f::survival(f, row.df, noise_df));
            row.omega_squared =
                Some((row.sum_of_squares - f64::from(row.df) * noise) / (total + noise));
        }
    }
    rows
}
