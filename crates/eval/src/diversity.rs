//! Whether the outputs differ from each other as much as real images do, and as their inputs do.
//!
//! The mean distance between outputs is of no use here: with ten different outputs it still has nine tenths of its value.

use nalgebra::DMatrix;

use crate::distances::{nearest_other, pair_distances, quantile, squared_distances};
use crate::picture_set::paired;
use crate::{EvalError, Features};

/// An output is a duplicate if another is nearer than this share of the distance that a real image typically
/// keeps from its nearest neighbour. Ours: far enough from 1 that real images stay above, and well above 0, since
/// a collapsed generator's outputs are not equal to the last bit.
const DUPLICATE: f64 = 0.25;

/// The effective number of different images: 1 for copies of one, n for n that have nothing in common.
///
/// exp(-Σ w ln w) over the eigenvalues w of K/n, with K = exp(-|x - y|² / 2s²).
///
/// # Panics
/// If `scale`, the kernel's s in feature units, is not positive.
///
/// # Source
/// Friedman and Dieng 2022, arXiv:2210.02410.
pub fn vendi(features: &Features, scale: f64) -> f64 {
    assert!(scale > 0.0, "a kernel has a width");
    let n = features.n();
    let squared = squared_distances(features, features);
    let kernel =
        DMatrix::from_fn(n, n, |i, j| (-squared[i][j] / (2.0 * scale * scale)).exp() / n as f64);
    let weights = kernel.symmetric_eigenvalues();
    // Rounding leaves zeros a little to either side.
    let entropy: f64 = weights.iter().filter(|&&w| w > 0.0).map(|w| -w * w.ln()).sum();
    entropy.exp()
}

/// The outputs' Vendi score over that of as many real images: about 1 for outputs as varied as real images.
///
/// The kernel's width is half the median distance between real images. Where one set is larger, evenly spread rows
/// of it are taken: the score grows with the number of images.
///
/// # Errors
/// `Dimensions`; `TooFewRows` below 2 images a set; `NoSpread` if most real images are equal.
pub fn vendi_ratio(outputs: &Features, real: &Features) -> Result<f64, EvalError> {
    const NAME: &str = "the Vendi ratio";
    outputs.comparable(real)?;
    outputs.at_least(2, NAME)?;
    real.at_least(2, NAME)?;
    let n = outputs.n().min(real.n());
    let (outputs, real) = (outputs.thinned(n), real.thinned(n));
    let scale = quantile(pair_distances(&real), 0.5) / 2.0;
    if scale == 0.0 {
        return Err(EvalError::NoSpread { metric: NAME, what: "the real images" });
    }
    Ok(vendi(&outputs, scale) / vendi(&real, scale))
}

/// Share of outputs that nearly repeat another output, in [0, 1]: about 0 for real images, 1 if each is there twice.
///
/// Nearly: nearer than a quarter of the median distance between a real image and its nearest neighbour.
///
/// # Errors
/// `Dimensions`; `TooFewRows` below 2 images a set; `NoSpread` if half the real images are copies of another.
pub fn duplicate_fraction(outputs: &Features, real: &Features) -> Result<f64, EvalError> {
    const NAME: &str = "the duplicate fraction";
    outputs.comparable(real)?;
    outputs.at_least(2, NAME)?;
    real.at_least(2, NAME)?;
    let limit = DUPLICATE * quantile(nearest_other(real), 0.5);
    if limit == 0.0 {
        return Err(EvalError::NoSpread { metric: NAME, what: "the real images" });
    }
    let duplicates = nearest_other(outputs).into_iter().filter(|&distance| distance < limit);
    Ok(duplicates.count() as f64 / outputs.n() as f64)
}

/// Pearson's r between the distances of all pairs of inputs and those of their outputs, in [-1, 1].
///
/// Inputs that differ much should have outputs that differ much; real partners are well below 1, so compare
/// with them. 0 for outputs that are all equal. (Not Székely's distance correlation.)
///
/// # Errors
/// `Unpaired`; `TooFewRows` below 3 images; `NoSpread` if all pairs of inputs are equally far apart.
///
/// # Source
/// Benaim and Wolf 2017, arXiv:1706.00826 (DistanceGAN), as a measure.
pub fn distance_correlation(inputs: &Features, outputs: &Features) -> Result<f64, EvalError> {
    const NAME: &str = "the distance correlation";
    paired(NAME, inputs.n(), outputs.n())?;
    inputs.at_least(3, NAME)?;
    let (x, y) = (centred(pair_distances(inputs)), centred(pair_distances(outputs)));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (xx, yy) = (product(&x, &x), product(&y, &y));
    if xx == 0.0 {
        return Err(EvalError::NoSpread { metric: NAME, what: "the distances between inputs" });
    }
    match yy == 0.0 {
        true => Ok(0.0),
        false => Ok(product(&x, &y) / (xx * yy).sqrt()),
    }
}

