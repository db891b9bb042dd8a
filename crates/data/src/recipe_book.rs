//! All recipes there are: the ones built in, and the user's own files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{DataError, nearest};
use crate::recipe::Recipe;

/// Files of the built-in recipes, compiled in so that the program works anywhere.
macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../../datasets/", $name, ".toml")))),+]
    };
}

const BUILT_IN: [(&str, &str); 14] = built_in![
    "apple2orange",
    "blueprint",
    "cezanne2photo",
    "emoji-flat3d",
    "facades",
    "horse2zebra",
    "iphone2dslr_flower",
    "maps",
    "monet2photo",
    "relief",
    "summer2winter_yosemite",
    "synthetic",
    "ukiyoe2photo",
    "vangogh2photo",
];

pub struct RecipeBook {
    /// Path and text by name; parsed when asked for, so that one broken file disturbs no other recipe.
    pages: BTreeMap<String, Page>,
}

struct Page {
    path: PathBuf,
    text: Result<String, std::io::Error>,
}

impl RecipeBook {
    /// The built-in recipes and every `DIR/*.toml`; a file wins over the built-in
    /// recipe of its name, an earlier folder over a later one.
    pub fn new(dirs: &[PathBuf]) -> RecipeBook {
        let mut pages: BTreeMap<String, Page> = BUILT_IN
            .iter()
            .map(|(name, text)| {
                let path = PathBuf::from(format!("built-in/{name}.toml"));
                (name.to_string(), Page { path, text: Ok(text.to_string()) })
            })
            .collect();
        for path in dirs.iter().rev().flat_map(|dir| toml_files(dir)) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = read(&path);
            pages.insert(name, Page { path, text });
        }
        RecipeBook { pages }
    }

    /// All readable recipes, by name. [`RecipeBook::broken`] has the others.
    pub fn list(&self) -> Vec<Recipe> {
        self.pages.values().filter_map(|page| page.recipe().ok()).collect()
    }

    /// What is wrong with the files that are no recipes.
    pub fn broken(&self) -> Vec<DataError> {
        self.pages.values().filter_map(|page| page.recipe().err()).collect()
    }

    /// # Errors
    /// `UnknownRecipe`; `BadRecipe` or `Read` where its file is broken.
    pub fn get(&self, name: &str) -> Result<Recipe, DataError> {
        match self.pages.get(name) {
            Some(page) => page.recipe(),
            None => Err(DataError::UnknownRecipe {
                name: name.to_string(),
                nearest: nearest(name, self.pages.keys().map(String::as_str)),
                known: self.pages.keys().cloned().collect(),
            }),
        }
    }
}

impl Page {
    fn recipe(&self) -> Result<Recipe, DataError> {
        match &self.text {
            Ok(text) => Recipe::parse(&self.path, text),
            Err(error) => Err(DataError::BadRecipe {
                place: self.path.display().to_string(),
                message: format!("cannot be read: {error}"),
            }),
        }
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    /// Of the longest built-in recipe a thousand times.
    const MAX_BYTES: u64 = 1 << 20;
    match fs::metadata(path)?.len() > MAX_BYTES {
        true => Err(std::io::Error::other("it is too large for a recipe")),
        false => fs::read_to_string(path),
    }
}

/// A folder that is absent holds no recipes: the default folders need not exist.
fn toml_files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension().is_some_and(|extension| extension == "toml") && path.is_file()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_recipe_is_sound() {
        let book = RecipeBook::new(&[]);
        assert!(book.broken().is_empty(), "{:?}", book.broken());
        assert_eq!(book.list().len(), BUILT_IN.len());
    }

    #[test]
    fn a_users_file_wins_and_a_broken_one_disturbs_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let text = BUILT_IN.iter().find(|(name, _)| *name == "synthetic").unwrap().1;
        let own = text.replace("title = ", "title = \"My own\" #");
        fs::write(dir.path().join("synthetic.toml"), own).unwrap();
        fs::write(dir.path().join("broken.toml"), "name = ").unwrap();
        let book = RecipeBook::new(&[dir.path().join("absent"), dir.path().to_path_buf()]);
        assert_eq!(book.get("synthetic").unwrap().title, "My own");
        assert_eq!(book.list().len(), BUILT_IN.len());
        assert_eq!(book.broken().len(), 1);
        let error = book.get("broken").unwrap_err().to_string();
        assert!(error.contains("broken.toml:1: "), "{error}");
    }

    #[test]
    fn an_unknown_name_names_the_nearest() {
        let error = RecipeBook::new(&[]).get("horse2zbra").err().unwrap().to_string();
        assert!(
            error.contains("did you mean `horse2zebra`?") && error.contains("blueprint, "),
            "{error}"
        );
        let error = RecipeBook::new(&[]).get("qqq").err().unwrap().to_string();
        assert!(!error.contains("did you mean"), "{error}");
    }
}
