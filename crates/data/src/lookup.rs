//! Whether there is a data set or a folder of a name, before anything is downloaded or decoded.

use std::fs;
use std::path::Path;

use spec::{DataConfig, Unfound};

use crate::error::{DataError, nearest};
use crate::source::Folder;
use crate::store::Store;

/// Neighbours of a missing folder that are looked at for the one that was meant.
const MOST_NEIGHBOURS: usize = 1000;

impl Store {
    /// Looks for what [`Store::prepare`] would open, by name alone: the recipe, or the folder with
    /// its two folders of training images. Nothing is downloaded, decoded or written.
    ///
    /// # Errors
    /// What is missing, and the name that was probably meant.
    pub fn look_up(&self, images: &DataConfig) -> Result<(), Unfound> {
        let found = match (&images.dataset, &images.path) {
            (Some(name), None) => self.book().get(name).map(drop),
            (None, Some(path)) => Folder::expect_training(Path::new(path)),
            _ => Err(DataError::NoSource),
        };
        found.map_err(unfound)
    }
}

fn unfound(error: DataError) -> Unfound {
    let meant = |name: &str| format!("did you mean `{name}`?");
    let (message, help) = match &error {
        DataError::UnknownRecipe { name, nearest, known } => {
            let listed = || format!("there are: {}", known.join(", "));
            let help = nearest.as_deref().map_or_else(listed, meant);
            (format!("no data set is called `{name}`"), Some(help))
        }
        DataError::NotAFolder { root } => {
            let start = "a relative path starts at the folder of the file it is in, one of --set at \
                         the working directory";
            let help = neighbour(root).as_deref().map_or_else(|| start.to_string(), meant);
            (error.to_string(), Some(help))
        }
        _ => (error.to_string(), None),
    };
    Unfound { message, help }
}

/// The folder beside `root` whose name is nearest to its own.
fn neighbour(root: &Path) -> Option<String> {
    let wanted = root.file_name()?.to_string_lossy();
    let parent = root.parent().filter(|parent| !parent.as_os_str().is_empty());
    let beside = fs::read_dir(parent.unwrap_or(Path::new("."))).ok()?;
    let folders = beside.take(MOST_NEIGHBOURS).filter_map(Result::ok);
    let folders = folders.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> =
        folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    nearest(&wanted, names.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use spec::RunConfig;

    use super::*;
    use crate::fixture::tree;
    use crate::recipe_book::RecipeBook;

    fn of(dataset: Option<&str>, path: Option<&Path>) -> DataConfig {
        let path = path.map(|path| path.display().to_string());
        DataConfig { dataset: dataset.map(str::to_string), path, ..RunConfig::reference().data }
    }

    /// Those of the program and of the user, fetched or not.
    #[test]
    fn a_data_set_is_known_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let own = include_str!("../../../datasets/synthetic.toml")
            .replace("name = \"synthetic\"", "name = \"mine\"");
        fs::write(dir.path().join("mine.toml"), own).unwrap();
        fs::write(dir.path().join("broken.toml"), "name = ").unwrap();
        let cache = dir.path().join("cache");
        let store = Store::new(cache.clone(), RecipeBook::new(&[dir.path().to_path_buf()]));
        for name in ["blueprint", "horse2zebra", "mine"] {
            assert_eq!(store.look_up(&of(Some(name), None)), Ok(()), "{name}");
        }
        let check = |name: &str, message: &str, help: Option<&str>| {
            let found = store.look_up(&of(Some(name), None)).unwrap_err();
            assert!(found.message.contains(message), "{found:?}");
            let said = found.help.clone().unwrap_or_default();
            assert!(said.contains(help.unwrap_or_default()), "{found:?}");
            assert_eq!(found.help.is_some(), help.is_some(), "{found:?}");
        };
        check("blueprnt", "no data set is called `blueprnt`", Some("did you mean `blueprint`?"));
        check("qqq", "no data set is called `qqq`", Some("there are: apple2orange, "));
        check("broken", "broken.toml:1: ", None);
        assert!(!cache.exists(), "looking made something");
    }

    #[test]
    fn a_folder_is_there_with_its_training_images() {
        let dir =
            tree(&["images/trainA/x.png", "images/trainB/y.png", "half/trainA/x.png", "file"]);
        let store = Store::new(PathBuf::from("unused"), RecipeBook::new(&[]));
        let look = |name: &str| store.look_up(&of(None, Some(&dir.path().join(name))));
        assert_eq!(look("images"), Ok(()));
        let check = |name: &str, message: &str, help: &str| {
            let found = look(name).unwrap_err();
            assert!(found.message.contains(message), "{found:?}");
            assert!(found.help.clone().unwrap_or_default().contains(help), "{found:?}");
        };
        check("imagse", "imagse` is not a folder", "did you mean `images`?");
        check("zzz", "zzz` is not a folder", "a relative path starts at");
        check("file", "file` is not a folder", "a relative path starts at");
        check("half", "has neither `trainB` nor `train/B`; found: trainA", "");
    }
}