/// Minus their mean; exactly 0 where all are equal, which a rounded mean would miss.
fn centred(values: Vec<f64>) -> Vec<f64> {
    let first = values[0];
    if values.iter().all(|&v| v == first) {
        return vec![0.0; values.len()];
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.into_iter().map(|v| v - mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lcg;

    /// Points that are hundreds of kernel widths apart.
    fn far_points(n: usize) -> Features {
        let rows: Vec<[f64; 2]> = (0..n).map(|i| [1000.0 * i as f64, 0.0]).collect();
        Features::from_rows(&rows).expect("finite")
    }

    fn picked(set: &Features, which: impl Fn(usize) -> usize) -> Features {
        set.subset(&(0..set.n()).map(which).collect::<Vec<_>>()).expect("rows")
    }

    #[test]
    fn vendi_counts_what_is_different() {
        let check = |which: &dyn Fn(usize) -> usize, expected: f64| {
            let found = vendi(&picked(&far_points(12), which), 1.0);
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        };
        check(&|i| i, 12.0);
        check(&|_| 0, 1.0);
        check(&|i| i % 3, 3.0);
    }

    #[test]
    fn vendi_ratio_of_real_images_is_near_one_and_falls_with_modes() {
        let (real, other) = (lcg::features(60, 6, 1), lcg::features(90, 6, 2));
        let ratio = |x: &Features| vendi_ratio(x, &real).expect("enough rows");
        assert_eq!(ratio(&real), 1.0);
        assert!((0.8..1.2).contains(&ratio(&other)), "{}", ratio(&other));
        let ten = ratio(&picked(&real, |i| i % 10));
        let one = ratio(&picked(&real, |_| 0));
        assert!(ten < 0.5 && one < ten, "{ten} {one}");
        let flat = picked(&real, |_| 0);
        assert!(matches!(vendi_ratio(&real, &flat), Err(EvalError::NoSpread { .. })));
    }

    /// numpy (tests/reference/eval.py).
    #[test]
    fn golden_values() {
        let (x, y) = lcg::golden_pair();
        let found = vendi_ratio(&y, &x).expect("enough rows");
        assert!((found / VENDI_RATIO - 1.0).abs() < 1e-9, "{found}");
        let found = distance_correlation(&x, &y.thinned(20)).expect("enough rows");
        assert!((found - DISTANCE_CORRELATION).abs() < 1e-12, "{found}");
    }
    const VENDI_RATIO: f64 = 1.050_133_663_747_314_4;
    const DISTANCE_CORRELATION: f64 = 0.083_511_000_315_471_28;

    #[test]
    fn duplicates_are_near_copies() {
        let real = lcg::features(60, 6, 1);
        let share = |x: &Features| duplicate_fraction(x, &real).expect("enough rows");
        assert!(share(&real) < 0.05, "{}", share(&real));
        assert_eq!(share(&picked(&real, |i| i / 2)), 1.0);
        assert_eq!(share(&picked(&real, |_| 0)), 1.0);
        // Five pairs among sixty; not equal, but as near as an unsteady generator puts them.
        let mut rows: Vec<Vec<f64>> = lcg::features(60, 6, 5).rows().map(<[f64]>::to_vec).collect();
        let clean = share(&Features::from_rows::<f64, _>(&rows).expect("finite"));
        for i in 0..5 {
            rows[2 * i] = rows[2 * i + 1].iter().map(|v| v + 1e-3).collect();
        }
        let found = share(&Features::from_rows::<f64, _>(&rows).expect("finite"));
        assert!((found - clean - 10.0 / 60.0).abs() < 0.04, "{found} {clean}");
    }

    #[test]
    fn distances_are_kept_or_not() {
        let inputs = lcg::features(40, 6, 1);
        let r = |outputs: &Features| distance_correlation(&inputs, outputs).expect("enough rows");
        let scaled = inputs.scaled_by(&inputs).expect("not zero");
        assert!((r(&scaled) - 1.0).abs() < 1e-12, "{}", r(&scaled));
        assert_eq!(r(&picked(&inputs, |_| 3)), 0.0);
        // 780 dependent pairs: unrelated sets stay well inside 0.2.
        assert!(r(&lcg::features(40, 6, 99)).abs() < 0.2, "{}", r(&lcg::features(40, 6, 99)));
    }

    #[test]
    fn correlation_wants_pairs() {
        let (x, y) = (lcg::features(5, 2, 1), lcg::features(4, 2, 1));
        assert!(matches!(distance_correlation(&x, &y), Err(EvalError::Unpaired { .. })));
        let flat = picked(&x, |_| 0);
        assert!(matches!(distance_correlation(&flat, &x), Err(EvalError::NoSpread { .. })));
    }
}
