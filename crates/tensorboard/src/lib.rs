//! What a run has recorded in, TensorBoard's event files out.
//!
//! A log folder has a folder a run, and in it one file of scalars, images and hyperparameters. No
//! kept crate writes these: `tboard`, `tensorboard-rs` and `tfrecord` name files by clock, host and
//! process, build on protobuf or image crates that are years old, and know no hyperparameters. Here
//! every name and time is the caller's, so the same calls give the same bytes.

mod error;
mod event_writer;
mod hparam;

mod message;
mod record;

pub use error::TensorboardError;
pub use event_writer::{EventWriter, Moment};
pub use hparam::{Experiment, HParam, Outcome, Session};
