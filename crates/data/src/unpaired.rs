//! Which two images meet at a position, and how each is cropped and mirrored.
//!
//! Everything is drawn by counter from (seed, epoch, position), so a batch
//! depends on nothing that came before it.

use std::sync::{Arc, Mutex};

use spec::draw::{Draw, Purpose};
use spec::{EpochLength, SampleOrder};

/// The order of two unpaired domains, by the reference's rules.
pub(crate) struct Unpaired {
    order: SampleOrder,
    count_a: usize,
    count_b: usize,
    /// Image pairs in an epoch.
    length: usize,
    /// The last epoch's order of A: made once an epoch, not once a step.
    shuffled: Mutex<Option<Shuffled>>,
}

#[derive(Clone)]
struct Shuffled {
    seed: u64,
    epoch: u64,
    positions: Arc<Vec<usize>>,
}

impl Unpaired {
    /// Both counts are at least 1.
    pub(crate) fn new(
        order: SampleOrder,
        length: EpochLength,
        count_a: usize,
        count_b: usize,
    ) -> Unpaired {
        let length = match length {
            EpochLength::Max => count_a.max(count_b),
            EpochLength::Min => count_a.min(count_b),
        };
        Unpaired { order, count_a, count_b, length, shuffled: Mutex::new(None) }
    }

    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// The two images at `index` in an epoch, `index < length()`.
    pub(crate) fn pair(&self, seed: u64, epoch: u64, index: usize) -> (usize, usize) {
        match self.order {
            SampleOrder::Serial => (index % self.count_a, index % self.count_b),
            SampleOrder::Unaligned => {
                let a = self.positions(seed, epoch)[index] % self.count_a;
                (a, any(seed, Purpose::OrderB, epoch, index, self.count_b))
            }
            SampleOrder::Uniform => (
                any(seed, Purpose::OrderA, epoch, index, self.count_a),
                any(seed, Purpose::OrderB, epoch, index, self.count_b),
            ),
        }
    }

    /// A permutation that reaches every A image also where an epoch is shorter than A.
    fn positions(&self, seed: u64, epoch: u64) -> Arc<Vec<usize>> {
        let mut shuffled = self.shuffled.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(known) =
            shuffled.as_ref().filter(|known| (known.seed, known.epoch) == (seed, epoch))
        {
            return known.positions.clone();
        }
        let count = self.length.max(self.count_a);
        let positions = Arc::new(Draw::new(seed, Purpose::OrderA, epoch, 0).permutation(count));
        *shuffled = Some(Shuffled { seed, epoch, positions: positions.clone() });
        positions
    }
}

/// The part of a training image that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crop {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) flip: bool,
}

impl Crop {
    /// Uniform over all places of a `crop` square in a `load` square; each image has its own.
    pub(crate) fn draw(mut draw: Draw, load: usize, crop: usize, flip: bool) -> Crop {
        let room = (load - crop) as u64 + 1;
        let (left, top) = (draw.below(room) as usize, draw.below(room) as usize);
        Crop { left, top, flip: flip && draw.unit() < 0.5 }
    }

    /// Cuts the part out of a `load` × `load` image.
    pub(crate) fn cut(self, pixels: &[[u8; 3]], load: usize, crop: usize) -> Vec<[u8; 3]> {
        let mut part = Vec::with_capacity(crop * crop);
        for y in self.top..self.top + crop {
            let row = &pixels[y * load + self.left..][..crop];
            if self.flip {
                part.extend(row.iter().rev());
            } else {
                part.extend(row);
            }
        }
        part
    }
}

