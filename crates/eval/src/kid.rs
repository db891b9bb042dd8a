//! Kernel distance between two sets of features.

use nalgebra::DMatrix;

use crate::{Estimate, EvalError, Features};

const NAME: &str = "KID";

/// Kernel inception distance: the unbiased squared maximum mean discrepancy under k(x, y) = (x·y/d + 1)³, over all
/// samples, with its two-sample jackknife standard error.
///
/// About 0 for two samples of one distribution, at any size; it may be negative. Symmetric. Error bars want 100 images
/// and more in each set, and the reference must not hold the hidden partners of the test inputs: dependent
/// sets come out too close.
///
/// The usual "±", the spread over subsets, depends on the subsets' size and is no error bar; a bootstrap
/// repeats images, and k(x, x) then shifts it by several standard errors.
///
/// # Errors
/// `Dimensions`; `TooFewRows` below 3 images a set, since the jackknife leaves one out of a pair.
///
/// # Source
/// Bińkowski et al. 2018, arXiv:1801.01401 (section 4, the kernel and the unbiased estimator).
pub fn kid(x: &Features, y: &Features) -> Result<Estimate, EvalError> {
    x.comparable(y)?;
    x.at_least(3, NAME)?;
    y.at_least(3, NAME)?;
    let sums = KernelSums::of(x, y);
    let standard_error = (sums.jackknife_x() + sums.jackknife_y()).sqrt();
    Ok(Estimate { value: sums.value(), standard_error })
}

/// Sums of kernel values, from which every leave-one-out value follows without another pass.
struct KernelSums {
    /// For each x: over all other x.
    xx: Vec<f64>,
    yy: Vec<f64>,
    /// For each x: over all y.
    xy: Vec<f64>,
    /// For each y: over all x.
    yx: Vec<f64>,
}

impl KernelSums {
    fn of(x: &Features, y: &Features) -> Self {
        let d = x.dimensions() as f64;
        let (x, y) = (x.matrix(), y.matrix());
        let across = kernel(&x, &y, d);
        KernelSums {
            xx: off_diagonal_sums(&kernel(&x, &x, d)),
            yy: off_diagonal_sums(&kernel(&y, &y, d)),
            xy: across.column_sum().iter().copied().collect(),
            yx: across.row_sum().iter().copied().collect(),
        }
    }

    fn value(&self) -> f64 {
        let (n, m) = (self.xx.len(), self.yy.len());
        within(self.xx.iter().sum(), n) + within(self.yy.iter().sum(), m)
            - 2.0 * self.xy.iter().sum::<f64>() / (n * m) as f64
    }

    /// Variance that comes from the choice of x.
    fn jackknife_x(&self) -> f64 {
        jackknife(&self.xx, &self.xy, &self.yy)
    }

    fn jackknife_y(&self) -> f64 {
        jackknife(&self.yy, &self.yx, &self.xx)
    }
}

fn kernel(x: &DMatrix<f64>, y: &DMatrix<f64>, d: f64) -> DMatrix<f64> {
    (x * y.transpose()).map(|product| (product / d + 1.0).powi(3))
}

fn off_diagonal_sums(kernel: &DMatrix<f64>) -> Vec<f64> {
    let sum = |(i, row): (usize, f64)| row - kernel[(i, i)];
    kernel.column_sum().iter().copied().enumerate().map(sum).collect()
}

/// Mean over all ordered pairs of different images.
fn within(sum: f64, n: usize) -> f64 {
    sum / (n * (n - 1)) as f64
}

/// (n-1)/n Σ (t₋ᵢ - mean)² over the n images of one set, the other kept whole.
fn jackknife(own: &[f64], across: &[f64], other: &[f64]) -> f64 {
    let (n, m) = (own.len(), other.len());
    let (own_sum, across_sum) = (own.iter().sum::<f64>(), across.iter().sum::<f64>());
    let rest = within(other.iter().sum(), m);
    let without = |i: usize| {
        within(own_sum - 2.0 * own[i], n - 1) + rest
            - 2.0 * (across_sum - across[i]) / ((n - 1) * m) as f64
    };
    let values: Vec<f64> = (0..n).map(without).collect();
    let mean = values.iter().sum::<f64>() / n as f64;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    squares * (n - 1) as f64 / n as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lcg;

    /// numpy float64; torch-fidelity 0.4.0 agrees (tests/reference/eval.py).
    const GOLDEN: f64 = 0.456_443_351_713_722;
    const GOLDEN_ERROR: f64 = 0.187_141_205_435_030_43;

    #[test]
    fn golden_value() {
        let (x, y) = lcg::golden_pair();
        let found = kid(&x, &y).expect("enough rows");
        assert!((found.value / GOLDEN - 1.0).abs() < 1e-12, "{found:?}");
        assert!((found.standard_error / GOLDEN_ERROR - 1.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn symmetric() {
        let (x, y) = lcg::golden_pair();
        let (there, back) = (kid(&x, &y).expect("enough"), kid(&y, &x).expect("enough"));
        assert!((there.value - back.value).abs() < 1e-12);
        assert!((there.standard_error - back.standard_error).abs() < 1e-12);
    }

    #[test]
    fn jackknife_is_leaving_each_image_out() {
        let (x, y) = lcg::golden_pair();
        let without = |set: &Features, gone: usize| {
            let kept: Vec<usize> = (0..set.n()).filter(|&i| i != gone).collect();
            set.subset(&kept).expect("one is gone")
        };
        let value = |x: &Features, y: &Features| kid(x, y).expect("enough rows").value;
        let of_x: Vec<f64> = (0..x.n()).map(|i| value(&without(&x, i), &y)).collect();
        let of_y: Vec<f64> = (0..y.n()).map(|i| value(&x, &without(&y, i))).collect();
        let variance = |values: &[f64]| {
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() * (n - 1.0) / n
        };
        let expected = (variance(&of_x) + variance(&of_y)).sqrt();
        let found = kid(&x, &y).expect("enough rows").standard_error;
        assert!((found / expected - 1.0).abs() < 1e-10, "{found} {expected}");
    }

    /// Splits of one set: unbiased, and the jackknife error is of the size of the actual spread.
    #[test]
    fn no_distance_between_samples_of_one_distribution() {
        let splits = 60;
        let draw = |i: u32| lcg::features(40, 6, 1000 + 7919 * i);
        let estimates: Vec<Estimate> =
            (0..splits).map(|i| kid(&draw(2 * i), &draw(2 * i + 1)).expect("enough")).collect();
        let n = f64::from(splits);
        let mean = estimates.iter().map(|e| e.value).sum::<f64>() / n;
        let squares: f64 = estimates.iter().map(|e| (e.value - mean).powi(2)).sum();
        let spread = (squares / (n - 1.0)).sqrt();
        assert!(mean.abs() < 3.0 * spread / n.sqrt(), "{mean} ± {}", spread / n.sqrt());
        let typical = estimates.iter().map(|e| e.standard_error).sum::<f64>() / n;
        assert!((0.5..3.0).contains(&(typical / spread)), "{typical} {spread}");
    }

    #[test]
    fn too_few_images() {
        let (x, y) = (lcg::features(2, 6, 1), lcg::features(9, 6, 2));
        let expected = EvalError::TooFewRows { metric: "KID", found: 2, wanted: 3 };
        assert_eq!(kid(&y, &x), Err(expected));
        let other = lcg::features(9, 5, 2);
        assert_eq!(kid(&y, &other), Err(EvalError::Dimensions { found: 5, wanted: 6 }));
    }
}
