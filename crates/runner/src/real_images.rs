//! The real images that translations are compared with, and what the feature network sees in them.
//!
//! They are the same for every run of a data set, and so are kept in the cache.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use burn::tensor::TensorData;
use data::{Dataset, Domain, Fold};
use eval::{Features, ImageSet, Picture, Sides, Taps};
use model::weights::{self, NamedTensors};

use crate::error::RunnerError;
use crate::evaluate::SEED;
use crate::feature_net::FeatureExtractor;

/// KID needs so many images a side.
pub(crate) const FEWEST: usize = 3;

/// Training images at a time: there are thousands.
const AT_ONCE: usize = 64;

pub(crate) struct RealImages<'a> {
    dataset: &'a Dataset,
    network: Option<FeatureExtractor>,
    cache: PathBuf,
    sets: RefCell<BTreeMap<(usize, usize), Rc<RealSet>>>,
}

pub(crate) struct RealSet {
    pub images: ImageSet,
    /// Of the pixels and of the network that saw them.
    pub hash: blake3::Hash,
}

/// Real images of the domain that is translated into; see [`Sides`].
pub(crate) struct Targets {
    pub reference: Rc<RealSet>,
    oracle: Option<Rc<RealSet>>,
    pub partners: Option<Rc<RealSet>>,
    aligned: bool,
}

impl Targets {
    pub(crate) fn sides<'a>(&'a self, outputs: &'a ImageSet, inputs: &'a RealSet) -> Sides<'a> {
        let images = |set: &'a Option<Rc<RealSet>>| set.as_ref().map(|it| &it.images);
        Sides {
            outputs,
            reference: &self.reference.images,
            inputs: Some(&inputs.images),
            partners: images(&self.partners),
            aligned: self.aligned,
            oracle: images(&self.oracle),
            seed: SEED,
        }
    }

    /// Of all that a score of other outputs could depend on.
    pub(crate) fn hash(&self, inputs: &RealSet) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        let sets = [Some(&self.reference), self.oracle.as_ref(), self.partners.as_ref()];
        for set in sets {
            hasher.update(set.map_or(&[0; 32], |it| it.hash.as_bytes()));
        }
        hasher.update(inputs.hash.as_bytes()).update(&[u8::from(self.aligned)]);
        hasher.finalize()
    }
}

impl<'a> RealImages<'a> {
    /// `network`: none where its weights are not here. `cache`: a folder that may not exist yet.
    pub(crate) fn new(
        dataset: &'a Dataset,
        network: Option<FeatureExtractor>,
        cache: PathBuf,
    ) -> RealImages<'a> {
        RealImages { dataset, network, cache, sets: RefCell::default() }
    }

    /// The folder in which to keep what is the same for every run.
    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    pub(crate) fn dataset(&self) -> &'a Dataset {
        self.dataset
    }

    /// All held-out images of a domain, in order.
    pub(crate) fn set(&self, fold: Fold, domain: Domain) -> Result<Rc<RealSet>, RunnerError> {
        let key = (fold as usize, domain as usize);
        if let Some(set) = self.sets.borrow().get(&key) {
            return Ok(Rc::clone(set));
        }
        let image = |i| Ok(self.dataset.held_out(fold, domain, i)?);
        let images: Vec<data::Image> =
            (0..self.dataset.count(fold, domain)).map(image).collect::<Result<_, RunnerError>>()?;
        let pictures: Vec<Picture> =
            images.iter().map(|image| Picture::from_rgb8(image.size, &image.rgb)).collect();
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.network.as_ref().map_or("", FeatureExtractor::identity).as_bytes());
        for image in &images {
            hasher.update(&image.rgb);
        }
        let hash = hasher.finalize();
        let taps = match &self.network {
            Some(network) if !images.is_empty() => Some(self.kept_taps(network, hash, &pictures)?),
            _ => None,
        };
        let images = ImageSet::new(pictures, taps).expect("a vector for each picture");
        let set = Rc::new(RealSet { images, hash });
        self.sets.borrow_mut().insert(key, Rc::clone(&set));
        Ok(set)
    }

    /// What translations of `in_fold` into a domain are compared with.
    pub(crate) fn targets(&self, in_fold: Fold, domain: Domain) -> Result<Targets, RunnerError> {
        let held_out = self.set(in_fold, domain)?;
        let has_reference = has_reference(self.dataset, domain);
        Ok(Targets {
            reference: match has_reference {
                true => self.set(Fold::Ref, domain)?,
                false => Rc::clone(&held_out),
            },
            oracle: has_reference.then(|| Rc::clone(&held_out)),
            partners: self.dataset.partnered(in_fold).then_some(held_out),
            aligned: self.dataset.paired(in_fold),
        })
    }

    /// What the network sees in all training images of a domain, pooled; none without a network.
    pub(crate) fn training_features(
        &self,
        domain: Domain,
    ) -> Result<Option<Features>, RunnerError> {
        let Some(network) = &self.network else { return Ok(None) };
        let count = self.dataset.count(Fold::Train, domain);
        let mut hasher = blake3::Hasher::new();
        let side = FeatureExtractor::input_side(self.dataset.side());
        hasher.update(network.identity().as_bytes()).update(&side.to_le_bytes());
        for i in 0..count {
            hasher.update(&self.dataset.stored(Fold::Train, domain, i)?.rgb);
        }
        let path = self.kept_at(hasher.finalize());
        if let Some(pool) = read(&path).and_then(|mut kept| kept.remove("pool")) {
            return Ok(Some(pool));
        }
        let mut all: Option<Features> = None;
        for start in (0..count).step_by(AT_ONCE) {
            let image = |i| Ok(self.dataset.stored(Fold::Train, domain, i)?);
            let images: Result<Vec<data::Image>, RunnerError> =
                (start..(start + AT_ONCE).min(count)).map(image).collect();
            // The side that held-out images are seen at: these may be larger, to be cut.
            let pool = network.pooled(&images?, self.dataset.side())?;
            match &mut all {
                None => all = Some(pool),
                Some(all) => all.append(&pool)?,
            }
        }
        if let Some(pool) = &all {
            drop(write(&path, &[("pool", pool)]));
        }
        Ok(all)
    }

    /// What sees the features; none where its weights are not here.
    pub(crate) fn network(&self) -> Option<&FeatureExtractor> {
        self.network.as_ref()
    }

    /// From the cache, or computed and put there. What cannot be put there costs time and no more.
    fn kept_taps(
        &self,
        network: &FeatureExtractor,
        hash: blake3::Hash,
        pictures: &[Picture],
    ) -> Result<Taps, RunnerError> {
        let path = self.kept_at(hash);
        if let Some(taps) = read(&path).and_then(taps_of).filter(|it| it.pool.n() == pictures.len())
        {
            return Ok(taps);
        }
        let taps = network.taps(pictures)?;
        drop(write(&path, &[("b4", &taps.b4), ("b10", &taps.b10), ("pool", &taps.pool)]));
        Ok(taps)
    }

    fn kept_at(&self, hash: blake3::Hash) -> PathBuf {
        self.cache.join(format!("{}.features", &hash.to_hex()[..32]))
    }
}

