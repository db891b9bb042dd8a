//! Bytes of an image file to 8-bit RGB, or the reason why not.

use std::any::Any;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use image::{DynamicImage, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

/// Sides beyond this are a mistake or an attack, not a training image.
pub(crate) const MAX_SIDE_PX: u32 = 16_384;
const MIN_SIDE_PX: u32 = 4;
/// What one decoder may allocate; the largest picture of a built-in recipe takes 175 MB.
const MAX_ALLOC: u64 = 512 << 20;
/// Pictures with more bytes of RGB than this are decoded one at a time: a folder full of them must
/// not take the limit above once for every thread.
const LARGE: u64 = 64 << 20;
static LARGE_ONES: Mutex<()> = Mutex::new(());
/// libjpeg refines the whole picture at every scan. Encoders write about ten.
const MAX_SCANS: usize = 500;

/// Decodes by content, whatever the file is called; transparency is laid on white.
///
/// EXIF orientation is not applied, as in the reference.
pub(crate) fn decode(bytes: &[u8]) -> Result<RgbImage, String> {
    // libjpeg reports what is wrong by unwinding; and a decoder that fails over a hostile file
    // must not take the program with it.
    catch_unwind(AssertUnwindSafe(|| decode_by_content(bytes)))
        .unwrap_or_else(|reason| Err(said(&*reason)))
}

fn decode_by_content(bytes: &[u8]) -> Result<RgbImage, String> {
    if bytes.is_empty() {
        return Err("the file is empty".into());
    }
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| error.to_string())?;
    match reader.format() {
        None => return Err("not a PNG, JPEG, WebP, BMP or TIFF image".into()),
        Some(format) if !format.reading_enabled() => {
            return Err(format!("{format:?} images are not supported"));
        }
        Some(ImageFormat::Jpeg) if !jpeg_is_whole(bytes) => {
            return Err("the file is truncated".into());
        }
        Some(ImageFormat::Jpeg) if scans(bytes) > MAX_SCANS => {
            return Err(format!("a JPEG of more than {MAX_SCANS} scans"));
        }
        Some(_) => {}
    }
    let is_jpeg = reader.format() == Some(ImageFormat::Jpeg);
    let (width, height) = if is_jpeg { jpeg_size(bytes)? } else { size(bytes)? };
    expect_usable(width, height)?;
    let is_large = 3 * u64::from(width) * u64::from(height) > LARGE;
    let _turn = is_large.then(|| LARGE_ONES.lock().unwrap_or_else(PoisonError::into_inner));
    if is_jpeg && let Some(image) = photograph(bytes)? {
        return Ok(image);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE_PX);
    limits.max_image_height = Some(MAX_SIDE_PX);
    limits.max_alloc = Some(MAX_ALLOC);
    reader.limits(limits);
    let image = reader.decode().map_err(in_words)?;
    Ok(on_white(image))
}

fn jpeg_size(bytes: &[u8]) -> Result<(u32, u32), String> {
    let file = mozjpeg::Decompress::new_mem(bytes).map_err(|error| error.to_string())?;
    Ok((file.width() as u32, file.height() as u32))
}

/// Width and height, from the header alone.
fn size(bytes: &[u8]) -> Result<(u32, u32), String> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let reader = reader.map_err(|error| error.to_string())?;
    reader.into_dimensions().map_err(in_words)
}

fn in_words(error: ImageError) -> String {
    match error {
        ImageError::Limits(_) => "its size is beyond the limits of one image".to_string(),
        other => other.to_string(),
    }
}

fn expect_usable(width: u32, height: u32) -> Result<(), String> {
    let bytes = 3 * u64::from(width) * u64::from(height);
    if width.min(height) < MIN_SIDE_PX {
        Err(format!("{width}×{height} px is too small, {MIN_SIDE_PX} px is the least"))
    } else if width.max(height) > MAX_SIDE_PX || bytes > MAX_ALLOC {
        Err(format!("{width}×{height} px is beyond the limits of one image"))
    } else {
        Ok(())
    }
}

/// A JPEG in grey or colour, by libjpeg's decoder, so that every level is Pillow's and with it the
/// reference's; other decoders differ by up to 3 of 255. `None` for the four inks of print.
fn photograph(bytes: &[u8]) -> Result<Option<RgbImage>, String> {
    let file = mozjpeg::Decompress::new_mem(bytes).map_err(|error| error.to_string())?;
    let (width, height) = (file.width() as u32, file.height() as u32);
    if matches!(file.color_space(), mozjpeg::ColorSpace::JCS_CMYK | mozjpeg::ColorSpace::JCS_YCCK) {
        return Ok(None);
    }
    let mut rows = file.rgb().map_err(|error| error.to_string())?;
    let pixels: Vec<[u8; 3]> = rows.read_scanlines().map_err(|error| error.to_string())?;
    rows.finish().map_err(|error| error.to_string())?;
    Ok(RgbImage::from_raw(width, height, pixels.into_flattened()))
}

fn said(reason: &(dyn Any + Send)) -> String {
    let text = reason.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| reason.downcast_ref::<&str>().copied());
    text.unwrap_or("the decoder failed").to_string()
}

fn on_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let rgba = image.into_rgba8();
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (out, pixel) in rgb.pixels_mut().zip(rgba.pixels()) {
        let [red, green, blue, alpha] = pixel.0.map(u32::from);
        let blend = |value: u32| ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        out.0 = [blend(red), blend(green), blend(blue)];
    }
    rgb
}

fn scans(jpeg: &[u8]) -> usize {
    jpeg.windows(2).filter(|pair| *pair == START_OF_SCAN).count()
}

const START_OF_SCAN: [u8; 2] = [0xff, 0xda];

