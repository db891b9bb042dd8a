//! Instance norm with the activation behind it.
//!
//! `y = act(gamma · (x - mean) / √(var + eps) + beta)`, mean and variance over an image's pixels.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::columns::{bend, scaled};
use super::shared::{Shared, written};
use super::vectors;

/// Images `[images, pixels, channels]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Maps {
    pub images: usize,
    pub pixels: usize,
    pub channels: usize,
}

/// What the norm is, beside its input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Norm<'a> {
    pub gamma: &'a [f32],
    pub beta: &'a [f32],
    pub eps: f32,
    /// Factor of what is below zero; 1 changes nothing.
    pub negative_slope: f32,
}

/// Of every image's channels, `[images, channels]`.
#[derive(Debug, Clone)]
pub(crate) struct Statistics {
    pub mean: Vec<f32>,
    /// `1 / √(var + eps)`
    pub scale: Vec<f32>,
}

pub(crate) struct Gradients {
    pub x: Vec<f32>,
    pub gamma: Vec<f32>,
    pub beta: Vec<f32>,
}

/// Pixels that are summed before their sum is added to the others': rounding grows with the number
/// of terms.
const PIXELS_A_SUM: usize = 64;

/// Neighbouring channels of one image.
#[derive(Clone, Copy)]
struct Channels {
    image: usize,
    first: usize,
}

pub(crate) fn forward(x: &[f32], maps: Maps, norm: Norm<'_>) -> (Vec<f32>, Statistics) {
    assert_eq!(x.len(), maps.len());
    let n = maps.images * maps.channels;
    let mut statistics = Statistics { mean: vec![0.0; n], scale: vec![0.0; n] };
    let fill = |y: Shared<'_>| {
        let mean = Shared::new(&mut statistics.mean);
        let scale = Shared::new(&mut statistics.scale);
        maps.each(&Forward { x, maps, norm, y, mean, scale });
    };
    // SAFETY: every pixel of every group of channels is written.
    let y = unsafe { written(maps.len(), fill) };
    (y, statistics)
}

/// With `gradient` that of the result.
pub(crate) fn backward(
    gradient: &[f32],
    x: &[f32],
    statistics: &Statistics,
    maps: Maps,
    norm: Norm<'_>,
) -> Gradients {
    assert_eq!(x.len(), maps.len());
    assert_eq!(gradient.len(), maps.len());
    let n = maps.images * maps.channels;
    let (mut gamma, mut beta) = (vec![0.0; n], vec![0.0; n]);
    let fill = |out: Shared<'_>| {
        let gamma = Shared::new(&mut gamma);
        let beta = Shared::new(&mut beta);
        maps.each(&Backward { gradient, x, statistics, maps, norm, out, gamma, beta });
    };
    // SAFETY: every pixel of every group of channels is written.
    let out = unsafe { written(maps.len(), fill) };
    let over_images = |of: Vec<f32>| {
        let mut sum = vec![0.0; maps.channels];
        for image in of.chunks_exact(maps.channels) {
            sum.iter_mut().zip(image).for_each(|(sum, value)| *sum += value);
        }
        sum
    };
    Gradients { x: out, gamma: over_images(gamma), beta: over_images(beta) }
}

impl Maps {
    fn len(&self) -> usize {
        self.images * self.pixels * self.channels
    }

    /// Every image's channels in groups of 32, 16, 8, 4 or 1: no sum goes over channels, so their
    /// number may depend on that of threads.
    fn each(&self, pass: &impl Pass) {
        let n_wide = self.images * self.channels / 32;
        let widths = if n_wide < rayon::current_num_threads() {
            &[16, 8, 4, 1][..]
        } else {
            &[32, 16, 8, 4, 1]
        };
        let mut groups = Vec::new();
        for image in 0..self.images {
            let mut first = 0;
            while first < self.channels {
                let left = self.channels - first;
                let width = widths.iter().copied().find(|&it| it <= left).unwrap_or(1);
                groups.push((Channels { image, first }, width));
                first += width;
            }
        }
        let arch = vectors();
        groups
            .into_par_iter()
            .for_each(|(group, width)| arch.dispatch(Group { pass, channels: group, width }));
    }

    /// The pixels in order, some at a time.
    #[inline(always)]
    fn blocks(&self) -> impl Iterator<Item = Range<usize>> {
        let n = self.pixels;
        (0..n).step_by(PIXELS_A_SUM).map(move |first| first..n.min(first + PIXELS_A_SUM))
    }

    /// Where a pixel's channels of the group lie.
    #[inline(always)]
    fn place(&self, group: Channels, pixel: usize) -> usize {
        (group.image * self.pixels + pixel) * self.channels + group.first
    }
}

/// What is done to some neighbouring channels of an image. Everything below it is inlined: only so is
/// it compiled for the vectors at hand.
trait Pass: Sync {
    fn run<const W: usize>(&self, group: Channels);
}

struct Group<'a, P> {
    pass: &'a P,
    channels: Channels,
    width: usize,
}

impl<P: Pass> WithSimd for Group<'_, P> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        match self.width {
            32 => self.pass.run::<32>(self.channels),
            16 => self.pass.run::<16>(self.channels),
            8 => self.pass.run::<8>(self.channels),
            4 => self.pass.run::<4>(self.channels),
            _ => self.pass.run::<1>(self.channels),
        }
    }
}

