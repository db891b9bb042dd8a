//! Distances between distributions of patches and of colours, direction by direction.

use nalgebra::DMatrix;
use rayon::prelude::*;

use crate::noise::Noise;
use crate::picture_set::{common_size, spread_over};
use crate::pyramid::{Level, laplacian_pyramid};
use crate::{EvalError, Picture};

/// Side of a patch in pixels; patches of a picture and level; directions (Karras et al. 2018; a quarter of
/// their 128 patches, since our sets have hundreds of small pictures).
const PATCH: usize = 7;
const PATCHES: usize = 32;
const DIRECTIONS: usize = 512;
/// The coarsest level has at least this side.
const COARSEST: usize = 16;
/// Numbers in a patch.
const LENGTH: usize = 3 * PATCH * PATCH;

/// Pixels of a picture and directions of the colour distance: three dimensions need fewer than 147.
const PIXELS: usize = 128;
const COLOUR_DIRECTIONS: usize = 128;

/// Streams below the seed.
const PLACES: usize = 0;
const DIRECTION: usize = 1;

/// Sliced Wasserstein distances of patches, times 1000.
#[derive(Debug, Clone, PartialEq)]
pub struct Sliced {
    /// One a level of the pyramid, finest first.
    pub levels: Vec<f64>,
    /// Mean of the levels.
    pub mean: f64,
}

/// Sliced Wasserstein distance between 7 × 7 patches of the Laplacian pyramids of two sets: at least 0, not 0 for
/// different real images, times 1000.
///
/// Levels halve the side down to 16 px. Patches of both sets are normalised by the *reference's* mean and standard
/// deviation of each channel. Karras et al. normalise each set by its own, and so cannot see a tint.
///
/// Patches lie at the same places in the i-th picture of either set, so equal sets are exactly 0 apart. Of the larger
/// set, evenly spread pictures are taken. A function of the pictures and the seed alone.
///
/// # Errors
/// `TooFewRows` for an empty set, `PictureSizes`, `NonFinitePixel`; `PictureTooSmall` below 7 px; `NoSpread` if a
/// channel of the reference's patches is constant.
///
/// # Source
/// Karras et al. 2018, arXiv:1710.10196, section 5; written from the text.
pub fn sliced_distance(
    reference: &[Picture],
    outputs: &[Picture],
    seed: u64,
) -> Result<Sliced, EvalError> {
    const NAME: &str = "the sliced Wasserstein distance";
    let size = common_size(NAME, &[reference, outputs])?;
    if size < PATCH {
        return Err(EvalError::PictureTooSmall { metric: NAME, found: size, wanted: PATCH });
    }
    let (places, directions) = (Noise::new(seed).child(PLACES), Noise::new(seed).child(DIRECTION));
    let n = reference.len().min(outputs.len());
    let mut real = patches_by_level(reference, n, n_levels(size), places);
    let mut fake = patches_by_level(outputs, n, n_levels(size), places);
    let mut levels = Vec::with_capacity(real.len());
    for (level, (real, fake)) in real.iter_mut().zip(&mut fake).enumerate() {
        let channels = channel_moments(real);
        if channels.iter().any(|&(_, deviation)| deviation < 1e-9) {
            return Err(EvalError::NoSpread { metric: NAME, what: "the reference's pixels" });
        }
        normalise(real, channels);
        normalise(fake, channels);
        levels.push(1000.0 * sliced(real, fake, DIRECTIONS, directions.child(level)));
    }
    let mean = levels.iter().sum::<f64>() / levels.len() as f64;
    Ok(Sliced { levels, mean })
}

/// Sliced Wasserstein distance between the colours of two sets as points in the RGB cube of side 1, times 1000.
///
/// At least 0; sees a tint that feature distances miss. Seeded places as for `sliced_distance`.
///
/// # Errors
/// `TooFewRows` for an empty set, `PictureSizes`, `NonFinitePixel`.
pub fn colour_distance(
    reference: &[Picture],
    outputs: &[Picture],
    seed: u64,
) -> Result<f64, EvalError> {
    let size = common_size("the colour distance", &[reference, outputs])?;
    let (places, directions) = (Noise::new(seed).child(PLACES), Noise::new(seed).child(DIRECTION));
    let n = reference.len().min(outputs.len());
    let colours = |set: &[Picture]| {
        let area = size * size;
        let pictures: Vec<&Picture> = spread_over(set.len(), n).map(|i| &set[i]).collect();
        let colour = |i: usize, channel: usize| {
            let pixel = places.child(i / PIXELS).below(i % PIXELS, area);
            f64::from(pictures[i / PIXELS].values()[channel * area + pixel])
        };
        DMatrix::from_fn(n * PIXELS, 3, colour)
    };
    Ok(1000.0 * sliced(&colours(reference), &colours(outputs), COLOUR_DIRECTIONS, directions))
}

