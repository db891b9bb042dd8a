//! What is sent to a cluster, and what the cluster says of it.
//!
//! The engine is only a launcher: what it starts is `cyclelab run`, and where a run stands is what
//! its folder says. So there is no daemon and no queue here, only texts for the engine's own
//! programs, and readers of what those answer, which is text from outside.
//!
//! Opens no file and knows no run store: paths come in as text, scripts go out as text.

mod error;
mod indices;
mod process;
mod reply;
mod shell;

pub mod commands;
pub mod hq;
pub mod kubernetes;
pub mod slurm;

mod standing;

pub use error::ClusterError;
pub use indices::Indices;
pub use reply::Reply;
pub use standing::{Folder, Job, JobState, Seen, Standing, stand};
