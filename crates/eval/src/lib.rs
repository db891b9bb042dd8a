//! Pictures and feature vectors in, one number out.
//!
//! Sums run in float64 on the CPU. Nothing here reads files, prints or logs, and nothing draws a random number but from
//! a seed that it is given. What a metric cannot say is an error that names why, never a wild number.

mod error;
mod estimate;
mod noise;

mod picture;
mod picture_set;
mod pixel;
mod ssim;

mod high_frequency;
mod pyramid;
mod sliced;

mod distances;
mod features;
mod frechet;
mod kid;
mod neighbours;

mod diversity;
mod memorisation;
mod retrieval;

mod anchors;
mod cycle;
mod gain;

mod image_set;
mod score_card;

mod flags;
mod measured;
mod thresholds;

#[cfg(test)]
mod lcg;

pub use anchors::{ColourMatch, mean_picture, relative_spread};
pub use cycle::{CycleErrors, mean_psnr, perturbed};
pub use diversity::{distance_correlation, duplicate_fraction, vendi, vendi_ratio};
pub use error::EvalError;
pub use estimate::Estimate;
pub use features::Features;
pub use flags::{Flag, Raised, Severity, flags};
pub use frechet::{Frechet, frechet};
pub use gain::{Unseparated, gain};
pub use high_frequency::high_frequency_ratio;
pub use image_set::{ImageSet, Taps};
pub use kid::kid;
pub use measured::{AnchorCheck, DiscriminatorEval, Floor, Measured};
pub use memorisation::memorised_share;
pub use neighbours::{NEIGHBOURS, Neighbours, neighbours};
pub use picture::Picture;
pub use pixel::{l1, psnr};
pub use retrieval::{Retrieval, retrieval};
pub use score_card::{
    GainAnchors, NO_FEATURES, NO_PARTNERS, NOT_ALIGNED, Score, ScoreCard, Sides, score,
};
pub use sliced::{Sliced, colour_distance, sliced_distance};
pub use ssim::ssim;
pub use thresholds::Thresholds;
