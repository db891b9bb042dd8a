//! Blur and noise, at a glance.

use crate::picture_set::common_size;
use crate::pyramid::finest_detail;
use crate::{EvalError, Picture};

const NAME: &str = "the high-frequency ratio";

/// How much fine detail the outputs have for each unit that target images have: about 1 when right, below 0.7
/// blurred, above 1.35 noisy.
///
/// The mean absolute value of the finest level of a Laplacian pyramid. Not its square: a picture's few hard edges then
/// outweigh noise everywhere, and on emoji of 64 px noise of 10 levels stays at 1.12.
///
/// # Errors
/// `TooFewRows` for an empty set, `PictureSizes`, `NonFinitePixel`; `NoSpread` for targets without detail.
pub fn high_frequency_ratio(outputs: &[Picture], targets: &[Picture]) -> Result<f64, EvalError> {
    common_size(NAME, &[outputs, targets])?;
    let target = mean_detail(targets);
    // What rounding makes of flat pictures.
    if target < 1e-9 {
        return Err(EvalError::NoSpread { metric: NAME, what: "neighbouring target pixels" });
    }
    Ok(mean_detail(outputs) / target)
}

fn mean_detail(pictures: &[Picture]) -> f64 {
    let detail = |picture: &Picture| {
        let level = finest_detail(picture);
        let sum: f64 = level.planes().iter().flatten().map(|v| v.abs()).sum();
        sum / (3 * level.size * level.size) as f64
    };
    pictures.iter().map(detail).sum::<f64>() / pictures.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lcg;
    use crate::noise::Noise;

    fn ratio(outputs: &[Picture], targets: &[Picture]) -> f64 {
        high_frequency_ratio(outputs, targets).expect("one size")
    }

    /// numpy and scipy (tests/reference/eval.py).
    #[test]
    fn golden_value() {
        let found = ratio(&lcg::pictures(4, 32, 1), &lcg::ring_pictures(5, 32, 11));
        assert!((found / GOLDEN - 1.0).abs() < 1e-9, "{found}");
    }
    const GOLDEN: f64 = 8.908_710_761_335_795;

    #[test]
    fn equal_sets_score_one() {
        let x = lcg::ring_pictures(3, 17, 1);
        assert_eq!(ratio(&x, &x), 1.0);
    }

    /// Each pixel the mean of the nine around it.
    fn blurred(picture: &Picture) -> Picture {
        let size = picture.size();
        let near = |i: usize| i.saturating_sub(1)..=(i + 1).min(size - 1);
        let plane = |plane: &[f32]| {
            let pixel = |i: usize| {
                let around: Vec<f32> = near(i / size)
                    .flat_map(|y| near(i % size).map(move |x| plane[y * size + x]))
                    .collect();
                around.iter().sum::<f32>() / around.len() as f32
            };
            (0..size * size).map(pixel).collect::<Vec<_>>()
        };
        Picture::from_unit(size, picture.planes().flat_map(plane).collect())
    }

    #[test]
    fn blur_is_below_and_noise_above_the_thresholds() {
        let targets = lcg::ring_pictures(8, 32, 1);
        let soft: Vec<Picture> = targets.iter().map(blurred).collect();
        assert!(ratio(&soft, &targets) < 0.7, "{}", ratio(&soft, &targets));
        let grainy = |(i, picture): (usize, &Picture)| {
            let noise = Noise::new(1).child(i);
            let values = picture.values().iter().enumerate();
            let value = |(j, v): (usize, &f32)| v + noise.gaussian(j) as f32 * 10.0 / 255.0;
            Picture::from_unit(picture.size(), values.map(value).collect()).rounded()
        };
        let noisy: Vec<Picture> = targets.iter().enumerate().map(grainy).collect();
        assert!(ratio(&noisy, &targets) > 1.35, "{}", ratio(&noisy, &targets));
    }

    #[test]
    fn flat_targets_have_nothing_to_compare_with() {
        let flat = [Picture::from_unit(8, vec![0.3; 192])];
        let found = high_frequency_ratio(&lcg::pictures(1, 8, 1), &flat);
        assert!(matches!(found, Err(EvalError::NoSpread { .. })), "{found:?}");
    }
}
