//! What cells change beside what they vary.

use serde_json::json;

use super::plan;
use crate::{Origin, Plan};

fn said(plan: &Plan) -> Vec<Option<String>> {
    plan.cells.iter().map(|cell| cell.said_of_consequences()).collect()
}

/// The trap: "without the pool" is also trained at another rate.
#[test]
fn an_arm_says_what_rules_and_derivations_change_with_it() {
    let rest = "[[arms]]\nname = \"no pool\"\nset = { pool.size = 0 }
[[arms]]\nname = \"no identity\"\nset = { loss.lambda_identity = 0 }
[[rules]]\nwhen = \"pool.size == 0\"\nset = { optim.lr_d = 1e-4 }\nreason = \"it would win\"
[derive]\nmodel.ndf = \"pool.size + 14\"";
    let found = plan("design = \"leave-one-out\"", rest);
    let expected = "no pool also has model.ndf = 14 ([derive]: pool.size + 14), \
                    optim.lr_d = 1e-4 ([[rules]] 1: it would win)";
    assert_eq!(said(&found), [None, Some(expected.to_string()), None]);
    let rate = &found.cells[1].also[1];
    assert_eq!(
        (rate.leaf.as_str(), &rate.value, &rate.baseline),
        ("optim.lr_d", &json!(1e-4), &json!(2e-4))
    );
    assert_eq!(rate.origin, Origin::FileRule(0, "it would win".to_string()));
    assert_eq!(rate.baseline_origin, Origin::Preset("reference".to_string()));
}

/// What the baseline alone has is a difference of every other cell.
#[test]
fn a_rule_of_the_baseline_is_missing_in_the_others() {
    let rest = "[[arms]]\nname = \"lsgan\"\nset = { loss.gan_mode = \"lsgan\" }
[[rules]]\nwhen = \"loss.gan_mode == 'hinge'\"\nset = { optim.d_steps = 5 }";
    let found = plan("design = \"leave-one-out\"", &format!("loss.gan_mode = \"hinge\"\n{rest}"));
    let rule = "[[rules]] 1: loss.gan_mode == 'hinge'";
    let expected = format!("lsgan also has optim.d_steps = 1 (the baseline has 5, {rule})");
    assert_eq!(said(&found), [None, Some(expected)]);
}

#[test]
fn a_grid_says_it_of_every_cell_and_built_in_rules_count() {
    let check = |rest: &str, expected: &[&[&str]]| {
        let found = plan("", rest);
        let shown = |cell: &crate::Cell| cell.also.iter().map(ToString::to_string).collect();
        let all: Vec<Vec<String>> = found.cells.iter().map(shown).collect();
        assert_eq!(all, expected, "{rest}");
    };
    check(
        "[axes]\noptim.lr_g = [2e-4, 4e-4]\n[derive]\noptim.lr_d = \"optim.lr_g / 2\"",
        &[&[], &["optim.lr_d = 2e-4 ([derive]: optim.lr_g / 2)"]],
    );
    // Smaller pictures mean fewer blocks, unless the file sets them.
    check(
        "[axes]\ndata.crop_size = [256, 128]",
        &[
            &[],
            &[
                "data.load_size = 143 (rule: crop_size × 286 / 256)",
                "model.n_blocks = 6 (rule: 6 below 256 px)",
            ],
        ],
    );
    check(
        "data.load_size = 286\nmodel.n_blocks = 6\n[axes]\ndata.crop_size = [256, 128]",
        &[&[], &[]],
    );
    // A rule that undoes what the cell's axis says.
    check(
        "[axes]\nloss.gan_mode = [\"lsgan\", \"hinge\"]\npool.size = [50, 10]
[[rules]]\nwhen = \"loss.gan_mode == 'hinge' and pool.size == 10\"\nset = { pool.size = 20 }",
        &[
            &[],
            &[],
            &[],
            &["pool.size = 20 ([[rules]] 1: loss.gan_mode == 'hinge' and pool.size == 10)"],
        ],
    );
}

/// What the file varies is told by the settings, and what a rule leaves as it was changes nothing.
#[test]
fn what_a_cell_chooses_is_no_consequence() {
    let rest = "[axes]\nloss.gan_mode = [\"lsgan\", \"wgan-gp\"]
loss.gp_weight = { values = [1, 5], when = \"loss.gan_mode == 'wgan-gp'\" }
[[points]]\nname = \"by steps\"\nset = { train.steps = 3, pool.size = 0 }
[[rules]]\nwhen = \"pool.size == 0\"\nset = { pool.swap_probability = 0.5 }";
    let found = plan("", rest);
    // The epochs that its steps clear are its own doing.
    let decay = "by steps also has train.steps_decay = 0 (rule: 0 unless set beside train.steps)";
    assert_eq!(said(&found), [None, None, None, Some(decay.to_string())]);
}
