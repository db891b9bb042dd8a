//! What was asked: TOML text in, fully resolved runs out.
//!
//! [`read`] takes a sweep file's text and gives a [`Plan`], or every mistake in
//! it at once. There are no files, clock, environment or tensors in here: base
//! files come through a callback, and paths stay text. Whether images are there is
//! asked through another one, of [`read_in`].
//!
//! Resolution order, recorded per leaf as [`Origin`]: preset, built-in rules, base files
//! (later wins), `[set]`, axes and zips, arms and points, `[[rules]]`, `[derive]`, `--set`.

mod check;
mod idle;
mod leaf;
mod preset;
mod resolve;
mod run_config;

mod axis_spec;
mod condition;
mod consequence;
mod diagnostic;
mod execution;
mod executor;
mod expression;
mod image_search;
mod metric;
mod node;
mod paths;
mod retries;
mod section;
mod seeds;
mod settings;
mod sweep_file;

mod cell_label;
mod expand;
mod plan;

pub mod draw;
mod run_id;
mod schema;

pub use axis_spec::{Distribution, Scale};
pub use consequence::Consequence;
pub use diagnostic::{Diagnostic, Rejected, Severity, SourceText};
pub use draw::{Draw, Purpose};
pub use execution::{Devices, Exec, Limits, OnCodeChange, RunOrder, Samples, Slots};
pub use executor::{
    CrashLimit, Executor, Hq, Requeue, ResourceClass, Resources, Slurm, StopSignal, TimeLimit,
    read_site,
};
pub use expression::{Expression, ExpressionError};
pub use image_search::Unfound;
pub use leaf::show;
pub use metric::{
    Goal, KnownMetric, Metric, Needs, Select, is_standard_error, known_metric, known_metrics,
    standard_error_of,
};
pub use plan::{Axis, Cell, CellOrigin, Plan, PlannedRun, read, read_in};
pub use preset::{Departure, Preset, difference};
pub use resolve::Origin;
pub use retries::Retries;
pub use run_config::*;
pub use run_id::{PointId, RunKey, SCHEMA_REV, canonical, point_id, run_key};
pub use schema::schema;
pub use sweep_file::{Design, SCHEMA};

#[cfg(test)]
mod tests;
