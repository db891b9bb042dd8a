//! The four networks, and the names of the terms they are trained on.

use burn::module::Module;
use burn::tensor::Device;
use spec::{LossConfig, ModelConfig};

use crate::discriminator::Discriminator;
use crate::generator::Generator;
use crate::init::InitialWeights;

/// The four networks. Discriminators are named by the domain they judge
/// (upstream's `netD_A` judges B; here that is `disc_b`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    GenAb = 0,
    GenBa = 1,
    DiscA = 2,
    DiscB = 3,
}

impl Network {
    pub const ALL: [Network; 4] = [Network::GenAb, Network::GenBa, Network::DiscA, Network::DiscB];

    /// As in the run configuration and in checkpoint file names.
    pub fn name(self) -> &'static str {
        match self {
            Network::GenAb => "gen_ab",
            Network::GenBa => "gen_ba",
            Network::DiscA => "disc_a",
            Network::DiscB => "disc_b",
        }
    }
}

/// One term of the objective. The letter is the domain of the image judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    GanGAb,
    GanGBa,
    CycleA,
    CycleB,
    IdtA,
    IdtB,
    DA,
    DB,
    GpA,
    GpB,
}

impl Term {
    /// As logged under `loss/…` and `weighted/…`.
    pub fn name(self) -> &'static str {
        match self {
            Term::GanGAb => "gan_g_ab",
            Term::GanGBa => "gan_g_ba",
            Term::CycleA => "cycle_a",
            Term::CycleB => "cycle_b",
            Term::IdtA => "idt_a",
            Term::IdtB => "idt_b",
            Term::DA => "d_a",
            Term::DB => "d_b",
            Term::GpA => "gp_a",
            Term::GpB => "gp_b",
        }
    }

    /// The factor the term carries in the objective; `None` where it is switched off.
    /// The discriminators' `d_factor` is already part of their logged value, as upstream's is.
    pub fn weight(self, loss: &LossConfig) -> Option<f64> {
        match self {
            Term::GanGAb | Term::GanGBa | Term::DA | Term::DB => loss.gan.then_some(1.0),
            Term::CycleA => loss.weight_cycle_a(),
            Term::CycleB => loss.weight_cycle_b(),
            Term::IdtA | Term::IdtB => loss.weight_identity(),
            Term::GpA | Term::GpB => loss.weight_penalty(),
        }
    }
}

/// Generators A→B and B→A, and the discriminators of both domains.
#[derive(Module, Debug)]
pub struct CycleGan {
    pub gen_ab: Generator,
    pub gen_ba: Generator,
    /// `None` when the adversarial terms are switched off.
    pub disc_a: Option<Discriminator>,
    pub disc_b: Option<Discriminator>,
}

impl CycleGan {
    /// Networks with initial weights drawn from `seed`, on `device`.
    pub fn new(model: &ModelConfig, loss: &LossConfig, seed: u64, device: &Device) -> Self {
        let weights = |network| InitialWeights::new(seed, network, model.init_gain, device);
        let generator = |network| Generator::new(model, &weights(network));
        let discriminator =
            |network| loss.gan.then(|| Discriminator::new(model, &weights(network)));
        CycleGan {
            gen_ab: generator(Network::GenAb),
            gen_ba: generator(Network::GenBa),
            disc_a: discriminator(Network::DiscA),
            disc_b: discriminator(Network::DiscB),
        }
    }
}
