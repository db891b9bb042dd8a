//! One image as bytes, and its way to and from a tensor's values.

use std::fs;
use std::path::Path;

use crate::error::DataError;
use crate::raster::png_of;

/// A square RGB image, rows of interleaved pixels (HWC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Side in pixels.
    pub size: usize,
    pub rgb: Vec<u8>,
}

impl Image {
    /// Planes of red, green, blue (CHW) in [-1, 1].
    pub fn to_unit_chw(&self) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.rgb.len());
        push_chw(&mut values, self.rgb.as_chunks().0);
        values
    }

    /// The inverse: clamped, rounded to the nearest level; a value that is no number becomes 0.
    ///
    /// # Panics
    /// If `values` are not 3 × `size` × `size`.
    pub fn from_unit_chw(values: &[f32], size: usize) -> Image {
        assert_eq!(values.len(), 3 * size * size, "three planes of {size} × {size} values");
        Image { size, rgb: to_levels(values) }
    }

    /// The image as a PNG file's bytes.
    pub fn png(&self) -> Vec<u8> {
        png_of(&self.rgb, self.size, self.size, Path::new("")).expect("as many pixels as it says")
    }

    /// # Errors
    /// `WriteImage`, `Write`.
    pub fn to_png(&self, path: &Path) -> Result<(), DataError> {
        let png = png_of(&self.rgb, self.size, self.size, path)?;
        fs::write(path, png).map_err(DataError::write(path))
    }
}

/// Appends pixels plane by plane, scaled as the reference scales: `(level / 255 - 0.5) / 0.5`.
pub(crate) fn push_chw(values: &mut Vec<f32>, pixels: &[[u8; 3]]) {
    for channel in 0..3 {
        values.extend(pixels.iter().map(|pixel| (f32::from(pixel[channel]) / 255.0 - 0.5) / 0.5));
    }
}

/// The inverse: three planes of values to interleaved levels, clamped and rounded to the nearest.
pub(crate) fn to_levels(values: &[f32]) -> Vec<u8> {
    let plane = values.len() / 3;
    let level = |value: f32| ((value * 0.5 + 0.5) * 255.0).round() as u8;
    (0..plane)
        .flat_map(|i| [values[i], values[plane + i], values[2 * plane + i]].map(level))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_survives_the_way_to_values_and_back() {
        let rgb: Vec<u8> = (0..16 * 16 * 3).map(|i| (i * 7 % 256) as u8).collect();
        let image = Image { size: 16, rgb };
        let values = image.to_unit_chw();
        assert_eq!((values[0], values[256]), (-1.0, (7.0 / 255.0 - 0.5) / 0.5));
        assert_eq!(Image::from_unit_chw(&values, 16), image);
    }

    #[test]
    fn values_outside_are_clamped_and_rounded_to_nearest() {
        for (value, expected) in [
            (-9.0, 0),
            (-1.0, 0),
            (0.0, 128),
            (0.0039, 128),
            (0.0040, 128),
            (0.0118, 129),
            (1.0, 255),
            (f32::INFINITY, 255),
            (f32::NAN, 0),
        ] {
            assert_eq!(Image::from_unit_chw(&[value; 3], 1).rgb, [expected; 3], "{value}");
        }
    }

    #[test]
    fn a_png_holds_the_same_pixels() {
        let image = Image { size: 2, rgb: (0..12).collect() };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.png");
        image.to_png(&path).unwrap();
        assert_eq!(image::open(&path).unwrap().into_rgb8().into_raw(), image.rgb);
        let error = image.to_png(&dir.path().join("no/x.png")).unwrap_err().to_string();
        assert!(error.contains("no/x.png"), "{error}");
    }
}