/// Whether translations into a domain are compared with images apart from the held-out ones.
pub(crate) fn has_reference(dataset: &Dataset, domain: Domain) -> bool {
    dataset.count(Fold::Ref, domain) >= FEWEST
}

fn taps_of(mut kept: BTreeMap<String, Features>) -> Option<Taps> {
    let mut take = |name: &str| kept.remove(name);
    Some(Taps { b4: take("b4")?, b10: take("b10")?, pool: take("pool")? })
}

/// As safetensors.
fn write(path: &Path, features: &[(&str, &Features)]) -> std::io::Result<()> {
    let tensor = |features: &Features| {
        let values: Vec<f32> = features.rows().flatten().map(|&value| value as f32).collect();
        TensorData::new(values, [features.n(), features.dimensions()])
    };
    let named = features.iter().map(|(name, it)| ((*name).to_string(), tensor(it)));
    let tensors: NamedTensors = named.collect();
    keep(path, &weights::to_safetensors(&tensors, None).map_err(std::io::Error::other)?)
}

fn read(path: &Path) -> Option<BTreeMap<String, Features>> {
    let tensors = weights::from_safetensors(&kept(path)?).ok()?;
    let features = |tensor: &TensorData| {
        Features::from_flat(*tensor.shape().get(1)?, tensor.as_slice::<f32>().ok()?).ok()
    };
    tensors.iter().map(|(name, it)| Some((name.clone(), features(it)?))).collect()
}

/// A whole file of the cache, its BLAKE3 behind it, or none.
pub(crate) fn keep(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().expect("a file of the cache");
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.write_all(blake3::hash(bytes).as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// What was kept. `None` for a file that is not there or not whole: it is made anew.
pub(crate) fn kept(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = std::fs::read(path).ok()?;
    let hash = bytes.split_off(bytes.len().checked_sub(blake3::OUT_LEN)?);
    (*blake3::hash(&bytes).as_bytes() == hash[..]).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_kept_whole_or_made_anew() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("features/x.features");
        let features = |dimensions: usize| {
            let values: Vec<f32> = (0..3 * dimensions).map(|i| i as f32 * 0.37).collect();
            Features::from_flat(dimensions, &values).expect("finite")
        };
        let taps = Taps { b4: features(2), b10: features(3), pool: features(5) };
        assert_eq!(read(&path), None);
        write(&path, &[("b4", &taps.b4), ("b10", &taps.b10), ("pool", &taps.pool)])
            .expect("a writable folder");
        assert_eq!(read(&path).and_then(taps_of), Some(taps));
        let whole = std::fs::read(&path).expect("written");
        for cut in [0, 5, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&path, &whole[..cut]).expect("writable");
            assert_eq!(read(&path), None, "cut at {cut}");
        }
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        std::fs::write(&path, flipped).expect("writable");
        assert_eq!(read(&path), None);
    }
}
