//! Fréchet distance between two sets of features.

use nalgebra::DMatrix;

use crate::{EvalError, Features};

const NAME: &str = "the Fréchet distance";

/// A Fréchet distance and the sample sizes that it depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frechet {
    /// At least 0, in squared feature units.
    pub distance: f64,
    pub n_real: usize,
    pub n_fake: usize,
}

/// The squared Fréchet distance between the Gaussians with the means and covariances (n - 1) of two sets.
///
/// Biased upwards, more so the fewer images there are: never compare values of different sample sizes. Only with
/// Inception features and pytorch-fid's pipeline may it be called FID.
///
/// No matrix square root is taken. With Xc = (X - mean) / sqrt(n - 1) and Yc likewise, tr sqrt(S₁S₂) is the sum of the
/// singular values of Xc Ycᵀ: exact with fewer images than dimensions too, where Newton-Schulz fails.
///
/// # Errors
/// `Dimensions`; `TooFewRows` below 2 images a set; `NoConvergence`.
///
/// # Source
/// Heusel et al. 2017, arXiv:1706.08500, equation 6.
pub fn frechet(real: &Features, fake: &Features) -> Result<Frechet, EvalError> {
    real.comparable(fake)?;
    real.at_least(2, NAME)?;
    fake.at_least(2, NAME)?;
    let (x, y) = (Moments::of(real), Moments::of(fake));
    let means: f64 = x.mean.iter().zip(&y.mean).map(|(a, b)| (a - b).powi(2)).sum();
    let traces = x.centred.norm_squared() + y.centred.norm_squared();
    let shared = nuclear_norm(x.root() * y.root().transpose())?;
    // Rounding alone can take equal sets below 0.
    let distance = (means + traces - 2.0 * shared).max(0.0);
    Ok(Frechet { distance, n_real: real.n(), n_fake: fake.n() })
}

struct Moments {
    mean: Vec<f64>,
    /// Its transpose times itself is the covariance.
    centred: DMatrix<f64>,
}

impl Moments {
    fn of(features: &Features) -> Self {
        let (n, d) = (features.n(), features.dimensions());
        let mut mean = vec![0.0; d];
        for row in features.rows() {
            mean.iter_mut().zip(row).for_each(|(sum, v)| *sum += v / n as f64);
        }
        let scale = ((n - 1) as f64).sqrt();
        let matrix = features.matrix();
        let centred = DMatrix::from_fn(n, d, |i, j| (matrix[(i, j)] - mean[j]) / scale);
        Moments { mean, centred }
    }

    /// The smallest matrix with the same covariance: with more images than dimensions, R of the QR decomposition.
    fn root(&self) -> DMatrix<f64> {
        match self.centred.nrows() > self.centred.ncols() {
            true => self.centred.clone().qr().r(),
            false => self.centred.clone(),
        }
    }
}

fn nuclear_norm(matrix: DMatrix<f64>) -> Result<f64, EvalError> {
    // Far above the handful of sweeps a value needs; without a limit a failure would never return.
    let sweeps = 1000 * matrix.nrows().max(matrix.ncols());
    let decomposition = matrix.try_svd(false, false, f64::EPSILON, sweeps);
    let values = decomposition.ok_or(EvalError::NoConvergence { metric: NAME })?.singular_values;
    Ok(values.sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lcg;

    fn distance(x: &Features, y: &Features) -> f64 {
        frechet(x, y).expect("enough rows").distance
    }

    /// numpy; scipy's sqrtm gives the first to 1e-12 and the second to 3e-9, as do pytorch-fid and
    /// torch-fidelity (tests/reference/eval.py).
    #[test]
    fn golden_values() {
        let (x, y) = lcg::golden_pair();
        let full = distance(&x, &y);
        assert!((full / 0.449_028_192_047 - 1.0).abs() < 1e-9, "{full}");
        let deficient = distance(&x.first_rows(5), &y.first_rows(4));
        assert!((deficient / 1.093_881_235_571 - 1.0).abs() < 1e-9, "{deficient}");
    }

    impl Features {
        fn first_rows(&self, n: usize) -> Features {
            self.subset(&(0..n).collect::<Vec<_>>()).expect("some rows")
        }
    }

    #[test]
    fn of_a_set_with_itself_is_zero() {
        for (n, d) in [(30, 6), (20, 50)] {
            let x = lcg::features(n, d, 3);
            let found = distance(&x, &x);
            assert!(found < 1e-9, "{n}×{d}: {found}");
        }
    }

    #[test]
    fn a_shift_costs_its_square() {
        let x = lcg::features(20, 50, 3);
        let shifted: Vec<f64> =
            x.rows().flat_map(|r| r.iter().enumerate().map(|(j, v)| v + 0.01 * j as f64)).collect();
        let y = Features::from_flat(50, &shifted).expect("finite");
        let expected: f64 = (0..50).map(|j| (0.01 * f64::from(j)).powi(2)).sum();
        assert!((distance(&x, &y) - expected).abs() < 1e-9, "{}", distance(&x, &y));
    }

    #[test]
    fn symmetric_and_carries_its_sizes() {
        let (x, y) = lcg::golden_pair();
        let (there, back) = (frechet(&x, &y).expect("enough"), frechet(&y, &x).expect("enough"));
        assert!((there.distance - back.distance).abs() < 1e-9);
        assert_eq!((there.n_real, there.n_fake, back.n_real), (20, 25, 25));
    }

    #[test]
    fn more_images_than_dimensions_goes_through_qr_unchanged() {
        // The same covariance from 20 rows of 6 and, with dead dimensions behind them, of 30: no QR there.
        let (x, y) = lcg::golden_pair();
        let widen = |set: &Features| {
            let rows: Vec<Vec<f64>> =
                set.rows().map(|r| r.iter().copied().chain([0.0; 24]).collect()).collect();
            Features::from_rows::<f64, _>(&rows).expect("finite")
        };
        let (narrow, wide) = (distance(&x, &y), distance(&widen(&x), &widen(&y)));
        assert!((narrow - wide).abs() < 1e-9, "{narrow} {wide}");
    }

    /// Copies leave singular values of 0, where an iteration may fail. numpy (tests/reference/eval.py).
    #[test]
    fn collapsed_sets() {
        let x = lcg::features(40, 60, 1);
        let modes = x.subset(&(0..40).map(|i| i % 3).collect::<Vec<_>>()).expect("rows");
        let found = distance(&x, &modes);
        assert!((found / THREE_MODES - 1.0).abs() < 1e-9, "{found}");
        let one = |value: f64| Features::from_flat(2, &[value; 10]).expect("finite");
        assert!((distance(&one(0.25), &one(1.25)) - 2.0).abs() < 1e-12);
    }
    const THREE_MODES: f64 = 7.589_725_940_487_668;

    #[test]
    fn one_image_has_no_covariance() {
        let expected = EvalError::TooFewRows { metric: NAME, found: 1, wanted: 2 };
        assert_eq!(frechet(&lcg::features(5, 3, 1), &lcg::features(1, 3, 1)), Err(expected));
    }
}
