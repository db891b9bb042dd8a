//! The kinds of data sets: each lists its images and makes them one by one.

mod archive;
mod blueprint;
mod emoji_flat3d;
mod emoji_key;
mod folder;
mod relief;
mod synthetic;

use std::io::Read;
use std::path::Path;

use crate::error::DataError;
use crate::fold::{Domain, Fold};
use crate::recipe::{Recipe, RecipeKind};

pub(crate) use folder::{File, Folder, files_below, no_image};

/// One image of a data set and the place it has there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) fold: Fold,
    pub(crate) domain: Domain,
    pub(crate) id: String,
}

/// One image at the size that was asked for.
pub(crate) struct Picture {
    /// Hash of what the image was made from; the same at every size.
    pub(crate) content: blake3::Hash,
    /// Rows of RGB pixels, side × side.
    pub(crate) rgb: Vec<u8>,
}

pub(crate) trait Source: Sync {
    /// How contents become images. Sources with the same rule and contents are the same data set.
    fn rule(&self) -> String;

    fn entries(&self) -> &[Entry];

    /// Makes the image of `entries()[index]`; the error says what is wrong with it.
    fn picture(&self, index: usize, size: u32) -> Result<Picture, String>;

    /// Whether images come in the order of `entries()`, and not in that of their ids.
    fn is_ordered(&self) -> bool {
        false
    }

    /// How the image is called in a message to the user.
    fn path(&self, index: usize) -> String {
        self.entries()[index].id.clone()
    }
}

/// Raised when a kind lists or draws its images differently: they are then another data set,
/// and what was prepared before is not used.
pub(crate) fn revision(kind: RecipeKind) -> u32 {
    match kind {
        RecipeKind::Archive => 3,
        RecipeKind::Blueprint | RecipeKind::Relief => 2,
        RecipeKind::Synthetic | RecipeKind::EmojiFlat3d => 1,
    }
}

/// The rule of images that are used as they are. Names what was last changed about decoding.
const AS_THEY_ARE: &str = "files, JPEG by libjpeg";

/// `file` is what was fetched; `None` for embedded recipes.
pub(crate) fn open(recipe: &Recipe, file: Option<&Path>) -> Result<Box<dyn Source>, DataError> {
    let fetched = || file.expect("a recipe that is not embedded was fetched before");
    Ok(match recipe.kind {
        RecipeKind::Blueprint => Box::new(blueprint::Blueprint::new(&recipe.folds)),
        RecipeKind::Synthetic => {
            let scenes =
                recipe.synthetic.as_ref().expect("section checked when the recipe was read");
            Box::new(synthetic::Synthetic::new(scenes, &recipe.folds))
        }
        RecipeKind::EmojiFlat3d => {
            Box::new(emoji_flat3d::EmojiFlat3d::open(fetched(), &recipe.folds)?)
        }
        RecipeKind::Relief => {
            let tiles = recipe.relief.as_ref().expect("section checked when the recipe was read");
            Box::new(relief::Relief::open(fetched(), tiles, &recipe.folds)?)
        }
        RecipeKind::Archive => Box::new(archive::Archive::open(fetched(), recipe)?),
    })
}

/// Makes a picture of an image file's bytes.
fn picture_of(bytes: &[u8], size: u32) -> Result<Picture, String> {
    let image = crate::decode::decode(bytes)?;
    Ok(Picture { content: blake3::hash(bytes), rgb: crate::resize::resize(&image, size) })
}

/// All of it, unless that is more than `most` bytes: what a header says about a size may be a lie.
fn read_whole(reader: impl Read, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = reader.take(most + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot be read: {error}"))?;
    match bytes.len() as u64 > most {
        true => Err(too_large(most)),
        false => Ok(bytes),
    }
}

fn too_large(most: u64) -> String {
    format!("more than {} MiB is too large for an image file", most >> 20)
}

/// What the folders of a data set are called, in two customs.
const LAYOUT: [(Fold, Domain, &str, &str); 8] = [
    (Fold::Train, Domain::A, "trainA", "train/A"),
    (Fold::Train, Domain::B, "trainB", "train/B"),
    (Fold::Val, Domain::A, "valA", "val/A"),
    (Fold::Val, Domain::B, "valB", "val/B"),
    (Fold::Ref, Domain::A, "refA", "ref/A"),
    (Fold::Ref, Domain::B, "refB", "ref/B"),
    (Fold::Test, Domain::A, "testA", "test/A"),
    (Fold::Test, Domain::B, "testB", "test/B"),
];

/// Endings of names that are taken for images, in any case. The content decides the format.
fn is_image_name(name: &str) -> bool {
    const ENDINGS: [&str; 7] = ["jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp"];
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    !name.starts_with('.') && ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// Ids of the images at these relative paths: without extension where that is unambiguous.
fn ids(paths: &[String]) -> Vec<String> {
    let stem =
        |path: &String| path.rsplit_once('.').map_or(path.clone(), |(stem, _)| stem.to_string());
    let mut seen = std::collections::BTreeMap::new();
    for path in paths {
        *seen.entry(stem(path)).or_insert(0) += 1;
    }
    paths.iter().map(|path| if seen[&stem(path)] > 1 { path.clone() } else { stem(path) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many as there are, in their order; a fold without folders could never be filled.
    #[test]
    fn every_fold_and_domain_has_its_folder_in_both_customs() {
        let places = Fold::ALL.into_iter().flat_map(|it| Domain::ALL.map(|domain| (it, domain)));
        let named = |(fold, domain): (Fold, Domain)| {
            let fold_name = format!("{fold:?}").to_lowercase();
            let names = [format!("{fold_name}{domain:?}"), format!("{fold_name}/{domain:?}")];
            (fold, domain, names)
        };
        let expected: Vec<_> = places.map(named).collect();
        let found =
            LAYOUT.map(|(fold, domain, one, other)| (fold, domain, [one, other].map(String::from)));
        assert_eq!(found.to_vec(), expected);
    }

    #[test]
    fn ids_keep_the_extension_only_where_it_tells_images_apart() {
        let paths = ["a.png", "b.jpg", "b.png", "x/y.z.png"].map(String::from);
        assert_eq!(ids(&paths), ["a", "b.jpg", "b.png", "x/y.z"]);
    }

    /// Prepared images outlive the program: a drawing that changes without a new revision would
    /// leave old and new ones under one fingerprint.
    #[test]
    fn a_changed_drawing_needs_a_new_revision() {
        let book = crate::RecipeBook::new(&[]);
        let check = |name: &str, revision: u32, expected: &str| {
            let recipe = book.get(name).unwrap();
            let source = open(&recipe, None).unwrap();
            let mut hasher = blake3::Hasher::new();
            for (index, entry) in source.entries().iter().enumerate() {
                hasher.update(format!("{entry:?}").as_bytes());
                hasher.update(&source.picture(index, 16).unwrap().rgb);
            }
            let drawn = hasher.finalize().to_hex();
            assert_eq!(
                (super::revision(recipe.kind), &drawn[..16]),
                (revision, expected),
                "{name}"
            );
        };
        check("blueprint", 2, "996b01af5728f19d");
        check("synthetic", 1, "09559ae406132194");
    }

    #[test]
    fn image_names() {
        for (name, expected) in [
            ("a.JPG", true),
            ("a.b.tiff", true),
            ("._a.png", false),
            ("a.gif", false),
            ("png", false),
            (".png", false),
        ] {
            assert_eq!(is_image_name(name), expected, "{name}");
        }
    }
}
