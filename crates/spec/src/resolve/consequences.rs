//! What follows from who set what: built-in rules, and alternatives that clear each other.

use serde_json::Value as Json;

use super::{Draft, Origin};
use crate::check::{Problem, load_for};
use crate::diagnostic::quoted;
use crate::leaf;
use crate::preset::Preset;
use crate::run_config::GeneratorKind;

impl Draft {
    pub(super) fn settle(mut self, preset: Preset, metric: Option<&str>) -> Self {
        self.data_source();
        self.length();
        self.image_sizes(preset);
        self.blocks(preset);
        self.chooser(metric);
        self
    }

    /// The best weights are the best by what the sweep is judged by.
    fn chooser(&mut self, metric: Option<&str>) {
        let best = leaf::get(&self.tree, "eval.checkpoint").is_some_and(|it| it == "best");
        if let (true, false, Some(metric)) = (best, self.is_present("eval.best_by"), metric) {
            self.rule("eval.best_by", Json::from(metric), "the sweep's metric");
        }
    }

    fn data_source(&mut self) {
        self.alternatives(&["data.dataset"], &["data.path"]);
        if !self.is_present("data.dataset") && !self.is_present("data.path") {
            self.problems.push(Problem {
                leaves: vec!["data.dataset", "data.path"],
                message: "no images: neither `data.dataset` nor `data.path` is set".to_string(),
                help: Some(
                    "under [set], write data.path = \"folder\" or data.dataset = \"recipe\""
                        .to_string(),
                ),
            });
        }
    }

    fn length(&mut self) {
        let (steps, epochs) =
            (["train.steps", "train.steps_decay"], ["train.n_epochs", "train.n_epochs_decay"]);
        self.alternatives(&steps, &epochs);
        self.phases(steps, "the total is steps + steps_decay; steps may be 0");
        self.phases(epochs, "the total is n_epochs + n_epochs_decay; n_epochs may be 0");
    }

    /// The second phase needs the first, and is 0 long where nobody says otherwise.
    fn phases(&mut self, [first, decay]: [&'static str; 2], help: &str) {
        if ![first, decay].iter().any(|leaf| self.setters.contains_key(leaf)) {
            return;
        }
        if !self.is_present(first) {
            self.problems.push(Problem {
                leaves: vec![first, decay],
                message: format!("`{decay}` is set without `{first}`"),
                help: Some(help.to_string()),
            });
        } else if !self.is_present(decay) {
            self.rule(decay, Json::from(0), &format!("0 unless set beside {first}"));
        }
    }

    /// A file that sets the crop alone keeps the preset's proportion of load to crop.
    fn image_sizes(&mut self, preset: Preset) {
        let sized = self.setters.contains_key("data.crop_size");
        if !sized || self.setters.contains_key("data.load_size") {
            return;
        }
        let (crop, of_preset) = (self.crop_size(), preset.config().data);
        if of_preset.load_size == of_preset.crop_size {
            let rule = format!("crop_size, as in {}", preset.name());
            self.rule("data.load_size", Json::from(crop), &rule);
        } else {
            self.rule("data.load_size", Json::from(load_for(crop)), "crop_size × 286 / 256");
        }
    }

    /// Paper §4: 6 blocks for 128 px, 9 from 256 px.
    fn blocks(&mut self, preset: Preset) {
        let decided =
            self.setters.contains_key("model.n_blocks") || preset.departs_in("model.n_blocks");
        if !decided && self.has_blocks() && self.crop_size() < 256 {
            self.rule("model.n_blocks", Json::from(6), "6 below 256 px");
        }
    }

    fn has_blocks(&self) -> bool {
        let resnet = serde_json::to_value(GeneratorKind::Resnet).expect("a name");
        leaf::get(&self.tree, "model.generator") == Some(&resnet)
    }

    fn crop_size(&self) -> u32 {
        let crop = leaf::get(&self.tree, "data.crop_size").and_then(Json::as_u64);
        crop.and_then(|crop| u32::try_from(crop).ok()).expect("crop_size is a u32 leaf")
    }

    fn is_present(&self, leaf: &str) -> bool {
        leaf::get(&self.tree, leaf).is_some_and(|value| !value.is_null())
    }

    fn rule(&mut self, leaf: &'static str, value: Json, rule: &str) {
        leaf::set(&mut self.tree, leaf, value);
        self.ruled.insert(leaf, Origin::Rule(rule.to_string()));
    }

    /// Keeps the group that was set on the higher level and clears the other.
    fn alternatives(&mut self, one: &[&'static str], other: &[&'static str]) {
        match (self.level(one), self.level(other)) {
            (None, None) => {}
            (a, b) if a == b => {
                let level = a.expect("both are set");
                let is_set = |leaf: &&'static str| {
                    self.setters.get(leaf).is_some_and(|it| it.level == level)
                };
                let leaves: Vec<&str> =
                    one.iter().chain(other).copied().filter(|leaf| is_set(leaf)).collect();
                let message = format!("{} exclude each other", quoted(&leaves, "and"));
                self.problems.push(Problem { leaves, message, help: Some("keep one".to_string()) });
            }
            (a, b) if a > b => self.clear(other, one),
            _ => self.clear(one, other),
        }
    }

    fn level(&self, group: &[&'static str]) -> Option<usize> {
        group.iter().filter_map(|leaf| self.setters.get(leaf)).map(|setter| setter.level).max()
    }

    fn clear(&mut self, loser: &[&'static str], winner: &[&'static str]) {
        let by = winner.iter().find(|leaf| self.setters.contains_key(*leaf));
        let by = by.expect("the winner is set");
        let origin = self.setters[by].origin.clone();
        for leaf in loser {
            self.setters.remove(leaf);
            leaf::set(&mut self.tree, leaf, Json::Null);
            self.ruled.insert(leaf, origin.clone());
        }
    }
}
