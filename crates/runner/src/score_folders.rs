//! Scores of pictures in folders, whoever made them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use data::PictureFolder;
use eval::{ImageSet, Picture, ScoreCard, Sides, score};

use crate::anchors;
use crate::device::ComputeDevice;
use crate::error::RunnerError;
use crate::evaluate::SEED;
use crate::feature_net::{FeatureNet, image_set};

/// What is compared with what.
pub struct FolderScores<'a> {
    /// Real pictures of the target domain.
    pub real: &'a Path,
    /// Translations.
    pub fake: &'a Path,
    /// What was translated; each translation's has its name.
    pub source: Option<&'a Path>,
    /// Whether the real picture that has a translation's name is its true one.
    pub pairs_by_name: bool,
    /// Real pictures apart from the true translations, that both are compared with; left out: those
    /// of `real` that have no translation's name.
    pub reference: Option<&'a Path>,
    /// Side in pixels of the square that every picture is resized to first; left out: that of the
    /// translations, which are all squares of one size then.
    pub size: Option<u32>,
    /// None: metrics that need features are absent.
    pub feature_weights: Option<PathBuf>,
    pub device: ComputeDevice,
}

/// What came of it.
#[derive(Debug)]
pub struct ScoredFolders {
    /// Side in pixels at which pictures were compared.
    pub size: u32,
    pub n_fake: usize,
    pub n_reference: usize,
    /// Translations whose true one is known.
    pub n_pairs: usize,
    pub card: ScoreCard,
    /// What others would score: `identity`, `oracle`, `mean`, `colour`.
    pub anchors: BTreeMap<&'static str, ScoreCard>,
}

/// Scores a folder of translations.
///
/// # Errors
/// `Data` for a folder without pictures; `Unreadable` names every picture that cannot be read;
/// `Unmatched` every one whose counterpart is missing; `Weights`; `NoSize` where the translations
/// are no squares of one size and `size` is left out.
pub fn score_folders(job: &FolderScores<'_>) -> Result<ScoredFolders, RunnerError> {
    let fakes = PictureFolder::list(job.fake)?;
    let reals = PictureFolder::list(job.real)?;
    let size = match job.size {
        Some(size) => size,
        None => size_of(&fakes)?,
    };
    let network = match &job.feature_weights {
        Some(path) => Some(FeatureNet::open(path, &job.device.open())?),
        None => None,
    };
    let names: Vec<String> = (0..fakes.count()).map(|i| stem(fakes.path(i))).collect();
    let all = |folder: &PictureFolder| read(folder, (0..folder.count()).collect(), size);
    let outputs = image_set(all(&fakes)?, network.as_ref())?;
    let inputs = match job.source {
        Some(source) => {
            let folder = PictureFolder::list(source)?;
            let indices = by_name(&folder, &names, job.fake)?;
            Some(image_set(read(&folder, indices, size)?, network.as_ref())?)
        }
        None => None,
    };
    let paired = match job.pairs_by_name {
        true => by_name(&reals, &names, job.fake)?,
        false => Vec::new(),
    };
    let partners = match job.pairs_by_name {
        true => Some(image_set(read(&reals, paired.clone(), size)?, network.as_ref())?),
        false => None,
    };
    let others: Vec<usize> = (0..reals.count()).filter(|i| !paired.contains(i)).collect();
    let apart = match job.reference {
        Some(folder) => Some(all(&PictureFolder::list(folder)?)?),
        None if job.pairs_by_name && others.len() >= FEWEST => Some(read(&reals, others, size)?),
        None => None,
    };
    let apart = match apart {
        Some(pictures) => Some(image_set(pictures, network.as_ref())?),
        None => None,
    };
    let held_out = match &partners {
        Some(partners) => partners.clone(),
        None => image_set(all(&reals)?, network.as_ref())?,
    };
    let oracle = apart.is_some().then(|| held_out.clone());
    let reference = apart.unwrap_or(held_out);
    let sides = Sides {
        outputs: &outputs,
        reference: &reference,
        inputs: inputs.as_ref(),
        partners: partners.as_ref(),
        aligned: true,
        oracle: oracle.as_ref(),
        seed: SEED,
    };
    Ok(ScoredFolders {
        size,
        n_fake: outputs.len(),
        n_reference: reference.len(),
        n_pairs: partners.as_ref().map_or(0, ImageSet::len),
        card: score(&sides),
        anchors: anchors::cards(&sides, network.as_ref())?,
    })
}

/// KID needs so many pictures a side.
const FEWEST: usize = 3;

fn size_of(fakes: &PictureFolder) -> Result<u32, RunnerError> {
    let mut found: Option<(usize, usize)> = None;
    for i in 0..fakes.count() {
        let size = fakes.read(i, None).ok().map(|it| (it.width, it.height));
        let is_odd =
            size.is_some_and(|size| size.0 != size.1 || found.is_some_and(|it| it != size));
        if is_odd {
            return Err(RunnerError::NoSize { path: fakes.root().join(fakes.path(i)) });
        }
        found = found.or(size);
    }
    Ok(found.map_or(0, |(side, _)| side as u32))
}

/// The pictures of these numbers, in this order.
fn read(
    folder: &PictureFolder,
    indices: Vec<usize>,
    size: u32,
) -> Result<Vec<Picture>, RunnerError> {
    let mut unreadable = Vec::new();
    let mut pictures = Vec::new();
    for i in indices {
        match folder.read(i, Some(size)) {
            Ok(raster) => pictures.push(Picture::from_rgb8(size as usize, &raster.rgb)),
            Err(reason) => {
                let path = folder.root().join(folder.path(i));
                unreadable.push(format!("{}: {reason}", path.display()));
            }
        }
    }
    match unreadable.is_empty() {
        true => Ok(pictures),
        false => Err(RunnerError::Unreadable { pictures: unreadable }),
    }
}

/// Where the folder has each name.
fn by_name(
    folder: &PictureFolder,
    names: &[String],
    wanted_by: &Path,
) -> Result<Vec<usize>, RunnerError> {
    let mut places = BTreeMap::new();
    for i in 0..folder.count() {
        places.insert(stem(folder.path(i)), i);
    }
    let missing: Vec<String> =
        names.iter().filter(|name| !places.contains_key(*name)).cloned().collect();
    match missing.is_empty() {
        true => Ok(names.iter().map(|name| places[name]).collect()),
        false => Err(RunnerError::Unmatched {
            folder: folder.root().into(),
            wanted_by: wanted_by.into(),
            missing,
        }),
    }
}

/// Subfolders and all, without the ending.
fn stem(path: &str) -> String {
    path.rsplit_once('.').map_or(path, |(stem, _)| stem).to_string()
}
