//! An opened data set: batches for training, single images for evaluation.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use spec::draw::{Draw, Purpose};
use spec::{DataConfig, Direction};

use crate::error::{DataError, SkippedImage};
use crate::fold::{Domain, Fold};
use crate::prepared::{About, Prepared, bytes_of};
use crate::recipe::Pairs;
use crate::square_image::{Image, push_chw};
use crate::unpaired::{Crop, Unpaired};

/// Images ready to be read, as one configuration sees them.
pub struct Dataset {
    about: About,
    config: DataConfig,
    prepared: Prepared,
    /// By fold, in the order of `Fold::ALL`.
    pairs: [Pairs; Fold::ALL.len()],
    skipped: Vec<SkippedImage>,
    unpaired: Unpaired,
}

/// Images of both domains, values in [-1, 1].
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// `[n, 3, size, size]`, row-major.
    pub a: Vec<f32>,
    /// As `a`.
    pub b: Vec<f32>,
    pub n: usize,
    /// Side in pixels.
    pub size: usize,
    /// Counts from 1.
    pub epoch: u64,
    pub ids_a: Vec<String>,
    pub ids_b: Vec<String>,
}

impl Dataset {
    pub(crate) fn new(
        prepared: Prepared,
        about: About,
        pairs: Pairs,
        skipped: Vec<SkippedImage>,
        config: &DataConfig,
    ) -> Dataset {
        let count = |domain| prepared.index.ids(Fold::Train, as_stored(config, domain)).len();
        let unpaired =
            Unpaired::new(config.order, config.epoch_length, count(Domain::A), count(Domain::B));
        // Left out on one side, an image would shift the partners of all after it.
        let pairs_of = |fold| {
            let ids = |domain| prepared.index.ids(fold, domain);
            let whole = fold != Fold::Train && ids(Domain::A) == ids(Domain::B);
            if whole { pairs } else { Pairs::None }
        };
        let pairs = Fold::ALL.map(pairs_of);
        Dataset { about, config: config.clone(), prepared, pairs, skipped, unpaired }
    }

    /// The recipe's or the folder's name.
    pub fn name(&self) -> &str {
        &self.about.name
    }

    pub fn title(&self) -> &str {
        &self.about.title
    }

    /// The line that belongs under every figure with these images; empty for a folder.
    pub fn credit(&self) -> &str {
        &self.about.credit
    }

    pub fn licence(&self) -> &str {
        &self.about.licence
    }

    /// 32 hexadecimal digits that say what the images are, whatever their size, place or machine.
    pub fn fingerprint(&self) -> &str {
        &self.prepared.index.fingerprint
    }

    /// Of held-out images and of what networks see, in pixels.
    pub fn side(&self) -> usize {
        self.config.crop_size as usize
    }

    pub fn count(&self, fold: Fold, domain: Domain) -> usize {
        self.ids(fold, domain).len()
    }

    /// # Panics
    /// If `index` is not below [`Dataset::count`].
    pub fn id(&self, fold: Fold, domain: Domain, index: usize) -> &str {
        &self.ids(fold, domain)[index]
    }

    /// Whether held-out B images are the exact translations of the A images with the same index:
    /// the recipe says so, and no image of a pair was left out alone.
    pub fn paired(&self, fold: Fold) -> bool {
        self.pairs[fold as usize] == Pairs::Exact
    }

    /// Whether the held-out A and B images of one index show the same thing, be it drawn by another
    /// hand.
    pub fn partnered(&self, fold: Fold) -> bool {
        self.pairs[fold as usize] != Pairs::None
    }

    /// Images left out because they cannot be used.
    pub fn skipped(&self) -> &[SkippedImage] {
        &self.skipped
    }

    /// The last step of an epoch takes what is left (reference: `drop_last` is false).
    pub fn steps_per_epoch(&self) -> u64 {
        (self.unpaired.length() as u64).div_ceil(self.batch_size())
    }

