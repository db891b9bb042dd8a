//! Which parameters of a random design the best cells have in common:
//! PED-ANOVA, by the Pearson divergence of their values from those of all cells.
//!
//! It narrows a space that was searched at random. It claims nothing: shares
//! are relative, and a quarter of few cells differs from all of them by luck,
//! too, so that each divergence comes with how often a random quarter has one
//! as large.
//!
//! Source: Watanabe, Bansal, Hutter, PED-ANOVA, IJCAI 2023, arXiv:2304.10255. The local variance of a
//! parameter is `(γ'/γ)² Σ p_γ (p_γ'/p_γ − 1)²`; the factor is the same for all, and leaves with the sum.

use crate::contrast::Goal;
use crate::error::StatsError;
use crate::resample::{Draws, Resampling};

/// One thing that was drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub drawn: Drawn,
}

/// Its values, one a cell, on the scale on which distances count.
#[derive(Debug, Clone, PartialEq)]
pub enum Drawn {
    Linear(Vec<f64>),
    /// Above 0.
    Log(Vec<f64>),
    /// By number.
    Category(Vec<usize>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    pub cells: usize,
    /// How many of them are the best: a quarter, and what equals its last.
    pub best: usize,
    /// In input order.
    pub parameters: Vec<ParameterShare>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ParameterShare {
    pub name: String,
    /// Of the best cells' values from those of all cells; 0 where they are spread alike.
    pub divergence: f64,
    /// Of the sum over all parameters, which is 1.
    pub share: f64,
    /// Share of random choices of as many cells that diverge as far, the best among them.
    pub by_chance: f64,
}

/// γ': the paper's analyses use a tenth, of hundreds of cells. γ is 1: all cells.
const BEST: f64 = 0.25;
/// Of a parameter with numbers: points at which densities are compared, as in Optuna's version.
const GRID: usize = 50;
/// Numbers of no more values are levels: a kernel would blur one into the next.
const FEW_LEVELS: usize = 5;
/// Besides the best themselves.
const RANDOM_CHOICES: usize = 999;

impl Importance {
    /// A quarter of fewer is below five cells, from which Optuna's version takes its results for stable.
    pub const FEWEST_CELLS: usize = 20;

    /// Of cells with one outcome each, in any order: another order gives the same digits.
    ///
    /// # Errors
    /// [`StatsError::NoParameter`], [`StatsError::TooFewCells`], [`StatsError::Outcome`],
    /// [`StatsError::Drawn`] for a value that its scale does not have, [`StatsError::Uneven`], and
    /// [`StatsError::NoBest`] where all outcomes are equal.
    pub fn of(
        parameters: &[Parameter],
        outcomes: &[f64],
        goal: Goal,
    ) -> Result<Importance, StatsError> {
        let cells = outcomes.len();
        if parameters.is_empty() {
            return Err(StatsError::NoParameter);
        }
        if cells < Self::FEWEST_CELLS {
            return Err(StatsError::TooFewCells { count: cells, needed: Self::FEWEST_CELLS });
        }
        if let Some(&value) = outcomes.iter().find(|value| !value.is_finite()) {
            return Err(StatsError::Outcome { value });
        }
        let columns: Vec<Vec<f64>> =
            parameters.iter().map(|it| it.coordinates(cells)).collect::<Result<_, _>>()?;
        let order = best_first(outcomes, &columns, goal);
        let last = outcomes[order[(cells as f64 * BEST).ceil() as usize - 1]];
        let is_behind = |&cell: &usize| goal.is_better(last - outcomes[cell]);
        let best = order.iter().position(is_behind).ok_or(StatsError::NoBest)?;

        let masses: Vec<Masses> = parameters
            .iter()
            .zip(&columns)
            .map(|(parameter, column)| {
                let ordered: Vec<f64> = order.iter().map(|&cell| column[cell]).collect();
                Masses::of(&ordered, best, matches!(parameter.drawn, Drawn::Category(_)))
            })
            .collect();
        let chosen: Vec<usize> = (0..best).collect();
        let found: Vec<f64> = masses.iter().map(|it| it.divergence(&chosen)).collect();
        let by_chance = by_chance(&masses, &found, cells, best);
        let sum: f64 = found.iter().sum();
        let named = parameters.iter().zip(found).zip(by_chance);
        let share = |((parameter, divergence), by_chance): ((&Parameter, f64), f64)| {
            let share = if sum > 0.0 { divergence / sum } else { 1.0 / masses.len() as f64 };
            ParameterShare { name: parameter.name.clone(), divergence, share, by_chance }
        };
        Ok(Importance { cells, best, parameters: named.map(share).collect() })
    }
}

impl Parameter {
    fn coordinates(&self, cells: usize) -> Result<Vec<f64>, StatsError> {
        let refused = |value: f64| StatsError::Drawn { parameter: self.name.clone(), value };
        let all = match &self.drawn {
            Drawn::Linear(values) => values.clone(),
            Drawn::Log(values) => match values.iter().find(|value| **value <= 0.0) {
                Some(&value) => return Err(refused(value)),
                None => values.iter().map(|value| value.ln()).collect(),
            },
            Drawn::Category(levels) => levels.iter().map(|&level| level as f64).collect(),
        };
        if all.len() != cells {
            let parameter = self.name.clone();
            return Err(StatsError::Uneven { parameter, found: all.len(), cells });
        }
        match all.iter().find(|value| !value.is_finite()) {
            Some(&value) => Err(refused(value)),
            None => Ok(all),
        }
    }
}

/// Cells that are equal in everything may change places: nothing is seen of that.
fn best_first(outcomes: &[f64], columns: &[Vec<f64>], goal: Goal) -> Vec<usize> {
    let mut order: Vec<usize> = (0..outcomes.len()).collect();
    order.sort_by(|&a, &b| {
        let by_outcome = match goal {
            Goal::Minimise => outcomes[a].total_cmp(&outcomes[b]),
            Goal::Maximise => outcomes[b].total_cmp(&outcomes[a]),
        };
        let by_values = columns.iter().map(|column| column[a].total_cmp(&column[b]));
        by_outcome.then(by_values.fold(std::cmp::Ordering::Equal, |all, own| all.then(own)))
    });
    order
}

/// Where the cells lie on one parameter: each has a mass of 1, spread over the places by a kernel.
struct Masses {
    /// By cell, then place.
    cells: Vec<Vec<f64>>,
    /// The density of all of them.
    all: Vec<f64>,
}

impl Masses {
    fn of(values: &[f64], best: usize, is_category: bool) -> Masses {
        let mut levels = values.to_vec();
        levels.sort_by(f64::total_cmp);
        let sorted = levels.clone();
        levels.dedup();
        let cells: Vec<Vec<f64>> = if is_category || levels.len() <= FEW_LEVELS {
            let at_own = |value: &f64| levels.iter().map(|it| f64::from(it == value)).collect();
            values.iter().map(at_own).collect()
        } else {
            let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
            let step = (high - low) / (GRID - 1) as f64;
            let width = bandwidth(&sorted, best).max(step);
            let kernel = |value: &f64| -> Vec<f64> {
                let at = |place: usize| (low + step * place as f64 - value) / width;
                let bell: Vec<f64> =
                    (0..GRID).map(|place| (-0.5 * at(place).powi(2)).exp()).collect();
                // Cut off at the ends of the range, and whole again.
                let whole: f64 = bell.iter().sum();
                bell.into_iter().map(|mass| mass / whole).collect()
            };
            values.iter().map(kernel).collect()
        };
        let everyone: Vec<usize> = (0..values.len()).collect();
        let all = density(&cells, &everyone);
        Masses { cells, all }
    }

    /// Pearson's, of the chosen cells' density from that of all.
    fn divergence(&self, chosen: &[usize]) -> f64 {
        let own = density(&self.cells, chosen);
        own.iter().zip(&self.all).map(|(own, all)| all * (own / all - 1.0).powi(2)).sum()
    }
}

/// With one more observation that is spread evenly: no place is impossible.
fn density(cells: &[Vec<f64>], chosen: &[usize]) -> Vec<f64> {
    let places = cells[0].len();
    let mut sum = vec![1.0 / places as f64; places];
    for &cell in chosen {
        sum.iter_mut().zip(&cells[cell]).for_each(|(sum, mass)| *sum += mass);
    }
    sum.iter().map(|mass| mass / (chosen.len() + 1) as f64).collect()
}

/// Half of Scott's rule, by the spread of all cells and the number of the best: a whole one would blur
/// away a best quarter that lies in the middle of its range.
///
/// The paper gives either set a width of its own: then a few cells that happen to lie together become
/// a spike, and all else is flat beside it.
fn bandwidth(sorted: &[f64], best: usize) -> f64 {
    let n = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / n;
    let deviation = (sorted.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let middle = (sorted[sorted.len() * 3 / 4] - sorted[sorted.len() / 4]) / 1.34;
    let spread = if middle > 0.0 { deviation.min(middle) } else { deviation };
    0.5 * 1.059 * spread * (best as f64).powf(-0.2)
}

/// The same choices for all parameters.
fn by_chance(masses: &[Masses], found: &[f64], cells: usize, best: usize) -> Vec<f64> {
    let mut draws = Draws::new(Resampling::default().seed);
    let mut shuffled: Vec<usize> = (0..cells).collect();
    let mut as_large = vec![1usize; masses.len()];
    for _ in 0..RANDOM_CHOICES {
        for at in 0..best {
            shuffled.swap(at, at + draws.below(cells - at));
        }
        for ((masses, found), count) in masses.iter().zip(found).zip(&mut as_large) {
            // What rounding leaves is no difference: categories have few divergences.
            *count += usize::from(masses.divergence(&shuffled[..best]) >= found * (1.0 - 1e-9));
        }
    }
    as_large.into_iter().map(|count| count as f64 / (RANDOM_CHOICES + 1) as f64).collect()
}

#[cfg(test)]
mod tests;
