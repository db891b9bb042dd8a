//! Where a data set comes from: one TOML file, `datasets/NAME.toml`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::fold::FoldBuckets;

/// A data set by name: source, pinned version and hash, folds, licence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Equals the file's name without `.toml`.
    pub name: String,
    pub title: String,
    pub kind: RecipeKind,
    /// `crate:NAME`, `npm:NAME`, `pypi:NAME`, `drawn`, or the address of a zip file.
    pub source: String,
    pub version: String,
    /// Of the downloaded file. Left out: the first download's hash is recorded and kept to.
    pub sha256: Option<String>,
    pub licence: String,
    /// The line that belongs under every figure with these images.
    pub credit: String,
    pub pairs: Pairs,
    /// Whether a mirrored image could belong to the same domain.
    #[serde(default = "yes")]
    pub flip_valid: bool,
    #[serde(default)]
    pub folds: FoldBuckets,
    /// Images expected in each folder of an archive.
    pub counts: Option<Counts>,
    pub synthetic: Option<SyntheticScenes>,
    pub relief: Option<ReliefTiles>,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecipeKind {
    /// Twemoji and white-on-blue drawings of other emoji; inside the program.
    Blueprint,
    /// Scenes drawn by the program, by day and by night.
    Synthetic,
    /// Flat Twemoji and the same emoji with volume; from npm.
    EmojiFlat3d,
    /// Satellite and shaded relief tiles of the Earth; from PyPI.
    Relief,
    /// A zip file with trainA, trainB, testA, testB, and perhaps valA, valB, refA, refB.
    Archive,
}

/// What a held-out A image and the B image of the same index have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pairs {
    /// B is A's translation, pixel by pixel.
    Exact,
    /// The same thing, drawn by another hand: comparable, not pixel by pixel.
    Loose,
    None,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    pub train_a: usize,
    pub train_b: usize,
    pub test_a: usize,
    pub test_b: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyntheticScenes {
    pub count: u32,
    pub seed: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReliefTiles {
    /// Side of a tile on the 5400 × 2700 grid; one pixel is 1/15 of a degree.
    pub tile_px: u32,
}

impl Recipe {
    /// Reads the text of the recipe file `path`, which names the place in errors.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Recipe, DataError> {
        let recipe: Recipe = toml::from_str(text).map_err(|error| {
            let place = match error.span() {
                Some(span) => format!("{}:{}", path.display(), line_of(text, span.start)),
                None => path.display().to_string(),
            };
            DataError::BadRecipe { place, message: error.message().to_string() }
        })?;
        match recipe.fault(path) {
            None => Ok(recipe),
            Some((key, message)) => {
                let line = text
                    .lines()
                    .position(|line| line.trim_start().trim_start_matches('[').starts_with(key));
                let place = format!("{}:{}", path.display(), line.map_or(1, |line| line + 1));
                Err(DataError::BadRecipe { place, message })
            }
        }
    }

    /// The key that is wrong, and why.
    fn fault(&self, path: &Path) -> Option<(&'static str, String)> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        if self.name != stem {
            return Some((
                "name",
                format!("name is `{}`, but the file is called `{stem}.toml`", self.name),
            ));
        }
        if let Some(message) = self.folds.fault() {
            return Some(("folds", message));
        }
        if let Some(hash) = &self.sha256
            && !(hash.len() == 64
                && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
        {
            return Some(("sha256", "sha256 must be 64 lower-case hexadecimal digits".into()));
        }
        let (source, allowed): (&[&str], [bool; 3]) = match self.kind {
            RecipeKind::Blueprint => (&["crate:"], [false, false, false]),
            RecipeKind::Synthetic => (&["drawn"], [true, false, false]),
            RecipeKind::Relief => (&["pypi:"], [false, true, false]),
            RecipeKind::EmojiFlat3d => (&["npm:"], [false, false, false]),
            RecipeKind::Archive => (&["https://", "http://"], [false, false, true]),
        };
        if !source.iter().any(|prefix| self.source.starts_with(prefix)) {
            return Some((
                "source",
                format!("the source of this kind starts with `{}`", source[0]),
            ));
        }
        if !is_package_name(&self.version) || !self.package().is_none_or(is_package_name) {
            return Some((
                "source",
                "source or version holds characters that no package name has".into(),
            ));
        }
        let present = [self.synthetic.is_some(), self.relief.is_some(), self.counts.is_some()];
        for (i, section) in ["synthetic", "relief", "counts"].into_iter().enumerate() {
            if present[i] && !allowed[i] {
                return Some((
                    section,
                    format!("section [{section}] is for another kind of recipe"),
                ));
            }
            // The expected counts of an archive may be unknown; the rest has no default.
            if allowed[i] && !present[i] && section != "counts" {
                return Some(("kind", format!("this kind of recipe needs a section [{section}]")));
            }
        }
        if self.synthetic.as_ref().is_some_and(|scenes| !(20..=100_000).contains(&scenes.count)) {
            return Some(("count", "count must be from 20 to 100000".into()));
        }
        if self.relief.as_ref().is_some_and(|tiles| !(16..=512).contains(&tiles.tile_px)) {
            return Some(("tile_px", "tile_px must be from 16 to 512".into()));
        }
        None
    }

    /// The registry's name for the package, where the source is a registry.
    pub(crate) fn package(&self) -> Option<&str> {
        self.source.strip_prefix("npm:").or_else(|| self.source.strip_prefix("pypi:"))
    }

    /// Whether nothing has to be downloaded: the images are in this program.
    pub fn is_embedded(&self) -> bool {
        matches!(self.kind, RecipeKind::Blueprint | RecipeKind::Synthetic)
    }
}

