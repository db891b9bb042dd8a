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
        Picture::from_unit(size, planes.iter().map(|v| (v + 1.0) / 2.0).collect())
    }

    /// From an image file's pixels: rows of interleaved red, green and blue, 0 to 255.
    ///
    /// # Panics
    /// If `pixels` does not hold `3 · size²` bytes.
    pub fn from_rgb8(size: usize, pixels: &[u8]) -> Self {
        let plane =
            |c: usize| pixels.iter().skip(c).step_by(3).map(|&byte| f32::from(byte) / 255.0);
        Picture::from_unit(size, (0..3).flat_map(plane).collect())
    }

    /// Three planes in `[0, 1]`, as they are.
    pub(crate) fn from_unit(size: usize, planes: Vec<f32>) -> Self {
        assert_eq!(planes.len(), 3 * size * size, "three planes of {size}×{size}");
        Picture { size, planes }
    }

    /// The picture as an image file would keep it: clamped and rounded to 256 levels.
    pub fn rounded(&self) -> Self {
        self.map(|v| (v.clamp(0.0, 1.0) * 255.0).round() / 255.0)
    }

    /// Three planes in `[-1, 1]`, for a network.
    pub fn to_network(&self) -> Vec<f32> {
        self.planes.iter().map(|v| v * 2.0 - 1.0).collect()
    }

    /// Rows of interleaved red, green and blue, clamped and rounded to 0 to 255.
    pub fn to_rgb8(&self) -> Vec<u8> {
        let area = self.size * self.size;
        let byte = |i: usize| (self.planes[i].clamp(0.0, 1.0) * 255.0).round() as u8;
        (0..area).flat_map(|i| [byte(i), byte(i + area), byte(i + 2 * area)]).collect()
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

    pub(crate) fn map(&self, change: impl Fn(f32) -> f32) -> Self {
        Picture { size: self.size, planes: self.planes.iter().map(|&v| change(v)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_to_planes_and_back() {
        let bytes: Vec<u8> = (0..12).map(|i| i * 20).collect();
        let picture = Picture::from_rgb8(2, &bytes);
        let red: Vec<f32> = [0.0, 60.0, 120.0, 180.0].map(|v: f32| v / 255.0).to_vec();
        assert_eq!(picture.planes().next(), Some(&red[..]));
        assert_eq!(picture.to_rgb8(), bytes);
        assert_eq!(picture.rounded(), picture);
    }

    #[test]
    fn network_values_come_back() {
        let values = [-1.0, 0.0, 0.5];
        assert_eq!(Picture::from_network(1, &values).to_network(), values);
    }
}
