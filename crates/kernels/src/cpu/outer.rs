//! Gradients of weights: `sum[k, column] = Σ over pixels window[pixel, k] · gradient[pixel, column]`.
//!
//! A job keeps some rows of the sum to itself and goes through all pixels in order, so sums do not
//! depend on the number of threads. Its part of the windows is gathered some pixels at a time, in the
//! order in which tiles read it.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::grid::{Grid, Run, depth, reach};
use super::panels::Panels;
use super::shared::Shared;
use super::vectors;

pub(crate) struct Outer<'a> {
    pub images: &'a [f32],
    /// Where each pixel's window begins in `images`.
    pub windows: Grid,
    pub runs: &'a [Run],
    /// One row of columns a pixel.
    pub gradients: &'a [f32],
    pub columns: usize,
}

/// Pixels that are summed at a time.
const PIXELS_A_BLOCK: usize = 192;
/// Rows of weights that one job sums: their part of a block's windows stays in the second cache.
const ROWS_A_JOB: usize = 192;
/// The most rows of a tile.
const ROWS_A_TILE: usize = 12;

/// Neighbouring rows of the sum: a part of one run.
#[derive(Clone, Copy)]
struct Rows {
    /// From the pixel's first channel, in `images`.
    offset: usize,
    /// In the sum.
    first: usize,
    len: usize,
}

impl Outer<'_> {
    /// # Panics
    /// If a window or a gradient lies outside of its slice.
    pub(crate) fn run(&self, panel_width: usize) -> Panels {
        let mut sums = Panels::zeros(depth(self.runs), self.columns, panel_width);
        self.add_to(&mut sums, FEW_JOBS);
        sums
    }

    /// In `few_jobs` jobs or more, as far as there are rows.
    ///
    /// # Panics
    /// If a window or a gradient lies outside of its slice, or the sums are of another size.
    pub(crate) fn add_to(&self, sums: &mut Panels, few_jobs: usize) {
        let n_pixels = self.windows.len();
        assert!(self.windows.end(reach(self.runs)) <= self.images.len());
        assert_eq!(self.gradients.len(), n_pixels * self.columns);
        assert_eq!([sums.depth, sums.columns], [depth(self.runs), self.columns]);
        let places: Vec<usize> = (0..n_pixels).map(|pixel| self.windows.place(pixel)).collect();
        let jobs = self.jobs(few_jobs);
        let (depth, panel_width) = (sums.depth, sums.panel_width);
        let out = Shared::new(&mut sums.values);
        let arch = vectors();
        jobs.par_iter().for_each(|rows| {
            let job = Job { outer: self, places: &places, rows, panel_width, depth, out: &out };
            arch.dispatch(job);
        });
    }

    /// Every run in parts of a job's size, or smaller where there would be few.
    fn jobs(&self, few_jobs: usize) -> Vec<Rows> {
        let tiles = depth(self.runs).div_ceil(ROWS_A_TILE);
        let rows = ROWS_A_JOB.min(tiles.div_ceil(few_jobs) * ROWS_A_TILE);
        let mut jobs = Vec::new();
        let mut first = 0;
        for run in self.runs {
            for at in (0..run.len).step_by(rows) {
                let len = rows.min(run.len - at);
                jobs.push(Rows { offset: run.offset + at, first: first + at, len });
            }
            first += run.len;
        }
        jobs
    }
}

/// Fewer jobs than this are made smaller.
const FEW_JOBS: usize = 24;

/// Some rows of the sum, all columns.
struct Job<'a> {
    outer: &'a Outer<'a>,
    places: &'a [usize],
    rows: &'a Rows,
    panel_width: usize,
    depth: usize,
    out: &'a Shared<'a>,
}

