//! The cache folder: what was downloaded, what was prepared, and which is which.
//!
//! ```text
//! downloads/<recipe>/<version>.zip   and <version>.zip.sha256 beside it
//! prepared/<fingerprint>/            see `prepared`
//! weights/                           see `feature_weights`
//! features/                          what the network with these weights sees in images
//! recipes/<recipe>.json              what this recipe's content was prepared as
//! folders/<hash of path>.json        the same for a folder, with its stamp
//! locks/                             one file for each of the above
//! ```
//!
//! Everything in it can be deleted at any time and comes back when needed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use spec::{DataConfig, OnBadImage};

use crate::dataset::Dataset;
use crate::decode::MAX_SIDE_PX;
use crate::download::{Target, download, sha256};
use crate::error::{DataError, SkippedImage};
use crate::prepared::{self, About, Sizes, write_whole};
use crate::recipe::{Pairs, Recipe, RecipeKind};
use crate::recipe_book::RecipeBook;
use crate::registry_client::{npm_pack, pip_download};
use crate::source::{self, Folder, Source};

/// How far a download or a preparation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub what: String,
    pub done: u64,
    /// Unknown while a package client runs; `done` then counts seconds.
    pub total: Option<u64>,
    /// Whether `done` and `total` are bytes.
    pub bytes: bool,
}

/// A recipe's source on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The downloaded file; `None` where the images are in this program.
    pub path: Option<PathBuf>,
    pub bytes: u64,
    pub sha256: Option<String>,
    /// Whether it had to be downloaded now.
    pub downloaded: bool,
}

pub struct Store {
    pub(crate) root: PathBuf,
    book: RecipeBook,
}

/// Remembers what a source was prepared as, for as long as its stamp stays the same.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    stamp: String,
    fingerprint: String,
    skipped: Vec<SkippedImage>,
}

/// Where the images of a configuration come from.
enum Origin {
    Recipe(Box<Recipe>),
    Folder { path: PathBuf, listing: Folder },
}

impl Store {
    pub fn new(cache_root: PathBuf, book: RecipeBook) -> Store {
        Store { root: cache_root, book }
    }

    /// Where to keep what is computed from images and is the same for every run.
    pub fn features_folder(&self) -> PathBuf {
        self.root.join("features")
    }

    pub fn book(&self) -> &RecipeBook {
        &self.book
    }

    /// Whether [`Store::fetch`] would have nothing to download.
    pub fn is_fetched(&self, recipe: &Recipe) -> bool {
        recipe.is_embedded() || self.target(recipe).is_present()
    }

