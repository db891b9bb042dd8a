//! Folders this program works with, from arguments and environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::bail;
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
        let given = |argument: &Option<PathBuf>, variable: &str| {
            argument.clone().or_else(|| non_empty(variable).map(PathBuf::from))
        };
        let or = |given: Option<PathBuf>, default: &str| given.unwrap_or_else(|| default.into());
        Places {
            runs: or(given(&self.runs, "CYCLELAB_RUNS"), "runs"),
            reports: or(given(&self.reports, "CYCLELAB_REPORTS"), "reports"),
            cache: given(&self.cache, "CYCLELAB_CACHE").unwrap_or_else(user_cache),
            datasets: or(given(&self.datasets, "CYCLELAB_DATASETS"), "datasets"),
        }
    }
}

pub(crate) fn non_empty(variable: &str) -> Option<OsString> {
    std::env::var_os(variable).filter(|value| !value.is_empty())
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
        let folders = self.of_a_run().into_iter();
        folders.flat_map(|(flag, path)| [flag.to_string(), absolute(path)]).collect()
    }

    /// Likewise for a script, which is read on another machine and holds text alone.
    ///
    /// # Errors
    /// Where a folder's name is no text.
    pub(crate) fn as_strict_arguments(&self) -> anyhow::Result<Vec<String>> {
        for (flag, path) in self.of_a_run() {
            if path.to_str().is_none() {
                bail!("`{}` ({flag}) is no text, and a script is", path.display());
            }
        }
        Ok(self.as_arguments())
    }

    fn of_a_run(&self) -> [(&'static str, &PathBuf); 3] {
        [("--runs", &self.runs), ("--cache", &self.cache), ("--datasets", &self.datasets)]
    }
}

/// As the XDG base directory specification has it.
fn user_cache() -> PathBuf {
    let xdg = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|it| it.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    xdg.or_else(home).unwrap_or_else(|| PathBuf::from(".cache")).join("cyclelab")
}