    /// The images of `step`, which counts from 1: a pure function of its arguments.
    ///
    /// # Errors
    /// `Read`, if the prepared files went away.
    ///
    /// # Panics
    /// If `step` is 0.
    pub fn batch(&self, seed: u64, step: u64) -> Result<Batch, DataError> {
        assert!(step > 0, "steps count from 1");
        let epoch = (step - 1) / self.steps_per_epoch() + 1;
        let start = ((step - 1) % self.steps_per_epoch() * self.batch_size()) as usize;
        let end = (start + self.batch_size() as usize).min(self.unpaired.length());
        let (n, size) = (end - start, self.config.crop_size as usize);
        let values = || Vec::with_capacity(n * bytes_of(self.config.crop_size));
        let mut batch = Batch {
            a: values(),
            b: values(),
            n,
            size,
            epoch,
            ids_a: Vec::new(),
            ids_b: Vec::new(),
        };
        for index in start..end {
            let (a, b) = self.unpaired.pair(seed, epoch, index);
            let draw = |purpose| Draw::new(seed, purpose, epoch, index as u64);
            self.push_training(Domain::A, a, draw(Purpose::AugmentA), &mut batch.a)?;
            self.push_training(Domain::B, b, draw(Purpose::AugmentB), &mut batch.b)?;
            batch.ids_a.push(self.id(Fold::Train, Domain::A, a).to_string());
            batch.ids_b.push(self.id(Fold::Train, Domain::B, b).to_string());
        }
        Ok(batch)
    }

    /// An image as at test time: resized to `crop_size`, neither cropped nor mirrored.
    ///
    /// # Errors
    /// `Read`, if the prepared files went away.
    ///
    /// # Panics
    /// If `fold` is `Train` or `index` is not below [`Dataset::count`].
    pub fn held_out(&self, fold: Fold, domain: Domain, index: usize) -> Result<Image, DataError> {
        assert!(fold != Fold::Train, "training images are not held out");
        self.stored(fold, domain, index)
    }

    /// An image as it was prepared: training images at `load_size`, others at `crop_size`.
    ///
    /// # Errors
    /// `Read`, if the prepared files went away.
    ///
    /// # Panics
    /// If `index` is not below [`Dataset::count`].
    pub fn stored(&self, fold: Fold, domain: Domain, index: usize) -> Result<Image, DataError> {
        assert!(index < self.count(fold, domain), "no image {index} in {fold:?} {domain:?}");
        let ((path, file), size) = match fold {
            Fold::Train => (&self.prepared.train, self.config.load_size),
            _ => (&self.prepared.held_out, self.config.crop_size),
        };
        let position = self.prepared.index.first(fold, as_stored(&self.config, domain)) + index;
        let rgb = read_at(path, file, position, bytes_of(size))?;
        Ok(Image { size: size as usize, rgb })
    }

    fn push_training(
        &self,
        domain: Domain,
        index: usize,
        draw: Draw,
        values: &mut Vec<f32>,
    ) -> Result<(), DataError> {
        let image = self.stored(Fold::Train, domain, index)?;
        let (load, crop) = (image.size, self.config.crop_size as usize);
        let part = Crop::draw(draw, load, crop, self.config.flip);
        push_chw(values, &part.cut(image.rgb.as_chunks().0, load, crop));
        Ok(())
    }

    /// Hashes of what images were made from, in their order.
    pub(crate) fn contents(&self, fold: Fold, domain: Domain) -> &[String] {
        self.prepared.index.contents(fold, as_stored(&self.config, domain))
    }

    fn ids(&self, fold: Fold, domain: Domain) -> &[String] {
        self.prepared.index.ids(fold, as_stored(&self.config, domain))
    }

    fn batch_size(&self) -> u64 {
        u64::from(self.config.batch_size.max(1))
    }
}

/// Direction `ba` swaps the domains as they are read; the stored images stay what they are.
fn as_stored(config: &DataConfig, domain: Domain) -> Domain {
    match config.direction {
        Direction::Ab => domain,
        Direction::Ba => domain.other(),
    }
}

fn read_at(path: &Path, file: &File, position: usize, bytes: usize) -> Result<Vec<u8>, DataError> {
    let mut rgb = vec![0; bytes];
    file.read_exact_at(&mut rgb, position as u64 * bytes as u64).map_err(DataError::read(path))?;
    Ok(rgb)
}
