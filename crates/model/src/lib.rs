//! The networks and losses of CycleGAN: pure functions of tensors.
//!
//! Nothing here opens files ([`weights`] is handed bytes, or an open PyTorch file), prints or
//! logs. Layers, initialisation and losses follow
//! junyanz/pytorch-CycleGAN-and-pix2pix at `2a7afba`; where a framework default
//! differs, the line says so.

mod architecture;
mod cycle_gan;
mod discriminator;
mod efficientnet_lite0;
mod folded_conv;
mod gan_loss;
mod generator;
mod gradient_penalty;
mod image_strip;
mod inception;
mod init;
mod layers;
mod lpips;
mod parameters;
mod resnet_generator;
mod unet_generator;
pub mod upstream_names;
pub mod weights;

#[cfg(test)]
mod tests;

pub use architecture::{Layout, infer_generator, taken_as};
pub use cycle_gan::{CycleGan, Network, Term};
pub use discriminator::Discriminator;
pub use efficientnet_lite0::{FeatureNet, Taps};
pub use gan_loss::{discriminator_loss, generator_loss};
pub use generator::{Generator, side_multiple};
pub use gradient_penalty::gradient_penalty;
pub use inception::InceptionFid;
pub use init::InitialWeights;
pub use lpips::{Lpips, LpipsBackbone};
pub use parameters::gradients;

/// Part of every run's identity. Raised on purpose when a change makes the
/// same configuration train to other numbers.
pub const TRAINING_REV: u32 = 3;
