//! Windows of images times weights, for few columns.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::{Lines, MOST_COLUMNS, whole_vector};
use crate::cpu::grid::{Grid, Run, depth, reach};
use crate::cpu::shared::Shared;
use crate::cpu::vectors;

/// As [`Product`](crate::cpu::product::Product), without a bend at zero.
pub(crate) struct NarrowProduct<'a> {
    pub images: &'a [f32],
    pub windows: Grid,
    pub runs: &'a [Run],
    pub weights: &'a Lines,
    pub target: Grid,
    /// One a column; none is zero.
    pub bias: Option<&'a [f32]>,
}

const PIXELS_A_JOB: usize = 96;

impl NarrowProduct<'_> {
    /// # Panics
    /// If a window or a target lies outside of its slice, or there are too many columns.
    pub(crate) fn run(&self, out: &Shared<'_>) {
        let n_pixels = self.windows.len();
        assert_eq!(n_pixels, self.target.len());
        assert_eq!(depth(self.runs), self.weights.depth);
        assert_eq!(self.weights.values.len(), self.weights.columns * self.weights.depth);
        assert!(self.bias.is_none_or(|bias| bias.len() == self.weights.columns));
        assert!(self.windows.end(reach(self.runs)) <= self.images.len());
        assert!(self.target.end(self.weights.columns) <= out.len());
        let arch = vectors();
        (0..n_pixels.div_ceil(PIXELS_A_JOB)).into_par_iter().for_each(|job| {
            let first = job * PIXELS_A_JOB;
            let last = n_pixels.min(first + PIXELS_A_JOB);
            arch.dispatch(Pixels { product: self, first, last, out });
        });
    }
}

struct Pixels<'a> {
    product: &'a NarrowProduct<'a>,
    first: usize,
    last: usize,
    out: &'a Shared<'a>,
}

impl WithSimd for Pixels<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.product.weights.columns {
            1 => self.tiles::<S, 1>(simd),
            2 => self.tiles::<S, 2>(simd),
            3 => self.tiles::<S, 3>(simd),
            MOST_COLUMNS => self.tiles::<S, MOST_COLUMNS>(simd),
            many => panic!("{many} columns are not few"),
        }
    }
}

impl Pixels<'_> {
    #[inline(always)]
    fn tiles<S: Simd, const COLUMNS: usize>(&self, simd: S) {
        let mut pixel = self.first;
        while pixel < self.last {
            pixel += match self.last - pixel {
                // As many as the registers hold: 32, or 16.
                6.. if S::F32_LANES == 16 => self.tile::<S, 6, COLUMNS>(simd, pixel),
                3.. => self.tile::<S, 3, COLUMNS>(simd, pixel),
                _ => self.tile::<S, 1, COLUMNS>(simd, pixel),
            };
        }
    }

    /// Returns `ROWS`.
    #[inline(always)]
    fn tile<S: Simd, const ROWS: usize, const COLUMNS: usize>(
        &self,
        simd: S,
        pixel: usize,
    ) -> usize {
        let NarrowProduct { images, windows, runs, weights, target, bias } = self.product;
        let places: [usize; ROWS] = windows.places(pixel);
        let targets: [usize; ROWS] = target.places(pixel);
        let mut sums = [[simd.splat_f32s(0.0); COLUMNS]; ROWS];
        let mut k = 0;
        for run in *runs {
            // SAFETY: `run` has checked that every window lies within `images`, and that the weights
            // are as deep as the runs.
            let (from, w): ([&[f32]; ROWS], [&[f32]; COLUMNS]) = unsafe {
                let of =
                    |place| images.get_unchecked(place + run.offset..place + run.offset + run.len);
                let line = |column| {
                    let first = column * weights.depth + k;
                    weights.values.get_unchecked(first..first + run.len)
                };
                (places.map(of), std::array::from_fn(line))
            };
            let whole = run.len - run.len % S::F32_LANES;
            for at in (0..whole).step_by(S::F32_LANES) {
                // SAFETY: a whole vector is left.
                let w = w.map(|w| unsafe { whole_vector::<S>(w, at) });
                for row in 0..ROWS {
                    // SAFETY: as above.
                    let x = unsafe { whole_vector::<S>(from[row], at) };
                    for column in 0..COLUMNS {
                        sums[row][column] = simd.mul_add_e_f32s(x, w[column], sums[row][column]);
                    }
                }
            }
            if whole < run.len {
                let w = w.map(|w| simd.partial_load_f32s(&w[whole..]));
                for row in 0..ROWS {
                    let x = simd.partial_load_f32s(&from[row][whole..]);
                    for column in 0..COLUMNS {
                        sums[row][column] = simd.mul_add_e_f32s(x, w[column], sums[row][column]);
                    }
                }
            }
            k += run.len;
        }
        for (row, sums) in sums.iter().enumerate() {
            let out: [f32; COLUMNS] = std::array::from_fn(|column| {
                simd.reduce_sum_f32s(sums[column]) + bias.map_or(0.0, |it| it[column])
            });
            // SAFETY: jobs differ in pixel.
            unsafe { self.out.part(targets[row], COLUMNS) }.write(&out);
        }
        ROWS
    }
}