fn n_levels(size: usize) -> usize {
    let halvings = std::iter::successors(Some(size), |s| Some(s.div_ceil(2)));
    halvings.skip(1).take_while(|&side| side >= COARSEST).count() + 1
}

/// For each level: `32 n × 147`, one patch a row; channel, then row, then column within a patch.
fn patches_by_level(set: &[Picture], n: usize, levels: usize, places: Noise) -> Vec<DMatrix<f64>> {
    let kept: Vec<usize> = spread_over(set.len(), n).collect();
    // Cut as each pyramid is made: all pyramids of a thousand pictures of 256 px would be 2 GB.
    let patches: Vec<Vec<Vec<f64>>> = kept
        .into_par_iter()
        .enumerate()
        .map(|(i, picture)| {
            let pyramid = laplacian_pyramid(&set[picture], levels);
            let at = |(level, it): (usize, &Level)| patches_of(it, places.child(level).child(i));
            pyramid.iter().enumerate().map(at).collect()
        })
        .collect();
    let at_level = |level: usize| {
        DMatrix::from_fn(n * PATCHES, LENGTH, |i, k| {
            patches[i / PATCHES][level][i % PATCHES * LENGTH + k]
        })
    };
    (0..levels).map(at_level).collect()
}

/// One patch behind another, of one level of one picture.
fn patches_of(level: &Level, draws: Noise) -> Vec<f64> {
    let inner = level.size - PATCH + 1;
    let value = |i: usize| {
        let (patch, k) = (i / LENGTH, i % LENGTH);
        let (top, left) = (draws.below(2 * patch, inner), draws.below(2 * patch + 1, inner));
        let (channel, y, x) = (k / (PATCH * PATCH), k / PATCH % PATCH, k % PATCH);
        level.planes()[channel][(top + y) * level.size + left + x]
    };
    (0..PATCHES * LENGTH).map(value).collect()
}

/// Mean and standard deviation of each channel over all patches and pixels.
fn channel_moments(patches: &DMatrix<f64>) -> [(f64, f64); 3] {
    let moments = |channel: usize| {
        let values = patches.columns(channel * PATCH * PATCH, PATCH * PATCH);
        let mean = values.mean();
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        (mean, (squares / values.len() as f64).sqrt())
    };
    [moments(0), moments(1), moments(2)]
}

fn normalise(patches: &mut DMatrix<f64>, channels: [(f64, f64); 3]) {
    for (channel, (mean, deviation)) in channels.into_iter().enumerate() {
        let mut values = patches.columns_mut(channel * PATCH * PATCH, PATCH * PATCH);
        values.apply(|v| *v = (*v - mean) / deviation);
    }
}

/// Mean over seeded unit directions of the mean distance between sorted projections; rows are points, as many in both.
fn sliced(x: &DMatrix<f64>, y: &DMatrix<f64>, n_directions: usize, noise: Noise) -> f64 {
    // Few enough at a time that their projections stay in the cache.
    const AT_ONCE: usize = 16;
    let starts: Vec<usize> = (0..n_directions).step_by(AT_ONCE).collect();
    let distances = |&start: &usize| {
        let directions =
            unit_directions(x.ncols(), start..(start + AT_ONCE).min(n_directions), noise);
        let (mut x, mut y) = (x * &directions, y * &directions);
        let pairs = x.as_mut_slice().chunks_exact_mut(y.nrows()).zip(0..directions.ncols());
        let mut found = Vec::with_capacity(AT_ONCE);
        for (x, column) in pairs {
            let rows = y.nrows();
            let y = &mut y.as_mut_slice()[column * rows..][..rows];
            sort(x);
            sort(y);
            found.push(x.iter().zip(y).map(|(a, b)| (a - *b).abs()).sum::<f64>() / rows as f64);
        }
        found
    };
    // Collected in order before summing: the same bits with any number of threads.
    let all: Vec<f64> = starts.par_iter().map(distances).collect::<Vec<_>>().concat();
    all.iter().sum::<f64>() / n_directions as f64
}

/// By their total order as integers: a third faster than comparing floats, and sorting is half the work.
fn sort(values: &mut [f64]) {
    // Negative numbers order by magnitude, so all their bits but the sign are turned; turning again undoes it.
    let turned = |bits: i64| bits ^ (((bits >> 63) as u64) >> 1) as i64;
    let mut keys: Vec<i64> = values.iter().map(|v| turned(v.to_bits() as i64)).collect();
    keys.sort_unstable();
    values.iter_mut().zip(keys).for_each(|(v, key)| *v = f64::from_bits(turned(key) as u64));
}

