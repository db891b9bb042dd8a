//! Gradients of weights: `sum[k, column] = Σ over pixels window[pixel, k] · gradient[pixel, column]`.
//!
//! A job keeps some rows of the sum to itself and goes through all pixels in order, so sums do not
//! depend on the number of threads. Its part of the windows is gathered some pixels at a time, in the
//! order in which tiles read it.

use std::cell::Cell;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::grid::{Grid, Run, depth, reach};
use super::panels::Panels;
use super::shared::{Shared, written};
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
    /// If there are no pixels, or a window or a gradient lies outside of its slice.
    pub(crate) fn run(&self, panel_width: usize) -> Panels {
        self.sum(panel_width, FEW_JOBS)
    }

    /// In `few_jobs` jobs or more, as far as there are rows.
    ///
    /// # Panics
    /// If there are no pixels, or a window or a gradient lies outside of its slice.
    pub(crate) fn sum(&self, panel_width: usize, few_jobs: usize) -> Panels {
        assert!(self.windows.len() > 0, "what is written first are the first pixels' sums");
        let (depth, columns) = (depth(self.runs), self.columns);
        let len = Panels::len(depth, columns, panel_width);
        let fill = |sums: Shared<'_>| self.work(&sums, panel_width, few_jobs, true);
        // SAFETY: the jobs have every row, and the first pixels' sums fill a row's panels.
        let values = unsafe { written(len, fill) };
        Panels { values, depth, columns, panel_width }
    }

    /// Adds to what other pixels gave; jobs as in [`sum`](Self::sum).
    ///
    /// # Panics
    /// If a window or a gradient lies outside of its slice, or the sums are of another size.
    pub(crate) fn add_to(&self, sums: &mut Panels, few_jobs: usize) {
        assert_eq!([sums.depth, sums.columns], [depth(self.runs), self.columns]);
        self.work(&Shared::new(&mut sums.values), sums.panel_width, few_jobs, false);
    }

    fn work(&self, out: &Shared<'_>, panel_width: usize, few_jobs: usize, begins: bool) {
        let n_pixels = self.windows.len();
        assert!(self.windows.end(reach(self.runs)) <= self.images.len());
        assert_eq!(self.gradients.len(), n_pixels * self.columns);
        let places: Vec<usize> = (0..n_pixels).map(|pixel| self.windows.place(pixel)).collect();
        let depth = depth(self.runs);
        let arch = vectors();
        self.jobs(few_jobs).par_iter().for_each(|rows| {
            let mut gathered = GATHERED.take();
            let job = Job { outer: self, places: &places, rows, panel_width, depth, begins, out };
            arch.dispatch(Work { job, gathered: &mut gathered });
            GATHERED.set(gathered);
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
    /// Whether the sums have no value yet.
    begins: bool,
    out: &'a Shared<'a>,
}

/// A block's windows and gradients in the order in which tiles read them.
#[derive(Default)]
struct Gathered {
    windows: Vec<f32>,
    gradients: Vec<f32>,
}

thread_local! {
    /// A thread's next job takes over the memory.
    static GATHERED: Cell<Gathered> = const {
        Cell::new(Gathered { windows: Vec::new(), gradients: Vec::new() })
    };
}

/// As many values, whatever they are.
fn some_of(values: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if values.len() < len {
        values.resize(len, 0.0);
    }
    &mut values[..len]
}

struct Work<'a> {
    job: Job<'a>,
    gathered: &'a mut Gathered,
}

impl WithSimd for Work<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Work { job, gathered: Gathered { windows, gradients } } = self;
        assert_eq!(job.panel_width, 2 * S::F32_LANES);
        let tile_rows = if S::F32_LANES == 16 { ROWS_A_TILE } else { ROWS_A_TILE / 2 };
        let n_tiles = job.rows.len.div_ceil(tile_rows);
        let windows = some_of(windows, n_tiles * PIXELS_A_BLOCK * tile_rows);
        let gathered = some_of(gradients, PIXELS_A_BLOCK * job.panel_width);
        for first in (0..job.places.len()).step_by(PIXELS_A_BLOCK) {
            let n = PIXELS_A_BLOCK.min(job.places.len() - first);
            match tile_rows {
                12 => job.gather_windows::<12>(first, n, windows),
                _ => job.gather_windows::<6>(first, n, windows),
            }
            for first_column in (0..job.outer.columns).step_by(job.panel_width) {
                // A last panel of few columns needs one vector only.
                let is_narrow = job.outer.columns - first_column <= S::F32_LANES;
                let width = if is_narrow { S::F32_LANES } else { 2 * S::F32_LANES };
                match width {
                    // They lie one behind the other already.
                    _ if width == job.outer.columns => {}
                    32 => job.gather_gradients::<32>(first, n, first_column, gathered),
                    16 => job.gather_gradients::<16>(first, n, first_column, gathered),
                    8 => job.gather_gradients::<8>(first, n, first_column, gathered),
                    4 => job.gather_gradients::<4>(first, n, first_column, gathered),
                    2 => job.gather_gradients::<2>(first, n, first_column, gathered),
                    _ => job.gather_gradients::<1>(first, n, first_column, gathered),
                }
                let gradients = match width == job.outer.columns {
                    true => &job.outer.gradients[first * width..][..n * width],
                    false => &gathered[..n * width],
                };
                for tile in 0..n_tiles {
                    let windows = &windows[tile * PIXELS_A_BLOCK * tile_rows..][..n * tile_rows];
                    let begins = job.begins && first == 0;
                    let at = Place { row: tile * tile_rows, first_column, begins };
                    match (tile_rows, is_narrow) {
                        (12, true) => job.tile::<S, 12, 1>(simd, at, windows, gradients),
                        (12, false) => job.tile::<S, 12, 2>(simd, at, windows, gradients),
                        (_, true) => job.tile::<S, 6, 1>(simd, at, windows, gradients),
                        (_, false) => job.tile::<S, 6, 2>(simd, at, windows, gradients),
                    }
                }
            }
        }
    }
}

/// Where a tile's corner lies: a row of the job's, and a column; and whether it is the first pixels'.
#[derive(Clone, Copy)]
struct Place {
    row: usize,
    first_column: usize,
    begins: bool,
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

    /// Adds what these pixels give to the sums, or begins with it.
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
            // SAFETY: jobs differ in rows.
            let out = unsafe { self.out.part(place, self.panel_width) };
            if at.begins {
                // A narrow panel has its second vector too.
                for v in 0..2 {
                    let sum = sums.get(v).copied().unwrap_or(simd.splat_f32s(0.0));
                    out.write_vector(simd, v * S::F32_LANES, sum);
                }
                continue;
            }
            for (v, sum) in sums.iter().enumerate() {
                // SAFETY: the first pixels' sums are there.
                unsafe { out.add_vector(simd, v * S::F32_LANES, *sum) };
            }
        }
    }
}