/// Names go to the command lines of `npm` and `pip`: nothing there may look like an option.
fn is_package_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "@/._-+".contains(c);
    !name.is_empty() && !name.starts_with('-') && name.chars().all(allowed)
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
name = "dots"
title = "Dots"
kind = "synthetic"
source = "drawn"
version = "1"
licence = "MIT"
credit = "drawn"
pairs = "exact"
[synthetic]
count = 40
seed = 1
"#;

    #[test]
    fn a_bad_recipe_is_refused_at_its_line() {
        let check = |from: &str, to: &str, expected: &str| {
            let text = GOOD.replacen(from, to, 1);
            let error = Recipe::parse(Path::new("d/dots.toml"), &text).unwrap_err().to_string();
            assert!(error.starts_with("d/dots.toml:") && error.contains(expected), "{error}");
        };
        Recipe::parse(Path::new("d/dots.toml"), GOOD).unwrap();
        check("title =", "titel =", "d/dots.toml:3: unknown field `titel`");
        check("count = 40", "count = \"40\"", "d/dots.toml:11: invalid type");
        check("count = 40", "count = 4", "d/dots.toml:11: count must be");
        check("\"dots\"", "\"spots\"", "d/dots.toml:2: name is `spots`");
        check(
            "\"drawn\"",
            "\"npm:x\"",
            "d/dots.toml:5: the source of this kind starts with `drawn`",
        );
        check("[synthetic]\ncount = 40\nseed = 1", "", "d/dots.toml:4: this kind of recipe needs");
        check(
            "[synthetic]",
            "[relief]\ntile_px = 64\n[synthetic]",
            "d/dots.toml:10: section [relief] is for another",
        );
        check("version = \"1\"", "version = \"-1\"", "no package name has");
        check("[synthetic]", "sha256 = \"ABC\"\n[synthetic]", "d/dots.toml:10: sha256");
        check(
            "[synthetic]",
            "[folds]\ntrain_a = [0, 9]\ntrain_b = [9, 9]\nval = [10, 10]\nref = [11, 11]\ntest = [12, 19]\n[synthetic]",
            "d/dots.toml:10: folds: [9, 9] overlaps",
        );
    }
}
