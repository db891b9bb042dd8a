//! Tiles of pictures as the points at which Winograd's products are made, and back.
//!
//! Matrices are those of Lavin and Gray 2016 (arXiv:1509.09308, section 4.1), applied to the lines of a
//! tile and then to its columns.

use std::marker::PhantomData;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::grid::Grid;
use super::product::Finish;
use super::shared::Shared;
use super::vectors;

/// Of a tile.
pub(crate) const POINTS: usize = 16;
/// Values between points, or all of them would fall on one set of a cache.
const GAP: usize = 16;

/// Values `[point, tile, channel]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub tiles: usize,
    pub channels: usize,
}

impl Layout {
    fn step(self) -> usize {
        self.tiles * self.channels + GAP
    }

    pub(crate) fn len(self) -> usize {
        POINTS * self.step()
    }

    /// A point of some tiles.
    pub(crate) fn grid(self, point: usize, tiles: Range<usize>) -> Grid {
        assert!(tiles.end <= self.tiles);
        let start = point * self.step() + tiles.start * self.channels;
        Grid { start, ..Grid::dense(1, 1, tiles.len(), self.channels) }
    }

    pub(crate) fn clear_gaps(self, out: &Shared<'_>) {
        for point in 1..=POINTS {
            // SAFETY: nobody else has a gap.
            unsafe { out.part(point * self.step() - GAP, GAP) }.clear_at(0, GAP);
        }
    }
}

/// How a line of a tile changes; a tile's lines and then its columns do.
pub(crate) trait Change<const IN: usize, const OUT: usize> {
    fn line<S: Simd>(simd: S, x: [S::f32s; IN]) -> [S::f32s; OUT];
}

/// `Bᵀ`: of the picture that kernels go over.
pub(crate) enum OfPicture {}

impl Change<4, 4> for OfPicture {
    #[inline(always)]
    fn line<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 4] {
        [simd.sub_f32s(a, c), simd.add_f32s(b, c), simd.sub_f32s(c, b), simd.sub_f32s(b, d)]
    }
}

/// `G`: of a kernel.
pub(crate) enum OfKernel {}

impl Change<3, 4> for OfKernel {
    #[inline(always)]
    fn line<S: Simd>(simd: S, [a, b, c]: [S::f32s; 3]) -> [S::f32s; 4] {
        let half = simd.splat_f32s(0.5);
        let (ends, b) = (simd.mul_f32s(half, simd.add_f32s(a, c)), simd.mul_f32s(half, b));
        [a, simd.add_f32s(ends, b), simd.sub_f32s(ends, b), c]
    }
}

/// `A`: of a gradient of the result.
pub(crate) enum OfResult {}

impl Change<2, 4> for OfResult {
    #[inline(always)]
    fn line<S: Simd>(simd: S, [a, b]: [S::f32s; 2]) -> [S::f32s; 4] {
        [a, simd.add_f32s(a, b), simd.sub_f32s(a, b), simd.sub_f32s(simd.splat_f32s(0.0), b)]
    }
}

/// `Aᵀ`: the result.
pub(crate) enum ToResult {}

impl Change<4, 2> for ToResult {
    #[inline(always)]
    fn line<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 2] {
        let sum = simd.add_f32s(simd.add_f32s(a, b), c);
        [sum, simd.sub_f32s(simd.sub_f32s(b, c), d)]
    }
}

/// `Gᵀ`: the gradient of a kernel.
pub(crate) enum ToKernel {}

impl Change<4, 3> for ToKernel {
    #[inline(always)]
    fn line<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 3] {
        let half = simd.splat_f32s(0.5);
        let (sum, rest) =
            (simd.mul_f32s(half, simd.add_f32s(b, c)), simd.mul_f32s(half, simd.sub_f32s(b, c)));
        [simd.add_f32s(a, sum), rest, simd.add_f32s(sum, d)]
    }
}

#[inline(always)]
pub(crate) fn changed<S: Simd, C: Change<IN, OUT>, const IN: usize, const OUT: usize>(
    simd: S,
    x: [[S::f32s; IN]; IN],
) -> [[S::f32s; OUT]; OUT] {
    let zero = simd.splat_f32s(0.0);
    let mut lines = [[zero; OUT]; IN];
    for i in 0..IN {
        lines[i] = C::line(simd, x[i]);
    }
    let mut out = [[zero; OUT]; OUT];
    for j in 0..OUT {
        let mut column = [zero; IN];
        for i in 0..IN {
            column[i] = lines[i][j];
        }
        let column = C::line(simd, column);
        for i in 0..OUT {
            out[i][j] = column[i];
        }
    }
    out
}

/// A picture in tiles, which may overlap.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tiled {
    /// Where each tile begins.
    pub tiles: Grid,
    /// From a tile's line to the next.
    pub row: usize,
    /// From a pixel to the next.
    pub pixel: usize,
    /// Of each pixel, as many are meant.
    pub channels: usize,
}

