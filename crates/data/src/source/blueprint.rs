//! Twemoji, and white-on-blue drawings of other Twemoji: all inside the program.
//!
//! The drawing is computed from the picture, so every held-out picture has its
//! exact translation, and images are real at the price of no download.

use image::RgbImage;
use twemoji_assets::png::PngTwemojiAsset;

use super::emoji_key::{group_key, is_left_out};
use super::{Entry, Picture, Source, revision};
use crate::decode::decode;
use crate::fold::{Domain, FoldBuckets};
use crate::recipe::RecipeKind;
use crate::resize::resize;

/// Of flat paper and of a line's middle, in [-1, 1].
const PAPER: [f32; 3] = [-0.8, -0.5, 0.2];
const LINE: [f32; 3] = [0.9, 0.95, 1.0];

pub(crate) struct Blueprint {
    entries: Vec<Entry>,
    /// The PNG behind each entry.
    files: Vec<&'static [u8]>,
}

impl Blueprint {
    pub(crate) fn new(folds: &FoldBuckets) -> Blueprint {
        let mut blueprint = Blueprint { entries: Vec::new(), files: Vec::new() };
        for (code_point, file) in single_emoji() {
            for &(fold, domain) in folds.places(&group_key(&[code_point])) {
                blueprint.entries.push(Entry { fold, domain, id: format!("{code_point:x}") });
                blueprint.files.push(file);
            }
        }
        blueprint
    }
}

impl Source for Blueprint {
    fn rule(&self) -> String {
        format!("blueprint, revision {}", revision(RecipeKind::Blueprint))
    }

    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn picture(&self, index: usize, size: u32) -> Result<Picture, String> {
        let content = blake3::hash(self.files[index]);
        let picture = resize(&decode(self.files[index])?, size);
        let rgb = match self.entries[index].domain {
            Domain::A => picture,
            Domain::B => drawing(&picture, size as usize),
        };
        Ok(Picture { content, rgb })
    }
}

/// Every emoji of one code point. The crate has no list, so all of the range are tried.
fn single_emoji() -> impl Iterator<Item = (u32, &'static [u8])> {
    (0x203c..=0x1faff).filter(|&point| !is_left_out(&[point])).filter_map(|point| {
        let mut buffer = [0; 4];
        let emoji = char::from_u32(point)?.encode_utf8(&mut buffer);
        Some((point, PngTwemojiAsset::from_emoji(emoji)?.data.0))
    })
}

/// Lines where the brightness changes, on blue paper: full strength where the neighbours on
/// both sides of a pixel differ by half of black to white or more.
fn drawing(rgb: &[u8], size: usize) -> Vec<u8> {
    let image =
        RgbImage::from_raw(size as u32, size as u32, rgb.to_vec()).expect("three bytes a pixel");
    // Brightness in [-1, 1]; beyond the border it goes on unchanged.
    let brightness = |x: usize, y: usize| {
        let sum: u32 = image.get_pixel(x as u32, y as u32).0.map(u32::from).iter().sum();
        sum as f32 / (3.0 * 127.5) - 1.0
    };
    let last = size - 1;
    let mut out = Vec::with_capacity(rgb.len());
    for y in 0..size {
        for x in 0..size {
            let across = brightness((x + 1).min(last), y) - brightness(x.saturating_sub(1), y);
            let down = brightness(x, (y + 1).min(last)) - brightness(x, y.saturating_sub(1));
            // Not `hypot`, whose last bit depends on the system's library.
            let edge = (across * across + down * down).sqrt().min(1.0);
            for (paper, line) in PAPER.into_iter().zip(LINE) {
                let value = (1.0 - edge) * paper + edge * line;
                out.push(((value + 1.0) * 127.5).round() as u8);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawing_of_a_step_is_a_line() {
        // A dark left half and a brighter right half: the two columns at the step see the
        // difference, all others are flat paper.
        let check = |brighter: u8, expected: [u8; 3]| {
            let rgb: Vec<u8> =
                (0..16).flat_map(|i| [if i % 4 < 2 { 0 } else { brighter }; 3]).collect();
            let paper = [25, 64, 153];
            for row in drawing(&rgb, 4).chunks(12) {
                let row: Vec<[u8; 3]> =
                    row.chunks(3).map(|pixel| pixel.try_into().unwrap()).collect();
                assert_eq!(row, [paper, expected, expected, paper]);
            }
        };
        check(255, [242, 249, 255]);
        check(128, [242, 249, 255]);
        // A quarter of the range, halfway from paper to line.
        check(64, [134, 157, 204]);
    }

    #[test]
    fn emoji_of_one_code_point_are_found() {
        let all: Vec<u32> = single_emoji().map(|(point, _)| point).collect();
        assert!((1300..1500).contains(&all.len()), "{}", all.len());
        assert!(all.contains(&0x1f600) && !all.contains(&0x1f1e6) && !all.contains(&0x1f3fb));
    }
}
