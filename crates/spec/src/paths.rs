//! What a path in a sweep file is relative to.

use std::path::{Path, PathBuf};

use crate::plan::{Cell, Plan};
use crate::resolve::Origin;

/// The path, joined to the folder it is relative to: that of the base file that sets it, else
/// `folder`, which holds the sweep file. One from `--set` is relative to the working directory, and
/// stays as it is.
pub(crate) fn joined(path: &str, origin: Option<&Origin>, folder: &Path) -> PathBuf {
    match origin {
        Some(Origin::CommandLine) => PathBuf::from(path),
        Some(Origin::Base(file)) => match Path::new(file).parent() {
            Some(parent) => folder.join(parent).join(path),
            None => folder.join(path),
        },
        _ => folder.join(path),
    }
}

impl Plan {
    /// Joins relative `data.path` and `init.*` to the folder they are relative to.
    ///
    /// `folder` holds the sweep file. A path that a base file sets is relative
    /// to that base file; one from `--set` to the working directory, so it
    /// stays as it is. Nothing is read; `settings` keep the paths as written.
    pub fn resolve_paths(&mut self, folder: &Path) {
        for cell in &mut self.cells {
            let Cell { config, origins, .. } = cell;
            let init = &mut config.init;
            let paths = [
                ("data.path", &mut config.data.path),
                ("init.gen_ab", &mut init.gen_ab),
                ("init.gen_ba", &mut init.gen_ba),
                ("init.disc_a", &mut init.disc_a),
                ("init.disc_b", &mut init.disc_b),
            ];
            for (leaf, path) in paths {
                let Some(path) = path else { continue };
                let found = joined(path, origins.get(leaf), folder);
                *path = found.to_string_lossy().into_owned();
            }
        }
    }
}
