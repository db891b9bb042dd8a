//! What each tensor is called in the reference implementation, where layers are numbered as they
//! stand in a `Sequential`.

use burn::module::Module;
use spec::{DiscriminatorKind, GeneratorKind, ModelConfig, NormKind, Padding, Upsample};

use crate::discriminator::{Discriminator, judge_layers};
use crate::generator::Generator;
use crate::layers::biased;
use crate::unet_generator::n_halvings;

/// A network whose tensors have names in the reference implementation.
pub trait UpstreamNames: Module {
    /// (our path, upstream's name) of every tensor of a network of this shape.
    fn names(config: &ModelConfig) -> Vec<(String, String)>;
}

impl UpstreamNames for Generator {
    fn names(config: &ModelConfig) -> Vec<(String, String)> {
        let mut names = Names::new(config);
        match config.generator {
            GeneratorKind::Resnet => names.resnet(config),
            GeneratorKind::Unet128 | GeneratorKind::Unet256 => names.unet(config),
        }
        names.pairs
    }
}

impl UpstreamNames for Discriminator {
    fn names(config: &ModelConfig) -> Vec<(String, String)> {
        let mut names = Names::new(config);
        let prefix = match config.discriminator {
            DiscriminatorKind::Patch | DiscriminatorKind::Image => "model",
            DiscriminatorKind::Pixel => "net",
        };
        for (i, layer) in judge_layers(config).iter().enumerate() {
            // After the first: convolution, norm, LeakyReLU, three modules a layer.
            let index = if i == 0 { 0 } else { 3 * i - 1 };
            names.conv(&format!("layers.{i}"), &format!("{prefix}.{index}"), layer.bias);
            if layer.normed {
                names.norm(&format!("norms.{i}"), &format!("{prefix}.{}", index + 1));
            }
        }
        names.pairs
    }
}

struct Names {
    /// Whether convolutions before a norm have a bias.
    biased: bool,
    norm: NormKind,
    pairs: Vec<(String, String)>,
}

impl Names {
    fn new(config: &ModelConfig) -> Self {
        Names { biased: biased(config.norm), norm: config.norm, pairs: Vec::new() }
    }

    fn pair(&mut self, ours: String, theirs: String) {
        self.pairs.push((ours, theirs));
    }

    fn conv(&mut self, ours: &str, theirs: &str, bias: bool) {
        self.pair(format!("{ours}.weight"), format!("{theirs}.weight"));
        if bias {
            self.pair(format!("{ours}.bias"), format!("{theirs}.bias"));
        }
    }

    fn norm(&mut self, ours: &str, theirs: &str) {
        if matches!(self.norm, NormKind::InstanceAffine | NormKind::Batch) {
            self.pair(format!("{ours}.norm.gamma"), format!("{theirs}.weight"));
            self.pair(format!("{ours}.norm.beta"), format!("{theirs}.bias"));
        }
    }

    /// A convolution at `index` of the outer `Sequential`, and its norm.
    fn layer(&mut self, conv: &str, norm: &str, index: usize) {
        let biased = self.biased;
        self.conv(&format!("Resnet.{conv}"), &format!("model.{index}"), biased);
        self.norm(&format!("Resnet.{norm}"), &format!("model.{}", index + 1));
    }

    fn resnet(&mut self, config: &ModelConfig) {
        let n = config.n_blocks as usize;
        // Padding with zeros is part of the convolution, not a module before it; dropout shifts what
        // follows it inside a block.
        let padding = usize::from(config.padding != Padding::Zero);
        let first = padding;
        let second = first + 3 + usize::from(config.dropout > 0.0) + padding;
        let (variant, up, head) = match config.upsample {
            Upsample::Transpose => ("Transpose", [10 + n, 13 + n], 17 + n),
            // Upsample, ReflectionPad, Conv, norm, ReLU: the replacement of upstream's FAQ.
            Upsample::Nearest | Upsample::Bilinear => ("Resize.conv", [12 + n, 17 + n], 21 + n),
        };
        self.layer("stem", "stem_norm", 1);
        self.layer("down.0", "down_norm.0", 4);
        self.layer("down.1", "down_norm.1", 7);
        for i in 0..n {
            let (ours, block) =
                (format!("Resnet.blocks.{i}"), format!("model.{}.conv_block", 10 + i));
            for (name, index) in [("first", first), ("second", second)] {
                let biased = self.biased;
                self.conv(&format!("{ours}.{name}"), &format!("{block}.{index}"), biased);
                self.norm(&format!("{ours}.{name}_norm"), &format!("{block}.{}", index + 1));
            }
        }
        for (i, index) in up.into_iter().enumerate() {
            self.layer(&format!("up.{i}.{variant}"), &format!("up_norm.{i}"), index);
        }
        self.conv("Resnet.head", &format!("model.{head}"), true);
    }

    /// Levels nest: `model.model.1.model.3.model…`; inside one stand LeakyReLU, convolution, norm,
    /// the next level, ReLU, transposed convolution, norm. The outermost has no LeakyReLU and no
    /// norms, the innermost no first norm and no next level.
    fn unet(&mut self, config: &ModelConfig) {
        let levels = n_halvings(config.generator);
        let mut prefix = "model.model".to_string();
        for level in 0..levels {
            let (outermost, innermost) = (level == 0, level == levels - 1);
            let [down, down_norm, up, up_norm] = match (outermost, innermost) {
                (true, _) => [0, 0, 3, 0],
                (_, true) => [1, 0, 3, 4],
                _ => [1, 2, 5, 6],
            };
            let at = |index: usize| format!("{prefix}.{index}");
            let ours = format!("Unet.levels.{level}");
            let biased = self.biased;
            self.conv(&format!("{ours}.down"), &at(down), biased);
            if down_norm > 0 {
                self.norm(&format!("{ours}.down_norm"), &at(down_norm));
            }
            self.conv(&format!("{ours}.up"), &at(up), biased || outermost);
            if up_norm > 0 {
                self.norm(&format!("{ours}.up_norm"), &at(up_norm));
            }
            prefix = format!("{prefix}.{}.model", if outermost { 1 } else { 3 });
        }
    }
}
