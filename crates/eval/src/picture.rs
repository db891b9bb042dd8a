//! One square image as the metrics see it.

/// A square RGB image: three planes, each `size × size`, values in `[0, 1]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    size: usize,
    planes: Vec<f32>,
}

impl Picture {
    /// From a network's output: three planes in `[-1, 1]`.
    ///
    /// # Panics
    /// If `planes` does not hold `3 · size²` values.
    pub fn from_network(size: usize, planes: &[f32]) -> Self {
        assert_eq!(planes.len(), 3 * size * size, "three planes of {size}×{size}");
        Picture { size, planes: planes.iter().map(|v| (v + 1.0) / 2.0).collect() }
    }

    /// The picture as an image file would keep it: clamped and rounded to 256 levels.
    pub fn rounded(&self) -> Self {
        let round = |v: &f32| (v.clamp(0.0, 1.0) * 255.0).round() / 255.0;
        Picture { size: self.size, planes: self.planes.iter().map(round).collect() }
    }

    /// Side in pixels.
    pub fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn values(&self) -> &[f32] {
        &self.planes
    }

    pub(crate) fn planes(&self) -> impl Iterator<Item = &[f32]> {
        self.planes.chunks_exact(self.size * self.size)
    }
}
