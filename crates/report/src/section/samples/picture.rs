//! One sample image on its way into the page: as it is on disk if that is small, else a thumbnail,
//! with the file itself beside the page.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{ImageFormat, ImageReader, Limits};
use sha2::{Digest, Sha256};

use crate::PictureFile;

/// Longest side of what the page holds, in pixels.
const THUMBNAIL: u32 = 128;
/// A thumbnail's pixels without any compression, and room for a header. A file that is larger
/// carries something else.
const MOST_AS_IT_IS: usize = 64 << 10;
/// Below this thumbnails of flat drawings show blocks.
const JPEG_QUALITY: u8 = 90;
/// A picture that is larger would be decoded for a thumbnail only.
const LONGEST_SIDE: u32 = 8192;
const LARGEST_FILE: u64 = 64 << 20;

pub(super) struct Picture {
    /// SHA-256 of the file, in hex.
    pub(super) hash: String,
    /// What the page holds, as a `data:` address.
    pub(super) address: String,
    /// Width and height of the file in pixels.
    pub(super) size: (u32, u32),
    /// Where the page holds a thumbnail only.
    pub(super) file: Option<PictureFile>,
}

impl Picture {
    /// # Errors
    /// Why there is no picture to show, for a reader.
    pub(super) fn read(path: &Path) -> Result<Picture, String> {
        let bytes = read(path)?;
        let format = image::guess_format(&bytes).map_err(|e| e.to_string())?;
        let (kind, extension) = match format {
            ImageFormat::Png => ("png", "png"),
            ImageFormat::Jpeg => ("jpeg", "jpg"),
            ImageFormat::WebP => ("webp", "webp"),
            _ => return Err("neither PNG, JPEG nor WebP".into()),
        };
        let reader = ImageReader::with_format(Cursor::new(&bytes), format);
        let size = reader.into_dimensions().map_err(|e| e.to_string())?;
        let hash: String =
            Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if size.0.max(size.1) <= THUMBNAIL && bytes.len() <= MOST_AS_IT_IS {
            let address = format!("data:image/{kind};base64,{}", STANDARD.encode(&bytes));
            return Ok(Picture { hash, address, size, file: None });
        }
        let small = thumbnail(&bytes, format, size).map_err(|e| e.to_string())?;
        let address = format!("data:image/jpeg;base64,{}", STANDARD.encode(small));
        let name = format!("{hash}.{extension}");
        let file = Some(PictureFile { name, source: path.to_path_buf() });
        Ok(Picture { hash, address, size, file })
    }

    /// Width and height in CSS pixels. Small pictures grow by a whole factor, so that every pixel
    /// has the same size.
    pub(super) fn shown(&self) -> (u32, u32) {
        shown(self.size)
    }

    /// Whether its pixels are to stay squares.
    pub(super) fn is_sharp(&self) -> bool {
        self.size.0.max(self.size.1) < 64
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    // A pipe would be waited for.
    let found = fs::metadata(path).map_err(|e| e.to_string())?;
    match found.is_file() && found.len() <= LARGEST_FILE {
        true => fs::read(path).map_err(|e| e.to_string()),
        false => Err(format!("no file, or one of more than {} MiB", LARGEST_FILE >> 20)),
    }
}

fn thumbnail(
    bytes: &[u8],
    format: ImageFormat,
    size: (u32, u32),
) -> Result<Vec<u8>, image::ImageError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(LONGEST_SIDE), Some(LONGEST_SIDE));
    reader.limits(limits);
    let full = reader.decode()?.into_rgb8();
    let (width, height) = fit(size, THUMBNAIL);
    let small = match (width, height) == size {
        true => full,
        // Each pixel is a mean over all that it stands for, as in a resize by Pillow.
        false => imageops::resize(&full, width, height, FilterType::Triangle),
    };
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY).encode_image(&small)?;
    Ok(jpeg)
}

/// Shrunk to a longest side, if it is longer.
fn fit((width, height): (u32, u32), longest: u32) -> (u32, u32) {
    let side = width.max(height);
    let scaled = |length: u32| {
        (u64::from(length) * u64::from(longest) / u64::from(side.max(1))).max(1) as u32
    };
    if side <= longest { (width, height) } else { (scaled(width), scaled(height)) }
}

fn shown((width, height): (u32, u32)) -> (u32, u32) {
    match width.max(height) {
        side @ 0..64 => {
            let factor = 80_u32.div_ceil(side.max(1));
            (width * factor, height * factor)
        }
        side @ 64..96 => (width * 96 / side, height * 96 / side),
        _ => fit((width, height), THUMBNAIL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_large_enough_and_small_ones_keep_square_pixels() {
        let check = |size, expected| assert_eq!(shown(size), expected, "{size:?}");
        check((32, 32), (96, 96));
        check((48, 24), (96, 48));
        check((63, 63), (126, 126));
        check((64, 64), (96, 96));
        check((128, 96), (128, 96));
        check((256, 256), (128, 128));
        check((100, 1000), (12, 128));
        check((1, 9000), (1, 128));
    }
}
