//! The generators that a metric liked best so far, on the fold that nothing is reported of
//! (`eval.checkpoint = "best"`).

use model::weights::{self, NamedTensors, WeightsError};
use model::{CycleGan, Network};
use serde::{Deserialize, Serialize};
use spec::{Goal, ModelConfig};

/// Their weights, as files keep them.
#[derive(Debug, Clone)]
pub(crate) struct BestGenerators {
    pub gen_ab: NamedTensors,
    pub gen_ba: NamedTensors,
}

/// What they scored, kept in checkpoints beside the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BestScore {
    pub step: u64,
    /// Of a float64: text would round it.
    bits: u64,
}

impl BestScore {
    pub(crate) fn new(step: u64, value: f64) -> Self {
        BestScore { step, bits: value.to_bits() }
    }

    pub(crate) fn value(self) -> f64 {
        f64::from_bits(self.bits)
    }

    /// Whether a later value takes its place: of equally good ones the earliest stays.
    pub(crate) fn is_beaten_by(self, value: f64, goal: Goal) -> bool {
        match goal {
            Goal::Minimize => value < self.value(),
            Goal::Maximize => value > self.value(),
        }
    }
}

impl BestGenerators {
    pub(crate) fn of(networks: &CycleGan, config: &ModelConfig) -> Self {
        BestGenerators {
            gen_ab: weights::save(&networks.gen_ab, config),
            gen_ba: weights::save(&networks.gen_ba, config),
        }
    }

    /// The networks with these generators, and without discriminators: those are of another step.
    pub(crate) fn placed_in(
        &self,
        networks: &CycleGan,
        config: &ModelConfig,
    ) -> Result<CycleGan, WeightsError> {
        let networks = networks.clone();
        Ok(CycleGan {
            gen_ab: weights::restore(networks.gen_ab, config, self.gen_ab.clone())?,
            gen_ba: weights::restore(networks.gen_ba, config, self.gen_ba.clone())?,
            disc_a: None,
            disc_b: None,
        })
    }
}

/// In a checkpoint. Discriminators are of the last step: nothing is chosen by them.
pub(crate) fn best_file(network: Network) -> String {
    format!("best_{}.safetensors", network.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_of_equals_stays() {
        let best = BestScore::new(10, 0.1 + 0.2);
        assert!(!best.is_beaten_by(0.1 + 0.2, Goal::Maximize));
        assert!(
            best.is_beaten_by(0.31, Goal::Maximize) && !best.is_beaten_by(0.31, Goal::Minimize)
        );
        assert!(!best.is_beaten_by(f64::NAN, Goal::Minimize));
        let kept = serde_json::to_string(&best).expect("numbers");
        assert_eq!(serde_json::from_str::<BestScore>(&kept).expect("reads back"), best);
    }
}
