//! The U-Net generator (Isola et al. 2017, arXiv:1611.07004, as in upstream's `UnetGenerator`).

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Tensor;
use burn::tensor::activation::{leaky_relu, relu};
use kernels::{Activation, FeatureMaps};
use spec::{GeneratorKind, ModelConfig};

use crate::init::InitialWeights;
use crate::layers::{Norm, Pad, biased, convolve, convolve_up};

/// Burn's default is 0.01; the reference has 0.2.
const NEGATIVE_SLOPE: f64 = 0.2;

/// Initial weights are keyed by level, on the way down and up.
const UP: u64 = 100;

/// How often the image is halved; sides must be multiples of two to this power. 0 for other kinds.
pub(crate) fn n_halvings(kind: GeneratorKind) -> usize {
    match kind {
        GeneratorKind::Unet128 => 7,
        GeneratorKind::Unet256 => 8,
        GeneratorKind::Resnet => 0,
    }
}

/// Translates images of one domain into the other.
///
/// Halves the image until little is left of it and doubles it again; every level hands what it
/// saw on the way down across to the way up.
#[derive(Module, Debug)]
pub struct UnetGenerator {
    /// From the outermost to the innermost.
    levels: Vec<UnetLevel>,
    dropout: Dropout,
}

/// 4×4 convolutions of stride 2 there and back.
#[derive(Module, Debug)]
struct UnetLevel {
    down: Conv2d,
    down_norm: Norm,
    up: ConvTranspose2d,
    up_norm: Norm,
}

impl UnetGenerator {
    pub(crate) fn new(config: &ModelConfig, weights: &InitialWeights<'_>) -> Self {
        let n = n_halvings(config.generator);
        UnetGenerator {
            levels: (0..n).map(|level| UnetLevel::new(config, level, n, weights)).collect(),
            dropout: DropoutConfig::new(config.dropout).init(),
        }
    }

    /// # Shapes
    /// - `images`: `[batch, 3, height, width]` in `[-1, 1]`; sides divisible by 2 to the number of levels
    /// - returns: the same shape, in `[-1, 1]`
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let mut seen: Vec<Tensor<4>> = Vec::with_capacity(self.levels.len());
        for level in &self.levels {
            let x = match seen.last() {
                None => FeatureMaps::of_images(images.clone()),
                // Upstream's LeakyReLU works in place, on the skip as well; the ReLU on the way
                // up undoes the difference.
                Some(above) => FeatureMaps::new(leaky_relu(above.clone(), NEGATIVE_SLOPE)),
            };
            let down = |then| convolve(&level.down, x, Pad::zeros(1), then);
            seen.push(level.down_norm.behind(down, Activation::Identity).tensor());
        }
        let mut x = seen.pop().expect("a U-Net has levels");
        let innermost = self.levels.len() - 1;
        for (i, level) in self.levels.iter().enumerate().rev() {
            let up = |then| convolve_up(&level.up, FeatureMaps::new(relu(x)), then);
            x = level.up_norm.behind(up, Activation::Identity).tensor();
            // Between the innermost and the four outer levels, as upstream's `use_dropout`.
            if (4..innermost).contains(&i) {
                x = self.dropout.forward(x);
            }
            if let Some(skip) = seen.pop() {
                x = Tensor::cat(vec![skip, x], 3);
            }
        }
        FeatureMaps::new(x).into_images().tanh()
    }

    pub(crate) fn mixes_images(&self) -> bool {
        self.levels.iter().any(|level| level.up_norm.mixes_images())
    }
}

impl UnetLevel {
    /// `level` counts from the outermost, 0, of `n`.
    fn new(config: &ModelConfig, level: usize, n: usize, weights: &InitialWeights<'_>) -> Self {
        let width = |level: usize| config.ngf as usize * (1 << level.min(3));
        let (outermost, innermost) = (level == 0, level == n - 1);
        let outer = if outermost { 3 } else { width(level - 1) };
        let inner = width(level);
        // What the level inside hands up comes beside this level's own view.
        let handed_up = if innermost { inner } else { 2 * inner };
        let (down_id, up_id) = (level as u64, UP + level as u64);
        let down = Conv2dConfig::new([outer, inner], [4, 4])
            .with_stride([2, 2])
            .with_bias(biased(config.norm));
        let up = ConvTranspose2dConfig::new([handed_up, outer], [4, 4])
            .with_stride([2, 2])
            .with_padding([1, 1])
            .with_bias(outermost || biased(config.norm));
        UnetLevel {
            down: weights.conv(down_id, down.init(weights.device())),
            // A norm of the innermost single pixel would be 0; of the first layer, upstream has none.
            down_norm: match outermost || innermost {
                true => Norm::none(),
                false => Norm::new(config.norm, inner, down_id, weights),
            },
            up: weights.conv_transpose(up_id, up.init(weights.device())),
            up_norm: match outermost {
                true => Norm::none(),
                false => Norm::new(config.norm, outer, up_id, weights),
            },
        }
    }
}
