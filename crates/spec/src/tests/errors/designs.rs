//! Designs, arms and draws that cannot be.

use super::check;
use crate::tests::{document, read_with};

#[test]
fn designs_say_what_they_take() {
    let arm = "[[arms]]\nname = \"x\"\nset = { pool.size = 0 }";
    check("design = ‸\"leave-one-out\"", "", &["needs [[arms]]"]);
    check(
        "design = \"leave-one-out\"",
        &format!("[axes]\nmodel.‸ngf = [8, 64]\n{arm}"),
        &["`design = \"leave-one-out\"` takes no axes", "design = \"grid\""],
    );
    check(
        "design = \"points\"",
        "[[points]]\nset = {}\n‸[[arms]]\nname = \"x\"\nset = { pool.size = 0 }",
        &["takes no arms", "leave-one-out"],
    );
    check("design = ‸\"random\"\nn_trials = 3", "", &["needs [axes]"]);
    check("design = ‸\"random\"", "[axes]\npool.size = [0, 50]", &["needs `n_trials`"]);
    check("n_trials = ‸3", "", &["`n_trials` is of `design = \"random\"`; this one is \"grid\""]);
    check("sample_seed = ‸3", "", &["`sample_seed` is of"]);
    check("‸samples = 3", "", &["how many cells a random design draws is `n_trials`"]);
    check(
        "",
        "[axes]\npool.‸size = { min = 0, max = 9, distribution = \"int_uniform\" }",
        &["drawn from a distribution", "design = \"random\""],
    );
}

#[test]
fn arms_have_names_and_leaves_of_their_own() {
    let loo = "design = \"leave-one-out\"";
    check(loo, "‸[[arms]]\nset = { pool.size = 0 }", &["[[arms]] needs `name`", "no-identity"]);
    check(loo, "‸[[arms]]\nname = \"x\"", &["[[arms]] needs `set`"]);
    let arm = "[[arms]]\nname = \"x\"\nset = { pool.size = 0 }";
    check(
        loo,
        &format!("{arm}\n[[arms]]\nname = ‸\"x\"\nset = {{ pool.size = 1 }}"),
        &["two arms are called \"x\""],
    );
    check(loo, "[[arms]]\nname = ‸\" \"\nset = {}", &["`name` in [[arms]] must be one line"]);
    check(
        loo,
        "‸[[arms]]\nname = \"x\"\nset = { pool.size = 50 }",
        &["this arm is the cell `baseline` again", "equal after resolution"],
    );
    check(
        "",
        "[axes]\npool.size = [0, 50]\n[[arms]]\nname = \"x\"\nset = { pool.‸size = 9 }",
        &["`pool.size` is in [[arms]] and in [axes]", "[[points]]"],
    );
}

#[test]
fn draws_need_ends_and_enough_to_draw() {
    let random = "design = \"random\"\nn_trials = 3";
    let axis = |axis: &str, expected: &[&str]| check(random, &format!("[axes]\n{axis}"), expected);
    axis("loss.‸lambda_cycle = { min = 1, max = 9 }", &["needs `count`", "write `distribution`"]);
    axis("loss.‸lambda_cycle = { min = 1, distribution = \"uniform\" }", &["needs `max`"]);
    axis(
        "loss.lambda_cycle = { min = ‸0, max = 1, distribution = \"log_uniform\" }",
        &["a log-uniform distribution of the axis", "cannot start at 0"],
    );
    axis(
        "loss.lambda_cycle = { min = ‸3, max = 1, distribution = \"uniform\" }",
        &["(3) is not below its `max` (1)"],
    );
    axis(
        "loss.lambda_cycle = { min = 1, max = 3, distribution = ‸\"unifrom\" }",
        &["unknown distribution", "did you mean `uniform`?"],
    );
    axis(
        "loss.lambda_cycle = { min = 1, max = 3, count = ‸3, distribution = \"uniform\" }",
        &["has no `count`"],
    );
    axis(
        "loss.lambda_cycle = { min = 1, max = 3, ‸spacing = \"log\", distribution = \"uniform\" }",
        &["no `spacing`"],
    );
    axis(
        "pool.‸size = { min = 1, max = 3, distribution = \"uniform\" }",
        &["takes whole numbers only", "int_uniform"],
    );
    axis(
        "loss.lambda_cycle = { min = ‸0.5, max = 3, distribution = \"int_uniform\" }",
        &["needs whole numbers as its ends"],
    );
    axis(
        "loss.lambda_cycle = { min = ‸0, max = 1e300, distribution = \"int_uniform\" }",
        &["needs whole numbers as its ends"],
    );
    axis(
        "loss.‸gan_mode = { min = 1, max = 3, distribution = \"uniform\" }",
        &["holds no numbers"],
    );
    check(
        "design = \"random\"\nn_trials = ‸7",
        "[axes]\nloss.lambda_cycle = [1, 5, 10]\npool.size = [0, 50]",
        &["draws of trial 7 brought no new cell", "a smaller `n_trials`"],
    );
    check(
        "design = \"random\"\nn_trials = 100",
        "[axes]\noptim.lr_g = { min = 1, max = 3, distribution = \"uniform\" }\n[limits]\nmax_runs = ‸200",
        &["100 trials × 3 seeds make 300 runs"],
    );
    check(
        "name = ‸\"x\"\ndesign = \"random\"\nn_trials = 1000000000000",
        "[axes]\noptim.lr_g = { min = 1, max = 3, distribution = \"uniform\" }",
        &["1000000000000 trials × 3 seeds make 3000000000000 runs"],
    );
    check(
        &format!("{random}\n[sweep.‸baseline]\npool.size = 50"),
        "[axes]\npool.size = [0, 50]\noptim.lr_g = { min = 1, max = 3, distribution = \"uniform\" }",
        &["does not fix `optim.lr_g`"],
    );
}

