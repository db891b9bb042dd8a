//! Gradients of weights, for few columns.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::{Lines, MOST_COLUMNS, whole_vector};
use crate::cpu::grid::{depth, reach};
use crate::cpu::outer::Outer;
use crate::cpu::vectors;

/// Pixels that one job sums.
const PIXELS_A_SUM: usize = 512;

impl Outer<'_> {
    /// As [`run`](Outer::run), for few columns. Each job sums some pixels for all of the windows, which
    /// are long where columns are few; the sums are added in the order of the pixels.
    ///
    /// # Panics
    /// If a window or a gradient lies outside of its slice, or there are too many columns.
    pub(crate) fn run_narrow(&self) -> Lines {
        let n_pixels = self.windows.len();
        assert!(self.windows.end(reach(self.runs)) <= self.images.len());
        assert_eq!(self.gradients.len(), n_pixels * self.columns);
        let depth = depth(self.runs);
        let arch = vectors();
        let jobs = (0..n_pixels.div_ceil(PIXELS_A_SUM)).into_par_iter().map(|job| {
            let first = job * PIXELS_A_SUM;
            let last = n_pixels.min(first + PIXELS_A_SUM);
            arch.dispatch(Stretch { outer: self, first, last, depth })
        });
        let sums: Vec<Vec<f32>> = jobs.collect();
        let mut values = vec![0.0; self.columns * depth];
        for sum in sums {
            values.iter_mut().zip(sum).for_each(|(total, sum)| *total += sum);
        }
        Lines { values, depth, columns: self.columns }
    }
}

/// Neighbouring pixels.
struct Stretch<'a> {
    outer: &'a Outer<'a>,
    first: usize,
    last: usize,
    depth: usize,
}

impl WithSimd for Stretch<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        match self.outer.columns {
            1 => self.sum::<S, 1>(simd),
            2 => self.sum::<S, 2>(simd),
            3 => self.sum::<S, 3>(simd),
            MOST_COLUMNS => self.sum::<S, MOST_COLUMNS>(simd),
            many => panic!("{many} columns are not few"),
        }
    }
}

/// Neighbouring values of all windows.
#[derive(Clone, Copy)]
struct Values {
    /// From the pixel's first channel, in `images`.
    offset: usize,
    /// In the sum.
    row: usize,
    len: usize,
}

impl Stretch<'_> {
    #[inline(always)]
    fn sum<S: Simd, const COLUMNS: usize>(&self, simd: S) -> Vec<f32> {
        let mut out = vec![0.0; COLUMNS * self.depth];
        let places: Vec<usize> =
            (self.first..self.last).map(|pixel| self.outer.windows.place(pixel)).collect();
        let mut row = 0;
        for run in self.outer.runs {
            let mut at = 0;
            while at < run.len {
                let left = run.len - at;
                let place = |len| Values { offset: run.offset + at, row: row + at, len };
                let lanes = S::F32_LANES;
                let len = match left / lanes {
                    6.. if lanes == 16 => {
                        self.tile::<S, 6, COLUMNS>(simd, &places, place(6 * lanes), &mut out)
                    }
                    3.. => self.tile::<S, 3, COLUMNS>(simd, &places, place(3 * lanes), &mut out),
                    1.. => self.tile::<S, 1, COLUMNS>(simd, &places, place(lanes), &mut out),
                    0 => self.rest::<S, COLUMNS>(simd, &places, place(left), &mut out),
                };
                at += len;
            }
            row += run.len;
        }
        out
    }

    /// Returns how many values it has summed: `VECTORS` vectors.
    #[inline(always)]
    fn tile<S: Simd, const VECTORS: usize, const COLUMNS: usize>(
        &self,
        simd: S,
        places: &[usize],
        values: Values,
        out: &mut [f32],
    ) -> usize {
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; COLUMNS];
        for (x, g) in self.pixels::<COLUMNS>(places, values) {
            // SAFETY: a window's values are as long as the vectors together.
            let x: [S::f32s; VECTORS] =
                std::array::from_fn(|v| unsafe { whole_vector::<S>(x, v * S::F32_LANES) });
            for column in 0..COLUMNS {
                let g = simd.splat_f32s(g[column]);
                for v in 0..VECTORS {
                    sums[column][v] = simd.mul_add_e_f32s(x[v], g, sums[column][v]);
                }
            }
        }
        for (column, sums) in sums.iter().enumerate() {
            let out = &mut out[column * self.depth + values.row..][..values.len];
            for (sum, out) in sums.iter().zip(out.chunks_mut(S::F32_LANES)) {
                simd.partial_store_f32s(out, *sum);
            }
        }
        values.len
    }

    /// As [`tile`](Self::tile), for less than a vector.
    #[inline(always)]
    fn rest<S: Simd, const COLUMNS: usize>(
        &self,
        simd: S,
        places: &[usize],
        values: Values,
        out: &mut [f32],
    ) -> usize {
        let mut sums = [simd.splat_f32s(0.0); COLUMNS];
        for (x, g) in self.pixels::<COLUMNS>(places, values) {
            let x = simd.partial_load_f32s(x);
            for column in 0..COLUMNS {
                let g = simd.splat_f32s(g[column]);
                sums[column] = simd.mul_add_e_f32s(x, g, sums[column]);
            }
        }
        for (column, sum) in sums.iter().enumerate() {
            let out = &mut out[column * self.depth + values.row..][..values.len];
            simd.partial_store_f32s(out, *sum);
        }
        values.len
    }

    /// Of every pixel these values of its window, and its gradient.
    #[inline(always)]
    fn pixels<const COLUMNS: usize>(
        &self,
        places: &[usize],
        values: Values,
    ) -> impl Iterator<Item = (&[f32], &[f32; COLUMNS])> {
        let gradients = &self.outer.gradients[self.first * COLUMNS..self.last * COLUMNS];
        let gradients = gradients.as_chunks::<COLUMNS>().0;
        places.iter().zip(gradients).map(move |(place, gradient)| {
            let first = place + values.offset;
            // SAFETY: `run_narrow` has checked that windows lie within the images.
            let x = unsafe { self.outer.images.get_unchecked(first..first + values.len) };
            (x, gradient)
        })
    }
}
