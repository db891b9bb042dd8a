//! Images on disk, in a package or drawn here, to batches in [-1, 1].
//!
//! A [`Recipe`] says where a data set comes from; the [`Store`] fetches it,
//! decodes and resizes every image once, and keeps the result as raw bytes; a
//! [`Dataset`] hands out batches as a pure function of (seed, step). Nothing
//! here knows tensors.

mod contact_sheet;
mod dataset;
mod decode;
mod download;
mod error;
mod feature_weights;
mod fold;
mod image_files;
mod lookup;
mod prepared;
mod raster;
mod recipe;
mod recipe_book;
mod registry_client;
mod resize;
mod shared_images;
mod source;
mod square_image;
mod store;
mod unpaired;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod switches;
#[cfg(test)]
mod tests;

pub use dataset::{Batch, Dataset};
pub use error::{DataError, SkippedImage};
pub use feature_weights::{FEATURE_WEIGHTS, FeatureWeights};
pub use fold::{Domain, Fold, FoldBuckets};
pub use image_files::{ImageFiles, PictureFolder};
pub use raster::Raster;
pub use recipe::{Counts, Pairs, Recipe, RecipeKind, ReliefTiles, SyntheticScenes};
pub use recipe_book::RecipeBook;
pub use resize::resize_float;
pub use shared_images::SharedImages;
pub use square_image::Image;
pub use store::{Fetched, Progress, Store};
