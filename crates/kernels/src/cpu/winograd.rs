//! 3 × 3 convolutions that multiply 16 times for every four pixels in place of 36: Winograd's
//! F(2 × 2, 3 × 3), after Lavin and Gray 2016 (arXiv:1509.09308, section 4.1).
//!
//! A tile `d` of 4 × 4 pixels gives 2 × 2 of the result, and the next tile begins two further on:
//! `y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A`. Summed over channels inside the brackets these are 16 products of
//! matrices, one a point. Read backwards it is the gradient of the kernel `g`, summed over tiles:
//! `Gᵀ [(A y Aᵀ) ⊙ (Bᵀ d B)] G`. All constants are 1 and ½, so it rounds about as a plain sum does. A
//! value that is not finite spreads over its tile.

use rayon::prelude::*;

use super::border::Shape;
use super::grid::{Grid, Run};
use super::kernels::{self, Kernels};
use super::outer::Outer;
use super::panels::Panels;
use super::points::{Change, Layout, OfPicture, OfResult, POINTS, Stretch, Tiled, read, write};
use super::product::{Finish, Product, panel_width};
use super::shared::{Shared, written};

/// Tiles that one job takes on: their points stay in the second cache.
const TILES_A_JOB: usize = 48;
/// Tiles whose points are held in memory at a time.
const TILES_AT_ONCE: usize = 1024;
/// Channels come in whole panels, whatever the vectors.
const CHANNELS: usize = 32;

/// Whether a convolution of so many channels to `target` can be done so.
pub(crate) fn suits(kernel: [usize; 2], stride: usize, from: usize, target: Shape) -> bool {
    kernel == [3, 3]
        && stride == 1
        && target.height.is_multiple_of(2)
        && target.width.is_multiple_of(2)
        && from.is_multiple_of(CHANNELS)
        && target.channels.is_multiple_of(CHANNELS)
}

/// The result, where `extended` is a picture with a pixel more on each side than `target` has.
///
/// # Panics
/// If `extended` is smaller, or channels are others.
pub(crate) fn correlate(
    extended: &[f32],
    kernels: &Kernels,
    target: Shape,
    finish: Finish<'_>,
) -> Vec<f32> {
    let windows = windows(target, kernels.from);
    let fill = |out: Shared<'_>| {
        for (first, n) in stretches(pixels(target).tiles.len(), TILES_AT_ONCE) {
            let layout = Layout { tiles: n, channels: kernels.from };
            let stretch = Stretch { first, n, layout, at: 0 };
            let windows = points::<OfPicture, 4>(extended, windows, stretch);
            multiply(&windows, stretch, kernels, target, finish, &out);
        }
    };
    // SAFETY: the tiles are all of the result.
    unsafe { written(target.len(), fill) }
}

/// The products of these tiles' windows, and what becomes of them.
fn multiply(
    windows: &[f32],
    of_windows: Stretch,
    kernels: &Kernels,
    target: Shape,
    finish: Finish<'_>,
    out: &Shared<'_>,
) {
    let Stretch { first: before, n, layout: of_windows, .. } = of_windows;
    let runs = [Run { offset: 0, len: of_windows.channels }];
    let width = panel_width();
    let parts: Vec<(usize, usize)> = even_stretches(n, TILES_A_JOB).collect();
    let panels = target.channels / width;
    // Panel by panel: a thread's neighbouring jobs share the windows.
    (0..parts.len() * panels).into_par_iter().for_each(|job| {
        let ((first, n), panel) = (parts[job / panels], job % panels);
        let layout = Layout { tiles: n, channels: width };
        let fill = |sums: Shared<'_>| {
            for point in 0..POINTS {
                let product = Product {
                    images: windows,
                    windows: of_windows.grid(point, first..first + n),
                    runs: &runs,
                    weights: kernels.point(point),
                    target: layout.grid(point, 0..n),
                    finish: Finish::NONE,
                };
                product.run_panel(panel, &sums);
            }
            layout.clear_gaps(&sums);
        };
        // SAFETY: every point has its tiles, and what lies between points is cleared.
        let sums = unsafe { written(layout.len(), fill) };
        let columns = panel * width..(panel + 1) * width;
        let bias = finish.bias.map(|bias| &bias[columns.clone()]);
        let pixels = pixels(target).only(columns);
        let stretch = Stretch { first: before + first, n, layout, at: 0 };
        // SAFETY: jobs differ in tiles or columns.
        unsafe { write(&sums, stretch, pixels, Finish { bias, ..finish }, out) };
    });
}