    /// Downloads a recipe's source unless a verified copy is here.
    ///
    /// # Errors
    /// `Download`, `ClientMissing`, `ClientFailed`, `Hash`, `Read`, `Write`.
    pub fn fetch(
        &self,
        recipe: &Recipe,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fetched, DataError> {
        if recipe.is_embedded() {
            return Ok(Fetched { path: None, bytes: 0, sha256: None, downloaded: false });
        }
        let _lock = self.lock(&format!("recipe-{}", recipe.name))?;
        self.fetch_locked(recipe, progress)
    }

    /// Opens a configuration's images, decoding and resizing them first if that was not done before.
    ///
    /// # Errors
    /// As [`Store::fetch`]; `NoSource`, `BadSize`, `LargeSize`, `UnknownRecipe`, `BadRecipe`,
    /// `NotAFolder`, `MissingFolder`, `TooDeep`, `TooManyFiles`, `EmptyDomain`, `BadImages`,
    /// `MostlyBad`, `BadPackage`, `WrongCount`, `Unstable`.
    pub fn prepare(
        &self,
        config: &DataConfig,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Dataset, DataError> {
        let (load_size, crop_size) = (config.load_size, config.crop_size);
        if crop_size == 0 || crop_size > load_size {
            return Err(DataError::BadSize { load_size, crop_size });
        }
        if load_size > MAX_SIDE_PX {
            return Err(DataError::LargeSize { load_size, most: MAX_SIDE_PX });
        }
        let origin = self.origin(config)?;
        if let Some(dataset) = self.open(&origin, config)? {
            return Ok(dataset);
        }
        let _lock = self.lock(&origin.slug())?;
        // Another process may have done it while this one waited.
        if let Some(dataset) = self.open(&origin, config)? {
            return Ok(dataset);
        }
        self.build(&origin, config, progress)?;
        self.open(&origin, config)?.ok_or_else(|| DataError::Unstable { path: self.root.clone() })
    }

    fn origin(&self, config: &DataConfig) -> Result<Origin, DataError> {
        match (&config.dataset, &config.path) {
            (Some(name), None) => Ok(Origin::Recipe(Box::new(self.book.get(name)?))),
            (None, Some(path)) => {
                let path = PathBuf::from(path);
                let listing = Folder::list(&path)?;
                Ok(Origin::Folder {
                    path: path.canonicalize().map_err(DataError::read(&path))?,
                    listing,
                })
            }
            _ => Err(DataError::NoSource),
        }
    }

    /// The prepared data set, if this very content was prepared at these sizes.
    fn open(&self, origin: &Origin, config: &DataConfig) -> Result<Option<Dataset>, DataError> {
        let record = fs::read(self.record(origin))
            .ok()
            .and_then(|json| serde_json::from_slice::<Record>(&json).ok());
        let Some(record) = record.filter(|record| record.stamp == self.stamp(origin)) else {
            return Ok(None);
        };
        if !record.skipped.is_empty() && config.on_bad_image == OnBadImage::Error {
            return Err(DataError::BadImages { images: record.skipped });
        }
        let Some(prepared) =
            prepared::open(&self.prepared_dir(), &record.fingerprint, sizes(config))
        else {
            return Ok(None);
        };
        Ok(Some(Dataset::new(prepared, origin.about(), origin.pairs(), record.skipped, config)))
    }

    fn build(
        &self,
        origin: &Origin,
        config: &DataConfig,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), DataError> {
        let opened;
        let source: &dyn Source = match origin {
            Origin::Folder { listing, .. } => listing,
            Origin::Recipe(recipe) => {
                let fetched = if recipe.is_embedded() {
                    None
                } else {
                    self.fetch_locked(recipe, progress)?.path
                };
                opened = source::open(recipe, fetched.as_deref())?;
                &*opened
            }
        };
        let skip_bad = config.on_bad_image == OnBadImage::Skip;
        let built = prepared::build(
            &self.prepared_dir(),
            source,
            &origin.rule(source),
            origin.about(),
            sizes(config),
            skip_bad,
            progress,
        )?;
        if let Origin::Folder { path, listing } = origin
            && Folder::list(path)?.stamp() != listing.stamp()
        {
            return Err(DataError::Unstable { path: path.clone() });
        }
        let record = Record {
            stamp: self.stamp(origin),
            fingerprint: built.fingerprint,
            skipped: built.skipped,
        };
        write_whole(
            &self.record(origin),
            &serde_json::to_vec(&record).expect("a record is plain data"),
        )
    }

    /// With the recipe's lock held.
    fn fetch_locked(
        &self,
        recipe: &Recipe,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fetched, DataError> {
        let target = self.target(recipe);
        let size = |path: &Path| Ok(fs::metadata(path).map_err(DataError::read(path))?.len());
        if target.is_present() {
            let hash = sha256(&target.path)?;
            // A file that was damaged since is downloaded again.
            if target.expected().is_none_or(|expected| expected == hash) {
                let bytes = size(&target.path)?;
                return Ok(Fetched {
                    path: Some(target.path),
                    bytes,
                    sha256: Some(hash),
                    downloaded: false,
                });
            }
        }
        let dir = target.path.parent().expect("a target lies in its recipe's folder");
        fs::create_dir_all(dir).map_err(DataError::write(dir))?;
        let scratch = tempfile::tempdir_in(dir).map_err(DataError::write(dir))?;
        let package = recipe.package().unwrap_or_default();
        let file = match recipe.kind {
            RecipeKind::EmojiFlat3d => {
                npm_pack(package, &recipe.version, scratch.path(), progress)?
            }
            RecipeKind::Relief => pip_download(package, &recipe.version, scratch.path(), progress)?,
            _ => download(&recipe.source, scratch.path(), progress)?,
        };
        let sha256 = target.accept(&file)?;
        let bytes = size(&target.path)?;
        Ok(Fetched { path: Some(target.path), bytes, sha256: Some(sha256), downloaded: true })
    }

    fn target(&self, recipe: &Recipe) -> Target {
        let extension = match recipe.kind {
            RecipeKind::EmojiFlat3d => "tgz",
            RecipeKind::Relief => "whl",
            _ => "zip",
        };
        // Two recipes of one name and other sources must not take each other's file.
        let source = &blake3::hash(recipe.source.as_bytes()).to_hex()[..8];
        let name = format!("{}-{source}.{extension}", recipe.version.replace('/', "-"));
        Target {
            path: self.root.join("downloads").join(&recipe.name).join(name),
            pinned: recipe.sha256.clone(),
        }
    }

    /// Changes whenever the origin's content may have.
    fn stamp(&self, origin: &Origin) -> String {
        match origin {
            Origin::Folder { listing, .. } => listing.stamp(),
            Origin::Recipe(recipe) => {
                // Wording has no part in it; the hash of an archive is known after its first download.
                let meaning = Recipe {
                    title: String::new(),
                    licence: String::new(),
                    credit: String::new(),
                    sha256: self.target(recipe).expected(),
                    ..(**recipe).clone()
                };
                let json = serde_json::to_vec(&(source::revision(recipe.kind), meaning))
                    .expect("a recipe is plain data");
                blake3::hash(&json).to_hex().to_string()
            }
        }
    }

    fn record(&self, origin: &Origin) -> PathBuf {
        match origin {
            Origin::Recipe(recipe) => {
                self.root.join("recipes").join(format!("{}.json", recipe.name))
            }
            Origin::Folder { .. } => {
                self.root.join("folders").join(format!("{}.json", origin.slug()))
            }
        }
    }

    fn prepared_dir(&self) -> PathBuf {
        self.root.join("prepared")
    }

    /// Held by one process at a time, released when dropped or when the process ends.
    pub(crate) fn lock(&self, slug: &str) -> Result<File, DataError> {
        let dir = self.root.join("locks");
        fs::create_dir_all(&dir).map_err(DataError::write(&dir))?;
        let path = dir.join(slug);
        let file = File::create(&path).map_err(DataError::write(&path))?;
        file.lock().map_err(DataError::write(&path))?;
        Ok(file)
    }
}

impl Origin {
    fn slug(&self) -> String {
        match self {
            Origin::Recipe(recipe) => format!("recipe-{}", recipe.name),
            Origin::Folder { path, .. } => {
                blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex()[..32].to_string()
            }
        }
    }

    fn about(&self) -> About {
        match self {
            Origin::Recipe(recipe) => About {
                name: recipe.name.clone(),
                title: recipe.title.clone(),
                credit: recipe.credit.clone(),
                licence: recipe.licence.clone(),
            },
            Origin::Folder { path, .. } => {
                let name =
                    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
                About { title: name.clone(), name, credit: String::new(), licence: String::new() }
            }
        }
    }

    /// Pairs decide what can be measured, so they are part of what a data set is. Without them an
    /// archive is the same data set as its unpacked folder.
    fn rule(&self, source: &dyn Source) -> String {
        let rule = source.rule();
        if self.pairs() == Pairs::Exact { format!("{rule}, exact pairs") } else { rule }
    }

    fn pairs(&self) -> Pairs {
        match self {
            Origin::Recipe(recipe) => recipe.pairs,
            _ => Pairs::None,
        }
    }
}

fn sizes(config: &DataConfig) -> Sizes {
    Sizes { train: config.load_size, held_out: config.crop_size }
}