impl WithSimd for Job<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let tile_rows = if S::F32_LANES == 16 { ROWS_A_TILE } else { ROWS_A_TILE / 2 };
        let n_tiles = self.rows.len.div_ceil(tile_rows);
        let mut windows = vec![0.0; n_tiles * PIXELS_A_BLOCK * tile_rows];
        let mut gradients = vec![0.0; PIXELS_A_BLOCK * self.panel_width];
        for first in (0..self.places.len()).step_by(PIXELS_A_BLOCK) {
            let n = PIXELS_A_BLOCK.min(self.places.len() - first);
            match tile_rows {
                12 => self.gather_windows::<12>(first, n, &mut windows),
                _ => self.gather_windows::<6>(first, n, &mut windows),
            }
            for first_column in (0..self.outer.columns).step_by(self.panel_width) {
                // A last panel of few columns needs one vector only.
                let is_narrow = self.outer.columns - first_column <= S::F32_LANES;
                let width = if is_narrow { S::F32_LANES } else { 2 * S::F32_LANES };
                match width {
                    32 => self.gather_gradients::<32>(first, n, first_column, &mut gradients),
                    16 => self.gather_gradients::<16>(first, n, first_column, &mut gradients),
                    8 => self.gather_gradients::<8>(first, n, first_column, &mut gradients),
                    4 => self.gather_gradients::<4>(first, n, first_column, &mut gradients),
                    2 => self.gather_gradients::<2>(first, n, first_column, &mut gradients),
                    _ => self.gather_gradients::<1>(first, n, first_column, &mut gradients),
                }
                for tile in 0..n_tiles {
                    let windows = &windows[tile * PIXELS_A_BLOCK * tile_rows..][..n * tile_rows];
                    let at = Place { row: tile * tile_rows, first_column };
                    let gradients = &gradients[..n * width];
                    match (tile_rows, is_narrow) {
                        (12, true) => self.tile::<S, 12, 1>(simd, at, windows, gradients),
                        (12, false) => self.tile::<S, 12, 2>(simd, at, windows, gradients),
                        (_, true) => self.tile::<S, 6, 1>(simd, at, windows, gradients),
                        (_, false) => self.tile::<S, 6, 2>(simd, at, windows, gradients),
                    }
                }
            }
        }
    }
}

/// Where a tile's corner lies: a row of the job's, and a column.
#[derive(Clone, Copy)]
struct Place {
    row: usize,
    first_column: usize,
}

impl Job<'_> {
    /// This job's part of `n` windows, tile by tile and in it pixel by pixel; rows that the last tile
    /// lacks stay as they are.
    #[inline(always)]
    fn gather_windows<const ROWS: usize>(&self, first: usize, n: usize, into: &mut [f32]) {
        for (tile, into) in into.chunks_exact_mut(PIXELS_A_BLOCK * ROWS).enumerate() {
            let row = tile * ROWS;
            let places = &self.places[first..first + n];
            let pixels = places.iter().zip(into.chunks_exact_mut(ROWS));
            let from = &self.outer.images[self.rows.offset + row..];
            match self.rows.len - row {
                // Of a length known beforehand.
                left if left >= ROWS => pixels.for_each(|(&at, into)| {
                    into.copy_from_slice(&from[at..at + ROWS]);
                }),
                left => pixels.for_each(|(&at, into)| {
                    into[..left].copy_from_slice(&from[at..at + left]);
                }),
            }
        }
    }

    #[inline(always)]
    fn gather_gradients<const WIDTH: usize>(
        &self,
        first: usize,
        n: usize,
        first_column: usize,
        into: &mut [f32],
    ) {
        let all = self.outer.columns;
        let from = &self.outer.gradients[first * all..(first + n) * all];
        let pixels = from.chunks_exact(all).zip(into.chunks_exact_mut(WIDTH));
        match all - first_column {
            // Of a length known beforehand.
            left if left >= WIDTH => pixels.for_each(|(from, into)| {
                into.copy_from_slice(&from[first_column..first_column + WIDTH]);
            }),
            left => pixels.for_each(|(from, into)| {
                into[..left].copy_from_slice(&from[first_column..]);
            }),
        }
    }

    /// Adds what these pixels give to the sums.
    #[inline(always)]
    fn tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
        &self,
        simd: S,
        at: Place,
        windows: &[f32],
        gradients: &[f32],
    ) {
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
        let gradients = gradients.chunks_exact(VECTORS * S::F32_LANES);
        for (x, g) in windows.chunks_exact(ROWS).zip(gradients) {
            // SAFETY: the chunk is as long as the vectors together.
            let g: [S::f32s; VECTORS] = std::array::from_fn(|v| unsafe {
                g.as_ptr().add(v * S::F32_LANES).cast::<S::f32s>().read_unaligned()
            });
            for row in 0..ROWS {
                let x = simd.splat_f32s(x[row]);
                for v in 0..VECTORS {
                    sums[row][v] = simd.mul_add_e_f32s(x, g[v], sums[row][v]);
                }
            }
        }
        let panel = at.first_column / self.panel_width;
        let first = panel * self.depth * self.panel_width;
        for (row, sums) in sums.iter().enumerate().take(self.rows.len - at.row) {
            let place = first + (self.rows.first + at.row + row) * self.panel_width;
            // SAFETY: jobs differ in rows, and the sums begin as zeros.
            unsafe {
                let out = self.out.part(place, VECTORS * S::F32_LANES);
                for (v, sum) in sums.iter().enumerate() {
                    out.add_vector(simd, v * S::F32_LANES, *sum);
                }
            }
        }
    }
}
