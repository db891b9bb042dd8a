//! A run's name, made from what decides its result.
//!
//! `point_id` is a hash of the schema revision, the training revision, the
//! canonical configuration, the data set's fingerprint and the hashes of the
//! initial weight files; `run_key` adds the seed.
//!
//! Only leaves that differ from [`RunConfig::reference`] are hashed. A leaf
//! that is added later, with a default that keeps the old behaviour, therefore
//! leaves all earlier keys as they were. The price: a change to a *default* of
//! the reference, or to the meaning or name of a leaf, must raise
//! [`SCHEMA_REV`], or two meanings would share one key.
//!
//! Left out is what cannot change the trained weights ([`NON_SEMANTIC`]), and
//! what is only an address of content that is hashed itself: the data set's
//! name or path, and the paths of weight files.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::leaf;
use crate::run_config::{CONTENT_ADDRESSES, NON_SEMANTIC, RunConfig};

/// Raised when a default of the reference, a leaf's name or its meaning changes.
pub const SCHEMA_REV: u32 = 1;

/// One cell of a sweep, whatever its seed: 64 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PointId(String);

/// One run: the first 16 hex digits of its hash, as used in folder names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunKey(String);

impl PointId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl RunKey {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 8 digits that end a run folder's name.
    pub fn short(&self) -> &str {
        &self.0[..8]
    }
}

impl fmt::Display for PointId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for RunKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The hashed form: one flat JSON object, keys sorted, of the semantic leaves
/// that differ from the reference; floats in their shortest exact form.
pub fn canonical(config: &RunConfig) -> String {
    canonical_of(&leaf::tree(config))
}

/// [`canonical`] of a configuration's tree.
pub(crate) fn canonical_of(tree: &Json) -> String {
    let mut kept: BTreeMap<&str, &Json> = BTreeMap::new();
    let chooses = leaf::get(tree, "eval.checkpoint").is_some_and(|it| it == "best");
    for path in leaf::paths() {
        let silent = NON_SEMANTIC.contains(&path) && !(chooses && path == "eval.every");
        if silent || CONTENT_ADDRESSES.contains(&path) {
            continue;
        }
        let value = leaf::get(tree, path).expect("every configuration has every leaf");
        if leaf::get(leaf::reference(), path) != Some(value) {
            kept.insert(path, value);
        }
    }
    serde_json::to_string(&kept).expect("a map with string keys is JSON")
}

/// The identity of a configuration on a data set.
///
/// `init_hashes` holds (leaf, hash of the file) for every `init.*` leaf that is
/// set; their order does not matter.
pub fn point_id(
    config: &RunConfig,
    training_rev: u32,
    dataset_fingerprint: &str,
    init_hashes: &[(String, String)],
) -> PointId {
    let mut init_hashes = init_hashes.to_vec();
    init_hashes.sort();
    let mut hasher = blake3::Hasher::new_derive_key("cyclelab 2026 point id");
    hasher.update(&SCHEMA_REV.to_le_bytes());
    hasher.update(&training_rev.to_le_bytes());
    absorb(&mut hasher, &canonical(config));
    absorb(&mut hasher, dataset_fingerprint);
    for (leaf, hash) in &init_hashes {
        absorb(&mut hasher, leaf);
        absorb(&mut hasher, hash);
    }
    PointId(hasher.finalize().to_hex().to_string())
}

/// The identity of one run of a point.
pub fn run_key(point: &PointId, seed: u64) -> RunKey {
    let mut hasher = blake3::Hasher::new_derive_key("cyclelab 2026 run key");
    absorb(&mut hasher, point.as_str());
    hasher.update(&seed.to_le_bytes());
    RunKey(hasher.finalize().to_hex()[..16].to_string())
}