/// One of `count`, with replacement.
fn any(seed: u64, purpose: Purpose, epoch: u64, index: usize, count: usize) -> usize {
    Draw::new(seed, purpose, epoch, index as u64).below(count as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(unpaired: &Unpaired, seed: u64, epoch: u64) -> Vec<(usize, usize)> {
        (0..unpaired.length()).map(|index| unpaired.pair(seed, epoch, index)).collect()
    }

    #[test]
    fn lengths() {
        let check = |a, b, length, expected| {
            assert_eq!(Unpaired::new(SampleOrder::Serial, length, a, b).length(), expected);
        };
        check(5, 8, EpochLength::Max, 8);
        check(5, 8, EpochLength::Min, 5);
        check(8, 5, EpochLength::Max, 8);
    }

    #[test]
    fn serial_order_wraps_the_smaller_domain() {
        let unpaired = Unpaired::new(SampleOrder::Serial, EpochLength::Max, 2, 3);
        assert_eq!(epoch(&unpaired, 0, 1), [(0, 0), (1, 1), (0, 2)]);
    }

    #[test]
    fn an_epoch_shows_a_in_equal_parts_and_b_at_random() {
        let unpaired = Unpaired::new(SampleOrder::Unaligned, EpochLength::Max, 50, 100);
        let pairs = epoch(&unpaired, 3, 1);
        let mut seen = [0; 50];
        pairs.iter().for_each(|&(a, _)| seen[a] += 1);
        assert_eq!(seen, [2; 50]);
        let distinct: std::collections::BTreeSet<usize> = pairs.iter().map(|&(_, b)| b).collect();
        // With replacement about 1 - 1/e of B is seen.
        assert!((50..76).contains(&distinct.len()), "{}", distinct.len());
        assert_eq!(epoch(&unpaired, 3, 1), pairs);
        assert_ne!(epoch(&unpaired, 3, 2), pairs);
        assert_ne!(epoch(&unpaired, 4, 1), pairs);
    }

    #[test]
    fn a_short_epoch_still_reaches_every_a_image() {
        let unpaired = Unpaired::new(SampleOrder::Unaligned, EpochLength::Min, 30, 10);
        let mut seen: Vec<usize> =
            (1..40).flat_map(|e| epoch(&unpaired, 0, e)).map(|(a, _)| a).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 30);
    }

    #[test]
    fn crops_reach_every_corner_and_flip_half_the_time() {
        let crops: Vec<Crop> = (0..400)
            .map(|i| Crop::draw(Draw::new(1, Purpose::AugmentA, 1, i), 5, 3, true))
            .collect();
        let places: std::collections::BTreeSet<_> =
            crops.iter().map(|crop| (crop.left, crop.top)).collect();
        assert_eq!(places.len(), 9);
        let flipped = crops.iter().filter(|crop| crop.flip).count();
        assert!((150..250).contains(&flipped), "{flipped}");
        assert!(!Crop::draw(Draw::new(1, Purpose::AugmentA, 1, 0), 3, 3, false).flip);
    }

    #[test]
    fn a_cut_is_the_right_part_the_right_way_round() {
        let pixels: Vec<[u8; 3]> = (0..9).map(|i| [i; 3]).collect();
        let check = |flip, expected: [u8; 4]| {
            let part = Crop { left: 1, top: 1, flip }.cut(&pixels, 3, 2);
            assert_eq!(part.iter().map(|pixel| pixel[0]).collect::<Vec<_>>(), expected);
        };
        check(false, [4, 5, 7, 8]);
        check(true, [5, 4, 8, 7]);
    }

    #[test]
    fn uniform_order_draws_both_domains_with_replacement() {
        let uniform = Unpaired::new(SampleOrder::Uniform, EpochLength::Max, 50, 100);
        let pairs = epoch(&uniform, 3, 1);
        let distinct = |of: fn(&(usize, usize)) -> usize| {
            pairs.iter().map(of).collect::<std::collections::BTreeSet<usize>>().len()
        };
        // 100 draws of 50 see about 50 (1 - e^-2) = 43, of 100 about 63.
        assert!((36..50).contains(&distinct(|pair| pair.0)), "{}", distinct(|pair| pair.0));
        assert!((50..76).contains(&distinct(|pair| pair.1)), "{}", distinct(|pair| pair.1));
        assert_eq!(epoch(&uniform, 3, 1), pairs);
        assert_ne!(epoch(&uniform, 3, 2), pairs);
        // The same B images as in the reference's order: only A's rule has changed.
        let unaligned = Unpaired::new(SampleOrder::Unaligned, EpochLength::Max, 50, 100);
        let of_b =
            |pairs: Vec<(usize, usize)>| pairs.into_iter().map(|it| it.1).collect::<Vec<_>>();
        assert_eq!(of_b(epoch(&unaligned, 3, 1)), of_b(pairs));
    }

    /// Pillow's resize, crop and mirror, in the order of upstream's transforms.
    #[test]
    fn training_images_are_the_reference_s() {
        #[derive(serde::Deserialize)]
        struct Case {
            name: String,
            width: u32,
            height: u32,
            load_size: u32,
            crop_size: usize,
            left: usize,
            top: usize,
            flip: bool,
            image: Vec<u8>,
            expected: Vec<u8>,
        }
        let path = "/../../tests/reference/vectors/transforms.json";
        let text = std::fs::read(format!("{}{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let cases: Vec<Case> = serde_json::from_slice(&text).unwrap();
        assert!(cases.iter().any(|case| case.flip) && cases.iter().any(|case| !case.flip));
        for case in cases {
            let image = image::RgbImage::from_raw(case.width, case.height, case.image).unwrap();
            let loaded = crate::resize::resize(&image, case.load_size);
            let part = Crop { left: case.left, top: case.top, flip: case.flip };
            let load = case.load_size as usize;
            let found = part.cut(loaded.as_chunks().0, load, case.crop_size);
            assert_eq!(found.as_flattened(), case.expected, "{}", case.name);
        }
    }
}