/// One direction a column, uniform on the sphere.
fn unit_directions(length: usize, which: std::ops::Range<usize>, noise: Noise) -> DMatrix<f64> {
    let first = which.start;
    let value = |k: usize, column: usize| noise.gaussian((first + column) * length + k);
    let mut directions = DMatrix::from_fn(length, which.len(), value);
    directions.column_iter_mut().for_each(|mut column| {
        column.normalize_mut();
    });
    directions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lcg;

    fn swd(reference: &[Picture], outputs: &[Picture]) -> f64 {
        sliced_distance(reference, outputs, 1).expect("one size").mean
    }

    fn colour(reference: &[Picture], outputs: &[Picture]) -> f64 {
        colour_distance(reference, outputs, 1).expect("one size")
    }

    /// The same draws in numpy (tests/reference/eval.py).
    #[test]
    fn golden_values() {
        let (x, y) = (lcg::ring_pictures(5, 32, 11), lcg::pictures(4, 32, 1));
        let found = sliced_distance(&x, &y, 2020).expect("one size");
        assert_eq!(found.levels.len(), GOLDEN.len());
        for (found, golden) in found.levels.iter().zip(GOLDEN) {
            assert!((found / golden - 1.0).abs() < 1e-9, "{found} {golden}");
        }
        let found = colour_distance(&x, &y, 2020).expect("one size");
        assert!((found / GOLDEN_COLOUR - 1.0).abs() < 1e-9, "{found}");
    }
    const GOLDEN: [f64; 2] = [6_431.617_570_523_89, 3_457.170_546_374_512_5];
    const GOLDEN_COLOUR: f64 = 312.863_780_708_445_06;

    #[test]
    fn equal_sets_are_no_distance_apart() {
        let x = lcg::ring_pictures(4, 20, 1);
        assert_eq!(swd(&x, &x), 0.0);
        assert_eq!(colour(&x, &x), 0.0);
    }

    #[test]
    fn a_tint_is_seen_by_both() {
        // Alternate pictures of one series: two samples of nearly one distribution.
        let series =
            |first: u32| (0..12).map(|i| lcg::rings(32, first + 2 * i)).collect::<Vec<_>>();
        let (x, other) = (series(1), series(2));
        let tinted: Vec<Picture> = other
            .iter()
            .map(|picture| {
                let mut values = picture.values().to_vec();
                values[..32 * 32].iter_mut().for_each(|red| *red = (*red + 0.15).min(1.0));
                Picture::from_unit(32, values)
            })
            .collect();
        assert!(
            swd(&x, &tinted) > 1.3 * swd(&x, &other),
            "{} {}",
            swd(&x, &tinted),
            swd(&x, &other)
        );
        assert!(colour(&x, &tinted) > 2.0 * colour(&x, &other));
    }

    #[test]
    fn a_shift_of_all_colours_by_hand() {
        // Every projection moves by 0.1 |θ·(1,1,1)|, whose mean over the sphere is 0.1 √3 / 2.
        let x = lcg::pictures(4, 16, 1);
        let moved: Vec<Picture> = x.iter().map(|picture| picture.map(|v| v + 0.1)).collect();
        let expected = 1000.0 * 0.1 * 3f64.sqrt() / 2.0;
        assert!((colour(&x, &moved) / expected - 1.0).abs() < 0.15, "{}", colour(&x, &moved));
    }

    #[test]
    fn sorted_as_floats() {
        let mut found = [1.5, -2.0, 0.0, -1e-300, 7.0, -3.5, 1e300];
        sort(&mut found);
        assert_eq!(found, [-3.5, -2.0, -1e-300, 0.0, 1.5, 7.0, 1e300]);
    }

    #[test]
    fn halves_down_to_sixteen() {
        assert_eq!([7, 16, 31, 32, 64, 256].map(n_levels), [1, 1, 2, 2, 3, 5]);
    }

    #[test]
    fn the_larger_set_is_thinned() {
        let (x, y) = (lcg::ring_pictures(3, 16, 1), lcg::ring_pictures(6, 16, 1));
        let thinned = [y[0].clone(), y[2].clone(), y[4].clone()];
        assert_eq!(swd(&x, &y), swd(&x, &thinned));
    }

    #[test]
    fn says_what_it_cannot_compare() {
        let small = sliced_distance(&lcg::pictures(1, 6, 1), &lcg::pictures(1, 6, 2), 1);
        assert!(matches!(small, Err(EvalError::PictureTooSmall { wanted: 7, .. })), "{small:?}");
        let flat = [Picture::from_unit(16, vec![0.5; 768])];
        let found = sliced_distance(&flat, &lcg::pictures(1, 16, 1), 1);
        assert!(matches!(found, Err(EvalError::NoSpread { .. })), "{found:?}");
    }
}
