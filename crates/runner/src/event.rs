//! What a run says while it works, one JSON line each where a scheduler listens.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

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
        #[serde(deserialize_with = "null_is_nan")]
        losses: BTreeMap<String, f64>,
    },
    Evaluating {
        done: u64,
        total: u64,
    },
    /// `fold`: `val` on the way, where there is such a fold; `test` for the result.
    Evaluated {
        step: u64,
        fold: String,
        #[serde(deserialize_with = "null_is_nan")]
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

/// JSON has no NaN: a value that is no number is written as `null`.
fn null_is_nan<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, f64>, D::Error> {
    let values = BTreeMap::<String, Option<f64>>::deserialize(from)?;
    Ok(values.into_iter().map(|(name, value)| (name, value.unwrap_or(f64::NAN))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_that_is_no_number_arrives() {
        let losses = BTreeMap::from([("d_a".to_string(), f64::NAN), ("d_b".to_string(), 0.5)]);
        let line = serde_json::to_string(&TrainEvent::Losses { step: 7, step_s: 0.1, losses });
        let TrainEvent::Losses { losses, .. } =
            serde_json::from_str(&line.expect("serialises")).expect("reads back")
        else {
            panic!("another event");
        };
        assert!(losses["d_a"].is_nan());
        assert_eq!(losses["d_b"], 0.5);
    }
}
