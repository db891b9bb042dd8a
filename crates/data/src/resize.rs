//! Bicubic resizing, bit for bit as Pillow's `Image.resize(size, BICUBIC)` up to version 12.0.
//!
//! The reference resizes with Pillow. `image::imageops` keeps unclamped floats
//! between its two passes and so differs visibly at sharp edges; this is
//! Pillow's own scheme: horizontal pass first, 8-bit in between, fixed-point
//! weights, antialiased when shrinking. (Pillow 13 runs the vertical pass first on some
//! oblong images, which moves single values by a few levels.)

use image::RgbImage;

/// Pillow's `PRECISION_BITS`: 32 minus 8 of the value minus 2 of headroom.
const PRECISION_BITS: u32 = 32 - 8 - 2;
/// Half-width of the bicubic kernel.
const SUPPORT: f64 = 2.0;

/// Resizes to `size` × `size`; the aspect ratio is not kept (as in the reference).
pub(crate) fn resize(image: &RgbImage, size: u32) -> Vec<u8> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let size = size as usize;
    // Each pass resamples rows and hands back the image transposed, so that two make a resize.
    let turned = resample_rows(image.as_raw(), width, height, size);
    resample_rows(&turned, height, size, size)
}

/// Resamples each row to `new_width` pixels; the result is transposed.
fn resample_rows(pixels: &[u8], width: usize, height: usize, new_width: usize) -> Vec<u8> {
    let weights = weights(width, new_width);
    let mut out = vec![0; 3 * new_width * height];
    for (y, row) in pixels.chunks_exact(3 * width).enumerate() {
        for (x, (first, taps)) in weights.iter().enumerate() {
            let mut sums = [1i32 << (PRECISION_BITS - 1); 3];
            for (pixel, &weight) in row[3 * first..].as_chunks::<3>().0.iter().zip(taps) {
                for (sum, &value) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(value) * weight;
                }
            }
            let at = 3 * (x * height + y);
            out[at..at + 3]
                .copy_from_slice(&sums.map(|sum| (sum >> PRECISION_BITS).clamp(0, 255) as u8));
        }
    }
    out
}

/// For each output pixel: the first input pixel, and the weights from there on.
fn weights(size: usize, new_size: usize) -> Vec<(usize, Vec<i32>)> {
    let scale = size as f64 / new_size as f64;
    let stretch = scale.max(1.0);
    let support = SUPPORT * stretch;
    (0..new_size)
        .map(|i| {
            let center = (i as f64 + 0.5) * scale;
            let first = (center - support + 0.5).max(0.0) as usize;
            let end = ((center + support + 0.5) as usize).min(size);
            let taps: Vec<f64> = (first..end)
                .map(|j| bicubic((j as f64 - center + 0.5) * (1.0 / stretch)))
                .collect();
            let total: f64 = taps.iter().sum();
            let fixed = taps
                .iter()
                .map(|tap| (tap / total * f64::from(1 << PRECISION_BITS)).round() as i32);
            (first, fixed.collect())
        })
        .collect()
}

/// The cubic convolution kernel with a = -0.5.
fn bicubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use sha2::{Digest, Sha256};

    use super::*;

    /// Start of the sha256 of Pillow 11.3.0's result on the same formula image.
    #[test]
    fn equals_pillow_bit_for_bit() {
        let check = |(width, height): (u32, u32), size: u32, expected: &str| {
            let image = RgbImage::from_fn(width, height, |x, y| {
                Rgb([0, 1, 2]
                    .map(|c| ((37 * x + 59 * y + 83 * c + x * y * (c + 1) * 7) % 256) as u8))
            });
            let hash: String =
                Sha256::digest(resize(&image, size)).iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(&hash[..16], expected, "{width}×{height} to {size}");
        };
        check((9, 7), 4, "f312510b63757927");
        check((9, 7), 16, "19c7822c9995d069");
        check((72, 72), 32, "f9aee3a86f66bcb3");
        check((72, 72), 64, "5f783311cee5cc70");
        check((13, 50), 24, "d04b9c9eca018f44");
        check((64, 48), 64, "deb1c4e700d309f3");
        check((48, 64), 64, "c8a5ea8835b76883");
    }

    #[test]
    fn the_same_size_changes_nothing() {
        let image = RgbImage::from_fn(17, 17, |x, y| {
            Rgb([(x * 15) as u8, (y * 15) as u8, ((x ^ y) * 9) as u8])
        });
        assert_eq!(resize(&image, 17), *image.as_raw());
    }
}
