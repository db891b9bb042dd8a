//! Convolutions there and back.
//!
//! A convolution and a transposed one are the same relation between a big picture and a small one:
//! `small[y, x, s] = Σ big[y · stride + i - padding, x · stride + j - padding, b] · weight[s, b, i, j]`.
//! A convolution goes down along it, and its gradient up; a transposed one goes up, and its gradient
//! down. PyTorch's weight tensors `[out, in, rows, columns]` of the one and `[in, out, rows, columns]`
//! of the other both read `[small, big, rows, columns]`.

use super::border::{Border, Shape, extend, fold};
use super::grid::{Grid, Run};
use super::kernels::Kernels;
use super::narrow::{Lines, MOST_COLUMNS, NarrowProduct};
use super::outer::Outer;
use super::panels::{Panels, WeightOrder};
use super::product::{Finish, Product, panel_width};
use super::shared::{Shared, written};
use super::winograd;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Correlation {
    pub big: Shape,
    pub small: Shape,
    /// Rows and columns.
    pub kernel: [usize; 2],
    pub stride: usize,
    pub padding: usize,
    /// What the big picture is padded with.
    pub border: Border,
}

impl Correlation {
    /// # Shapes
    /// - `big`: `[images, height, width, channels]` of the big picture
    /// - returns: the small picture
    pub(crate) fn down(&self, big: &[f32], weight: &[f32], finish: Finish<'_>) -> Vec<f32> {
        assert_eq!(big.len(), self.big.len());
        let big = self.padded(big);
        if self.is_fast(self.big.channels, self.small) {
            let kernels = Kernels::down(weight, self.big.channels, self.small.channels);
            return winograd::correlate(&big, &kernels, self.small, finish);
        }
        let Shape { images, height, width, channels } = self.small;
        let pass = Pass {
            images: &big,
            windows: self.windows(),
            runs: &self.runs(),
            target: Grid::dense(images, height, width, channels),
        };
        let fill = |small: Shared<'_>| pass.run(weight, &self.order_down(), finish, &small);
        // SAFETY: every pixel of the small picture is a target.
        unsafe { written(self.small.len(), fill) }
    }

