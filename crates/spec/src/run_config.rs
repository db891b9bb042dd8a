//! One run, every leaf written out.
//!
//! Section and field names are the same in TOML, here, in Parquet columns and
//! in the report. Defaults are the reference implementation's
//! (junyanz/pytorch-CycleGAN-and-pix2pix at `2a7afba`) unless a line says
//! otherwise. A value that is absent (`None`) is written as JSON `null`.

use serde::{Deserialize, Serialize};

/// Everything that decides what one run computes, apart from its seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    pub data: DataConfig,
    pub model: ModelConfig,
    pub loss: LossConfig,
    pub pool: PoolConfig,
    pub optim: OptimConfig,
    pub train: TrainConfig,
    pub eval: EvalConfig,
    /// Off in a configuration written before there were guards, as they are by default.
    #[serde(default)]
    pub guards: GuardConfig,
    pub init: InitConfig,
}

/// Which images, and how a batch is made of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// A recipe's name. Exactly one of `dataset` and `path` is set.
    pub dataset: Option<String>,
    /// A folder with trainA, trainB, testA, testB (or train/A, …), and if you like valA, valB, which
    /// the best weights are chosen by, and refA, refB, which results are compared with.
    pub path: Option<String>,
    /// Side in pixels of the square that training images are resized to, ≥ `crop_size`.
    pub load_size: u32,
    /// Side in pixels of the square the networks see; a multiple of 4.
    pub crop_size: u32,
    /// Mirror training images left-right with probability 0.5.
    pub flip: bool,
    pub order: SampleOrder,
    pub epoch_length: EpochLength,
    /// Image pairs a step, ≥ 1.
    pub batch_size: u32,
    /// `ba` swaps the two domains as they are read.
    pub direction: Direction,
    pub on_bad_image: OnBadImage,
}

/// How the two unpaired domains are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SampleOrder {
    /// A shuffled each epoch; B uniform with replacement (reference default).
    Unaligned,
    /// Both in file order, B as `i mod |B|` (reference `--serial_batches`).
    Serial,
    /// Both uniform with replacement (the authors' Lua code, data/dataset.lua).
    Uniform,
}

/// How many image pairs one epoch holds, from the sizes of the two domains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EpochLength {
    /// `max(|A|, |B|)` (reference).
    Max,
    /// `min(|A|, |B|)` (the TensorFlow tutorial and others).
    Min,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    Ab,
    Ba,
}

/// What an unreadable image does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnBadImage {
    /// Preparing the data set fails and names every bad file.
    Error,
    /// Bad files are left out, counted and listed.
    Skip,
}

/// The four networks' shapes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    pub generator: GeneratorKind,
    /// Channels of the generator's first layer, ≥ 1.
    pub ngf: u32,
    /// Residual blocks, 0 to 16. Left out: 9, or 6 below 256 px (paper §4). Residual generator only.
    pub n_blocks: u32,
    /// Residual generator only.
    pub upsample: Upsample,
    /// Residual generator only.
    pub padding: Padding,
    pub norm: NormKind,
    /// Dropout rate inside residual blocks, or after the U-Net's middle layers, in [0, 1).
    pub dropout: f64,
    pub discriminator: DiscriminatorKind,
    /// Channels of the discriminator's first layer, ≥ 1.
    pub ndf: u32,
    /// Stride-2 layers of the PatchGAN, 1 to 6 (3 sees 70×70 patches).
    pub n_layers: u32,
    /// Standard deviation of the initial weights.
    pub init_gain: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GeneratorKind {
    /// Down, residual blocks, up (reference).
    Resnet,
    /// U-Net of 7 halvings; sides must be multiples of 128 (upstream's `unet_128`).
    #[serde(rename = "unet-128")]
    Unet128,
    /// U-Net of 8 halvings; sides must be multiples of 256 (upstream's `unet_256`).
    #[serde(rename = "unet-256")]
    Unet256,
}

/// How the generator doubles its resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Upsample {
    /// 3×3 transposed convolution, stride 2 (reference).
    Transpose,
    /// Nearest neighbour ×2, then a reflection-padded 3×3 convolution.
    Nearest,
    /// Bilinear ×2, then a reflection-padded 3×3 convolution (reference FAQ).
    Bilinear,
}

