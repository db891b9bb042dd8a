//! What a file says against what its preset says.

use serde_json::{Value as Json, json};

use super::{document, expect, plan, read_with, shown};
use crate::{Origin, Preset, Rejected, read};

/// The value of a leaf under a preset and whether a rule, the preset or somebody else set it.
fn check(preset: Preset, set: &str, leaf: &str, value: Json, by: &str) {
    let found = plan(&format!("preset = {:?}", preset.name()), set);
    let cell = &found.cells[0];
    assert_eq!(cell.config.get(leaf), value, "{} {set} {leaf}", preset.name());
    let origin = cell.origins[leaf].to_string();
    assert!(origin.starts_with(by), "{} {set} {leaf}: {origin}", preset.name());
}

#[test]
fn every_preset_runs_as_it_is() {
    for preset in Preset::ALL {
        let found = plan(&format!("preset = {:?}", preset.name()), "");
        let mut config = preset.config();
        config.data.path = Some("images".to_string());
        assert_eq!(found.cells[0].config, config, "{}", preset.name());
        assert_eq!(found.preset, preset);
    }
}

#[test]
fn rules_leave_alone_what_a_preset_decides() {
    check(Preset::Lua, "", "model.n_blocks", json!(6), "preset lua");
    check(Preset::Lua, "data.crop_size = 256", "model.n_blocks", json!(6), "preset lua");
    check(Preset::Yunjey, "", "model.n_blocks", json!(2), "preset yunjey");
    check(Preset::Yunjey, "data.crop_size = 64", "model.n_blocks", json!(2), "preset yunjey");
    check(Preset::PaperLog, "data.crop_size = 64", "model.n_blocks", json!(6), "rule: 6 below");
    // A U-Net has no blocks to count, until the file takes the other generator.
    check(Preset::TfTutorial, "", "model.n_blocks", json!(9), "preset tf-tutorial");
    let resnet = "model.generator = \"resnet\"\ndata.crop_size = 64";
    check(Preset::TfTutorial, resnet, "model.n_blocks", json!(6), "rule: 6 below");
}

#[test]
fn a_new_crop_keeps_the_preset_s_proportion() {
    let load = "data.load_size";
    check(Preset::Lua, "", load, json!(143), "preset lua");
    check(Preset::Lua, "data.crop_size = 256", load, json!(286), "rule: crop_size × 286 / 256");
    check(Preset::Yunjey, "", load, json!(32), "preset yunjey");
    check(Preset::Yunjey, "data.crop_size = 64", load, json!(64), "rule: crop_size, as in yunjey");
    check(Preset::Yunjey, "data.crop_size = 64\ndata.load_size = 72", load, json!(72), "[set]");
    check(Preset::Yunjey, "data.load_size = 36", load, json!(36), "[set]");
}

#[test]
fn epochs_and_steps_clear_each_other_in_every_preset() {
    let epochs = "train.n_epochs = 5";
    check(Preset::Yunjey, epochs, "train.steps", Json::Null, "[set]");
    check(Preset::Yunjey, epochs, "train.steps_decay", Json::Null, "[set]");
    check(Preset::Yunjey, epochs, "train.n_epochs_decay", json!(0), "rule: 0 unless set beside");
    check(Preset::Yunjey, "train.steps = 5", "train.steps", json!(5), "[set]");
    check(Preset::Yunjey, "train.steps = 5", "train.steps_decay", json!(0), "preset yunjey");
    check(Preset::Yunjey, "train.steps_decay = 5", "train.steps", json!(40_000), "preset yunjey");
    check(Preset::TfTutorial, "train.steps = 5", "train.n_epochs", Json::Null, "[set]");
    check(Preset::TfTutorial, "train.n_epochs = 5", "train.n_epochs_decay", json!(0), "preset tf");
    let rejected = refused(Preset::Yunjey, "train.n_epochs_decay = 5");
    assert!(
        rejected.to_string().contains("`train.n_epochs_decay` is set without `train.n_epochs`")
    );
}

#[test]
fn the_tutorial_s_u_net_says_which_crops_it_takes() {
    let rejected = refused(Preset::TfTutorial, "data.crop_size = 128");
    let errors: Vec<String> = rejected.errors().map(shown).collect();
    assert_eq!(errors.len(), 1, "{rejected}");
    for piece in ["must be a multiple of 256, found 128", "model.generator = \"unet-128\""] {
        assert!(errors[0].contains(piece), "{}", errors[0]);
    }
    check(Preset::TfTutorial, "data.crop_size = 512", "data.load_size", json!(572), "rule");
}

#[test]
fn the_command_line_overrides_a_preset_too() {
    let text = document("preset = \"yunjey\"", "");
    let overrides = [("train.n_epochs", "2"), ("data.crop_size", "64")];
    let found = expect(read_with(&text, &overrides, &[]));
    let config = &found.cells[0].config;
    assert_eq!((config.train.steps, config.train.n_epochs), (None, Some(2)));
    assert_eq!((config.data.crop_size, config.data.load_size), (64, 64));
    assert_eq!(found.cells[0].origins["train.n_epochs"], Origin::CommandLine);
}

fn refused(preset: Preset, set: &str) -> Rejected {
    let text = document(&format!("preset = {:?}", preset.name()), set);
    let source = super::source(&text);
    match read(source, &[], &mut |_| Err("no such file".to_string())) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(rejected) => rejected,
    }
}
