//! Pictures in, one number out.
//!
//! Sums run in float64 on the CPU. Nothing here reads files, prints or logs.

mod picture;
mod pixel;
mod ssim;

pub use picture::Picture;
pub use pixel::{l1, psnr};
pub use ssim::ssim;
