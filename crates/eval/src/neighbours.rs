//! Fidelity and coverage by nearest neighbours.

use crate::distances::squared_distances;
use crate::{EvalError, Features};

/// The k of the published comparisons of density and coverage.
pub const NEIGHBOURS: usize = 5;

/// Precision and density say how realistic the outputs are, recall and coverage how much of reality they reach.
///
/// Precision and density miss a collapse; coverage and recall show it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbours {
    /// Share of outputs inside the ball of a real image, in [0, 1].
    pub precision: f64,
    /// Share of real images inside the ball of an output, in [0, 1].
    pub recall: f64,
    /// Mean number of real balls around an output, divided by k: at least 0, about 1 for real images, may be more.
    pub density: f64,
    /// Share of real images whose ball holds an output, in [0, 1].
    pub coverage: f64,
}

/// Each image's ball reaches to its k-th nearest neighbour of its own set, itself excluded; inside is strictly nearer,
/// as in the authors' code (torch-fidelity takes ≤ and k = 3). Comparable at equal sizes, of 100 images and more.
///
/// # Errors
/// `Dimensions`; `TooFewRows` if a set has no k + 1 images.
///
/// # Panics
/// If `k` is 0.
///
/// # Source
/// Kynkäänniemi et al. 2019, arXiv:1904.06991 (precision, recall); Naeem et al. 2020, arXiv:2002.09797.
pub fn neighbours(real: &Features, fake: &Features, k: usize) -> Result<Neighbours, EvalError> {
    assert!(k > 0, "the nearest neighbour is the first");
    real.comparable(fake)?;
    real.at_least(k + 1, "nearest neighbours")?;
    fake.at_least(k + 1, "nearest neighbours")?;
    let (real_radii, fake_radii) = (radii(real, k), radii(fake, k));
    let across = squared_distances(real, fake);

    let mut balls_around = vec![0usize; fake.n()];
    let (mut recalled, mut covered) = (0, 0);
    for (row, &radius) in across.iter().zip(&real_radii) {
        let inside = |&(distance, _): &(&f64, _)| *distance < radius;
        let mut holds = 0;
        row.iter().zip(&mut balls_around).filter(inside).for_each(|(_, count)| {
            *count += 1;
            holds += 1;
        });
        covered += usize::from(holds > 0);
        recalled += usize::from(row.iter().zip(&fake_radii).any(|(d, radius)| d < radius));
    }
    let precise = balls_around.iter().filter(|&&count| count > 0).count();
    let share = |count: usize, n: usize| count as f64 / n as f64;
    Ok(Neighbours {
        precision: share(precise, fake.n()),
        recall: share(recalled, real.n()),
        density: share(balls_around.iter().sum(), k * fake.n()),
        coverage: share(covered, real.n()),
    })
}

/// Squared distance to the k-th nearest other image, for each image.
fn radii(set: &Features, k: usize) -> Vec<f64> {
    let kth = |(i, mut row): (usize, Vec<f64>)| {
        row.swap_remove(i);
        *row.select_nth_unstable_by(k - 1, f64::total_cmp).1
    };
    squared_distances(set, set).into_iter().enumerate().map(kth).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lcg;

    #[test]
    fn golden_values() {
        // The authors' `prdc` 0.2 gives the same (tests/reference/eval.py): 19, 19, 43 and 14 counts.
        let (x, y) = lcg::golden_pair();
        let expected =
            Neighbours { precision: 0.76, recall: 0.95, density: 43.0 / 75.0, coverage: 0.7 };
        assert_eq!(neighbours(&x, &y, 3), Ok(expected));
    }

    #[test]
    fn a_set_covers_itself() {
        let x = lcg::features(50, 6, 1);
        let found = neighbours(&x, &x, NEIGHBOURS).expect("enough rows");
        assert_eq!((found.precision, found.recall, found.coverage), (1.0, 1.0, 1.0));
        // Each of 50 images lies in its own ball and, on average, in k - 1 others: the k-th is on the rim.
        assert!((found.density - 1.0).abs() < 1e-12, "{}", found.density);
    }

    #[test]
    fn collapse_is_seen_by_coverage_and_recall_alone() {
        let real = lcg::features(60, 3, 1);
        let few: Vec<usize> = (0..60).map(|i| i % 6).collect();
        let found = neighbours(&real, &real.subset(&few).expect("rows"), 5).expect("enough rows");
        assert_eq!(found.precision, 1.0);
        assert_eq!(found.recall, 0.0, "the balls of repeated outputs are points");
        assert!(found.coverage < 0.6, "{}", found.coverage);
    }

    #[test]
    fn strangers_share_nothing() {
        let x = lcg::features(20, 3, 1);
        let far = Features::from_flat(
            3,
            &lcg::values(60, 2).iter().map(|v| v + 90.0).collect::<Vec<_>>(),
        );
        let nothing = Neighbours { precision: 0.0, recall: 0.0, density: 0.0, coverage: 0.0 };
        assert_eq!(neighbours(&x, &far.expect("finite"), 5), Ok(nothing));
    }

    #[test]
    fn wants_one_more_image_than_neighbours() {
        let expected = EvalError::TooFewRows { metric: "nearest neighbours", found: 5, wanted: 6 };
        let (few, many) = (lcg::features(5, 3, 1), lcg::features(9, 3, 1));
        assert_eq!(neighbours(&many, &few, 5), Err(expected));
    }
}
