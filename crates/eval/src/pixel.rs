//! Errors pixel by pixel.

use crate::Picture;

/// Mean absolute difference, on the scale where black is 0 and white is 1.
///
/// # Panics
/// If the sizes differ: comparing them would be a bug of the caller.
pub fn l1(x: &Picture, y: &Picture) -> f64 {
    mean_of(x, y, f64::abs)
}

/// Peak signal-to-noise ratio in dB, peak 1.
///
/// The squared error is at least 1e-10, so equal pictures score 100 dB, not infinity.
///
/// # Panics
/// If the sizes differ.
pub fn psnr(x: &Picture, y: &Picture) -> f64 {
    let error = mean_of(x, y, |difference| difference * difference);
    -10.0 * error.max(1e-10).log10()
}

fn mean_of(x: &Picture, y: &Picture, error: impl Fn(f64) -> f64) -> f64 {
    assert_eq!(x.size(), y.size(), "pictures of one size");
    let pairs = x.values().iter().zip(y.values());
    let sum: f64 = pairs.map(|(&a, &b)| error(f64::from(a) - f64::from(b))).sum();
    sum / x.values().len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lcg;

    fn flat(size: usize, value: f32) -> Picture {
        Picture::from_network(size, &vec![value; 3 * size * size])
    }

    #[test]
    fn l1_is_on_the_unit_scale() {
        assert_eq!(l1(&flat(2, -1.0), &flat(2, 1.0)), 1.0);
        assert_eq!(l1(&flat(2, 0.0), &flat(2, 0.5)), 0.25);
        assert_eq!(l1(&flat(2, 0.3), &flat(2, 0.3)), 0.0);
    }

    #[test]
    fn psnr_by_hand() {
        // A quarter of the range everywhere: 20 log10(4) dB.
        let found = psnr(&flat(2, 0.0), &flat(2, 0.5));
        assert!((found - 12.041_199_826_559_248).abs() < 1e-9, "{found}");
        assert_eq!(psnr(&flat(2, 0.1), &flat(2, 0.1)), 100.0);
    }

    /// scikit-image 0.26 (tests/reference/eval.py).
    #[test]
    fn psnr_agrees_with_scikit_image() {
        let found = psnr(&lcg::rings(32, 11), &lcg::rings(32, 12));
        assert!((found - 26.342_625_797_043_12).abs() < 1e-9, "{found}");
    }

    #[test]
    fn rounding_is_what_a_png_keeps() {
        let picture = Picture::from_network(1, &[-1.7, 0.001, 3.0]).rounded();
        assert_eq!(picture.values(), [0.0, 128.0 / 255.0, 1.0]);
    }
}
