//! Arms, random draws, conditional axes: what is planned.

use serde_json::json;

use super::{document, expect, plan, read_alone};
use crate::{Distribution, EvalCheckpoint, Expression, Origin, Plan, Select, point_id, run_key};

const ARMS: &str = include_str!("sweeps/leave-one-out.toml");
const CONDITIONS: &str = include_str!("sweeps/conditions.toml");
const RANDOM: &str = include_str!("sweeps/random.toml");

fn labels(plan: &Plan) -> Vec<&str> {
    plan.cells.iter().map(|cell| cell.label.as_str()).collect()
}

#[test]
fn leave_one_out_is_the_baseline_and_each_arm() {
    let found = expect(read_alone(ARMS));
    assert_eq!(labels(&found), ["baseline", "no-identity", "no-pool"]);
    assert_eq!(found.baseline().map(|cell| cell.label.as_str()), Some("baseline"));
    assert_eq!((found.design.name(), found.runs.len()), ("leave-one-out", 18));
    assert_eq!(found.arms, ["no-identity", "no-pool"]);
    let arms: Vec<Option<&str>> = found.cells.iter().map(|cell| cell.arm.as_deref()).collect();
    assert_eq!(arms, [None, Some("no-identity"), Some("no-pool")]);
    let arm = &found.cells[1];
    assert_eq!(arm.config.loss.lambda_identity, 0.0);
    assert_eq!(arm.config.pool.size, 50);
    assert_eq!(arm.origins["loss.lambda_identity"].to_string(), "arm no-identity");
    // Every leaf that any arm sets, in every cell.
    let settings =
        [("loss.lambda_identity".to_string(), json!(0.5)), ("pool.size".to_string(), json!(50))];
    assert_eq!(found.cells[0].settings, settings);
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
}

#[test]
fn the_best_weights_are_chosen_by_the_declared_metric() {
    let found = expect(read_alone(ARMS));
    assert_eq!(found.metric.select, Select::Best);
    for cell in &found.cells {
        assert_eq!(cell.config.eval.checkpoint, EvalCheckpoint::Best);
        assert_eq!(cell.config.eval.best_by.as_deref(), Some("eval/gain"));
        assert_eq!(cell.origins["eval.checkpoint"], Origin::Select);
        assert_eq!(cell.origins["eval.best_by"].to_string(), "rule: the sweep's metric");
    }
    let last = plan("metric = { name = \"eval/gain\", select = \"last\" }", "");
    assert_eq!(last.metric.select, Select::Last);
    assert_eq!(last.cells[0].config.eval.best_by, None);
    // Said of the runs alone, and by another metric.
    let own = "eval.every = 5\neval.checkpoint = \"best\"\neval.best_by = \"eval/l1_ab\"";
    let own = plan("metric.name = \"eval/gain\"", own);
    assert_eq!(own.cells[0].config.eval.best_by.as_deref(), Some("eval/l1_ab"));
}

#[test]
fn arms_stand_beside_a_grid() {
    let rest = "[axes]\nloss.lambda_cycle = [1, 10]\n[[arms]]\nname = \"no pool\"\nset = { pool.size = 0 }";
    let found = plan("", rest);
    assert_eq!(labels(&found), ["lambda_cycle=1", "lambda_cycle=10", "no pool"]);
    let arm = &found.cells[2];
    assert_eq!((arm.config.loss.lambda_cycle, arm.config.pool.size), (10.0, 0));
    assert_eq!(arm.origins["loss.lambda_cycle"], Origin::Axis("loss.lambda_cycle".to_string()));
    // An arm overrides what is fixed, and a rule what an arm sets.
    let rest = "pool.size = 5\n[[arms]]\nname = \"x\"\nset = { pool.size = 0, model.ngf = 8 }
[[rules]]\nwhen = \"pool.size == 0\"\nset = { model.ngf = 16 }";
    let found = plan("design = \"leave-one-out\"", rest);
    let sizes: Vec<(u32, u32)> =
        found.cells.iter().map(|cell| (cell.config.pool.size, cell.config.model.ngf)).collect();
    assert_eq!(sizes, [(5, 64), (0, 16)]);
}