/// Padding of the residual blocks and of the first and last 7×7 convolutions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Padding {
    Reflect,
    Replicate,
    Zero,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NormKind {
    /// Instance norm without affine part and without running statistics (reference).
    Instance,
    /// Instance norm with a learned scale, initially N(1, `init_gain`), and shift per channel
    /// (the authors' Lua code).
    InstanceAffine,
    /// Batch norm, affine, on the statistics of the batch at hand in training and inference alike
    /// (upstream's `--norm batch`, whose test script does not switch to running statistics either).
    /// Convolutions before it have no bias.
    Batch,
    /// No norm; convolutions keep their bias.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiscriminatorKind {
    /// `n_layers` deep PatchGAN.
    Patch,
    /// 1×1 convolutions: judges each pixel alone.
    Pixel,
    /// The PatchGAN with its scores averaged to one verdict an image before the loss.
    Image,
}

/// The objective, term by term. A term switched off is absent, never 0.0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossConfig {
    pub gan_mode: GanMode,
    /// The adversarial terms; `false` also leaves the discriminators out.
    pub gan: bool,
    /// λ, weight of the cycle terms, ≥ 0. 0 leaves the cycle terms out.
    pub lambda_cycle: f64,
    pub cycle: CycleTerms,
    pub cycle_norm: CycleNorm,
    /// Weight of the identity terms relative to `lambda_cycle` (paper §5.2), ≥ 0. 0 leaves them out.
    /// With `lambda_cycle = 0` the weight is taken as given, so that λ = 0 does not switch them off.
    pub lambda_identity: f64,
    /// Factor on the discriminators' adversarial loss (paper §7.1: 0.5).
    pub d_factor: f64,
    /// Weight of the gradient penalty, ≥ 0; 0 leaves it out. `wgan-gp` only. `d_factor` does not
    /// touch it: beside the paper's 10 stands a loss that is not halved, `d_factor = 1`.
    pub gp_weight: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GanMode {
    /// Log loss on raw scores: binary cross entropy with logits (paper Eq. 1).
    Vanilla,
    /// Least squares against 1 and 0 (paper §4).
    Lsgan,
    /// Margins at ±1 for the discriminators, the raw score for the generators
    /// (Lim & Ye 2017, arXiv:1705.02894).
    Hinge,
    /// Raw scores and a gradient penalty (Gulrajani et al. 2017, arXiv:1704.00028).
    WganGp,
}

/// Which direction of the cycle is penalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CycleTerms {
    Both,
    /// Only `A → B → A`.
    Forward,
    /// Only `B → A → B`.
    Backward,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CycleNorm {
    /// Mean absolute error (paper Eq. 2).
    L1,
    /// Mean squared error.
    L2,
}

/// The history of generated images the discriminators are shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolConfig {
    /// Images kept per domain; 0 switches the pool off.
    pub size: u32,
    /// Chance that a full pool returns a stored image, in [0, 1].
    pub swap_probability: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimConfig {
    pub lr_g: f64,
    pub lr_d: f64,
    pub beta_1: f64,
    pub beta_2: f64,
    pub epsilon: f64,
    pub schedule: Schedule,
    pub update_order: UpdateOrder,
    /// Discriminator updates a step, each with fresh pool draws, ≥ 1.
    pub d_steps: u32,
}

/// The learning-rate law after the constant phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// `1 - max(0, e - n) / (n_decay + 1)`: upstream's PyTorch code at `2a7afba`.
    LinearTorch,
    /// `1 - max(0, e - 1 - n) / n_decay`: the paper and its Lua code.
    LinearPaper,
    Constant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateOrder {
    /// Generators first, then discriminators on the fakes made before (reference).
    GThenD,
    /// Discriminators first; the generators meet the updated judges.
    DThenG,
}

/// How long, and how often to look. Exactly one of `n_epochs` and `steps` is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Epochs at the full learning rate.
    pub n_epochs: Option<u32>,
    /// Epochs over which the learning rate falls.
    pub n_epochs_decay: Option<u32>,
    /// Steps at the full learning rate, instead of epochs.
    pub steps: Option<u64>,
    /// Steps over which the learning rate falls.
    pub steps_decay: Option<u64>,
    /// Steps folded into one logged row, ≥ 1.
    pub log_every: u64,
    /// Steps between checkpoints; 0: at the end only.
    pub checkpoint_every: u64,
    /// Steps between sample images; 0: at the end only.
    pub sample_every: u64,
    pub precision: Precision,
}

