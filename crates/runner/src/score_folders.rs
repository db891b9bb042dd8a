//! Scores of pictures in folders, whoever made them.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use data::PictureFolder;
use eval::{Features, ImageSet, Picture, Raised, Score, ScoreCard, Sides, Thresholds, frechet};
use model::{InceptionFid, LpipsBackbone};

use crate::anchors;
use crate::device::ComputeDevice;
use crate::error::RunnerError;
use crate::evaluate::{Measurements, SEED};
use crate::feature_net::{FeatureExtractor, FidExtractor, PerceptualDistance, image_of, image_set};
use crate::flags::of_images;
use crate::real_images::FEWEST;

/// What is compared with what.
pub struct FolderScores<'a> {
    /// Real pictures of the target domain.
    pub real: &'a Path,
    /// Translations.
    pub fake: &'a Path,
    /// What was translated; each translation's has its name.
    pub source: Option<&'a Path>,
    /// Whether the real picture that has a translation's name shows the same thing, and how.
    pub pairs: Option<Pairs>,
    /// Real pictures apart from the true translations, that both are compared with; left out: those
    /// of `real` that have no translation's name.
    pub reference: Option<&'a Path>,
    /// Side in pixels of the square that every picture is resized to first; left out: that of the
    /// translations, which are all squares of one size then.
    pub size: Option<u32>,
    /// None: metrics that need features are absent.
    pub feature_weights: Option<PathBuf>,
    /// pytorch-fid's Inception weights, for `fid`.
    pub inception: Option<&'a Path>,
    /// A backbone of torchvision's and lpips' heads for it, in one file or in two, for `lpips`.
    pub lpips: &'a [PathBuf],
    pub device: ComputeDevice,
}

/// How a translation and the real picture of its name belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// Pixel by pixel.
    Aligned,
    /// The same thing, in other places or drawn by another hand.
    Loose,
}

/// What came of it.
#[derive(Debug)]
pub struct ScoredFolders {
    /// Side in pixels at which pictures were compared.
    pub size: u32,
    /// Side in pixels at which the feature network saw them.
    pub input_side: usize,
    /// Name, hash and device of the feature network; none where its weights are not here.
    pub network: Option<String>,
    /// Whether the reference is apart from the true translations, or from the only real pictures:
    /// if not, there is no gain, and a translator that copies real pictures looks perfect.
    pub reference_is_apart: bool,
    pub n_fake: usize,
    pub n_reference: usize,
    /// Translations whose true one is known.
    pub n_pairs: usize,
    /// Translations that are pixel for pixel among the real pictures they are compared with.
    pub n_copies: usize,
    pub card: ScoreCard,
    /// What is wrong with the translations, as far as pictures tell.
    pub flags: Vec<Raised>,
    /// What others would score: `identity`, `oracle`, `mean`, `colour`.
    pub anchors: BTreeMap<&'static str, ScoreCard>,
}