/// The gradient of the weights `[small, big, 3, 3]`, where `extended` is the big picture with a pixel
/// more on each side, and `gradient` that of the small one.
///
/// # Panics
/// If there are no tiles, or `extended` or `gradient` is smaller.
pub(crate) fn weight_gradient(
    extended: &[f32],
    gradient: &[f32],
    small: Shape,
    big_channels: usize,
) -> Vec<f32> {
    let (windows, pixels) = (windows(small, big_channels), pixels(small));
    let n_tiles = pixels.tiles.len();
    let mut sums: Vec<Panels> = Vec::new();
    let runs = [Run { offset: 0, len: big_channels }];
    for (first, n) in stretches(n_tiles, TILES_AT_ONCE) {
        let of_windows = Layout { tiles: n, channels: big_channels };
        let of_gradient = Layout { tiles: n, channels: small.channels };
        let some = |layout| Stretch { first, n, layout, at: 0 };
        let windows = points::<OfPicture, 4>(extended, windows, some(of_windows));
        let gradient = points::<OfResult, 2>(gradient, pixels, some(of_gradient));
        let outer = |point| {
            let from = of_gradient.grid(point, 0..n).start;
            Outer {
                images: &windows,
                windows: of_windows.grid(point, 0..n),
                runs: &runs,
                gradients: &gradient[from..from + n * small.channels],
                columns: small.channels,
            }
        };
        if sums.is_empty() {
            let points = (0..POINTS).into_par_iter();
            sums = points.map(|point| outer(point).sum(panel_width(), 1)).collect();
        } else {
            let points = sums.par_iter_mut().enumerate();
            points.for_each(|(point, sums)| outer(point).add_to(sums, 1));
        }
    }
    kernels::gradient(&sums)
}

/// The points of some tiles, jobs in parallel.
fn points<C: Change<SIDE, 4>, const SIDE: usize>(
    picture: &[f32],
    tiled: Tiled,
    some: Stretch,
) -> Vec<f32> {
    let fill = |out: Shared<'_>| {
        let parts: Vec<_> = stretches(some.n, TILES_A_JOB).collect();
        parts.into_par_iter().for_each(|(at, n)| {
            let part = Stretch { first: some.first + at, n, at, ..some };
            // SAFETY: jobs have tiles of their own.
            unsafe { read::<C, SIDE>(picture, tiled, part, &out) };
        });
        some.layout.clear_gaps(&out);
    };
    // SAFETY: the jobs have every tile.
    unsafe { written(some.layout.len(), fill) }
}

/// The first of each stretch of at most `most` of `n` tiles, and how many it has.
fn stretches(n: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).step_by(most).map(move |first| (first, most.min(n - first)))
}

/// As many as [`stretches`] gives, of about the same length.
fn even_stretches(n: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    stretches(n, n.div_ceil(n.div_ceil(most)))
}

/// The tiles of the extended picture.
fn windows(target: Shape, channels: usize) -> Tiled {
    let row = (target.width + 2) * channels;
    tiled(target, (target.height + 2) * row, row, channels)
}

/// The tiles of the result.
fn pixels(target: Shape) -> Tiled {
    tiled(target, target.height * target.row(), target.row(), target.channels)
}

fn tiled(target: Shape, image: usize, row: usize, channels: usize) -> Tiled {
    let tiles = Grid {
        images: target.images,
        height: target.height / 2,
        width: target.width / 2,
        start: 0,
        strides: [image, 2 * row, 2 * channels],
    };
    Tiled { tiles, row, pixel: channels, channels }
}