/// What the networks' passes of a training step are computed in. Weights, Adam's moments, the statistics
/// of norms, losses and the gradient penalty are float32 in any case, and so is evaluation; what several
/// passes give for a weight is added in float32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// float32 (reference); a GPU may multiply in tf32.
    F32,
    /// bfloat16, with 8 significant bits: maps, weights on their way into a layer, and what comes back of
    /// both are rounded to it (PyTorch's `autocast`). The CPU rounds in the same places and saves no time.
    Bf16,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvalConfig {
    /// Steps between evaluations on held-out images; 0: at the end only.
    pub every: u64,
    /// Of the final evaluation; what is looked at during training is always `val`. With
    /// `checkpoint = "best"` always `test`: the fold that chose has no say in the result.
    pub fold: EvalFold,
    pub checkpoint: EvalCheckpoint,
    /// The metric that chooses, with `checkpoint = "best"`; its usual goal says which way. Left out:
    /// the metric that the sweep declares.
    #[serde(default)]
    pub best_by: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvalFold {
    Val,
    Test,
}

/// Which weights the final evaluation scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvalCheckpoint {
    /// Those after the last step (reference).
    Last,
    /// Those that `best_by` liked best on the `val` fold, at one of the steps of `every` or at the end;
    /// of equally good ones the earliest.
    Best,
}

/// When a training that has visibly failed is stopped as diverged, which is a result and not an
/// error. A guard changes a run's outcome, so these leaves are part of its identity. Upstream has
/// none of them: it trains on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardConfig {
    pub non_finite: NonFinite,
    /// Stops a run in which a discriminator's loss, `loss.d_factor` included, as the
    /// mean over every 10 steps, stays below this, ≥ 0; 0 is off. Near 0 for long means that the discriminator
    /// has won: it is flat around the fakes, and the generator gets no gradient (Arjovsky & Bottou
    /// 2017, arXiv:1701.04862, §2). Not for `"wgan-gp"`, whose loss is negative in a good run.
    pub d_loss_below: f64,
    /// Steps on end that `d_loss_below` waits, ≥ 1: a good discriminator may win for a moment.
    pub d_loss_steps: u64,
    /// Stops a run in which the standard deviation over the pixels and channels of one generated
    /// image in [-1, 1], as the mean over the batch, stays below this, in [0, 1); 0 is off. Near 0
    /// means that a generator has collapsed to a constant.
    pub output_std_below: f64,
    /// Steps on end that `output_std_below` waits, ≥ 1.
    pub output_std_steps: u64,
}

/// What a loss that is NaN or infinite does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NonFinite {
    /// The run ends as diverged and keeps its last good checkpoint: no weight recovers from a NaN.
    Stop,
    /// The run goes on and records what it finds.
    Continue,
}

impl Default for GuardConfig {
    /// Only what cannot be trained on stops a run. 2000 steps are one and a half epochs of
    /// horse2zebra.
    fn default() -> Self {
        GuardConfig {
            non_finite: NonFinite::Stop,
            d_loss_below: 0.0,
            d_loss_steps: 2000,
            output_std_below: 0.0,
            output_std_steps: 2000,
        }
    }
}

/// Weight files to start from, one per network; absent: random.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitConfig {
    pub gen_ab: Option<String>,
    pub gen_ba: Option<String>,
    pub disc_a: Option<String>,
    pub disc_b: Option<String>,
}

/// Leaves that cannot change the trained weights; they are no part of a run's identity.
///
/// How often to log, look, save or sample decides what is recorded, not what
/// is learned. `on_bad_image` acts through the images that are left, which the
/// data set's fingerprint covers. `eval.every` counts all the same where it says which weights there
/// are to choose the best from.
pub const NON_SEMANTIC: [&str; 5] = [
    "data.on_bad_image",
    "train.log_every",
    "train.checkpoint_every",
    "train.sample_every",
    "eval.every",
];

