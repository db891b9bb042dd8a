//! [`product`](super::product) and [`outer`](super::outer) for up to four columns: pictures have three
//! channels, a map of verdicts has one. Vectors run along the windows here, where columns would fill a
//! fraction of one.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::grid::{Grid, Run, depth, reach};
use super::outer::Outer;
use super::panels::WeightOrder;
use super::shared::Shared;
use super::vectors;

/// The most columns that this way is taken for.
pub(crate) const MOST_COLUMNS: usize = 4;

/// A matrix of weights column by column, `[columns, depth]`.
#[derive(Debug)]
pub(crate) struct Lines {
    pub values: Vec<f32>,
    pub depth: usize,
    pub columns: usize,
}

impl Lines {
    pub(crate) fn pack(weight: &[f32], order: &WeightOrder) -> Self {
        let mut values = Vec::with_capacity(order.columns * order.depth());
        for column in 0..order.columns {
            for &tap in &order.taps {
                let first = column * order.column_step + tap;
                let of = |channel| weight[first + channel * order.channel_step];
                values.extend((0..order.channels).map(of));
            }
        }
        Lines { values, depth: order.depth(), columns: order.columns }
    }

    pub(crate) fn unpack(&self, order: &WeightOrder, weight: &mut [f32]) {
        let mut values = self.values.iter();
        for column in 0..order.columns {
            for &tap in &order.taps {
                let first = column * order.column_step + tap;
                for (channel, value) in (0..order.channels).zip(&mut values) {
                    weight[first + channel * order.channel_step] = *value;
                }
            }
        }
    }
}

/// As [`Product`](super::product::Product), without a bend at zero.
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

/// # Safety
/// `values` has a whole vector from `at` on.
#[inline(always)]
unsafe fn whole_vector<S: Simd>(values: &[f32], at: usize) -> S::f32s {
    // SAFETY: the caller's promise.
    unsafe { values.as_ptr().add(at).cast::<S::f32s>().read_unaligned() }
}

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
