//! The values of a grid, complete by construction.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::error::StatsError;

/// One thing that varied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    pub name: String,
    /// Two or more, as a reader knows them.
    pub levels: Vec<String>,
}

/// One run. A failed one comes in with what it counts as.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// For every factor the index of its level.
    pub cell: Vec<usize>,
    pub seed: u64,
    pub value: f64,
}

/// Every cell of the factors' product with every seed, once.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    factors: Vec<Factor>,
    seeds: Vec<u64>,
    /// Row-major, the last factor fastest.
    cells: Vec<Vec<usize>>,
    /// By cell, then seed.
    values: Vec<f64>,
}

/// One place of a grid and a seed: a run that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridRun {
    /// Factor and level, in the factors' order.
    pub settings: Vec<(String, String)>,
    pub seed: u64,
}

impl fmt::Display for GridRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (factor, level) in &self.settings {
            write!(f, "{factor} = {level}, ")?;
        }
        write!(f, "seed {}", self.seed)
    }
}

impl Grid {
    /// Missing runs that an error names; it counts them all.
    pub const MOST_NAMED: usize = 20;

    /// # Errors
    /// [`StatsError::NoGrid`] without a factor or an observation,
    /// [`StatsError::OneLevel`], [`StatsError::NoSuchCell`],
    /// [`StatsError::GridValue`], [`StatsError::CellTwice`], and
    /// [`StatsError::NotBalanced`] where a cell lacks a seed that another has.
    pub fn new(factors: Vec<Factor>, observations: &[Observation]) -> Result<Grid, StatsError> {
        if factors.is_empty() || observations.is_empty() {
            return Err(StatsError::NoGrid);
        }
        if let Some(factor) = factors.iter().find(|factor| factor.levels.len() < 2) {
            return Err(StatsError::OneLevel { factor: factor.name.clone() });
        }
        let mut found = BTreeMap::new();
        for Observation { cell, seed, value } in observations {
            let exists = cell.len() == factors.len()
                && cell.iter().zip(&factors).all(|(level, factor)| *level < factor.levels.len());
            if !exists {
                return Err(StatsError::NoSuchCell { cell: cell.clone() });
            }
            let run = || named(&factors, cell, *seed);
            if !value.is_finite() {
                return Err(StatsError::GridValue { run: run(), value: *value });
            }
            if found.insert((cell.clone(), *seed), *value).is_some() {
                return Err(StatsError::CellTwice { run: run() });
            }
        }

        let seeds: BTreeSet<u64> = found.keys().map(|(_, seed)| *seed).collect();
        let expected = factors
            .iter()
            .map(|factor| factor.levels.len())
            .fold(seeds.len(), usize::saturating_mul);
        if found.len() < expected {
            // Lazily: a product of many factors is larger than what was run of it.
            let missing = Cells::of(&factors)
                .flat_map(|cell| seeds.iter().map(move |seed| (cell.clone(), *seed)))
                .filter(|run| !found.contains_key(run))
                .take(Grid::MOST_NAMED)
                .map(|(cell, seed)| named(&factors, &cell, seed))
                .collect();
            return Err(StatsError::NotBalanced { count: expected - found.len(), missing });
        }
        Ok(Grid {
            cells: Cells::of(&factors).collect(),
            seeds: seeds.into_iter().collect(),
            // Ordered by cell, last factor fastest, then seed, as the keys are.
            values: found.into_values().collect(),
            factors,
        })
    }

    pub fn factors(&self) -> &[Factor] {
        &self.factors
    }

    /// Ascending.
    pub fn seeds(&self) -> &[u64] {
        &self.seeds
    }

    pub(super) fn cells(&self) -> &[Vec<usize>] {
        &self.cells
    }

    /// Each cell with the values of its seeds.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&[usize], &[f64])> {
        self.cells.iter().map(Vec::as_slice).zip(self.values.chunks(self.seeds.len()))
    }

    /// Over the chosen cells, at least one, of one seed or of all.
    pub(super) fn mean(&self, chosen: impl Fn(&[usize]) -> bool, seed: Option<usize>) -> f64 {
        let (mut sum, mut n) = (0.0, 0usize);
        for (_, values) in self.rows().filter(|(cell, _)| chosen(cell)) {
            let values = seed.map_or(values, |seed| &values[seed..=seed]);
            sum += values.iter().sum::<f64>();
            n += values.len();
        }
        sum / n as f64
    }
}

fn named(factors: &[Factor], cell: &[usize], seed: u64) -> GridRun {
    let settings = factors
        .iter()
        .zip(cell)
        .map(|(factor, level)| (factor.name.clone(), factor.levels[*level].clone()))
        .collect();
    GridRun { settings, seed }
}

/// All combinations of levels, the last factor fastest.
struct Cells {
    sizes: Vec<usize>,
    next: Option<Vec<usize>>,
}

impl Cells {
    fn of(factors: &[Factor]) -> Cells {
        let sizes: Vec<usize> = factors.iter().map(|factor| factor.levels.len()).collect();
        Cells { next: Some(vec![0; sizes.len()]), sizes }
    }
}

impl Iterator for Cells {
    type Item = Vec<usize>;

    fn next(&mut self) -> Option<Vec<usize>> {
        let cell = self.next.take()?;
        let mut following = cell.clone();
        for (level, size) in following.iter_mut().zip(&self.sizes).rev() {
            *level += 1;
            if *level < *size {
                self.next = Some(following);
                break;
            }
            *level = 0;
        }
        Some(cell)
    }
}
