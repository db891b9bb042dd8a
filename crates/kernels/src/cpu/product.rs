//! Windows of images times weights: `out[pixel, column] = bias[column] + Σ window[pixel, k] · weight[k, column]`.
//!
//! The windows are read where they lie: a window is a few runs of neighbouring values, so nothing is
//! copied into a matrix first. A tile keeps `ROWS` pixels by two vectors of columns in registers while
//! the whole depth goes by, so the order of every sum is that of the depth, whatever the number of threads.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::grid::{Grid, Run, reach};
use super::panels::Weights;
use super::shared::Shared;
use super::vectors;

/// What becomes of a sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Finish<'a> {
    /// One a column; none is zero.
    pub bias: Option<&'a [f32]>,
    /// Factor of what is below zero; 1 changes nothing.
    pub negative_slope: f32,
}

impl Finish<'_> {
    pub(crate) const NONE: Finish<'static> = Finish { bias: None, negative_slope: 1.0 };

    /// A vector of the bias; beyond its end are zeros.
    #[inline(always)]
    pub(crate) fn bias<S: Simd>(self, simd: S, column: usize) -> S::f32s {
        match self.bias {
            Some(bias) => simd.partial_load_f32s(&bias[bias.len().min(column)..]),
            None => simd.splat_f32s(0.0),
        }
    }

    #[inline(always)]
    pub(crate) fn of<S: Simd>(self, simd: S, sum: S::f32s, bias: S::f32s) -> S::f32s {
        let zero = simd.splat_f32s(0.0);
        let sum = simd.add_f32s(sum, bias);
        match self.negative_slope {
            1.0 => sum,
            slope => {
                let below = simd.less_than_f32s(sum, zero);
                // Not times 0: infinity would become no number.
                let bent = match slope == 0.0 {
                    true => zero,
                    false => simd.mul_f32s(sum, simd.splat_f32s(slope)),
                };
                simd.select_f32s(below, bent, sum)
            }
        }
    }
}

pub(crate) struct Product<'a> {
    pub images: &'a [f32],
    /// Where each pixel's window begins in `images`.
    pub windows: Grid,
    pub runs: &'a [Run],
    pub weights: Weights<'a>,
    /// Where each pixel's columns go.
    pub target: Grid,
    pub finish: Finish<'a>,
}

/// Columns a panel has on this machine: two vectors.
pub(crate) fn panel_width() -> usize {
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _simd: S) -> usize {
            2 * S::F32_LANES
        }
    }
    vectors().dispatch(Lanes)
}

/// Pixels that one job takes on: its share of the images stays in the nearer caches.
const PIXELS_A_JOB: usize = 192;

impl Product<'_> {
    /// # Panics
    /// If a window or a target lies outside of its slice, or the depth is not the panels'.
    pub(crate) fn run(&self, out: &Shared<'_>) {
        self.check(self.weights.columns, out);
        let arch = vectors();
        let n_blocks = self.windows.len().div_ceil(PIXELS_A_JOB);
        // Panel by panel: a thread's neighbouring jobs share the panel.
        (0..self.panels() * n_blocks).into_par_iter().for_each(|job| {
            let (panel, block) = (job / n_blocks, job % n_blocks);
            let first = block * PIXELS_A_JOB;
            let last = self.windows.len().min(first + PIXELS_A_JOB);
            let to = panel * self.weights.panel_width;
            arch.dispatch(Block { product: self, panel, first, last, to, out });
        });
    }

    /// One panel's columns alone, in this thread; they go where the first ones would.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub(crate) fn run_panel(&self, panel: usize, out: &Shared<'_>) {
        self.check(self.weights.panel_width, out);
        let (last, to) = (self.windows.len(), 0);
        vectors().dispatch(Block { product: self, panel, first: 0, last, to, out });
    }

    fn panels(&self) -> usize {
        self.weights.columns.div_ceil(self.weights.panel_width)
    }

    /// `columns`: as many as each target has room for.
    fn check(&self, columns: usize, out: &Shared<'_>) {
        let n_pixels = self.windows.len();
        assert_eq!(n_pixels, self.target.len());
        assert_eq!(super::grid::depth(self.runs), self.weights.depth);
        assert_eq!(self.weights.panel_width, panel_width());
        let panel_len = self.weights.depth * self.weights.panel_width;
        assert_eq!(self.weights.values.len(), self.panels() * panel_len);
        assert!(self.finish.bias.is_none_or(|bias| bias.len() == self.weights.columns));
        assert!(self.windows.end(reach(self.runs)) <= self.images.len());
        assert!(self.target.end(columns) <= out.len());
    }
}

