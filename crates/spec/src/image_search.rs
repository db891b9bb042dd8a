//! Whether the images that cells ask for are there: what no text can tell, and is asked of others.

use std::collections::BTreeMap;
use std::path::Path;

use crate::check::Problem;
use crate::paths;
use crate::resolve::Resolved;
use crate::run_config::DataConfig;

/// Why there are no such images, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfound {
    /// Completes "`data.path`: …".
    pub message: String,
    /// The remedy, on its own line.
    pub help: Option<String>,
}

/// Asks once for each name and each folder.
pub(crate) struct ImageSearch<'a> {
    folder: &'a Path,
    find: &'a mut dyn FnMut(&DataConfig) -> Result<(), Unfound>,
    answers: BTreeMap<(&'static str, String), Option<Unfound>>,
}

impl<'a> ImageSearch<'a> {
    /// `folder` holds the sweep file; `find` is given paths as `Plan::resolve_paths` makes them.
    pub(crate) fn new(
        folder: &'a Path,
        find: &'a mut dyn FnMut(&DataConfig) -> Result<(), Unfound>,
    ) -> Self {
        ImageSearch { folder, find, answers: BTreeMap::new() }
    }

    /// `None` also where a cell asks for no images, or for two: that is found elsewhere.
    pub(crate) fn problem(&mut self, cell: &Resolved) -> Option<Problem> {
        let data = &cell.config.data;
        let (leaf, asked) = match (&data.dataset, &data.path) {
            (Some(name), None) => ("data.dataset", name.clone()),
            (None, Some(path)) => {
                let path = paths::joined(path, cell.origins.get("data.path"), self.folder);
                ("data.path", path.to_string_lossy().into_owned())
            }
            _ => return None,
        };
        let find = &mut self.find;
        let answer = self.answers.entry((leaf, asked)).or_insert_with_key(|(leaf, asked)| {
            let asked = Some(asked.clone());
            let images = match *leaf {
                "data.path" => DataConfig { path: asked, ..data.clone() },
                _ => DataConfig { dataset: asked, ..data.clone() },
            };
            find(&images).err()
        });
        let Unfound { message, help } = answer.clone()?;
        Some(Problem { leaves: vec![leaf], message: format!("`{leaf}`: {message}"), help })
    }
}
