//! Folders this program works with, from arguments and environment.

use std::path::{Path, PathBuf};

use data::{RecipeBook, Store};

use crate::args::PlaceArgs;

#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) runs: PathBuf,
    pub(crate) reports: PathBuf,
    pub(crate) cache: PathBuf,
    pub(crate) datasets: PathBuf,
}

impl PlaceArgs {
    pub(crate) fn resolve(&self) -> Places {
        Places {
            runs: self.runs.clone(),
            reports: self.reports.clone(),
            cache: self.cache.clone().unwrap_or_else(user_cache),
            datasets: self.datasets.clone(),
        }
    }
}

impl Places {
    pub(crate) fn store(&self) -> Store {
        Store::new(self.cache.clone(), RecipeBook::new(std::slice::from_ref(&self.datasets)))
    }

    /// The same folders for a child process, whatever its working directory.
    pub(crate) fn as_arguments(&self) -> Vec<String> {
        let absolute = |path: &Path| {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
            path.to_string_lossy().into_owned()
        };
        let folders =
            [("--runs", &self.runs), ("--cache", &self.cache), ("--datasets", &self.datasets)];
        folders.into_iter().flat_map(|(flag, path)| [flag.to_string(), absolute(path)]).collect()
    }
}

/// As the XDG base directory specification has it.
fn user_cache() -> PathBuf {
    let xdg = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|it| it.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    xdg.or_else(home).unwrap_or_else(|| PathBuf::from(".cache")).join("cyclelab")
}
