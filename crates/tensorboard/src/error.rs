use std::io;
use std::path::PathBuf;

/// What can go wrong between a run and its event file.
#[derive(Debug, thiserror::Error)]
pub enum TensorboardError {
    #[error("`{name}` cannot name a run: its folder would lie outside of the log folder")]
    RunName { name: String },
    #[error("cannot create `{path}`")]
    CreateDir {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot write `{path}`")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}
