//! 3 × 3 kernels as the points of [`points`](super::points), and back.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::panels::{Panels, Weights};
use super::points::{OfKernel, POINTS, ToKernel, changed};
use super::product::panel_width;
use super::shared::{Shared, written};
use super::vectors;

/// Of a kernel.
const TAPS: usize = 9;
/// Channels whose kernels are read at a time: they lie side by side.
const STRIP: usize = 8;

/// A matrix `[channel from, channel to]` a point, one behind the other.
pub(crate) struct Kernels {
    values: Vec<f32>,
    pub from: usize,
    pub to: usize,
    width: usize,
}

impl Kernels {
    pub(crate) fn point(&self, point: usize) -> Weights<'_> {
        let Kernels { ref values, from, to, width } = *self;
        let values = &values[point * from * to..][..from * to];
        Weights { values, depth: from, columns: to, panel_width: width }
    }

    /// Of weights `[small, big, 3, 3]`, on the way from the big picture to the small one.
    pub(crate) fn down(weight: &[f32], big: usize, small: usize) -> Self {
        let kernel = |from, to| place(big, to, from);
        Kernels::of(weight, big, small, kernel, |tap| tap)
    }

    /// On the way back: each kernel turned by half a circle.
    pub(crate) fn up(weight: &[f32], big: usize, small: usize) -> Self {
        let kernel = |from, to| place(big, from, to);
        Kernels::of(weight, small, big, kernel, |tap| TAPS - 1 - tap)
    }

    /// `kernel`: where that between two channels begins.
    fn of(
        weight: &[f32],
        from: usize,
        to: usize,
        kernel: impl Fn(usize, usize) -> usize + Sync,
        tap: impl Fn(usize) -> usize + Sync,
    ) -> Self {
        let width = panel_width();
        assert!(to.is_multiple_of(width) && from.is_multiple_of(STRIP));
        assert_eq!(weight.len(), from * to * TAPS);
        let fill = |points: Shared<'_>| {
            let arch = vectors();
            (0..to / width).into_par_iter().for_each(|panel| {
                // `[channel of the strip, tap, column]`
                let mut kernels = vec![0.0; STRIP * TAPS * width];
                for first in (0..from).step_by(STRIP) {
                    for column in 0..width {
                        for channel in 0..STRIP {
                            let from = kernel(first + channel, panel * width + column);
                            let from = &weight[from..from + TAPS];
                            let to = &mut kernels[channel * TAPS * width + column..];
                            for place in 0..TAPS {
                                to[place * width] = from[tap(place)];
                            }
                        }
                    }
                    let (place, step) = ((panel * from + first) * width, from * to);
                    arch.dispatch(Strip { kernels: &kernels, width, place, step, points: &points });
                }
            });
        };
        // SAFETY: the panels are all of every point.
        let values = unsafe { written(POINTS * from * to, fill) };
        Kernels { values, from, to, width }
    }
}

/// The gradient of weights `[channel to, channel from, 3, 3]`, of that at every point.
pub(crate) fn gradient(points: &[Panels]) -> Vec<f32> {
    let Panels { depth: from, columns: to, panel_width: width, .. } = points[0];
    assert!(from.is_multiple_of(STRIP) && to.is_multiple_of(width));
    let fill = |weight: Shared<'_>| {
        let arch = vectors();
        (0..to / width).into_par_iter().for_each(|panel| {
            let mut kernels = vec![0.0; STRIP * TAPS * width];
            for first in (0..from).step_by(STRIP) {
                let at = (panel * from + first) * width;
                arch.dispatch(StripBack { points, width, place: at, kernels: &mut kernels });
                for column in 0..width {
                    let strip: [f32; STRIP * TAPS] =
                        std::array::from_fn(|at| kernels[at * width + column]);
                    let at = place(from, panel * width + column, first);
                    // SAFETY: jobs differ in panel.
                    unsafe { weight.part(at, strip.len()) }.write(&strip);
                }
            }
        });
    };
    // SAFETY: the panels are all of the weights.
    unsafe { written(from * to * TAPS, fill) }
}

/// Of the kernel between two channels in `[small, big, 3, 3]`.
fn place(big: usize, of_small: usize, of_big: usize) -> usize {
    (of_small * big + of_big) * TAPS
}

/// The kernels of some channels and a panel's columns.
struct Strip<'a> {
    kernels: &'a [f32],
    width: usize,
    /// In the first point; the others' are a `step` further each.
    place: usize,
    step: usize,
    points: &'a Shared<'a>,
}

impl WithSimd for Strip<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (channel, kernels) in self.kernels.chunks_exact(TAPS * self.width).enumerate() {
            let place = self.place + channel * self.width;
            for column in (0..self.width).step_by(S::F32_LANES) {
                let mut g = [[simd.splat_f32s(0.0); 3]; 3];
                for (tap, g) in g.as_flattened_mut().iter_mut().enumerate() {
                    let from = &kernels[tap * self.width + column..][..S::F32_LANES];
                    *g = simd.partial_load_f32s(from);
                }
                let points = changed::<S, OfKernel, 3, 4>(simd, g);
                for (point, value) in points.as_flattened().iter().enumerate() {
                    let at = point * self.step + place + column;
                    // SAFETY: jobs differ in panel.
                    let out = unsafe { self.points.part(at, S::F32_LANES) };
                    out.write_vector(simd, 0, *value);
                }
            }
        }
    }
}

/// The other way.
struct StripBack<'a> {
    points: &'a [Panels],
    width: usize,
    place: usize,
    kernels: &'a mut [f32],
}

impl WithSimd for StripBack<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (channel, kernels) in self.kernels.chunks_exact_mut(TAPS * self.width).enumerate() {
            let place = self.place + channel * self.width;
            for column in (0..self.width).step_by(S::F32_LANES) {
                let mut x = [[simd.splat_f32s(0.0); 4]; 4];
                for (point, x) in x.as_flattened_mut().iter_mut().enumerate() {
                    let from = &self.points[point].values[place + column..][..S::F32_LANES];
                    *x = simd.partial_load_f32s(from);
                }
                let taps = changed::<S, ToKernel, 4, 3>(simd, x);
                for (tap, value) in taps.as_flattened().iter().enumerate() {
                    let to = &mut kernels[tap * self.width + column..][..S::F32_LANES];
                    simd.partial_store_f32s(to, *value);
                }
            }
        }
    }
}