/// With its length in front, so that no two lists of strings read the same.
fn absorb(hasher: &mut blake3::Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_config::{EvalCheckpoint, GanMode};

    fn key(config: &RunConfig) -> RunKey {
        run_key(&point_id(config, 1, "fingerprint", &[]), 1)
    }

    #[test]
    fn keys_do_not_change_between_versions() {
        let mut config = RunConfig::reference();
        assert_eq!(canonical(&config), "{}");
        config.loss.lambda_cycle = 0.1;
        config.loss.gan_mode = GanMode::Vanilla;
        config.train.n_epochs = None;
        assert_eq!(
            canonical(&config),
            r#"{"loss.gan_mode":"vanilla","loss.lambda_cycle":0.1,"train.n_epochs":null}"#
        );
        // Golden: a change here orphans every finished run; raise SCHEMA_REV on purpose instead.
        let found = [key(&RunConfig::reference()), key(&config)];
        assert_eq!(found.each_ref().map(RunKey::as_str), ["77c2139ad99cc6d4", "107e9cbe9969b435"]);
    }

    /// Guards came later than the golden keys above: at their defaults they are in no key, and a
    /// configuration written without them is still one.
    #[test]
    fn a_configuration_from_before_the_guards_keeps_its_key() {
        let mut config = RunConfig::reference();
        let mut tree = leaf::tree(&config);
        tree.as_object_mut().expect("sections").remove("guards");
        let older: RunConfig = serde_json::from_value(tree).expect("guards have defaults");
        assert_eq!(older, config);
        assert_eq!(key(&older).as_str(), "77c2139ad99cc6d4");
        config.guards.d_loss_below = 1e-4;
        assert_eq!(canonical(&config), r#"{"guards.d_loss_below":0.0001}"#);
    }

    /// Likewise the choice of the best weights, which `eval.every` has a part in.
    #[test]
    fn choosing_the_best_weights_is_another_run() {
        let mut config = RunConfig::reference();
        let mut tree = leaf::tree(&config);
        tree["eval"].as_object_mut().expect("a section").remove("best_by");
        let older: RunConfig = serde_json::from_value(tree).expect("absent by default");
        assert_eq!(older, config);
        config.eval.every = 100;
        assert_eq!(canonical(&config), "{}");
        config.eval.checkpoint = EvalCheckpoint::Best;
        config.eval.best_by = Some("eval/gain".to_string());
        let expected = r#"{"eval.best_by":"eval/gain","eval.checkpoint":"best","eval.every":100}"#;
        assert_eq!(canonical(&config), expected);
    }

    #[test]
    fn every_semantic_leaf_changes_the_key_and_no_other_does() {
        let reference = key(&RunConfig::reference());
        for path in leaf::paths() {
            let mut tree = leaf::tree(&RunConfig::reference());
            let old = leaf::get(&tree, path).expect("is a leaf").clone();
            let other = match leaf::kind(path) {
                leaf::Kind::Flag => Json::from(old != true),
                leaf::Kind::Whole(_) => Json::from(old.as_u64().unwrap_or(0) + 1),
                leaf::Kind::Number => Json::from(old.as_f64().unwrap_or(0.0) + 0.125),
                leaf::Kind::Text => Json::from("other"),
                leaf::Kind::Choice(options) => {
                    match options.iter().find(|option| **option != old) {
                        Some(option) => Json::from(option.as_str()),
                        None => continue,
                    }
                }
            };
            leaf::set(&mut tree, path, other);
            let config: RunConfig = serde_json::from_value(tree).expect("the value fits");
            let semantic = !NON_SEMANTIC.contains(&path) && !CONTENT_ADDRESSES.contains(&path);
            assert_eq!(key(&config) != reference, semantic, "{path}");
        }
    }

    #[test]
    fn everything_beside_the_configuration_changes_the_key() {
        let config = RunConfig::reference();
        let hashes = |list: &[(&str, &str)]| -> Vec<(String, String)> {
            list.iter().map(|(leaf, hash)| (leaf.to_string(), hash.to_string())).collect()
        };
        let ab = hashes(&[("init.gen_ab", "1"), ("init.gen_ba", "2")]);
        let ba = hashes(&[("init.gen_ba", "2"), ("init.gen_ab", "1")]);
        let base = point_id(&config, 1, "data", &ab);
        assert_eq!(base, point_id(&config, 1, "data", &ba));
        assert_ne!(base, point_id(&config, 2, "data", &ab));
        assert_ne!(base, point_id(&config, 1, "data2", &ab));
        assert_ne!(base, point_id(&config, 1, "data", &ab[..1]));
        assert_ne!(run_key(&base, 1), run_key(&base, 2));
        assert_eq!(run_key(&base, 1).as_str().len(), 16);
        assert_eq!(run_key(&base, 1).short().len(), 8);
    }

    #[test]
    fn the_lists_beside_the_configuration_name_leaves() {
        for path in NON_SEMANTIC.iter().chain(&CONTENT_ADDRESSES) {
            assert!(leaf::paths().any(|leaf| leaf == *path), "{path}");
        }
    }
}