struct Forward<'a> {
    x: &'a [f32],
    maps: Maps,
    norm: Norm<'a>,
    y: Shared<'a>,
    mean: Shared<'a>,
    scale: Shared<'a>,
}

impl Pass for Forward<'_> {
    #[inline(always)]
    fn run<const W: usize>(&self, group: Channels) {
        let Forward { x, maps, norm, .. } = self;
        let n = maps.pixels as f32;
        let mut mean = [0.0; W];
        for pixels in maps.blocks() {
            let mut sum = [0.0; W];
            for pixel in pixels {
                let row = lanes::<W>(x, maps.place(group, pixel));
                for i in 0..W {
                    sum[i] += row[i];
                }
            }
            for i in 0..W {
                mean[i] += sum[i] / n;
            }
        }
        let mut variance = [0.0; W];
        for pixels in maps.blocks() {
            let mut sum = [0.0; W];
            for pixel in pixels {
                let row = lanes::<W>(x, maps.place(group, pixel));
                for i in 0..W {
                    sum[i] += (row[i] - mean[i]) * (row[i] - mean[i]);
                }
            }
            for i in 0..W {
                variance[i] += sum[i] / n;
            }
        }
        let mut scale = [0.0; W];
        for i in 0..W {
            scale[i] = 1.0 / (variance[i] + norm.eps).sqrt();
        }
        let gamma = lanes::<W>(norm.gamma, group.first);
        let beta = lanes::<W>(norm.beta, group.first);
        for pixel in 0..maps.pixels {
            let row = lanes::<W>(x, maps.place(group, pixel));
            let mut y = [0.0; W];
            for i in 0..W {
                let value = (row[i] - mean[i]) * scale[i] * gamma[i] + beta[i];
                y[i] = bend(value, norm.negative_slope);
            }
            // SAFETY: groups differ in image or channels.
            unsafe { self.y.part(maps.place(group, pixel), W) }.write(&y);
        }
        let at = group.image * maps.channels + group.first;
        // SAFETY: as above.
        unsafe {
            self.mean.part(at, W).write(&mean);
            self.scale.part(at, W).write(&scale);
        }
    }
}

struct Backward<'a> {
    gradient: &'a [f32],
    x: &'a [f32],
    statistics: &'a Statistics,
    maps: Maps,
    norm: Norm<'a>,
    out: Shared<'a>,
    gamma: Shared<'a>,
    beta: Shared<'a>,
}

/// One group's share of what the backward pass reads at every pixel.
#[derive(Clone, Copy)]
struct Local<'a, const W: usize> {
    mean: &'a [f32; W],
    scale: &'a [f32; W],
    gamma: &'a [f32; W],
    beta: &'a [f32; W],
    negative_slope: f32,
}

impl<const W: usize> Local<'_, W> {
    /// The gradient before the activation, and z.
    #[inline(always)]
    fn before(&self, x: &[f32; W], gradient: &[f32; W]) -> ([f32; W], [f32; W]) {
        let (mut before, mut z) = ([0.0; W], [0.0; W]);
        for i in 0..W {
            z[i] = (x[i] - self.mean[i]) * self.scale[i];
            let above = z[i] * self.gamma[i] + self.beta[i] > 0.0;
            before[i] = if above { gradient[i] } else { scaled(gradient[i], self.negative_slope) };
        }
        (before, z)
    }
}

impl Pass for Backward<'_> {
    /// With z = (x - mean) · scale: `dx = gamma · scale · (dy - mean(dy) - z · mean(dy · z))`.
    #[inline(always)]
    fn run<const W: usize>(&self, group: Channels) {
        let Backward { gradient, x, statistics, maps, norm, .. } = self;
        let at = group.image * maps.channels + group.first;
        let local = Local::<W> {
            mean: lanes(&statistics.mean, at),
            scale: lanes(&statistics.scale, at),
            gamma: lanes(norm.gamma, group.first),
            beta: lanes(norm.beta, group.first),
            negative_slope: norm.negative_slope,
        };
        let (mut of_beta, mut of_gamma) = ([0.0; W], [0.0; W]);
        for pixels in maps.blocks() {
            let (mut sum, mut sum_z) = ([0.0; W], [0.0; W]);
            for pixel in pixels {
                let place = maps.place(group, pixel);
                let (before, z) = local.before(lanes(x, place), lanes(gradient, place));
                for i in 0..W {
                    sum[i] += before[i];
                    sum_z[i] += before[i] * z[i];
                }
            }
            for i in 0..W {
                of_beta[i] += sum[i];
                of_gamma[i] += sum_z[i];
            }
        }
        let n = maps.pixels as f32;
        for pixel in 0..maps.pixels {
            let place = maps.place(group, pixel);
            let (before, z) = local.before(lanes(x, place), lanes(gradient, place));
            let mut out = [0.0; W];
            for i in 0..W {
                let pull = of_beta[i] / n + z[i] * (of_gamma[i] / n);
                out[i] = local.gamma[i] * local.scale[i] * (before[i] - pull);
            }
            // SAFETY: groups differ in image or channels.
            unsafe { self.out.part(place, W) }.write(&out);
        }
        // SAFETY: as above.
        unsafe {
            self.gamma.part(at, W).write(&of_gamma);
            self.beta.part(at, W).write(&of_beta);
        }
    }
}

#[inline(always)]
fn lanes<const W: usize>(from: &[f32], at: usize) -> &[f32; W] {
    from[at..at + W].try_into().expect("as long as it was cut")
}