/// Leaves that say where content lies; the content's own hash is the identity.
pub const CONTENT_ADDRESSES: [&str; 6] =
    ["data.dataset", "data.path", "init.gen_ab", "init.gen_ba", "init.disc_a", "init.disc_b"];

impl RunConfig {
    /// Upstream's own configuration: 256 px, 9 blocks, 100 + 100 epochs.
    pub fn reference() -> Self {
        RunConfig {
            data: DataConfig {
                dataset: None,
                path: None,
                load_size: 286,
                crop_size: 256,
                flip: true,
                order: SampleOrder::Unaligned,
                epoch_length: EpochLength::Max,
                batch_size: 1,
                direction: Direction::Ab,
                on_bad_image: OnBadImage::Error,
            },
            model: ModelConfig {
                generator: GeneratorKind::Resnet,
                ngf: 64,
                n_blocks: 9,
                upsample: Upsample::Transpose,
                padding: Padding::Reflect,
                norm: NormKind::Instance,
                dropout: 0.0,
                discriminator: DiscriminatorKind::Patch,
                ndf: 64,
                n_layers: 3,
                init_gain: 0.02,
            },
            loss: LossConfig {
                gan_mode: GanMode::Lsgan,
                gan: true,
                lambda_cycle: 10.0,
                cycle: CycleTerms::Both,
                cycle_norm: CycleNorm::L1,
                lambda_identity: 0.5,
                d_factor: 0.5,
                gp_weight: 10.0,
            },
            pool: PoolConfig { size: 50, swap_probability: 0.5 },
            optim: OptimConfig {
                lr_g: 2e-4,
                lr_d: 2e-4,
                beta_1: 0.5,
                beta_2: 0.999,
                epsilon: 1e-8,
                schedule: Schedule::LinearTorch,
                update_order: UpdateOrder::GThenD,
                d_steps: 1,
            },
            train: TrainConfig {
                n_epochs: Some(100),
                n_epochs_decay: Some(100),
                steps: None,
                steps_decay: None,
                log_every: 50,
                checkpoint_every: 5000,
                sample_every: 0,
                precision: Precision::F32,
            },
            eval: EvalConfig {
                every: 0,
                fold: EvalFold::Test,
                checkpoint: EvalCheckpoint::Last,
                best_by: None,
            },
            guards: GuardConfig::default(),
            init: InitConfig::default(),
        }
    }
}

impl RunConfig {
    /// As TOML, section by section; what is absent is left out.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("sections of plain values are valid TOML")
    }
}

impl LossConfig {
    /// Weight of `|rec_a - a|`, or `None` where the term is switched off.
    pub fn weight_cycle_a(&self) -> Option<f64> {
        let on = matches!(self.cycle, CycleTerms::Both | CycleTerms::Forward);
        (on && self.lambda_cycle > 0.0).then_some(self.lambda_cycle)
    }

    /// Weight of `|rec_b - b|`, or `None` where the term is switched off.
    pub fn weight_cycle_b(&self) -> Option<f64> {
        let on = matches!(self.cycle, CycleTerms::Both | CycleTerms::Backward);
        (on && self.lambda_cycle > 0.0).then_some(self.lambda_cycle)
    }

    /// Weight of the gradient penalty, or `None` where there is none.
    pub fn weight_penalty(&self) -> Option<f64> {
        let on = self.gan && self.gan_mode == GanMode::WganGp;
        (on && self.gp_weight > 0.0).then_some(self.gp_weight)
    }

    /// Weight of the two identity terms, or `None` where they are switched off.
    pub fn weight_identity(&self) -> Option<f64> {
        let lambda = if self.lambda_cycle > 0.0 { self.lambda_cycle } else { 1.0 };
        (self.lambda_identity > 0.0).then_some(lambda * self.lambda_identity)
    }
}

impl TrainConfig {
    /// Total steps, given how many steps one epoch has.
    pub fn total_steps(&self, steps_per_epoch: u64) -> u64 {
        match self.steps {
            Some(steps) => steps + self.steps_decay.unwrap_or(0),
            None => {
                let epochs = u64::from(self.n_epochs.unwrap_or(0))
                    + u64::from(self.n_epochs_decay.unwrap_or(0));
                epochs * steps_per_epoch
            }
        }
    }
}
