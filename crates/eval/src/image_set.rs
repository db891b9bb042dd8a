//! One side of a comparison: pictures, and what the feature network sees in them.

use crate::{EvalError, Features, Picture};

/// Pictures of one size with their features, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageSet {
    pictures: Vec<Picture>,
    /// `None` where the feature network's weights are not there.
    features: Option<Taps>,
}

/// Features of the same pictures at three depths of the network, each `[n, dimensions]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Taps {
    /// Texture and colour.
    pub b4: Features,
    pub b10: Features,
    /// What is in the picture.
    pub pool: Features,
}

impl ImageSet {
    /// # Errors
    /// `Unpaired` where there are not as many vectors as pictures.
    pub fn new(pictures: Vec<Picture>, features: Option<Taps>) -> Result<Self, EvalError> {
        let taps = features.iter().flat_map(|taps| [&taps.b4, &taps.b10, &taps.pool]);
        for found in taps.map(Features::n) {
            if found != pictures.len() {
                let metric = "a set of images with features";
                return Err(EvalError::Unpaired { metric, left: pictures.len(), right: found });
            }
        }
        Ok(ImageSet { pictures, features })
    }

    /// The same images `n` times over, one after another.
    pub fn repeated(&self, n: usize) -> Self {
        let times = |features: &Features| {
            let rows: Vec<usize> = (0..n).flat_map(|_| 0..features.n()).collect();
            features.subset(&rows).expect("features have rows")
        };
        let taps =
            |it: &Taps| Taps { b4: times(&it.b4), b10: times(&it.b10), pool: times(&it.pool) };
        ImageSet {
            pictures: std::iter::repeat_n(&self.pictures, n).flatten().cloned().collect(),
            features: self.features.as_ref().filter(|_| n > 0).map(taps),
        }
    }

    pub fn len(&self) -> usize {
        self.pictures.len()
    }

    pub fn is_empty(&self) -> bool {
        self.pictures.is_empty()
    }

    pub fn pictures(&self) -> &[Picture] {
        &self.pictures
    }

    pub fn features(&self) -> Option<&Taps> {
        self.features.as_ref()
    }
}