#[test]
fn the_best_is_chosen_by_a_score_with_a_better_side() {
    let best = "metric.select = \"best\"";
    check("metric.select = ‸\"best\"", "eval.every = 9", &["needs the `name` of a metric"]);
    check("metric.select = ‸\"bset\"", "", &["unknown select", "did you mean `best`?"]);
    check("metric.select = ‸{ epoch = 3 }", "", &["is not available in this version", "\"best\""]);
    check(
        "metric = { name = \"loss/cycle_a\", select = ‸\"best\" }",
        "eval.every = 9",
        &["by `loss/cycle_a`, which is no score of held-out images"],
    );
    check(
        "metric = { name = \"eval/vendi_ab\", goal = \"maximize\", select = ‸\"best\" }",
        "eval.every = 9",
        &["has no better side of its own"],
    );
    check(
        "metric = { name = \"eval/gain\", goal = \"minimize\", select = ‸\"best\" }",
        "eval.every = 9",
        &["is given the goal that it usually has not"],
    );
    check(
        "metric = { name = \"eval/gain\", select = ‸\"best\" }",
        "",
        &["needs evaluations during training", "`eval.every`"],
    );
    check(
        &format!("{best}\nmetric.name = \"eval/gain\""),
        "train.steps = 100\neval.every = ‸100",
        &["one evaluation to choose from"],
    );
    check(
        &format!("{best}\nmetric.name = \"eval/gain\""),
        "eval.every = 9\neval.‸checkpoint = \"last\"",
        &["`eval.checkpoint` is in [set], and `select` is in [sweep.metric]"],
    );
    check("", "eval.every = 9\neval.checkpoint = ‸\"best\"", &["is chosen by no metric"]);
    check(
        &format!("{best}\nmetric.name = \"eval/gain\""),
        "eval.every = 9\neval.fold = ‸\"val\"",
        &["chooses on the `val` fold", "leave `eval.fold` at \"test\""],
    );
    check(
        "metric.name = \"eval/gain\"",
        "eval.every = 9\neval.checkpoint = \"best\"\neval.fold = ‸\"val\"",
        &["chooses on the `val` fold"],
    );
    check(
        "",
        "eval.every = 9\neval.checkpoint = \"best\"\neval.best_by = ‸\"eval/gian\"",
        &["cannot be chosen by \"eval/gian\"", "`eval/gain`"],
    );
}

#[test]
fn what_is_derived_is_not_overridden() {
    let text = document("", "[derive]\nmodel.ndf = \"model.ngf\"");
    let rejected = read_with(&text, &[("model.ndf", "3")], &[]).expect_err("undoes [derive]");
    assert_eq!(rejected.errors().count(), 1);
    assert!(rejected.to_string().contains("`--set model.ndf` would undo [derive]"), "{rejected}");
}