/// The decoder fills the missing part of a cut JPEG with grey and says nothing,
/// so look for the end marker behind the last scan ourselves.
fn jpeg_is_whole(bytes: &[u8]) -> bool {
    const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
    let last_scan = bytes.windows(2).rposition(|pair| pair == START_OF_SCAN);
    last_scan.is_some_and(|start| bytes[start..].windows(2).any(|pair| pair == END_OF_IMAGE))
}

#[cfg(test)]
mod tests {
    use image::{ExtendedColorType, Rgb};
    use sha2::{Digest, Sha256};

    use super::*;

    fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn gradient(side: u32) -> DynamicImage {
        RgbImage::from_fn(side, side, |x, y| Rgb([(x * 7) as u8, (y * 5) as u8, 99])).into()
    }

    #[test]
    fn lossless_formats_come_back_exactly() {
        let image = gradient(20);
        for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Tiff, ImageFormat::WebP] {
            assert_eq!(decode(&encode(&image, format)).unwrap(), image.to_rgb8(), "{format:?}");
        }
        let jpeg = decode(&encode(&image, ImageFormat::Jpeg)).unwrap();
        let worst =
            jpeg.iter().zip(image.to_rgb8().iter()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst < 40, "{worst}");
    }

    /// Every level is the one that Pillow has: other decoders differ in the last bits.
    #[test]
    fn photographs_have_the_reference_s_levels() {
        #[derive(serde::Deserialize)]
        struct Case {
            name: String,
            width: u32,
            height: u32,
            sha256: String,
        }
        let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/reference/vectors");
        let cases = std::fs::read(format!("{vectors}/jpegs.json")).unwrap();
        let cases: Vec<Case> = serde_json::from_slice(&cases).unwrap();
        assert_eq!(cases.len(), 5);
        for case in cases {
            let bytes = std::fs::read(format!("{vectors}/{}.jpg", case.name)).unwrap();
            let image = decode(&bytes).unwrap();
            assert_eq!(image.dimensions(), (case.width, case.height), "{}", case.name);
            let sha256: String =
                Sha256::digest(image.as_raw()).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(sha256, case.sha256, "{}", case.name);
        }
    }

    #[test]
    fn other_pixel_kinds_become_rgb() {
        let check = |image: DynamicImage, expected: [u8; 3]| {
            let rgb = decode(&encode(&image, ImageFormat::Png)).unwrap();
            assert!(
                rgb.pixels().all(|pixel| pixel.0 == expected),
                "{:?} is not {expected:?}",
                rgb.get_pixel(0, 0)
            );
        };
        check(image::GrayImage::from_pixel(5, 5, image::Luma([80])).into(), [80, 80, 80]);
        check(
            image::ImageBuffer::from_pixel(5, 5, image::Luma([0x8000u16])).into(),
            [128, 128, 128],
        );
        check(
            image::ImageBuffer::from_pixel(5, 5, Rgb([0xffffu16, 0, 0x8000])).into(),
            [255, 0, 128],
        );
        check(
            image::RgbaImage::from_pixel(5, 5, image::Rgba([9, 9, 9, 0])).into(),
            [255, 255, 255],
        );
        check(
            image::RgbaImage::from_pixel(5, 5, image::Rgba([0, 100, 255, 128])).into(),
            [127, 177, 255],
        );
        check(
            image::GrayAlphaImage::from_pixel(5, 5, image::LumaA([50, 255])).into(),
            [50, 50, 50],
        );
    }

    /// Four flat quarters of 16 px, in the two ways that Adobe's programs write them.
    #[test]
    fn jpegs_for_print_have_their_colours() {
        let check = |bytes: &[u8]| {
            let image = decode(bytes).unwrap();
            // Pillow's convert("RGB") of the same file.
            for (x, y, expected) in [
                (8, 8, [245, 53, 34]),
                (24, 8, [66, 207, 49]),
                (8, 24, [35, 95, 255]),
                (24, 24, [124, 124, 114]),
            ] {
                let found = image.get_pixel(x, y).0;
                let near = found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 3);
                assert!(near, "{found:?} is not {expected:?}");
            }
        };
        check(include_bytes!("../tests-fixtures/cmyk.jpg"));
        check(include_bytes!("../tests-fixtures/ycck.jpg"));
    }

    #[test]
    fn bad_files_have_a_reason_and_no_panic() {
        let check = |bytes: &[u8], expected: &str| {
            let reason = decode(bytes).unwrap_err();
            assert!(reason.contains(expected), "{reason} lacks {expected}");
        };
        check(b"", "empty");
        check(b"hello, this is text", "not a PNG");
        check(b"GIF89a\x01\x00\x01\x00", "not supported");
        check(&encode(&gradient(3), ImageFormat::Png), "too small");
        for format in [
            ImageFormat::Png,
            ImageFormat::Bmp,
            ImageFormat::Tiff,
            ImageFormat::WebP,
            ImageFormat::Jpeg,
        ] {
            let bytes = encode(&gradient(64), format);
            for part in [1, 4, 12] {
                decode(&bytes[..bytes.len() * part / 16])
                    .expect_err(&format!("{format:?} cut to {part}/16"));
            }
        }
        check(&encode(&gradient(64), ImageFormat::Jpeg)[..1000], "truncated");
        let wide = vec![0; 3 * 4 * (MAX_SIDE_PX as usize + 1)];
        let mut bytes = Vec::new();
        let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
        image::ImageEncoder::write_image(
            encoder,
            &wide,
            MAX_SIDE_PX + 1,
            4,
            ExtendedColorType::Rgb8,
        )
        .unwrap();
        check(&bytes, "limits of one image");
    }
}
