//! What a sweep is judged by.

mod declared;
mod registry;

pub(crate) use declared::read_metric;
pub use registry::{
    KnownMetric, Needs, is_standard_error, known_metric, known_metrics, standard_error_of,
};

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
    /// Whether the file names it; what is not named gives way to what the images can be scored by,
    /// whose own goal it then takes.
    pub declared: bool,
    pub goal: Goal,
    /// As the file declares it. What a run does is its `eval.checkpoint`, which this sets.
    pub select: Select,
    /// Shown beside the metric, never selected by.
    pub secondary: Vec<String>,
}

impl Default for Metric {
    /// The gain of both directions: of all scores the one that 0 and 1 mean something of.
    fn default() -> Self {
        Metric {
            name: "eval/gain".to_string(),
            declared: false,
            goal: Goal::Maximize,
            select: Select::Last,
            secondary: Vec::new(),
        }
    }
}
