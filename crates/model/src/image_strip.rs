//! A batch of images side by side in one wide image.
//!
//! EfficientNet ends in many channels of a few pixels each. Burn's CPU backend runs a depthwise
//! convolution row by row, and a row of four pixels is mostly overhead; in a strip it is as long as
//! the batch is large. A stride of 2 is dearer there than what it leaves out. Together with a stem
//! and an activation to match, this takes an image of 128 px from 25 ms to 6 on two busy cores.

use burn::tensor::ops::PadMode;
use burn::tensor::{Tensor, TensorData, s};

use crate::folded_conv::FoldedConv;

/// Columns between images: as many as the largest kernel here, 5 × 5, reaches beyond its centre.
const GAP: usize = 2;

/// Images of one size, each with [`GAP`] columns to its right.
#[derive(Debug, Clone)]
pub(crate) struct ImageStrip {
    /// `[1, channels, height, n · (width + GAP)]`; what stands in the gaps is of no meaning.
    strip: Tensor<4>,
    n: usize,
    width: usize,
}

impl ImageStrip {
    /// # Shapes
    /// - `images`: `[n, channels, height, width]`
    pub(crate) fn new(images: Tensor<4>) -> Self {
        let [n, _, _, width] = images.dims();
        Self::laid_out(images.permute([1, 2, 0, 3]), n, width)
    }

    /// From `[channels, height, n, width]`.
    fn laid_out(images: Tensor<4>, n: usize, width: usize) -> Self {
        let [channels, height, ..] = images.dims();
        let wide = images.pad((0, GAP, 0, 0), PadMode::Constant(0.0));
        let strip = wide.reshape([1, channels, height, n * (width + GAP)]);
        ImageStrip { strip, n, width }
    }

    /// What works on each pixel by itself.
    pub(crate) fn map(self, of_pixels: impl FnOnce(Tensor<4>) -> Tensor<4>) -> Self {
        ImageStrip { strip: of_pixels(self.strip), ..self }
    }

    pub(crate) fn add(self, other: ImageStrip) -> Self {
        self.map(|strip| strip + other.strip)
    }

    /// A depthwise convolution of stride 1 or 2 with TensorFlow's `SAME` padding: ⌈side / stride⌉
    /// pixels, an odd row or column of zeros below and to the right.
    ///
    /// `conv` has stride 1, an odd kernel of up to 5 × 5 and half of it as padding.
    pub(crate) fn depthwise(self, conv: &FoldedConv, stride: usize) -> Self {
        let same = self.with_empty_gaps().map(|strip| conv.forward(strip));
        match stride {
            1 => same,
            _ => same.every_second(),
        }
    }

    /// Zeros in the gaps, which are the images' padding.
    fn with_empty_gaps(self) -> Self {
        let column = |x: usize| if x % (self.width + GAP) < self.width { 1.0_f32 } else { 0.0 };
        let columns: Vec<f32> = (0..self.n * (self.width + GAP)).map(column).collect();
        let data = TensorData::new(columns, [1, 1, 1, self.n * (self.width + GAP)]);
        let kept = Tensor::<4>::from_data(data, &self.strip.device());
        self.map(|strip| strip * kept)
    }

    /// The pixels that a stride of 2 would visit: every second, to the last one of the image.
    fn every_second(self) -> Self {
        let (n, width) = (self.n, self.width);
        let [_, _, height, _] = self.strip.dims();
        // Of a side of even length the first window stands one pixel in.
        let (top, left) = (1 - height % 2, 1 - width % 2);
        let images = self.apart().slice(s![.., top..;2, .., left..;2]);
        Self::laid_out(images, n, width.div_ceil(2))
    }

    /// `[channels, height, n, width]`.
    fn apart(self) -> Tensor<4> {
        let [_, channels, height, _] = self.strip.dims();
        let wide = self.strip.reshape([channels, height, self.n, self.width + GAP]);
        wide.narrow(3, 0, self.width)
    }

    /// The mean over each image's pixels, `[n, channels]`.
    pub(crate) fn mean_of_places(self) -> Tensor<2> {
        let images = self.apart();
        let [channels, height, n, width] = images.dims();
        let images = images.permute([2, 0, 1, 3]).reshape([n, channels, height * width]);
        images.mean_dim(2).reshape([n, channels])
    }
}

#[cfg(test)]
mod tests;
