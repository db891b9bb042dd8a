//! A picture of any size: decoded, padded to what a network takes, cut back, written.

use std::io::Write;
use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::decode::decode;
use crate::error::DataError;
use crate::resize::resize;
use crate::square_image::{push_chw, to_levels};

/// An RGB picture, rows of interleaved pixels (HWC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raster {
    /// In pixels.
    pub width: usize,
    pub height: usize,
    pub rgb: Vec<u8>,
}

impl Raster {
    /// Decodes as training does; with a `size`, resized to a square as held-out images are.
    pub(crate) fn decode(bytes: &[u8], size: Option<u32>) -> Result<Raster, String> {
        let image = decode(bytes)?;
        Ok(match size {
            Some(size) => {
                let side = size as usize;
                Raster { width: side, height: side, rgb: resize(&image, size) }
            }
            None => {
                let (width, height) = (image.width() as usize, image.height() as usize);
                Raster { width, height, rgb: image.into_raw() }
            }
        })
    }

    /// The picture continued to the right and below by its mirror image, without the edge twice,
    /// back and forth where it is small.
    ///
    /// # Panics
    /// If it is to become smaller.
    pub fn padded(&self, width: usize, height: usize) -> Raster {
        assert!(width >= self.width && height >= self.height, "padding adds");
        let mut rgb = Vec::with_capacity(3 * width * height);
        for y in 0..height {
            let row = &self.rgb[3 * self.width * reflected(y, self.height)..][..3 * self.width];
            rgb.extend_from_slice(row);
            for x in self.width..width {
                rgb.extend_from_slice(&row[3 * reflected(x, self.width)..][..3]);
            }
        }
        Raster { width, height, rgb }
    }

    /// The upper left part: what padding has added is gone.
    ///
    /// # Panics
    /// If it is to become larger.
    pub fn cropped(&self, width: usize, height: usize) -> Raster {
        assert!(width <= self.width && height <= self.height, "cropping takes away");
        let rows = self.rgb.chunks_exact(3 * self.width).take(height);
        let rgb = rows.flat_map(|row| &row[..3 * width]).copied().collect();
        Raster { width, height, rgb }
    }

    /// Planes of red, green, blue (CHW) in [-1, 1].
    pub fn to_unit_chw(&self) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.rgb.len());
        push_chw(&mut values, self.rgb.as_chunks().0);
        values
    }

    /// The inverse: clamped, rounded to the nearest level; a value that is no number becomes 0.
    ///
    /// # Panics
    /// If `values` are not 3 × `height` × `width`.
    pub fn from_unit_chw(values: &[f32], width: usize, height: usize) -> Raster {
        assert_eq!(values.len(), 3 * width * height, "three planes of {width} × {height} values");
        Raster { width, height, rgb: to_levels(values) }
    }

    /// Writes a PNG that is whole or absent.
    pub(crate) fn write_png(&self, path: &Path) -> Result<(), DataError> {
        let png = png_of(&self.rgb, self.width, self.height, path)?;
        let dir = path.parent().expect("a picture lies in a folder");
        let mut builder = tempfile::Builder::new();
        // A dot first: what a killed process leaves is taken for no image.
        builder.prefix(".cyclelab-");
        // The crate's own default of 0600 would keep the pictures from others.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.tempfile_in(dir).map_err(DataError::write(dir))?;
        file.write_all(&png).map_err(DataError::write(path))?;
        file.persist(path).map_err(|error| DataError::write(path)(error.error))?;
        Ok(())
    }
}

/// The bytes of a PNG for `path`. In memory, as the encoder's own way to a file loses the error of a
/// full disk.
pub(crate) fn png_of(
    rgb: &[u8],
    width: usize,
    height: usize,
    path: &Path,
) -> Result<Vec<u8>, DataError> {
    let mut png = Vec::new();
    PngEncoder::new(&mut png)
        .write_image(rgb, width as u32, height as u32, ExtendedColorType::Rgb8)
        .map_err(|error| {
            let reason = error.to_string();
            DataError::WriteImage { path: path.to_path_buf(), reason }
        })?;
    Ok(png)
}

/// Where position `i` of a reflected row of `size` comes from: 0 1 2 1 0 1 … for three.
fn reflected(i: usize, size: usize) -> usize {
    let period = (2 * size).saturating_sub(2).max(1);
    let i = i % period;
    i.min(period - i)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One channel is enough to tell pixels apart.
    fn raster(width: usize, rows: &[u8]) -> Raster {
        let rgb = rows.iter().flat_map(|&level| [level; 3]).collect();
        Raster { width, height: rows.len() / width, rgb }
    }

    #[test]
    fn padding_mirrors_without_the_edge() {
        let check = |before: Raster, (width, height), expected: &[u8]| {
            assert_eq!(before.padded(width, height), raster(width, expected));
        };
        check(raster(3, &[1, 2, 3]), (5, 1), &[1, 2, 3, 2, 1]);
        check(raster(1, &[1, 2, 3]), (1, 5), &[1, 2, 3, 2, 1]);
        check(raster(2, &[1, 2, 3, 4]), (3, 3), &[1, 2, 1, 3, 4, 3, 1, 2, 1]);
        // Smaller than what is added: back and forth.
        check(raster(3, &[1, 2, 3]), (9, 1), &[1, 2, 3, 2, 1, 2, 3, 2, 1]);
        check(raster(1, &[7]), (3, 1), &[7, 7, 7]);
    }

    #[test]
    fn cropping_undoes_padding() {
        let levels: Vec<u8> = (0..5 * 7).collect();
        let before = raster(5, &levels);
        assert_eq!(before.padded(5, 7), before);
        assert_eq!(before.padded(8, 8).cropped(5, 7), before);
    }

    #[test]
    fn every_level_survives_the_way_to_values_and_back() {
        let rgb: Vec<u8> = (0..3 * 32 * 20).map(|i| (i * 7 % 256) as u8).collect();
        let before = Raster { width: 32, height: 20, rgb };
        assert_eq!(Raster::from_unit_chw(&before.to_unit_chw(), 32, 20), before);
        // Red first, plane by plane.
        let values = Raster { width: 2, height: 1, rgb: vec![0, 255, 0, 255, 0, 0] }.to_unit_chw();
        assert_eq!(values, [-1.0, 1.0, 1.0, -1.0, -1.0, -1.0]);
    }

    #[test]
    fn a_png_holds_the_same_pixels_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.png");
        let before = raster(5, &(0..20).collect::<Vec<_>>());
        before.write_png(&path).unwrap();
        before.write_png(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(Raster::decode(&bytes, None).unwrap(), before);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        let error = before.write_png(&dir.path().join("no/x.png")).unwrap_err().to_string();
        assert!(error.contains("cannot write"), "{error}");
    }

    #[test]
    fn a_size_is_a_square_as_in_training() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.png");
        let before = raster(9, &(0..63).map(|i| (i * 4) as u8).collect::<Vec<_>>());
        before.write_png(&path).unwrap();
        let found = Raster::decode(&std::fs::read(&path).unwrap(), Some(4)).unwrap();
        let image = image::RgbImage::from_raw(9, 7, before.rgb).unwrap();
        assert_eq!(found, Raster { width: 4, height: 4, rgb: resize(&image, 4) });
    }
}