struct Block<'a> {
    product: &'a Product<'a>,
    panel: usize,
    first: usize,
    last: usize,
    /// From each target on.
    to: usize,
    out: &'a Shared<'a>,
}

impl WithSimd for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let weights = self.product.weights;
        let left = weights.columns - self.panel * weights.panel_width;
        // A last panel of few columns needs one vector only.
        match left <= S::F32_LANES {
            true => self.tiles::<S, 1>(simd, left),
            false => self.tiles::<S, 2>(simd, left.min(2 * S::F32_LANES)),
        }
    }
}

impl Block<'_> {
    #[inline(always)]
    fn tiles<S: Simd, const VECTORS: usize>(&self, simd: S, columns: usize) {
        let mut pixel = self.first;
        while pixel < self.last {
            let left = self.last - pixel;
            pixel += match left {
                // As many as the registers hold: 32 wide ones, or 16.
                12.. if S::F32_LANES == 16 => self.tile::<S, 12, VECTORS>(simd, pixel, columns),
                6.. if S::F32_LANES < 16 => self.tile::<S, 6, VECTORS>(simd, pixel, columns),
                8.. => self.tile::<S, 8, VECTORS>(simd, pixel, columns),
                4.. => self.tile::<S, 4, VECTORS>(simd, pixel, columns),
                2.. => self.tile::<S, 2, VECTORS>(simd, pixel, columns),
                _ => self.tile::<S, 1, VECTORS>(simd, pixel, columns),
            };
        }
    }

    /// Returns `ROWS`.
    #[inline(always)]
    fn tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
        &self,
        simd: S,
        pixel: usize,
        columns: usize,
    ) -> usize {
        let Product { images, windows, runs, weights, target, finish } = self.product;
        let places: [usize; ROWS] = windows.places(pixel);
        let targets: [usize; ROWS] = target.places(pixel);
        let width = weights.panel_width;
        let panel = &weights.values[self.panel * weights.depth * width..];
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
        // SAFETY: `run` has checked that every window lies within `images`, and that the panel has
        // `depth` rows of `width` values, of which the vectors take at most `width`.
        unsafe {
            let mut weight = panel.as_ptr();
            for run in *runs {
                let from: [*const f32; ROWS] =
                    places.map(|it| images.as_ptr().add(it + run.offset));
                for k in 0..run.len {
                    let w: [S::f32s; VECTORS] = std::array::from_fn(|v| {
                        weight.add(v * S::F32_LANES).cast::<S::f32s>().read_unaligned()
                    });
                    for row in 0..ROWS {
                        let x = simd.splat_f32s(*from[row].add(k));
                        for v in 0..VECTORS {
                            sums[row][v] = simd.mul_add_e_f32s(x, w[v], sums[row][v]);
                        }
                    }
                    weight = weight.add(width);
                }
            }
        }
        let first_column = self.panel * width;
        let bias: [S::f32s; VECTORS] =
            std::array::from_fn(|v| finish.bias(simd, first_column + v * S::F32_LANES));
        for (row, sums) in sums.iter().enumerate() {
            let at = targets[row] + self.to;
            // SAFETY: jobs differ in pixel or panel, and `run` has checked the target.
            let out = unsafe { self.out.part(at, columns) };
            for v in 0..VECTORS {
                let sum = finish.of(simd, sums[v], bias[v]);
                out.write_vector(simd, v * S::F32_LANES, sum);
            }
        }
        ROWS
    }
}
