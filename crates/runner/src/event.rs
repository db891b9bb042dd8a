//! What a run says while it works, one JSON line each where a scheduler listens.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Progress of one run, in the order things happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum TrainEvent {
    /// Data is fetched or decoded. Units are bytes, images or seconds, by `what`.
    Preparing {
        what: String,
        done: u64,
        total: Option<u64>,
    },
    Started {
        from_step: u64,
        total_steps: u64,
        device: String,
    },
    Step {
        step: u64,
    },
    /// One closed logging window: means of the terms before their weight.
    Losses {
        step: u64,
        step_s: f64,
        losses: BTreeMap<String, f64>,
    },
    Evaluating {
        done: u64,
        total: u64,
    },
    Evaluated {
        step: u64,
        scores: BTreeMap<String, f64>,
    },
    Checkpoint {
        step: u64,
    },
    /// Something worth a line for the user; training goes on.
    Warning {
        message: String,
    },
}

/// How a run ended without an error.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// `active_s`: seconds of training over all attempts.
    Completed { step: u64, active_s: f64 },
    /// It had been finished before; nothing was done.
    AlreadyDone,
    /// Stopped on request; the checkpoint at `step` is there to go on from.
    Interrupted { step: u64 },
    /// A loss stopped being finite: a result, not an error.
    Diverged { step: u64, reason: String },
}