#[test]
fn inactive_axes_take_the_base_and_are_not_multiplied() {
    let found = expect(read_alone(CONDITIONS));
    let expected = [
        "gan_mode=lsgan, n_blocks=6",
        "gan_mode=lsgan, n_blocks=9",
        "gan_mode=hinge, n_blocks=6",
        "gan_mode=hinge, n_blocks=9",
        "gan_mode=wgan-gp, n_blocks=6, gp_weight=1",
        "gan_mode=wgan-gp, n_blocks=6, gp_weight=10",
        "gan_mode=wgan-gp, n_blocks=9, gp_weight=1",
        "gan_mode=wgan-gp, n_blocks=9, gp_weight=10",
    ];
    assert_eq!(labels(&found), expected);
    assert_eq!(found.baseline().map(|cell| cell.label.as_str()), Some(expected[0]));
    for (cell, label) in found.cells.iter().zip(expected) {
        let active = label.contains("gp_weight");
        assert_eq!(cell.inactive.is_empty(), active, "{label}");
        let axis = Origin::Axis("loss.gp_weight".to_string());
        assert_eq!(cell.origins["loss.gp_weight"] == axis, active, "{label}");
        assert!(active || cell.config.loss.gp_weight == 10.0, "{label}");
    }
    let conditional: Vec<Option<&str>> = found.axes.iter().map(|it| it.when.as_deref()).collect();
    assert_eq!(conditional, [None, None, Some("loss.gan_mode == 'wgan-gp'")]);
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
}