impl Tiled {
    /// Some of the channels.
    pub(crate) fn only(self, channels: Range<usize>) -> Self {
        assert!(channels.end <= self.channels);
        let tiles = Grid { start: self.tiles.start + channels.start, ..self.tiles };
        Tiled { tiles, channels: channels.len(), ..self }
    }

    /// One past the last value of any tile of `side` × `side` pixels.
    fn end(&self, side: usize) -> usize {
        self.tiles.end((side - 1) * (self.row + self.pixel) + self.channels)
    }
}

/// Some tiles, and where their points lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    pub first: usize,
    pub n: usize,
    pub layout: Layout,
    /// The first one's number among the points' tiles.
    pub at: usize,
}

/// Writes tiles' points.
///
/// # Panics
/// If a tile or its points lie outside of their slices.
///
/// # Safety
/// No other thread writes the points of these tiles.
pub(crate) unsafe fn read<C: Change<SIDE, 4>, const SIDE: usize>(
    picture: &[f32],
    tiled: Tiled,
    some: Stretch,
    out: &Shared<'_>,
) {
    assert!(tiled.end(SIDE) <= picture.len());
    assert!(some.first + some.n <= tiled.tiles.len() && some.at + some.n <= some.layout.tiles);
    assert!(tiled.channels == some.layout.channels && some.layout.len() <= out.len());
    vectors().dispatch(Reading::<C, SIDE> { picture, tiled, some, out, change: PhantomData });
}

struct Reading<'a, C, const SIDE: usize> {
    picture: &'a [f32],
    tiled: Tiled,
    some: Stretch,
    out: &'a Shared<'a>,
    change: PhantomData<C>,
}

impl<C: Change<SIDE, 4>, const SIDE: usize> WithSimd for Reading<'_, C, SIDE> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Tiled { tiles, row, pixel, channels } = self.tiled;
        let Stretch { first, n, layout, at } = self.some;
        assert!(channels.is_multiple_of(S::F32_LANES));
        for tile in 0..n {
            let place = tiles.place(first + tile);
            for channel in (0..channels).step_by(S::F32_LANES) {
                let mut x = [[simd.splat_f32s(0.0); SIDE]; SIDE];
                for (i, line) in x.iter_mut().enumerate() {
                    for (j, x) in line.iter_mut().enumerate() {
                        let from = place + i * row + j * pixel + channel;
                        // SAFETY: `read` has checked that the tile lies within the picture.
                        *x = unsafe {
                            self.picture.as_ptr().add(from).cast::<S::f32s>().read_unaligned()
                        };
                    }
                }
                let points = changed::<S, C, SIDE, 4>(simd, x);
                let to = (at + tile) * channels + channel;
                for (point, value) in points.as_flattened().iter().enumerate() {
                    // SAFETY: the caller's promise.
                    let out = unsafe { self.out.part(point * layout.step() + to, S::F32_LANES) };
                    out.write_vector(simd, 0, *value);
                }
            }
        }
    }
}

/// Writes the pixels of tiles of the result from their points.
///
/// # Panics
/// If a tile or its points lie outside of their slices.
///
/// # Safety
/// No other thread writes these tiles.
pub(crate) unsafe fn write(
    points: &[f32],
    some: Stretch,
    tiled: Tiled,
    finish: Finish<'_>,
    out: &Shared<'_>,
) {
    assert!(tiled.end(2) <= out.len());
    assert!(some.first + some.n <= tiled.tiles.len() && some.at + some.n <= some.layout.tiles);
    assert!(tiled.channels == some.layout.channels && some.layout.len() <= points.len());
    assert!(finish.bias.is_none_or(|bias| bias.len() == tiled.channels));
    vectors().dispatch(Writing { points, some, tiled, finish, out });
}

struct Writing<'a> {
    points: &'a [f32],
    some: Stretch,
    tiled: Tiled,
    finish: Finish<'a>,
    out: &'a Shared<'a>,
}

impl WithSimd for Writing<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Tiled { tiles, row, pixel, channels } = self.tiled;
        let Stretch { first, n, layout, at } = self.some;
        assert!(channels.is_multiple_of(S::F32_LANES));
        for tile in 0..n {
            let place = tiles.place(first + tile);
            for channel in (0..channels).step_by(S::F32_LANES) {
                let from = (at + tile) * channels + channel;
                let mut x = [[simd.splat_f32s(0.0); 4]; 4];
                for (point, x) in x.as_flattened_mut().iter_mut().enumerate() {
                    // SAFETY: `write` has checked that the points lie within their slice.
                    *x = unsafe {
                        let from = self.points.as_ptr().add(point * layout.step() + from);
                        from.cast::<S::f32s>().read_unaligned()
                    };
                }
                let pixels = changed::<S, ToResult, 4, 2>(simd, x);
                let bias = self.finish.bias(simd, channel);
                for (i, line) in pixels.into_iter().enumerate() {
                    for (j, value) in line.into_iter().enumerate() {
                        let to = place + i * row + j * pixel + channel;
                        // SAFETY: the caller's promise.
                        let out = unsafe { self.out.part(to, S::F32_LANES) };
                        out.write_vector(simd, 0, self.finish.of(simd, value, bias));
                    }
                }
            }
        }
    }
}
