//! A plan in, finished runs out.
//!
//! One process trains one run ([`run`]); a sweep is a scheduler that starts
//! such processes side by side ([`sweep`]). What happens leaves as
//! [`TrainEvent`]s: the terminal and the store both listen.

mod device;
mod error;
mod event;
mod stop;

mod prepare;
pub mod sweep;

mod anchors;
mod best;
mod checkpoint;
mod evaluate;
mod feature_net;
mod flags;
mod guards;
mod image_pool;
mod loss_window;
mod lr_schedule;
mod network_optimizer;
mod patience;
mod real_images;
pub mod run;
mod run_log;
mod samples;
mod step;
mod system_load;
mod train;
mod weight_file;

mod export;
mod saved_run;
mod score_folders;
mod stored_generator;
mod translate;

mod comparison;
pub mod reproduce;

mod estimate;
mod peak_memory;
mod step_times;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

pub use eval::{Raised, Score, ScoreCard, Severity};

pub use comparison::{
    MetricDifference, WeightComparison, WeightDifference, compare_rows, compare_weights,
};
pub use device::{ComputeDevice, CudaError};
pub use error::RunnerError;
pub use estimate::{StepTime, measure_step};
pub use event::{Outcome, TrainEvent};
pub use export::{ExportedFile, ExportedNetwork, export, upstream_file};
pub use peak_memory::peak_memory;
pub use prepare::{PreparedSweep, prepare};
pub use saved_run::SavedRun;
pub use score_folders::{FolderScores, Pairs, ScoredFolders, score_folders};
pub use step_times::{TimedStep, Timing, time_steps};
pub use stop::Stop;
pub use stored_generator::{StoredGenerator, TrainedDropout};
pub use translate::{TranslateEvent, Translated, Translation, translate};
pub use weight_file::NoWeights;
