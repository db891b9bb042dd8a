//! A picture's detail, scale by scale (Burt and Adelson 1983).
//!
//! Binomial 5 × 5 window, borders mirrored about the outermost pixel's centre.

use crate::Picture;

/// Binomial window of five places, a sixteenth each.
const WINDOW: [f64; 5] = [1.0 / 16.0, 4.0 / 16.0, 6.0 / 16.0, 4.0 / 16.0, 1.0 / 16.0];

/// One level: three planes of `size × size`.
pub(crate) struct Level {
    pub(crate) size: usize,
    planes: [Vec<f64>; 3],
}

impl Level {
    fn of(picture: &Picture) -> Self {
        let mut planes = picture.planes().map(|p| p.iter().map(|&v| f64::from(v)).collect());
        let mut next = || planes.next().expect("a picture has three planes");
        Level { size: picture.size(), planes: [next(), next(), next()] }
    }

    pub(crate) fn planes(&self) -> &[Vec<f64>; 3] {
        &self.planes
    }

    /// Blurred, then every second pixel: half the side, rounded up.
    fn halved(&self) -> Self {
        let half = self.size.div_ceil(2);
        let halve = |plane: &Vec<f64>| {
            let blurred = blur(self.size, plane);
            let pixel = |i: usize| blurred[(i / half * 2) * self.size + i % half * 2];
            (0..half * half).map(pixel).collect()
        };
        Level { size: half, planes: self.planes.each_ref().map(halve) }
    }

    /// Minus what the halved level can show of it.
    fn minus(&self, halved: &Level) -> Self {
        let (size, half) = (self.size, halved.size);
        let mut planes = self.planes.clone();
        for (plane, coarse) in planes.iter_mut().zip(&halved.planes) {
            let mut spread = vec![0.0; size * size];
            for (i, &value) in coarse.iter().enumerate() {
                // Three quarters of the places are empty, so each value counts four times.
                spread[(i / half * 2) * size + i % half * 2] = 4.0 * value;
            }
            plane.iter_mut().zip(blur(size, &spread)).for_each(|(v, low)| *v -= low);
        }
        Level { size, planes }
    }
}

/// The picture's detail at each scale, finest first, and what is left at the coarsest: `levels` in all.
pub(crate) fn laplacian_pyramid(picture: &Picture, levels: usize) -> Vec<Level> {
    let mut pyramid = Vec::with_capacity(levels);
    let mut current = Level::of(picture);
    for _ in 1..levels {
        let halved = current.halved();
        pyramid.push(current.minus(&halved));
        current = halved;
    }
    pyramid.push(current);
    pyramid
}

/// The finest detail alone.
pub(crate) fn finest_detail(picture: &Picture) -> Level {
    let full = Level::of(picture);
    full.minus(&full.halved())
}

fn blur(size: usize, plane: &[f64]) -> Vec<f64> {
    let mut rows = vec![0.0; size * size];
    let mut both = vec![0.0; size * size];
    for (k, weight) in WINDOW.iter().enumerate() {
        let from: Vec<usize> =
            (0..size).map(|x| mirrored(x as isize + k as isize - 2, size)).collect();
        for (row, out) in plane.chunks_exact(size).zip(rows.chunks_exact_mut(size)) {
            out.iter_mut().zip(&from).for_each(|(v, &x)| *v += weight * row[x]);
        }
    }
    for (k, weight) in WINDOW.iter().enumerate() {
        for (y, out) in both.chunks_exact_mut(size).enumerate() {
            let from = mirrored(y as isize + k as isize - 2, size);
            let row = &rows[from * size..][..size];
            out.iter_mut().zip(row).for_each(|(v, r)| *v += weight * r);
        }
    }
    both
}

/// The place that shows at `index` when the outermost places are mirrors.
fn mirrored(index: isize, size: usize) -> usize {
    let last = size as isize - 1;
    if last == 0 {
        return 0;
    }
    let folded = index.rem_euclid(2 * last);
    folded.min(2 * last - folded) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lcg;

    #[test]
    fn borders_are_mirrors() {
        let places: Vec<usize> = (-3..7).map(|i| mirrored(i, 4)).collect();
        assert_eq!(places, [3, 2, 1, 0, 1, 2, 3, 2, 1, 0]);
        assert_eq!(mirrored(-2, 1), 0);
        assert_eq!((mirrored(-2, 2), mirrored(3, 2)), (0, 1));
    }

    #[test]
    fn a_flat_picture_has_no_detail() {
        for size in [8, 9] {
            let flat = Picture::from_unit(size, vec![0.25; 3 * size * size]);
            let pyramid = laplacian_pyramid(&flat, 2);
            let largest = |level: &Level| {
                level.planes().iter().flatten().fold(0.0f64, |largest, v| largest.max(v.abs()))
            };
            assert!(largest(&pyramid[0]) < 1e-12, "{size}: {}", largest(&pyramid[0]));
            assert!((largest(&pyramid[1]) - 0.25).abs() < 1e-12);
            assert_eq!(pyramid[1].size, size.div_ceil(2));
        }
    }

    #[test]
    fn detail_and_rest_make_the_picture() {
        let picture = lcg::picture(16, 1);
        let full = Level::of(&picture);
        let pyramid = laplacian_pyramid(&picture, 2);
        let rest = full.minus(&pyramid[1]);
        // full - up(half) is the detail by definition; the halved level has to be the second one.
        assert_eq!(rest.planes, pyramid[0].planes);
        assert_eq!(full.halved().planes, pyramid[1].planes);
        assert_eq!(finest_detail(&picture).planes, pyramid[0].planes);
    }
}
