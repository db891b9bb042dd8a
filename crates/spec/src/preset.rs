//! Named starting points, each a documented difference to the reference.

use serde_json::{Value as Json, json};

use crate::leaf;
use crate::run_config::RunConfig;

/// What a run is when the file says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Upstream's own step: [`RunConfig::reference`].
    Reference,
    /// The paper's Eq. 1 as printed: log loss instead of least squares.
    PaperLog,
}

/// One leaf in which a preset departs from the reference, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Departure {
    pub leaf: &'static str,
    pub value: Json,
    pub source: &'static str,
}

impl Preset {
    pub const ALL: [Preset; 2] = [Preset::Reference, Preset::PaperLog];

    /// The name in sweep files.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Reference => "reference",
            Preset::PaperLog => "paper-log",
        }
    }

    /// The differences to the reference, each with its source.
    pub fn departures(self) -> Vec<Departure> {
        match self {
            Preset::Reference => Vec::new(),
            Preset::PaperLog => vec![Departure {
                leaf: "loss.gan_mode",
                value: json!("vanilla"),
                source: "Zhu et al. 2017, Eq. 1 (§4 replaces it by least squares)",
            }],
        }
    }

    pub fn config(self) -> RunConfig {
        let mut tree = leaf::tree(&RunConfig::reference());
        for departure in self.departures() {
            leaf::set(&mut tree, departure.leaf, departure.value);
        }
        serde_json::from_value(tree).expect("departures hold values of their leaves")
    }
}

/// The leaves in which `config` is not the preset: path, preset's value, its value.
pub fn difference(config: &RunConfig, preset: Preset) -> Vec<(String, Json, Json)> {
    let (from, to) = (leaf::tree(&preset.config()), leaf::tree(config));
    leaf::paths()
        .filter_map(|path| {
            let (from, to) = (leaf::get(&from, path)?, leaf::get(&to, path)?);
            (from != to).then(|| (path.to_string(), from.clone(), to.clone()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_config::GanMode;

    #[test]
    fn presets_differ_from_the_reference_by_what_they_list() {
        for preset in Preset::ALL {
            let listed: Vec<&str> = preset.departures().iter().map(|found| found.leaf).collect();
            let found = difference(&preset.config(), Preset::Reference);
            let found: Vec<&str> = found.iter().map(|(path, _, _)| path.as_str()).collect();
            assert_eq!(found, listed, "{}", preset.name());
        }
        assert_eq!(Preset::PaperLog.config().loss.gan_mode, GanMode::Vanilla);
    }

    #[test]
    fn difference_shows_both_values() {
        let mut config = RunConfig::reference();
        config.train.steps = Some(30);
        config.loss.lambda_cycle = 5.0;
        let expected = vec![
            ("loss.lambda_cycle".to_string(), json!(10.0), json!(5.0)),
            ("train.steps".to_string(), Json::Null, json!(30)),
        ];
        assert_eq!(difference(&config, Preset::Reference), expected);
    }
}
