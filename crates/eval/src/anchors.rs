//! What a model that understood nothing would score: the mean image and the right colours.

use crate::picture_set::common_size;
use crate::{EvalError, Picture};

/// The mean of a set, pixel by pixel. Against aligned targets it often has the lowest L1 of all.
///
/// # Errors
/// `TooFewRows` for an empty set, `PictureSizes`, `NonFinitePixel`.
pub fn mean_picture(pictures: &[Picture]) -> Result<Picture, EvalError> {
    let size = common_size("the mean image", &[pictures])?;
    let mean = pixel_moments(pictures).into_iter().map(|(mean, _)| mean as f32).collect();
    Ok(Picture::from_unit(size, mean))
}

/// How much the outputs vary for each unit that the targets vary: 0 for a constant output.
///
/// The standard deviation of each value over a set's pictures, averaged over all values; outputs over targets.
///
/// # Errors
/// `TooFewRows` for an empty set, `PictureSizes`, `NonFinitePixel`; `NoSpread` if all targets are equal.
pub fn relative_spread(outputs: &[Picture], targets: &[Picture]) -> Result<f64, EvalError> {
    const NAME: &str = "the relative spread";
    common_size(NAME, &[outputs, targets])?;
    let spread = |set| {
        let moments = pixel_moments(set);
        moments.iter().map(|(_, deviation)| deviation).sum::<f64>() / moments.len() as f64
    };
    let target = spread(targets);
    if target < 1e-9 {
        return Err(EvalError::NoSpread { metric: NAME, what: "the targets" });
    }
    Ok(spread(outputs) / target)
}

/// Mean and standard deviation over the set, of each value of a picture.
fn pixel_moments(pictures: &[Picture]) -> Vec<(f64, f64)> {
    let n = pictures.len() as f64;
    let mut means = vec![0.0; pictures[0].values().len()];
    for picture in pictures {
        means.iter_mut().zip(picture.values()).for_each(|(mean, &v)| *mean += f64::from(v) / n);
    }
    let mut variances = vec![0.0; means.len()];
    for picture in pictures {
        let differences = picture.values().iter().zip(&means).map(|(&v, mean)| f64::from(v) - mean);
        variances.iter_mut().zip(differences).for_each(|(sum, d)| *sum += d * d / n);
    }
    means.into_iter().zip(variances).map(|(mean, variance)| (mean, variance.sqrt())).collect()
}

/// The best that colours alone can do without pairs: each channel moved and stretched, the same for all pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct ColourMatch {
    /// `value * slope + offset`, one a channel.
    channels: [(f64, f64); 3],
}

impl ColourMatch {
    /// Takes each channel's mean and standard deviation, over all pixels of all `inputs`, to those of `targets`.
    ///
    /// A channel in which the inputs are constant becomes the targets' mean.
    ///
    /// # Errors
    /// `TooFewRows` for an empty set, `PictureSizes`, `NonFinitePixel`.
    pub fn between(inputs: &[Picture], targets: &[Picture]) -> Result<Self, EvalError> {
        common_size("the colour match", &[inputs, targets])?;
        let channel = |c: usize| {
            let (mean, deviation) = channel_moments(inputs, c);
            let (target_mean, target_deviation) = channel_moments(targets, c);
            let slope = if deviation < 1e-9 { 0.0 } else { target_deviation / deviation };
            (slope, target_mean - slope * mean)
        };
        Ok(ColourMatch { channels: [channel(0), channel(1), channel(2)] })
    }

    /// May leave [0, 1]; `rounded` clamps.
    pub fn apply(&self, picture: &Picture) -> Picture {
        let planes = picture.planes().zip(self.channels).flat_map(|(plane, (slope, offset))| {
            plane.iter().map(move |&v| (f64::from(v) * slope + offset) as f32)
        });
        Picture::from_unit(picture.size(), planes.collect())
    }
}

fn channel_moments(pictures: &[Picture], channel: usize) -> (f64, f64) {
    let plane = |picture: &Picture| picture.planes().nth(channel).map(<[f32]>::to_vec);
    let values: Vec<f32> = pictures.iter().filter_map(plane).flatten().collect();
    let n = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let squares: f64 = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum();
    (mean, (squares / n).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{l1, lcg};

    fn flat(value: f32) -> Picture {
        Picture::from_unit(2, vec![value; 12])
    }

    #[test]
    fn mean_by_hand() {
        assert_eq!(mean_picture(&[flat(0.25), flat(0.75)]), Ok(flat(0.5)));
        assert!(matches!(mean_picture(&[]), Err(EvalError::TooFewRows { .. })));
    }

    #[test]
    fn mean_image_has_the_least_squared_error() {
        let set = lcg::ring_pictures(6, 16, 1);
        let error = |x: &Picture| -> f64 {
            let squares = |y: &Picture| -> f64 {
                x.values().iter().zip(y.values()).map(|(a, b)| f64::from(a - b).powi(2)).sum()
            };
            set.iter().map(squares).sum()
        };
        let mean = mean_picture(&set).expect("one size");
        assert!(error(&mean) < error(&mean.map(|v| v + 0.01)));
        assert!(error(&mean) < set.iter().map(error).fold(f64::INFINITY, f64::min));
    }

    #[test]
    fn spread_is_relative_to_the_targets() {
        let targets = [flat(0.0), flat(1.0)];
        let check = |outputs: &[Picture], expected: f64| {
            let found = relative_spread(outputs, &targets).expect("one size");
            assert!((found - expected).abs() < 1e-7, "{found} {expected}");
        };
        check(&targets, 1.0);
        check(&[flat(0.4), flat(0.5)], 0.1);
        check(&[flat(0.4), flat(0.4)], 0.0);
        let constant = relative_spread(&targets, &[flat(0.5), flat(0.5)]);
        assert!(matches!(constant, Err(EvalError::NoSpread { .. })));
    }

    #[test]
    fn colours_arrive_at_the_targets_moments() {
        let (inputs, targets) = (lcg::ring_pictures(5, 16, 1), lcg::pictures(7, 16, 9));
        let matching = ColourMatch::between(&inputs, &targets).expect("one size");
        let moved: Vec<Picture> = inputs.iter().map(|x| matching.apply(x)).collect();
        for channel in 0..3 {
            let (found, wanted) =
                (channel_moments(&moved, channel), channel_moments(&targets, channel));
            assert!((found.0 - wanted.0).abs() < 1e-6, "{found:?} {wanted:?}");
            assert!((found.1 - wanted.1).abs() < 1e-6, "{found:?} {wanted:?}");
        }
        let constant = ColourMatch::between(&[flat(0.2)], &[flat(0.7)]).expect("one size");
        assert!(l1(&constant.apply(&flat(0.2)), &flat(0.7)) < 1e-7);
    }
}
