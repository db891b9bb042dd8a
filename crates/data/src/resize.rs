//! Bicubic resizing, bit for bit as Pillow's `Image.resize(size, BICUBIC)` up to version 12.0.
//!
//! The reference resizes with Pillow. `image::imageops` keeps unclamped floats
//! between its two passes and so differs visibly at sharp edges; this is
//! Pillow's own scheme: horizontal pass first, 8-bit in between, fixed-point
//! weights, antialiased when shrinking. (Pillow 13 runs the vertical pass first on some
//! oblong images, which moves single values by a few levels.)
//!
//! [`resize_float`] is the same without the rounding, for networks that look at images.

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

/// Resizes to `side` × `side` as Pillow does each channel of mode `F`: antialiased when shrinking,
/// nothing rounded to levels, and nothing clamped, so that sharp edges overshoot.
///
/// # Shapes
/// - `rgb`: `height` rows of `width` interleaved pixels, in `[0, 255]`
/// - returns: `3 · side²` values, planes of red, green and blue, around `[0, 255]`
///
/// # Panics
/// If `rgb` has another length, or a side is 0.
pub fn resize_float(rgb: &[u8], width: usize, height: usize, side: usize) -> Vec<f32> {
    assert!(width > 0 && height > 0 && side > 0, "an image has pixels");
    assert_eq!(rgb.len(), 3 * width * height, "three levels for each of {width} × {height} pixels");
    let (across, down) = (shares(width, side), shares(height, side));
    let mut planes = Vec::with_capacity(3 * side * side);
    let mut narrow = vec![0.0; side * height];
    for channel in 0..3 {
        for (row, out) in rgb.chunks_exact(3 * width).zip(narrow.chunks_exact_mut(side)) {
            for ((first, taps), out) in across.iter().zip(out) {
                let pixels = row[3 * first..].as_chunks::<3>().0.iter().zip(taps);
                *out =
                    pixels.map(|(pixel, tap)| f64::from(pixel[channel]) * tap).sum::<f64>() as f32;
            }
        }
        for (first, taps) in &down {
            let mut sums = vec![0.0; side];
            for (row, tap) in narrow[first * side..].chunks_exact(side).zip(taps) {
                sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value) * tap);
            }
            planes.extend(sums.iter().map(|&sum| sum as f32));
        }
    }
    planes
}

/// [`shares`] in fixed point.
fn weights(size: usize, new_size: usize) -> Vec<(usize, Vec<i32>)> {
    let fixed = |share: f64| (share * f64::from(1 << PRECISION_BITS)).round() as i32;
    let shares = shares(size, new_size).into_iter();
    shares.map(|(first, taps)| (first, taps.into_iter().map(fixed).collect())).collect()
}

/// For each output pixel: the first input pixel, and the weights from there on, 1 in all.
fn shares(size: usize, new_size: usize) -> Vec<(usize, Vec<f64>)> {
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
            (first, taps.into_iter().map(|tap| tap / total).collect())
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

    /// Every n-th of the values that Pillow (12.0 and 13.0 alike) gives for the channels of the
    /// formula image in mode F, n the eighth part and one:
    /// `Image.fromarray(channel, mode="F").resize((side, side), Image.Resampling.BICUBIC)`.
    #[test]
    fn floats_are_those_of_pillow() {
        let check = |[width, height, side]: [usize; 3], expected: &[f32]| {
            let level = |i: usize| {
                let (x, y, c) = (i / 3 % width, i / 3 / width, i % 3);
                ((37 * x + 59 * y + 83 * c + x * y * (c + 1) * 7) % 256) as u8
            };
            let rgb: Vec<u8> = (0..3 * width * height).map(level).collect();
            let found = resize_float(&rgb, width, height, side);
            assert_eq!(found.len(), 3 * side * side);
            let found = found.iter().step_by(found.len() / 8 + 1);
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.zip(expected) {
                let apart = (found - expected).abs();
                assert!(apart < 1e-3, "{width}×{height} to {side}: {found}, expected {expected}");
            }
        };
        check([9, 7, 4], &[52.4868, 115.4177, 153.5087, 135.6151, 142.8219, 159.8914, 148.9479]);
        check(
            [9, 7, 16],
            &[-8.5425, 157.7542, 101.6782, 207.0923, 187.7302, 88.2567, 87.7695, 133.5674],
        );
        check(
            [32, 32, 128],
            &[-10.6586, 176.4412, 108.3744, 57.1532, 69.2359, 87.4950, 129.1792, 118.1094],
        );
        check(
            [64, 64, 128],
            &[-8.4161, 109.9854, 93.3435, 181.4375, 102.0156, 159.7031, 152.6719, 61.1250],
        );
        check(
            [200, 150, 128],
            &[17.0624, 118.749, 203.8931, 139.5387, 77.2308, 169.4524, 142.706, 182.7166],
        );
        check(
            [13, 50, 24],
            &[30.7719, 99.2345, 179.4164, 140.9176, 107.7998, 133.9945, 135.1709, 117.7406],
        );
    }

    #[test]
    fn floats_of_the_same_size_are_the_levels_by_plane() {
        let rgb = [1, 2, 3, 40, 50, 60, 70, 80, 90, 255, 0, 128];
        let planes = [1.0, 40.0, 70.0, 255.0, 2.0, 50.0, 80.0, 0.0, 3.0, 60.0, 90.0, 128.0];
        assert_eq!(resize_float(&rgb, 2, 2, 2), planes);
    }

    #[test]
    fn the_same_size_changes_nothing() {
        let image = RgbImage::from_fn(17, 17, |x, y| {
            Rgb([(x * 15) as u8, (y * 15) as u8, ((x ^ y) * 9) as u8])
        });
        assert_eq!(resize(&image, 17), *image.as_raw());
    }
}
