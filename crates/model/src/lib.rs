//! The networks and losses of CycleGAN: pure functions of tensors.
//!
//! Nothing here reads files (apart from [`weights`], which is handed bytes),
//! prints or logs. Layers, initialisation and losses follow
//! junyanz/pytorch-CycleGAN-and-pix2pix at `2a7afba`; where a framework default
//! differs, the line says so.

mod cycle_gan;
mod gan_loss;
mod init;
mod layers;
mod patch_discriminator;
mod resnet_generator;
pub mod weights;

#[cfg(test)]
mod tests;

pub use cycle_gan::{CycleGan, Network, Term};
pub use gan_loss::gan_loss;
pub use init::InitialWeights;
pub use patch_discriminator::Discriminator;
pub use resnet_generator::ResnetGenerator;

/// Part of every run's identity. Raised on purpose when a change makes the
/// same configuration train to other numbers.
pub const TRAINING_REV: u32 = 1;
