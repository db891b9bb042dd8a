//! A generator of either kind.

use burn::module::Module;
use burn::tensor::Tensor;
use spec::{GeneratorKind, ModelConfig, Precision};

use crate::init::InitialWeights;
use crate::layers::computed_in;
use crate::resnet_generator::ResnetGenerator;
use crate::unet_generator::{UnetGenerator, n_halvings};

/// Translates images of one domain into the other.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "a handful of generators exist at a time")]
pub enum Generator {
    Resnet(ResnetGenerator),
    Unet(UnetGenerator),
}

impl Generator {
    pub fn new(config: &ModelConfig, weights: &InitialWeights<'_>) -> Self {
        match config.generator {
            GeneratorKind::Resnet => Generator::Resnet(ResnetGenerator::new(config, weights)),
            GeneratorKind::Unet128 | GeneratorKind::Unet256 => {
                Generator::Unet(UnetGenerator::new(config, weights))
            }
        }
    }

    /// # Shapes
    /// - `images`: `[batch, 3, height, width]` in `[-1, 1]`; sides divisible by [`side_multiple`]
    /// - returns: the same shape, in `[-1, 1]`, in the precision of `images`
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        match self {
            Generator::Resnet(generator) => generator.forward(images),
            Generator::Unet(generator) => generator.forward(images),
        }
    }

    /// [`forward`](Self::forward) computed in `precision`; the result and all gradients are float32.
    pub fn forward_in(&self, precision: Precision, images: Tensor<4>) -> Tensor<4> {
        computed_in(precision, images, |images| self.forward(images))
    }

    /// Whether an image's translation depends on the others of its batch.
    pub fn mixes_images(&self) -> bool {
        match self {
            Generator::Resnet(generator) => generator.mixes_images(),
            Generator::Unet(generator) => generator.mixes_images(),
        }
    }
}

/// What an image's sides must be multiples of, in pixels.
pub fn side_multiple(kind: GeneratorKind) -> usize {
    match kind {
        GeneratorKind::Resnet => 4,
        GeneratorKind::Unet128 | GeneratorKind::Unet256 => 1 << n_halvings(kind),
    }
}
