//! Structural similarity (Wang et al. 2004).

use crate::Picture;

/// Side of the Gaussian window, σ = 1.5 cut off at 3.5 σ.
const WINDOW: usize = 11;
const SIGMA: f64 = 1.5;
const C1: f64 = 0.01 * 0.01;
const C2: f64 = 0.03 * 0.03;

/// Mean structural similarity over all places where the whole window fits, mean over channels.
///
/// In [-1, 1], 1 for equal pictures; `None` for pictures smaller than the 11 px window.
/// Equals scikit-image's `structural_similarity(gaussian_weights=True, sigma=1.5,
/// use_sample_covariance=False, data_range=1)` cropped by 5 px. burn-train's metric pads the
/// border with zeros and comes out higher.
///
/// # Panics
/// If the sizes differ.
pub fn ssim(x: &Picture, y: &Picture) -> Option<f64> {
    assert_eq!(x.size(), y.size(), "pictures of one size");
    let size = x.size();
    if size < WINDOW {
        return None;
    }
    let channels: Vec<f64> =
        x.planes().zip(y.planes()).map(|(a, b)| ssim_of_plane(size, a, b)).collect();
    Some(channels.iter().sum::<f64>() / channels.len() as f64)
}

fn ssim_of_plane(size: usize, x: &[f32], y: &[f32]) -> f64 {
    let window = gaussian();
    let mean = |f: &dyn Fn(f64, f64) -> f64| {
        let product: Vec<f64> =
            x.iter().zip(y).map(|(&a, &b)| f(f64::from(a), f64::from(b))).collect();
        blur_valid(size, &product, &window)
    };
    let (mx, my) = (mean(&|a, _| a), mean(&|_, b| b));
    let (mxx, myy, mxy) = (mean(&|a, _| a * a), mean(&|_, b| b * b), mean(&|a, b| a * b));
    let score = |i: usize| {
        let (ux, uy) = (mx[i], my[i]);
        let (vx, vy, vxy) = (mxx[i] - ux * ux, myy[i] - uy * uy, mxy[i] - ux * uy);
        (2.0 * ux * uy + C1) * (2.0 * vxy + C2) / ((ux * ux + uy * uy + C1) * (vx + vy + C2))
    };
    (0..mx.len()).map(score).sum::<f64>() / mx.len() as f64
}

/// The Gaussian-weighted mean at every place where the window lies inside: `size - 10` a side.
fn blur_valid(size: usize, plane: &[f64], window: &[f64; WINDOW]) -> Vec<f64> {
    let inner = size - WINDOW + 1;
    let mut rows = vec![0.0; size * inner];
    for y in 0..size {
        for x in 0..inner {
            rows[y * inner + x] = (0..WINDOW).map(|k| window[k] * plane[y * size + x + k]).sum();
        }
    }
    let mut both = vec![0.0; inner * inner];
    for y in 0..inner {
        for x in 0..inner {
            both[y * inner + x] = (0..WINDOW).map(|k| window[k] * rows[(y + k) * inner + x]).sum();
        }
    }
    both
}

fn gaussian() -> [f64; WINDOW] {
    let mut window = [0.0; WINDOW];
    for (i, weight) in window.iter_mut().enumerate() {
        let distance = i as f64 - (WINDOW / 2) as f64;
        *weight = (-distance * distance / (2.0 * SIGMA * SIGMA)).exp();
    }
    let sum: f64 = window.iter().sum();
    window.map(|weight| weight / sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lcg;

    /// A deterministic texture in [-1, 1].
    fn texture(size: usize, phase: usize) -> Picture {
        let value = |i: usize| ((i * 37 + phase * 11) % 101) as f32 / 50.0 - 1.0;
        Picture::from_network(size, &(0..3 * size * size).map(value).collect::<Vec<_>>())
    }

    #[test]
    fn equal_pictures_score_one() {
        let x = texture(16, 0);
        assert!((ssim(&x, &x).expect("large enough") - 1.0).abs() < 1e-12);
    }

    #[test]
    fn symmetric_and_bounded() {
        let (x, y) = (texture(16, 0), texture(16, 3));
        let found = ssim(&x, &y).expect("large enough");
        assert_eq!(found, ssim(&y, &x).expect("large enough"));
        assert!((-1.0..1.0).contains(&found), "{found}");
    }

    #[test]
    fn flat_pictures_by_hand() {
        // Without variance only the luminance factor is left.
        let flat = |v: f32| Picture::from_network(12, &vec![v; 3 * 144]);
        let expected = (2.0 * 0.25 * 0.75 + C1) / (0.25 * 0.25 + 0.75 * 0.75 + C1);
        let found = ssim(&flat(-0.5), &flat(0.5)).expect("large enough");
        assert!((found - expected).abs() < 1e-7, "{found} {expected}");
    }

    /// The value scikit-image 0.25 gives for the same two pictures (tests/reference/ssim.py).
    #[test]
    fn agrees_with_scikit_image() {
        let found = ssim(&texture(24, 0), &texture(24, 3)).expect("large enough");
        assert!((found - SKIMAGE).abs() < 1e-6, "{found} {SKIMAGE}");
    }
    const SKIMAGE: f64 = -0.313_456_959_219_551_86;

    /// scikit-image 0.26 (tests/reference/eval.py).
    #[test]
    fn agrees_with_scikit_image_on_like_pictures() {
        let found = ssim(&lcg::rings(32, 11), &lcg::rings(32, 12)).expect("large enough");
        assert!((found - 0.492_208_495_649_351_4).abs() < 1e-9, "{found}");
    }

    #[test]
    fn too_small_for_the_window() {
        assert_eq!(ssim(&texture(10, 0), &texture(10, 1)), None);
    }
}
