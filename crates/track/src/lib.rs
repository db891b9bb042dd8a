//! The run store: a sweep and its runs as folders of open files.
//!
//! The only crate that knows Parquet and the name of a file in a run folder.
//! Everything in the store is immutable, append-only, or derived: what is
//! derived can be deleted and rebuilt. A file that is replaced is written
//! beside, then renamed, so a reader never meets half of one.

mod error;
mod layout;
mod record;

mod durable;
mod jsonl;
mod lease;
mod lock;
pub mod time;

mod identity;
mod plan;
mod provenance;
mod submission;
mod sweep_claim;
mod sweep_dir;

mod attempt;
mod event;
mod state;
mod timeline;

mod metric_log;
mod metric_part;
mod metric_writer;
mod schema;

mod checkpoint;
mod manifest;
mod samples;

mod reader;
mod runs_table;
mod trash;

mod circumstances;
mod fsck;
mod garbage;
mod index;
mod reproduction;

#[cfg(test)]
mod fixture;

pub use checkpoint::{
    Checkpoint, CheckpointDir, Restore, check_checkpoints, checkpoints_set_aside, keep_newest,
    newest_valid, restore, set_aside_checkpoints,
};
pub use error::TrackError;
pub use event::{Event, EventLog, RunEvents, Stamped, SweepEvent, SweepEvents};
pub use fsck::{Checkup, Finding, Fsck, Level};
pub use garbage::{Garbage, GarbageKind, Pile};
pub use identity::{CodeVersion, RunIdentity};
pub use index::{Index, rebuild_index, sweeps, write_index};
pub use layout::{RunDir, SweepDir, run_folder_name};
pub use lease::Claim;
pub use lock::FolderLock;
#[doc(hidden)] // for the fuzz targets
pub use manifest::{Manifest, parse_manifest};
#[doc(hidden)] // for the fuzz targets
pub use metric_log::{Parsed, parse as parse_metric_log};
pub use metric_part::MetricMeta;
pub use metric_writer::{Measurement, MetricWriter, Resumption};
pub use plan::PlanEntry;
pub use provenance::{DIFF_MAX_BYTES, Environment, Hardware, Provenance, SourceTree};
pub use reader::{read_run, read_run_at, read_run_status, read_sweep, read_sweep_status};
pub use record::*;
pub use reproduction::Reproduction;
pub use runs_table::write_runs_parquet;
pub use samples::SampleWriter;
pub use schema::SCHEMA_REV;
pub use submission::{Fate, Submission, SubmittedArray, SubmittedJob, Work, plan_fingerprint};
pub use sweep_claim::SweepClaim;
pub use sweep_dir::find_run;
pub use trash::Removal;