/// Scores a folder of translations.
///
/// # Errors
/// `Data` for a folder without pictures; `Unreadable` names every picture that cannot be read;
/// `Unmatched` every one whose counterpart is missing; `SameName` where two could be it; `Shared`
/// where the reference holds pictures of `real`; `Weights`; `NoSize` where the translations are no
/// squares of one size and `size` is left out.
pub fn score_folders(job: &FolderScores<'_>) -> Result<ScoredFolders, RunnerError> {
    let fakes = PictureFolder::list(job.fake)?;
    let reals = PictureFolder::list(job.real)?;
    let size = match job.size {
        Some(size) => size,
        None => size_of(&fakes)?,
    };
    let network = match &job.feature_weights {
        Some(path) => Some(FeatureExtractor::open(path, job.device)?),
        None => None,
    };
    let names: Vec<String> = (0..fakes.count()).map(|i| stem(fakes.path(i))).collect();
    if job.pairs.is_some() || job.source.is_some() {
        places_by_name(&fakes)?;
    }
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
    let paired = match job.pairs {
        Some(_) => by_name(&reals, &names, job.fake)?,
        None => Vec::new(),
    };
    let partners = match job.pairs {
        Some(_) => Some(image_set(read(&reals, paired.clone(), size)?, network.as_ref())?),
        None => None,
    };
    let others: Vec<usize> = (0..reals.count()).filter(|i| !paired.contains(i)).collect();
    let apart = match job.reference {
        Some(folder) => Some(all(&PictureFolder::list(folder)?)?),
        None if job.pairs.is_some() && others.len() >= FEWEST => Some(read(&reals, others, size)?),
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
    if let Some(apart) = &apart {
        expect_apart(apart, &held_out)?;
    }
    let oracle = apart.is_some().then(|| held_out.clone());
    let reference = apart.unwrap_or(held_out);
    let sides = Sides {
        outputs: &outputs,
        reference: &reference,
        inputs: inputs.as_ref(),
        partners: partners.as_ref(),
        aligned: job.pairs == Some(Pairs::Aligned),
        oracle: oracle.as_ref(),
        seed: SEED,
    };
    let measured = Measurements::of_images(&sides);
    let flags = eval::flags(&of_images(&measured, network.as_ref()), &Thresholds::default());
    let mut card = measured.card;
    if let Some(path) = job.inception {
        let network = FidExtractor::open(path, job.device)?;
        let features = |set: &ImageSet| {
            let images: Vec<_> = set.pictures().iter().map(image_of).collect();
            Features::from_flat(InceptionFid::FEATURES, &network.features(&images))
        };
        let distance = frechet(&features(&reference)?, &features(&outputs)?)?;
        let value = distance.distance;
        card.scores.insert("fid", Score { value, standard_error: None, n: outputs.len() });
    }
    if !job.lpips.is_empty() {
        match &partners {
            None => drop(card.absent.insert("lpips", eval::NO_PARTNERS.to_string())),
            Some(_) if size < SMALLEST_FOR_LPIPS => {
                let why = format!("pictures below {SMALLEST_FOR_LPIPS} px");
                card.absent.insert("lpips", why);
            }
            Some(_) if job.pairs == Some(Pairs::Loose) => {
                drop(card.absent.insert("lpips", eval::NOT_ALIGNED.to_string()));
            }
            Some(partners) => {
                let network = PerceptualDistance::open(job.lpips, job.device)?;
                let images =
                    |set: &ImageSet| set.pictures().iter().map(image_of).collect::<Vec<_>>();
                let distances = network.distances(&images(&outputs), &images(partners));
                let n = distances.len();
                let value = distances.iter().map(|&it| f64::from(it)).sum::<f64>() / n as f64;
                card.scores.insert(
                    match network.backbone {
                        LpipsBackbone::Alex => "lpips_alex",
                        LpipsBackbone::Vgg => "lpips_vgg",
                    },
                    Score { value, standard_error: None, n },
                );
            }
        }
    }
    Ok(ScoredFolders {
        size,
        input_side: FeatureExtractor::input_side(size as usize),
        network: network.as_ref().map(|it| it.identity().to_string()),
        reference_is_apart: oracle.is_some(),
        n_fake: outputs.len(),
        n_reference: reference.len(),
        n_pairs: partners.as_ref().map_or(0, ImageSet::len),
        n_copies: n_shared(&outputs, &reference),
        card,
        flags,
        anchors: anchors::cards(&sides, network.as_ref())?,
    })
}

/// AlexNet's strides leave nothing of smaller pictures.
const SMALLEST_FOR_LPIPS: u32 = 32;

/// A real picture on both sides would be told from itself by nothing.
fn expect_apart(reference: &ImageSet, others: &ImageSet) -> Result<(), RunnerError> {
    match n_shared(reference, others) {
        0 => Ok(()),
        shared => Err(RunnerError::Shared { shared, of: reference.len() }),
    }
}

/// How many of these are among the others.
fn n_shared(images: &ImageSet, others: &ImageSet) -> usize {
    let content = |picture: &Picture| blake3::hash(&picture.to_rgb8());
    let known: HashSet<blake3::Hash> = others.pictures().iter().map(content).collect();
    images.pictures().iter().filter(|it| known.contains(&content(it))).count()
}

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
    let places = places_by_name(folder)?;
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

fn places_by_name(folder: &PictureFolder) -> Result<BTreeMap<String, usize>, RunnerError> {
    let mut places = BTreeMap::new();
    let mut doubled = Vec::new();
    for i in 0..folder.count() {
        if let Some(first) = places.insert(stem(folder.path(i)), i) {
            doubled.push(format!("{}, {}", folder.path(first), folder.path(i)));
        }
    }
    match doubled.is_empty() {
        true => Ok(places),
        false => Err(RunnerError::SameName { folder: folder.root().into(), doubled }),
    }
}

/// Subfolders and all, without the ending.
fn stem(path: &str) -> String {
    path.rsplit_once('.').map_or(path, |(stem, _)| stem).to_string()
}