#[test]
fn conditions_chain_and_meet_exclusions_and_one_at_a_time() {
    let axes =
        "[axes]\nloss.gan = [true, false]\npool.size = { values = [0, 50], when = \"loss.gan\" }
pool.swap_probability = { values = [0.25, 0.5], when = \"pool.size > 0\" }";
    let all = [
        "gan=true, size=0",
        "gan=true, size=50, swap_probability=0.25",
        "gan=true, size=50, swap_probability=0.5",
        "gan=false, swap_probability=0.25",
        "gan=false, swap_probability=0.5",
    ];
    // Without adversary the pool is at its base's 50, so that the last axis is active.
    let found = plan("", axes);
    assert_eq!(labels(&found), all);
    assert_eq!(found.baseline().map(|cell| cell.label.as_str()), Some(all[2]));
    // An exclusion of a value matches no cell in which its axis is inactive.
    let exclude = format!("{axes}\n[[exclude]]\nmatch = {{ pool.size = 50 }}");
    assert_eq!(labels(&plan("", &exclude)), [all[0], all[3], all[4]]);
    let found = plan("design = \"one-at-a-time\"", axes);
    assert_eq!(labels(&found), [all[2], all[4], all[0], all[1]]);
}

#[test]
fn a_zip_may_decide_a_condition_from_below() {
    let rest = "[axes]\nloss.gp_weight = { values = [1, 10], when = \"model.ngf > 8 and loss.gan_mode == 'wgan-gp'\" }
[zip.z]\nmodel.ngf = [8, 16]\nloss.gan_mode = [\"wgan-gp\", \"wgan-gp\"]";
    let found = plan("", rest);
    let expected =
        ["gp_weight=1, ngf=16, gan_mode=wgan-gp", "gp_weight=10, ngf=16, gan_mode=wgan-gp"];
    assert_eq!(labels(&found), ["ngf=8, gan_mode=wgan-gp", expected[0], expected[1]]);
}

#[test]
fn rules_and_derived_leaves_are_part_of_every_cell() {
    let found = expect(read_alone(CONDITIONS));
    for cell in &found.cells {
        let config = &cell.config;
        let (deep, penalty) = (config.model.n_blocks == 9, cell.label.contains("wgan"));
        assert_eq!(config.data.batch_size, if deep { 1 } else { 4 }, "{}", cell.label);
        assert_eq!(config.loss.d_factor, if penalty { 1.0 } else { 0.5 }, "{}", cell.label);
        assert_eq!(config.train.n_epochs_decay, Some(40));
        assert_eq!(config.optim.lr_d, 1e-4);
        let origin = |leaf: &str| cell.origins[leaf].to_string();
        let expected = if deep { "[[rules]] 1: memory" } else { "[set]" };
        assert_eq!(origin("data.batch_size"), expected);
        let expected =
            if penalty { "[[rules]] 2: loss.gan_mode == 'wgan-gp'" } else { "preset reference" };
        assert_eq!(origin("optim.d_steps"), expected);
        assert_eq!(origin("optim.lr_d"), "[derive]: optim.lr_g * 0.5");
        // Neither is an axis.
        assert!(cell.settings.iter().all(|(leaf, _)| leaf != "optim.lr_d"));
    }
    let derived = ("train.n_epochs_decay".to_string(), "train.n_epochs".to_string());
    assert_eq!(found.derived[0], derived);
}

#[test]
fn rules_follow_each_other_and_see_the_run_as_it_will_be() {
    let check = |rest: &str, overrides: &[(&str, &str)], leaf: &str, value| {
        let found = expect(super::read_with(&document("", rest), overrides, &[]));
        assert_eq!(found.cells[0].config.get(leaf), value, "{rest} {overrides:?}");
    };
    let rule = |when: &str, set: &str| format!("[[rules]]\nwhen = \"{when}\"\nset = {{ {set} }}\n");
    let chain = rule("pool.size == 50", "model.ngf = 8") + &rule("model.ngf == 8", "model.ndf = 4");
    check(&chain, &[], "model.ndf", json!(4));
    // What a built-in rule fills, before and after a rule of the file.
    let blocks = format!("data.crop_size = 128\n{}", rule("model.n_blocks == 6", "model.ngf = 8"));
    check(&blocks, &[], "model.ngf", json!(8));
    let crop = rule("data.flip", "data.crop_size = 128");
    check(&crop, &[], "data.load_size", json!(143));
    // The command line wins, and is seen.
    let batch = rule("data.batch_size == 2", "pool.size = 0, data.batch_size = 3");
    check(&batch, &[("data.batch_size", "2")], "pool.size", json!(0));
    check(&batch, &[("data.batch_size", "2")], "data.batch_size", json!(2));
    // Epochs of a rule clear the file's steps.
    let epochs = format!("train.steps = 10\n{}", rule("data.flip", "train.n_epochs = 3"));
    check(&epochs, &[], "train.steps", json!(null));
    check(&epochs, &[], "train.n_epochs", json!(3));
}

#[test]
fn derived_leaves_wait_for_each_other() {
    let rest =
        "optim.lr_g = 1e-3\n[derive]\nmodel.ndf = \"model.ngf / 2\"\nmodel.ngf = \"pool.size * 2\"
optim.lr_d = \"optim.lr_g * 0.1\"\nloss.gan = \"model.ndf > 10\"";
    let config = &plan("", rest).cells[0].config;
    assert_eq!((config.model.ngf, config.model.ndf), (100, 50));
    assert_eq!((config.optim.lr_d, config.loss.gan), (1e-4, true));
}

#[test]
fn a_random_design_draws_from_its_axes() {
    let found = expect(read_alone(RANDOM));
    assert_eq!((found.cells.len(), found.runs.len()), (13, 39));
    assert_eq!(found.baseline().map(|cell| &cell.label), Some(&found.cells[0].label));
    assert_eq!(found.cells[0].config.loss.lambda_cycle, 10.0);
    for cell in &found.cells[1..] {
        let config = &cell.config;
        assert!((0.5..=50.0).contains(&config.loss.lambda_cycle), "{}", cell.label);
        assert!((5e-5..=1e-3).contains(&config.optim.lr_g), "{}", cell.label);
        assert!((1..=9).contains(&config.model.n_blocks), "{}", cell.label);
        assert_eq!(cell.origins["optim.lr_g"], Origin::Axis("optim.lr_g".to_string()));
    }
    let axis = &found.axes[0];
    assert_eq!(axis.distribution, Some(Distribution::LogUniform));
    assert_eq!((axis.scale.name(), axis.values.len()), ("log", 13));
    assert!(axis.values.is_sorted_by(|a, b| a[0].as_f64() < b[0].as_f64()), "{:?}", axis.values);
    assert_eq!(found.axes[3].distribution, None);
    let modes: std::collections::BTreeSet<String> =
        found.cells.iter().map(|cell| format!("{:?}", cell.config.loss.gan_mode)).collect();
    assert_eq!(modes.len(), 3);
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
}

fn keys(plan: &Plan) -> Vec<String> {
    let key = |config| run_key(&point_id(config, 1, "images", &[]), 1).to_string();
    plan.cells.iter().map(|cell| key(&cell.config)).collect()
}

#[test]
fn more_trials_keep_the_first_ones_and_another_seed_does_not() {
    let with = |n: u64| keys(&expect(read_alone(&RANDOM.replace("12", &n.to_string()))));
    let (few, more) = (with(5), with(30));
    assert_eq!((few.len(), more.len()), (6, 31));
    assert_eq!(few, more[..6]);
    let other = keys(&expect(read_alone(&RANDOM.replace("sample_seed = 7", ""))));
    assert_eq!(other[0], few[0], "the baseline is not drawn");
    assert!(other[1..].iter().all(|key| !more.contains(key)));
    // A further axis leaves the values on the others as they are.
    let wider = format!("{RANDOM}\npool.size = [0, 50]\n");
    let wider = wider
        .replace("loss.gan_mode = \"lsgan\"\n\n", "loss.gan_mode = \"lsgan\"\npool.size = 50\n");
    let (wider, plain) = (expect(read_alone(&wider)), expect(read_alone(RANDOM)));
    for (one, other) in wider.cells.iter().zip(&plain.cells) {
        assert_eq!(one.config.optim.lr_g, other.config.optim.lr_g);
    }
}

#[test]
fn trials_are_distinct_and_heed_conditions_and_exclusions() {
    let sweep = "design = \"random\"\nn_trials = 5";
    // Six cells less one: each is drawn once.
    let rest = "[axes]\nloss.lambda_cycle = [1, 5, 10]\npool.size = [0, 50]\n[[exclude]]\nmatch = { pool.size = 0, loss.lambda_cycle = 1 }";
    let found = plan(sweep, rest);
    let mut different = keys(&found);
    different.sort();
    different.dedup();
    assert_eq!((found.cells.len(), different.len()), (5, 5));
    assert!(!labels(&found).contains(&"lambda_cycle=1, size=0"));
    let rest = "[axes]\nloss.gan_mode = [\"lsgan\", \"wgan-gp\"]
loss.gp_weight = { min = 1, max = 9, distribution = \"uniform\", when = \"loss.gan_mode == 'wgan-gp'\" }";
    let found = plan(sweep, rest);
    let plain = labels(&found).iter().filter(|label| **label == "gan_mode=lsgan").count();
    assert_eq!(plain, 1, "an inactive axis is no difference: {:?}", labels(&found));
}

#[test]
fn a_filter_picks_runs() {
    let found = plan("", "[axes]\nloss.lambda_cycle = [1, 10]\npool.size = [0, 50]");
    let check = |filter: &str, expected: &[(usize, u64)]| {
        let filter = Expression::parse(filter).expect("the case is an expression");
        let runs: Vec<(usize, u64)> = found
            .runs_where(&filter)
            .into_iter()
            .map(|index| (found.runs[index].cell, found.runs[index].seed))
            .collect();
        assert_eq!(runs, expected);
    };
    check("loss.lambda_cycle == 10 and seed == 2", &[(2, 2), (3, 2)]);
    check("cell == 'lambda_cycle=1, size=0'", &[(0, 1), (0, 2), (0, 3)]);
    check("seed > 3", &[]);
}
