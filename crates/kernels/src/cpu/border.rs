//! Pictures with a border, and the way back.

use rayon::prelude::*;

use super::shared::{Shared, written};

/// What lies beyond the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Border {
    /// Zeros.
    Zero,
    /// The picture mirrored, without its edge (PyTorch's `ReflectionPad2d`).
    Reflect,
    /// The edge again (PyTorch's `ReplicationPad2d`).
    Edge,
}

impl Border {
    /// Which row or column of `n` stands at `place`, which counts from `by` before the first.
    fn source(self, place: usize, by: usize, n: usize) -> Option<usize> {
        let inside = place.wrapping_sub(by);
        match self {
            _ if inside < n => Some(inside),
            Border::Zero => None,
            Border::Reflect if place < by => Some(by - place),
            Border::Reflect => Some(2 * n - 2 - inside),
            Border::Edge if place < by => Some(0),
            Border::Edge => Some(n - 1),
        }
    }
}

/// Images `[images, height, width, channels]` one behind the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub images: usize,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
}

impl Shape {
    pub(crate) fn len(&self) -> usize {
        self.images * self.height * self.width * self.channels
    }

    pub(crate) fn row(&self) -> usize {
        self.width * self.channels
    }
}

/// `before` and `after` more rows and columns.
pub(crate) fn extend(
    x: &[f32],
    shape: Shape,
    before: usize,
    after: usize,
    border: Border,
) -> Vec<f32> {
    let (channels, row) = (shape.channels, shape.row());
    let wide = (shape.width + before + after) * channels;
    let tall = shape.height + before + after;
    let lines = shape.images * tall;
    let fill = |out: Shared<'_>| {
        (0..lines).into_par_iter().for_each(|line| {
            // SAFETY: lines do not meet.
            let out = unsafe { out.part(line * wide, wide) };
            let (image, y) = (line / tall, line % tall);
            let Some(y) = border.source(y, before, shape.height) else {
                return out.clear_at(0, wide);
            };
            let from = &x[(image * shape.height + y) * row..][..row];
            out.write_at(before * channels, from);
            for x in (0..before).chain(before + shape.width..before + shape.width + after) {
                match border.source(x, before, shape.width) {
                    Some(source) => {
                        out.write_at(x * channels, &from[source * channels..][..channels]);
                    }
                    None => out.clear_at(x * channels, channels),
                }
            }
        });
    };
    // SAFETY: every pixel of every line is written.
    unsafe { written(lines * wide, fill) }
}

/// Gradients of an extended picture added up where its pixels came from; `by` on all sides.
pub(crate) fn fold(extended: &[f32], shape: Shape, by: usize, border: Border) -> Vec<f32> {
    let (channels, row) = (shape.channels, shape.row());
    let wide = (shape.width + 2 * by) * channels;
    let tall = shape.height + 2 * by;
    assert_eq!(extended.len(), shape.images * tall * wide);
    // Of each row those that came from it; of each column beyond the picture where it came from.
    let mut rows = vec![Vec::new(); shape.height];
    for place in 0..tall {
        if let Some(y) = border.source(place, by, shape.height) {
            rows[y].push(place);
        }
    }
    let beyond = (0..by).chain(by + shape.width..2 * by + shape.width);
    let columns: Vec<(usize, usize)> =
        beyond.filter_map(|x| Some((border.source(x, by, shape.width)?, x))).collect();
    let fill = |out: Shared<'_>| {
        (0..shape.images * shape.height).into_par_iter().for_each(|line| {
            let (image, y) = (line / shape.height, line % shape.height);
            let mut sum = Vec::new();
            for place in &rows[y] {
                let from = &extended[(image * tall + place) * wide..][..wide];
                let inside = &from[by * channels..][..row];
                match sum.is_empty() {
                    true => sum.extend_from_slice(inside),
                    false => add(&mut sum, inside),
                }
                for (to, at) in &columns {
                    add(&mut sum[to * channels..][..channels], &from[at * channels..][..channels]);
                }
            }
            // SAFETY: lines do not meet.
            unsafe { out.part(line * row, row) }.write(&sum);
        });
    };
    // SAFETY: every line is written.
    unsafe { written(shape.len(), fill) }
}

fn add(to: &mut [f32], values: &[f32]) {
    to.iter_mut().zip(values).for_each(|(to, value)| *to += value);
}
