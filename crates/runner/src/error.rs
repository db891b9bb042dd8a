use std::path::PathBuf;

use data::DataError;
use model::weights::WeightsError;
use track::{FailureClass, TrackError};

use crate::device::CudaError;
use crate::weight_file::NoWeights;

/// Why a run or a sweep could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Track(#[from] TrackError),
    #[error("the feature network's output cannot be used")]
    Features(#[from] eval::EvalError),
    #[error("`{path}` is no square, or of another size than those before; `--size` resizes all")]
    NoSize { path: PathBuf },
    #[error("pictures cannot be read{}", because(.pictures))]
    Unreadable { pictures: Vec<String> },
    #[error("`{folder}` lacks a counterpart of pictures in `{wanted_by}`{}", because(.missing))]
    Unmatched { folder: PathBuf, wanted_by: PathBuf, missing: Vec<String> },
    #[error("`{folder}` has pictures of one name, so which is a counterpart is not known{}", because(.doubled))]
    SameName { folder: PathBuf, doubled: Vec<String> },
    #[error(
        "{shared} of {of} pictures of the reference are among the real ones that are compared with it, too"
    )]
    Shared { shared: usize, of: usize },
    #[error("device `{name}` cannot be used")]
    Device {
        name: String,
        #[source]
        source: CudaError,
    },
    #[error("no device is called `{name}`; there are: {}", .known.join(", "))]
    UnknownDevice { name: String, known: Vec<String> },
    #[error("the plan has {runs} runs, 0 to {}; there is no run {index}", .runs - 1)]
    NoSuchRun { index: usize, runs: usize },
    #[error(
        "`{path}` is another plan ({found}) than the one that this command was made for ({wanted}): its numbers \
         may mean other runs by now; nothing was changed"
    )]
    PlanChanged { path: PathBuf, found: String, wanted: String },
    #[error("the plan's configuration of run {index} is not one of this version")]
    BadConfig {
        index: usize,
        #[source]
        source: serde_json::Error,
    },
    #[error(
        "no held-out input is called `{id}`; `[samples] ids` must be held-out images of the data set"
    )]
    UnknownSample { id: String },
    #[error(
        "the images of `{name}` or the weight files in [init] changed since the plan was made; \
         `cyclelab sweep` plans anew"
    )]
    InputsChanged { name: String },
    #[error(
        "the plan was made by a version that trains to other numbers (training revision {planned}, \
         this one's is {}); `cyclelab sweep` plans anew",
        model::TRAINING_REV
    )]
    TrainingChanged { planned: u32 },
    #[error("`{metric}` cannot be measured: {reason}")]
    NoSuchScore { metric: String, reason: String },
    #[error("cannot read the weights `{path}`")]
    ReadWeights {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the weights `{path}` cannot be used")]
    Weights {
        path: PathBuf,
        #[source]
        source: WeightsError,
    },
    #[error("`{path}` {what}")]
    NoWeights { path: PathBuf, what: NoWeights },
    /// Each with the leaves that name it and their cells.
    #[error("weight files cannot be used; nothing was made{}", because(.findings))]
    InitialWeights { findings: Vec<String> },
    #[error("`{path}` holds {found}, not {wanted}")]
    OtherNetwork { path: PathBuf, found: String, wanted: String },
    /// A bare file; upstream drops when it translates, so there is no one picture to agree with.
    #[error("the weights `{path}` are those of {}", model::Layout::DropoutShifted)]
    TrainedWithDropout { path: PathBuf },
    #[error("`{path}` is no run's folder, or the run has not begun")]
    NoRun { path: PathBuf },
    #[error("the networks of the run `{path}` are not ones of this version")]
    BadModel {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("the run `{path}` has no checkpoint that can be used{}", because(.rejected))]
    NoCheckpoint { path: PathBuf, rejected: Vec<String> },
    #[error("{} would be overwritten, and no export of this run wrote it", in_quotes(.paths))]
    NotOurs { paths: Vec<PathBuf> },
    #[error("the checkpoint `{path}` cannot be used: {reason}")]
    Checkpoint { path: PathBuf, reason: String },
    #[error(
        "`{path}` was begun by {before}, and this is {now}; --allow-changed goes on with it, \
         `cyclelab rm` makes room for a new beginning"
    )]
    CodeChanged { path: PathBuf, before: String, now: String },
    #[error(
        "no checkpoint can be used; `cyclelab sweep FILE --fresh` begins anew, and the rows of before are kept apart{}",
        because(.rejected)
    )]
    NothingToRestore { rejected: Vec<String> },
    #[error("cannot write `{path}`")]
    Write {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("cannot start `{program}`")]
    Spawn {
        program: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{message}")]
    Panicked { message: String },
    #[error("{message}")]
    OutOfMemory { message: String },
}

impl RunnerError {
    /// How the failure is filed: by what would have to change before another attempt.
    pub fn class(&self) -> FailureClass {
        match self {
            RunnerError::Data(error) if is_io(error) => FailureClass::Io,
            RunnerError::Features(_) => FailureClass::Panic,
            RunnerError::NoSize { .. }
            | RunnerError::Unreadable { .. }
            | RunnerError::SameName { .. }
            | RunnerError::Shared { .. }
            | RunnerError::Unmatched { .. } => FailureClass::Data,
            RunnerError::Data(_)
            | RunnerError::UnknownSample { .. }
            | RunnerError::InputsChanged { .. }
            | RunnerError::TrainingChanged { .. }
            | RunnerError::NoSuchScore { .. }
            | RunnerError::NothingToRestore { .. }
            // It does not mend itself, however often the run is tried.
            | RunnerError::Track(
                TrackError::Damaged { .. } | TrackError::TooNew { .. } | TrackError::OtherRun { .. },
            ) => FailureClass::Data,
            RunnerError::Track(_) | RunnerError::Write { .. } => FailureClass::Io,
            RunnerError::Device { .. }
            | RunnerError::UnknownDevice { .. }
            | RunnerError::NoSuchRun { .. }
            | RunnerError::PlanChanged { .. }
            | RunnerError::BadConfig { .. }
            | RunnerError::ReadWeights { .. }
            | RunnerError::Weights { .. }
            | RunnerError::NoWeights { .. }
            | RunnerError::InitialWeights { .. }
            | RunnerError::OtherNetwork { .. }
            | RunnerError::TrainedWithDropout { .. }
            | RunnerError::NoRun { .. }
            | RunnerError::BadModel { .. }
            | RunnerError::NoCheckpoint { .. }
            | RunnerError::CodeChanged { .. }
            | RunnerError::NotOurs { .. } => FailureClass::Config,
            RunnerError::Checkpoint { .. } => FailureClass::Io,
            RunnerError::Spawn { .. } => FailureClass::Exit,
            RunnerError::Panicked { .. } => FailureClass::Panic,
            RunnerError::OutOfMemory { .. } => FailureClass::Oom,
        }
    }

    /// The error and all its causes in one line, as events and reports keep it.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }
}

/// Below each other, the first of them.
fn because(rejected: &[String]) -> String {
    const MOST: usize = 20;
    let lines: String = rejected.iter().take(MOST).map(|reason| format!("\n  {reason}")).collect();
    match rejected.len().saturating_sub(MOST) {
        0 => lines,
        more => format!("{lines}\n  and {more} more"),
    }
}

fn in_quotes(paths: &[PathBuf]) -> String {
    let quoted: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
    quoted.join(", ")
}

fn is_io(error: &DataError) -> bool {
    matches!(error, DataError::Read { .. } | DataError::Write { .. } | DataError::WriteImage { .. })
}
