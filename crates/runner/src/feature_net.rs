//! The feature network on the run's device: pictures in, features out.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use data::resize_float;
use eval::{Features, ImageSet, Picture, Taps};
use model::FeatureNet as Network;

use crate::error::RunnerError;
use crate::weight_file::read;

/// Pixels a side that pictures of a set are resized to first. It is part of what a score means: the
/// network sees other things in larger pictures.
fn input_side(picture_side: usize) -> usize {
    if picture_side <= 128 { 128 } else { 224 }
}

/// Pictures at a time.
const BATCH: usize = 16;

pub(crate) struct FeatureNet {
    network: Network,
    /// Of weights and device: features of equal pictures and identity are equal.
    identity: String,
}

impl FeatureNet {
    /// # Errors
    /// `ReadWeights`, `NoWeights`; `Weights` unless the file holds this network's tensors and no
    /// others.
    pub(crate) fn open(path: &Path, device: &Device) -> Result<Self, RunnerError> {
        let network = Network::from_tensors(read(path)?, device)
            .map_err(|source| RunnerError::Weights { path: path.into(), source })?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let identity = format!("{name} on {:?}", network.device());
        Ok(FeatureNet { network, identity })
    }

    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }

    /// One row a picture.
    ///
    /// # Errors
    /// `Features` where one is not finite.
    pub(crate) fn taps(&self, pictures: &[Picture]) -> Result<Taps, RunnerError> {
        let (mut b4, mut b10, mut pool) = (Vec::new(), Vec::new(), Vec::new());
        let side = input_side(pictures.first().map_or(0, Picture::size));
        for batch in pictures.chunks(BATCH) {
            let resized = |picture: &Picture| {
                resize_float(&picture.to_rgb8(), picture.size(), picture.size(), side)
            };
            let values: Vec<f32> = batch.iter().flat_map(resized).collect();
            let shape = [batch.len(), 3, side, side];
            let images = Tensor::from_data(TensorData::new(values, shape), self.network.device());
            let taps = self.network.forward(images);
            for (all, tap) in [(&mut b4, taps.b4), (&mut b10, taps.b10), (&mut pool, taps.pool)] {
                let width = tap.dims()[1];
                let values = tap.into_data();
                let values = values.as_slice::<f32>().expect("features are float32");
                all.extend(values.chunks_exact(width).map(<[f32]>::to_vec));
            }
        }
        let features = |rows: &[Vec<f32>]| Features::from_rows(rows).map_err(RunnerError::from);
        Ok(Taps { b4: features(&b4)?, b10: features(&b10)?, pool: features(&pool)? })
    }
}

/// Pictures with their features, where there is a network.
pub(crate) fn image_set(
    pictures: Vec<Picture>,
    network: Option<&FeatureNet>,
) -> Result<ImageSet, RunnerError> {
    let taps = match network {
        Some(network) if !pictures.is_empty() => Some(network.taps(&pictures)?),
        _ => None,
    };
    Ok(ImageSet::new(pictures, taps).expect("a vector for each picture"))
}