    /// # Shapes
    /// - `small`: `[images, height, width, channels]` of the small picture
    /// - returns: the big picture
    pub(crate) fn up(&self, small: &[f32], weight: &[f32], finish: Finish<'_>) -> Vec<f32> {
        assert_eq!(small.len(), self.small.len());
        // Beyond a border of zeros nothing is wanted; what falls on another belongs to the inside.
        let around = if self.border == Border::Zero { 0 } else { self.padding };
        let target = Shape {
            height: self.big.height + 2 * around,
            width: self.big.width + 2 * around,
            ..self.big
        };
        let first = self.padding - around;
        if self.is_fast(self.small.channels, target) {
            let beside = 2 - first;
            let extended = extend(small, self.small, beside, beside, Border::Zero);
            let kernels = Kernels::up(weight, self.big.channels, self.small.channels);
            let big = winograd::correlate(&extended, &kernels, target, finish);
            return if around == 0 { big } else { fold(&big, self.big, around, self.border) };
        }
        let [rows, columns] = self.kernel;
        // The small pictures' pixels that touch a big one lie this far before it at most.
        let before = rows.max(columns).div_ceil(self.stride) - 1;
        let last = |n: usize| (first + n - 1) / self.stride + 1;
        let after = (last(target.height) - self.small.height.min(last(target.height)))
            .max(last(target.width) - self.small.width.min(last(target.width)));
        let extended = extend(small, self.small, before, after, Border::Zero);
        let wide = (self.small.width + before + after) * self.small.channels;
        let tall = self.small.height + before + after;
        // Pixels whose place leaves the same remainder meet the same taps of the kernel.
        let fill = |big: Shared<'_>| {
            for (row, column) in
                (0..self.stride).flat_map(|y| (0..self.stride).map(move |x| (y, x)))
            {
                let (y, n_y) = every(self.stride, row, first, target.height);
                let (x, n_x) = every(self.stride, column, first, target.width);
                if n_y * n_x == 0 {
                    continue;
                }
                let taps = |remainder: usize, n: usize| -> Vec<usize> {
                    (remainder..n).step_by(self.stride).rev().collect()
                };
                let (taps_y, taps_x) = (taps(row, rows), taps(column, columns));
                let channels = self.small.channels;
                let run = |i| Run { offset: i * wide, len: taps_x.len() * channels };
                let runs: Vec<Run> = (0..taps_y.len()).map(run).collect();
                // In the extended small picture.
                let start_y = (first + y) / self.stride + before + 1 - taps_y.len();
                let start_x = (first + x) / self.stride + before + 1 - taps_x.len();
                let windows = Grid {
                    images: self.small.images,
                    height: n_y,
                    width: n_x,
                    start: start_y * wide + start_x * channels,
                    strides: [tall * wide, wide, channels],
                };
                let (row, step) = (target.row(), self.stride);
                let places = Grid {
                    start: y * row + x * target.channels,
                    strides: [target.height * row, step * row, step * target.channels],
                    ..windows
                };
                let order = self.order_up(&taps_y, &taps_x);
                let pass = Pass { images: &extended, windows, runs: &runs, target: places };
                pass.run(weight, &order, finish, &big);
            }
        };
        // SAFETY: every pixel of the big picture leaves one of the remainders, and every remainder has
        // a tap, as the kernel is no smaller than the stride.
        let big = unsafe { written(target.len(), fill) };
        if around == 0 { big } else { fold(&big, self.big, around, self.border) }
    }

    /// The gradient of the weights, where `small` has the gradient of a convolution's result, or `big`
    /// that of a transposed one's.
    ///
    /// # Shapes
    /// - returns: `[small channels, big channels, rows, columns]`
    pub(crate) fn weight_gradient(&self, big: &[f32], small: &[f32]) -> Vec<f32> {
        assert_eq!(big.len(), self.big.len());
        if self.small.len() == 0 {
            return vec![0.0; self.order_down().depth() * self.small.channels];
        }
        let padded = self.padded(big);
        if self.is_fast(self.big.channels, self.small) {
            return winograd::weight_gradient(&padded, small, self.small, self.big.channels);
        }
        let channels = self.small.channels;
        let outer = Outer {
            images: &padded,
            windows: self.windows(),
            runs: &self.runs(),
            gradients: small,
            columns: channels,
        };
        let order = self.order_down();
        let mut weight = vec![0.0; order.depth() * channels];
        match channels <= MOST_COLUMNS {
            true => outer.run_narrow().unpack(&order, &mut weight),
            false => outer.run(panel_width()).unpack(&order, &mut weight),
        }
        weight
    }

    fn is_fast(&self, from: usize, target: Shape) -> bool {
        self.padding == 1 && winograd::suits(self.kernel, self.stride, from, target)
    }

    fn padded(&self, big: &[f32]) -> Vec<f32> {
        extend(big, self.big, self.padding, self.padding, self.border)
    }

    /// Where the windows of the small picture's pixels lie in the padded big one.
    fn windows(&self) -> Grid {
        let row = (self.big.width + 2 * self.padding) * self.big.channels;
        let image = (self.big.height + 2 * self.padding) * row;
        Grid {
            images: self.big.images,
            height: self.small.height,
            width: self.small.width,
            start: 0,
            strides: [image, self.stride * row, self.stride * self.big.channels],
        }
    }

    fn runs(&self) -> Vec<Run> {
        let row = (self.big.width + 2 * self.padding) * self.big.channels;
        let len = self.kernel[1] * self.big.channels;
        (0..self.kernel[0]).map(|i| Run { offset: i * row, len }).collect()
    }

    fn order_down(&self) -> WeightOrder {
        let taps = self.kernel[0] * self.kernel[1];
        WeightOrder {
            taps: (0..taps).collect(),
            channels: self.big.channels,
            channel_step: taps,
            columns: self.small.channels,
            column_step: self.big.channels * taps,
        }
    }

    fn order_up(&self, rows: &[usize], columns: &[usize]) -> WeightOrder {
        let taps = self.kernel[0] * self.kernel[1];
        let of_row = |&row: &usize| columns.iter().map(move |column| row * self.kernel[1] + column);
        WeightOrder {
            taps: rows.iter().flat_map(of_row).collect(),
            channels: self.small.channels,
            channel_step: self.big.channels * taps,
            columns: self.big.channels,
            column_step: taps,
        }
    }
}

/// The first of `n` places that leaves `remainder` when divided by `step`, where the places count
/// from `first`; and how many do.
fn every(step: usize, remainder: usize, first: usize, n: usize) -> (usize, usize) {
    let skipped = (remainder + step - first % step) % step;
    (skipped, n.saturating_sub(skipped).div_ceil(step))
}

/// Windows times weights, in the way that suits the number of columns.
struct Pass<'a> {
    images: &'a [f32],
    windows: Grid,
    runs: &'a [Run],
    target: Grid,
}

impl Pass<'_> {
    fn run(&self, weight: &[f32], order: &WeightOrder, finish: Finish<'_>, out: &Shared<'_>) {
        let Pass { images, windows, runs, target } = *self;
        if order.columns <= MOST_COLUMNS && finish.negative_slope == 1.0 {
            let weights = &Lines::pack(weight, order);
            NarrowProduct { images, windows, runs, weights, target, bias: finish.bias }.run(out);
        } else {
            let panels = Panels::pack(weight, order, panel_width());
            let weights = panels.weights();
            Product { images, windows, runs, weights, target, finish }.run(out);
        }
    }
}
