//! Distances between feature vectors.

use rayon::prelude::*;

use crate::Features;

/// Squared Euclidean distances from every row of one set to every row of another, row-major.
///
/// Summed over differences, not as |x|² + |y|² - 2x·y: equal rows are then exactly 0 apart, and a duplicate is
/// never mistaken for a near neighbour.
///
/// # Panics
/// If the dimensions differ.
pub(crate) fn squared_distances(from: &Features, to: &Features) -> Vec<Vec<f64>> {
    assert_eq!(from.dimensions(), to.dimensions(), "checked by the metric");
    let row = |i: usize| to.rows().map(|y| squared_distance(from.row(i), y)).collect();
    (0..from.n()).into_par_iter().map(row).collect()
}

/// The distance to the nearest other row of the same set, for each row; infinite for a lone one.
pub(crate) fn nearest_other(set: &Features) -> Vec<f64> {
    let nearest = |(i, row): (usize, Vec<f64>)| {
        let others = row.into_iter().enumerate().filter(|&(j, _)| j != i);
        others.map(|(_, d)| d).fold(f64::INFINITY, f64::min).sqrt()
    };
    squared_distances(set, set).into_iter().enumerate().map(nearest).collect()
}

/// The distance to the nearest row of another set, for each row.
pub(crate) fn nearest_in(from: &Features, to: &Features) -> Vec<f64> {
    let least = |row: Vec<f64>| row.into_iter().fold(f64::INFINITY, f64::min).sqrt();
    squared_distances(from, to).into_iter().map(least).collect()
}

/// Distances of all n(n-1)/2 pairs of one set, in the order (0, 1), (0, 2), …
pub(crate) fn pair_distances(set: &Features) -> Vec<f64> {
    let from = |i: usize| {
        let distance = move |j: usize| squared_distance(set.row(i), set.row(j)).sqrt();
        (i + 1..set.n()).map(distance).collect::<Vec<_>>()
    };
    (0..set.n()).into_par_iter().map(from).collect::<Vec<_>>().concat()
}

/// Sums eight partial sums in a fixed order: fast, and the same bits on every machine.
fn squared_distance(x: &[f64], y: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut lanes = [0.0; LANES];
    let (x_chunks, y_chunks) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let rest = x_chunks.remainder().iter().zip(y_chunks.remainder());
    let tail: f64 = rest.map(|(a, b)| (a - b) * (a - b)).sum();
    for (a, b) in x_chunks.zip(y_chunks) {
        for lane in 0..LANES {
            let difference = a[lane] - b[lane];
            lanes[lane] += difference * difference;
        }
    }
    lanes.iter().sum::<f64>() + tail
}

/// The `p`-quantile of values, linear between ranks (numpy's default).
///
/// # Panics
/// If there are no values.
pub(crate) fn quantile(mut values: Vec<f64>, p: f64) -> f64 {
    assert!(!values.is_empty(), "checked by the metric");
    values.sort_unstable_by(f64::total_cmp);
    let place = p * (values.len() - 1) as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    let high = (low + 1).min(values.len() - 1);
    values[low] + part * (values[high] - values[low])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lcg;

    #[test]
    fn by_hand() {
        let from = Features::from_rows(&[[0.0, 0.0], [3.0, 4.0]]).expect("finite");
        let to = Features::from_rows(&[[3.0, 4.0], [0.0, 1.0], [9.0, 0.0]]).expect("finite");
        assert_eq!(squared_distances(&from, &to), [[25.0, 1.0, 81.0], [0.0, 18.0, 52.0]]);
        assert_eq!(nearest_in(&from, &to), [1.0, 0.0]);
        assert_eq!(nearest_other(&to), [18.0f64.sqrt(), 18.0f64.sqrt(), 52.0f64.sqrt()]);
        assert_eq!(pair_distances(&from), [5.0]);
    }

    #[test]
    fn lanes_and_remainder_are_the_plain_sum() {
        for d in [1, 7, 8, 9, 40] {
            let set = lcg::features(2, d, 5);
            let pairs = set.row(0).iter().zip(set.row(1));
            let plain: f64 = pairs.map(|(a, b)| (a - b).powi(2)).sum();
            let found = squared_distance(set.row(0), set.row(1));
            assert!((found - plain).abs() < 1e-12, "{d}: {found} {plain}");
        }
    }

    #[test]
    fn quantiles_are_numpys() {
        let values = vec![4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(values.clone(), 0.5), 2.5);
        assert_eq!(quantile(values.clone(), 0.0), 1.0);
        assert_eq!(quantile(values.clone(), 1.0), 4.0);
        assert!((quantile(values, 0.1) - 1.3).abs() < 1e-12);
    }
}
