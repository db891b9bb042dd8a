//! What networks see in images: from their files, on a run's device, in batches.

mod brought;

use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use data::{Image, resize_float};
use eval::{AnchorCheck, Features, ImageSet, Picture};
use model::{FeatureNet, Taps};
use rayon::prelude::*;

use crate::device::ComputeDevice;
use crate::error::RunnerError;
use crate::weight_file;

pub(crate) use brought::{FidExtractor, PerceptualDistance};

/// Images at a time: more fall out of the processor's cache, fewer are mostly overhead (6 ms an
/// image with 8, 7 with 4 or 16, 13 with 32).
const BATCH: usize = 8;

/// Raised when the same weights see other things in the same pictures: what was kept is made anew.
const REVISION: u32 = 1;

/// The feature network with the weights of its file.
pub(crate) struct FeatureExtractor {
    network: FeatureNet,
    /// Of weights, code and device: what is equal in it sees the same in equal pictures.
    identity: String,
}

/// Feature vectors of some images, end to end, as `eval::Features::from_flat` takes them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ImageFeatures {
    /// [`model::Taps::B4`] values an image.
    pub b4: Vec<f32>,
    /// [`model::Taps::B10`] values an image.
    pub b10: Vec<f32>,
    /// [`model::Taps::POOL`] values an image.
    pub pool: Vec<f32>,
}

impl FeatureExtractor {
    /// The side in pixels that every image of a data set is brought to before the network looks at it,
    /// part of a score's name: 128 for images of up to 128 px, 224 for larger ones.
    pub(crate) fn input_side(image_side: usize) -> usize {
        if image_side <= 128 { 128 } else { 224 }
    }

    /// `path` is what `data::Store::feature_weights` gives.
    ///
    /// # Errors
    /// `ReadWeights`, `NoWeights`; `Weights` where a tensor is missing or none of this network's.
    pub(crate) fn open(path: &Path, device: ComputeDevice) -> Result<Self, RunnerError> {
        let unread = |source| RunnerError::ReadWeights { path: path.into(), source };
        let hash = blake3::hash(&std::fs::read(path).map_err(unread)?).to_hex();
        let tensors = weight_file::read(path)?;
        let network = FeatureNet::from_tensors(tensors, &device.open())
            .map_err(|source| RunnerError::Weights { path: path.into(), source })?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let identity = format!("{name} ({}, revision {REVISION}) on {device}", &hash[..16]);
        Ok(FeatureExtractor { network, identity })
    }

    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }

    /// What this machine makes of a picture drawn by a formula, and what it is known to be (by
    /// onnxruntime on the pinned weights): a broken backend would go unnoticed in every score.
    pub(crate) fn known_value(&self) -> AnchorCheck {
        let taps = self.network.forward(self.images(drawn_picture(), [1, 3, DRAWN, DRAWN]));
        let found = l2(&ImageFeatures::of(taps).pool);
        AnchorCheck {
            name: "length of the features of a drawn picture".into(),
            found,
            stored: KNOWN,
        }
    }

    /// What `eval` compares pictures of one size by.
    ///
    /// # Errors
    /// `Features` where a value is not finite.
    pub(crate) fn taps(&self, pictures: &[Picture]) -> Result<eval::Taps, RunnerError> {
        let side = Self::input_side(pictures.first().map_or(0, Picture::size));
        let images: Vec<Image> = pictures.iter().map(image_of).collect();
        let ImageFeatures { b4, b10, pool } = self.features(&images, side);
        Ok(eval::Taps {
            b4: Features::from_flat(Taps::B4, &b4)?,
            b10: Features::from_flat(Taps::B10, &b10)?,
            pool: Features::from_flat(Taps::POOL, &pool)?,
        })
    }

    /// The deepest features alone, of images of any sides as if they were of `image_side` px.
    ///
    /// # Errors
    /// `Features` where a value is not finite.
    pub(crate) fn pooled(
        &self,
        images: &[Image],
        image_side: usize,
    ) -> Result<Features, RunnerError> {
        let seen = self.features(images, Self::input_side(image_side));
        Ok(Features::from_flat(Taps::POOL, &seen.pool)?)
    }

    /// Images of any sides, each resized to `side` px ([`Self::input_side`]) as Pillow does it in
    /// floating point, nothing rounded to levels again.
    pub(crate) fn features(&self, images: &[Image], side: usize) -> ImageFeatures {
        let of_batch = |batch: &[Image]| {
            let input = |image: &Image| resize_float(&image.rgb, image.size, image.size, side);
            let inputs: Vec<f32> = batch.iter().flat_map(input).collect();
            let taps = self.network.forward(self.images(inputs, [batch.len(), 3, side, side]));
            ImageFeatures::of(taps)
        };
        // Not every operation of the CPU backend uses all cores.
        let batches: Vec<ImageFeatures> = images.par_chunks(BATCH).map(of_batch).collect();
        ImageFeatures::end_to_end(batches)
    }

    fn images(&self, values: Vec<f32>, shape: [usize; 4]) -> Tensor<4> {
        Tensor::from_data(TensorData::new(values, shape), self.network.device())
    }
}

impl ImageFeatures {
    fn of(taps: Taps) -> Self {
        let values = |tap: Tensor<2>| {
            tap.into_data().as_slice::<f32>().expect("features are float32").to_vec()
        };
        ImageFeatures { b4: values(taps.b4), b10: values(taps.b10), pool: values(taps.pool) }
    }

    fn end_to_end(batches: Vec<ImageFeatures>) -> Self {
        let mut all = ImageFeatures::default();
        for batch in batches {
            all.b4.extend(batch.b4);
            all.b10.extend(batch.b10);
            all.pool.extend(batch.pool);
        }
        all
    }
}

/// Side of the drawn picture in pixels, and the length of its pooled features.
const DRAWN: usize = 64;
const KNOWN: f64 = 76.557_800;

/// Values in `[0, 255]`, plane by plane.
fn drawn_picture() -> Vec<f32> {
    let value = |k: usize| {
        let (c, i, j) = (k / (DRAWN * DRAWN), k / DRAWN % DRAWN, k % DRAWN);
        ((37 * i + 17 * j + 59 * c + i * j) % 256) as f32
    };
    (0..3 * DRAWN * DRAWN).map(value).collect()
}

fn l2(values: &[f32]) -> f64 {
    values.iter().map(|&it| f64::from(it).powi(2)).sum::<f64>().sqrt()
}

/// Pictures with their features, where there is a network.
pub(crate) fn image_set(
    pictures: Vec<Picture>,
    network: Option<&FeatureExtractor>,
) -> Result<ImageSet, RunnerError> {
    let taps = match network {
        Some(network) if !pictures.is_empty() => Some(network.taps(&pictures)?),
        _ => None,
    };
    Ok(ImageSet::new(pictures, taps).expect("a vector for each picture"))
}

/// As a file keeps it.
pub(crate) fn image_of(picture: &Picture) -> Image {
    Image { size: picture.size(), rgb: picture.to_rgb8() }
}

#[cfg(test)]
mod tests;
