//! Networks whose weights the user brings: no registry has them.

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use data::Image;
use model::weights::NamedTensors;
use model::{InceptionFid, Lpips, LpipsBackbone};

use super::BATCH;
use crate::device::ComputeDevice;
use crate::error::RunnerError;
use crate::weight_file;

/// The Inception network of FID.
pub(crate) struct FidExtractor {
    network: InceptionFid,
}

/// LPIPS.
pub(crate) struct PerceptualDistance {
    network: Lpips,
    pub(crate) backbone: LpipsBackbone,
}

impl FidExtractor {
    /// `path` is pytorch-fid's `pt_inception-2015-12-05-6726825d.pth`.
    ///
    /// # Errors
    /// `ReadWeights`, `NoWeights`; `Weights` unless every tensor is there and fits.
    pub(crate) fn open(path: &Path, device: ComputeDevice) -> Result<Self, RunnerError> {
        let network = InceptionFid::from_tensors(weight_file::read(path)?, &device.open())
            .map_err(|source| RunnerError::Weights { path: path.into(), source })?;
        Ok(FidExtractor { network })
    }

    /// [`InceptionFid::FEATURES`] values an image, end to end.
    pub(crate) fn features(&self, images: &[Image]) -> Vec<f32> {
        let mut found = Vec::new();
        for batch in batches(images) {
            let levels = batch.iter().flat_map(levels_chw).collect();
            let images = tensor(levels, batch, self.network.device());
            found.extend(values(self.network.forward(images)));
        }
        found
    }
}

impl PerceptualDistance {
    /// `paths` are torchvision's AlexNet or VGG-16 and the heads of lpips 0.1 for it, in one file
    /// or in two.
    ///
    /// # Errors
    /// `ReadWeights`, `NoWeights`; `Weights` unless every tensor is there and fits.
    ///
    /// # Panics
    /// Without a path.
    pub(crate) fn open(paths: &[PathBuf], device: ComputeDevice) -> Result<Self, RunnerError> {
        let mut tensors = NamedTensors::new();
        for path in paths {
            tensors.extend(weight_file::read(path)?);
        }
        let path = paths.first().expect("there is a file to read");
        let backbone = LpipsBackbone::of(&tensors);
        let network = Lpips::from_tensors(backbone, tensors, &device.open())
            .map_err(|source| RunnerError::Weights { path: path.into(), source })?;
        Ok(PerceptualDistance { network, backbone })
    }

    /// The distance of each image to the one of the same place.
    ///
    /// # Panics
    /// If the numbers of images or the sides of a pair differ.
    pub(crate) fn distances(&self, left: &[Image], right: &[Image]) -> Vec<f32> {
        assert_eq!(left.len(), right.len(), "images come in pairs");
        let mut found = Vec::new();
        for batch in batches(left) {
            let partners = &right[found.len()..][..batch.len()];
            let [left, right] = [batch, partners].map(|images| {
                let units = images.iter().flat_map(Image::to_unit_chw).collect();
                tensor(units, images, self.network.device())
            });
            found.extend(values(self.network.distance(left, right)));
        }
        found
    }
}

/// In the same order, each of one size.
fn batches(images: &[Image]) -> impl Iterator<Item = &[Image]> {
    images.chunk_by(|a, b| a.size == b.size).flat_map(|alike| alike.chunks(BATCH))
}

/// Planes of red, green, blue in `[0, 255]`.
fn levels_chw(image: &Image) -> Vec<f32> {
    let pixels = image.rgb.as_chunks::<3>().0;
    (0..3).flat_map(|c| pixels.iter().map(move |pixel| f32::from(pixel[c]))).collect()
}

fn tensor(values: Vec<f32>, images: &[Image], device: &Device) -> Tensor<4> {
    let side = images[0].size;
    Tensor::from_data(TensorData::new(values, [images.len(), 3, side, side]), device)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().as_slice::<f32>().expect("values are float32").to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_stand_plane_by_plane() {
        let image = Image { size: 2, rgb: (0..12).collect() };
        let expected = [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11].map(|it| it as f32);
        assert_eq!(levels_chw(&image), expected);
    }

    #[test]
    fn batches_are_of_one_size_and_keep_the_order() {
        let image = |size: usize| Image { size, rgb: vec![size as u8; 3 * size * size] };
        let mut images = vec![image(4); BATCH + 2];
        images.push(image(5));
        images.push(image(4));
        let sizes: Vec<(usize, usize)> =
            batches(&images).map(|batch| (batch.len(), batch[0].size)).collect();
        assert_eq!(sizes, [(BATCH, 4), (2, 4), (1, 5), (1, 4)]);
        assert!(batches(&[]).next().is_none());
    }
}
