//! What a sweep is judged by.

mod declared;
mod registry;

pub(crate) use declared::read_metric;
pub use registry::{KnownMetric, Needs, known_metric, known_metrics};

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    Minimize,
    Maximize,
}

/// Which of a run's values stands for the run: chosen before looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Select {
    /// The last one.
    Last,
    /// That of the weights which the metric liked best on the `val` fold.
    Best,
}

/// What the sweep is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    pub name: String,
    /// Whether the file names it; what is not named gives way to what the images can be scored by.
    pub declared: bool,
    pub goal: Goal,
    /// As the file declares it. What a run does is its `eval.checkpoint`, which this sets.
    pub select: Select,
    /// Shown beside the metric, never selected by.
    pub secondary: Vec<String>,
}

impl Default for Metric {
    /// L1 of the generated image to its true partner, on held-out pairs.
    fn default() -> Self {
        Metric {
            name: "eval/l1_ab".to_string(),
            declared: false,
            goal: Goal::Minimize,
            select: Select::Last,
            secondary: Vec::new(),
        }
    }
}
