//! What the file plans: baseline, exclusions, seeds, size.

use super::check;
use crate::tests::plan;

#[test]
fn the_baseline_is_whole_and_in_the_plan() {
    let axes = "[axes]\nloss.lambda_cycle = [1, 10]\npool.size = [0, 50]";
    check(
        "[sweep.‸baseline]\npool.size = 50",
        axes,
        &["partial", "does not fix `loss.lambda_cycle`"],
    );
    check(
        "[sweep.baseline]\npool.size = 50\nloss.lambda_cycle = ‸3",
        axes,
        &["loss.lambda_cycle = 3 is not a value of `loss.lambda_cycle`", "its values are 1, 10"],
    );
    check(
        "[sweep.baseline]\npool.size = 50\nloss.lambda_cycle = 1\nmodel.‸ngf = 8",
        axes,
        &["sets `model.ngf`, which does not vary"],
    );
    check(
        "[sweep.baseline]\nmodel.n_blocks = ‸6\nmodel.ngf = 64",
        "[zip.z]\nmodel.n_blocks = [6, 9]\nmodel.ngf = [32, 64]",
        &["model.n_blocks = 6 with model.ngf = 64 is not a value of `z`"],
    );
    let points = "[[points]]\nset = { pool.size = 0 }\n[[points]]\nset = { pool.size = 5 }";
    check("design = \"points\"\n[sweep.‸baseline]\npool.size = 7", points, &["not in the plan"]);
    check(
        "design = \"points\"\n[sweep.‸baseline]\nmodel.ngf = 64",
        points,
        &["`size=0` and `size=5` both fit"],
    );
}

#[test]
fn exclusions_remove_something_but_not_the_baseline() {
    let axes = "[axes]\nloss.lambda_cycle = [1, 10]\npool.size = [0, 50]";
    let check_exclude = |sweep: &str, exclude: &str, expected: &[&str]| {
        check(sweep, &format!("{axes}\n{exclude}"), expected);
    };
    let baseline = "[sweep.baseline]\npool.size = 50\nloss.lambda_cycle = 1";
    check_exclude("", "‸[[exclude]]\nmatch = { pool.size = 7 }", &["matches no cell"]);
    check_exclude(
        "",
        "[[exclude]]\nmatch = { model.‸ngf = 7 }",
        &["`model.ngf` does not vary", "what varies: `loss.lambda_cycle`"],
    );
    check_exclude(baseline, "‸[[exclude]]\nmatch = { pool.size = 50 }", &["removes the baseline"]);
    check_exclude(
        "",
        "‸[[exclude]]\nmatch = { pool.size = 50 }\n[[exclude]]\nmatch = { pool.size = 0 }",
        &["every cell is excluded"],
    );
    check_exclude("", "[[exclude]]\nmatch = ‸{}", &["is empty"]);
    check_exclude("", "‸[[exclude]]\nreason = \"x\"", &["needs `match`"]);
    check("", "[‸exclude]\nmatch = { pool.size = 1 }", &["write [[exclude]]"]);
}

#[test]
fn plans_are_bounded() {
    check(
        "",
        "[axes]\nloss.lambda_cycle = [1, 5, 10]\npool.size = [0, 50]\n[limits]\nmax_runs = ‸17",
        &["3 loss.lambda_cycle × 2 pool.size × 3 seeds make 18 runs, more than `max_runs` = 17"],
    );
    plan(
        "",
        "[axes]\nloss.lambda_cycle = [1, 5, 10]\npool.size = [0, 50]\n[limits]\nmax_runs = 18",
    );
    check(
        "name = ‸\"x\"",
        "[axes]\noptim.lr_g = { min = 1, max = 2, count = 1000000000 }\noptim.lr_d = { min = 1, max = 2, count = 1000000000 }",
        &["make 3000000000000000000 runs, more than `max_runs` = 200"],
    );
    let huge: String = ["lr_g", "lr_d", "epsilon", "beta_1", "beta_2"]
        .map(|leaf| {
            format!("optim.{leaf} = {{ min = 0.1, max = 0.2, count = 9000000000000000000 }}\n")
        })
        .concat();
    check("name = ‸\"x\"", &format!("[axes]\n{huge}"), &["more than 10^38 runs"]);
    check("name = ‸\"x\"\nseeds = { count = 1000000000000 }", "", &["make 1000000000000 runs"]);
    check(
        "design = \"one-at-a-time\"",
        "[axes]\nloss.lambda_cycle = [1, 5, 10]\npool.size = [0, 50]\n[limits]\nmax_runs = ‸11",
        &["make 12 runs"],
    );
    check(
        "",
        "[axes]\npool.size = [0, 50]\n[[points]]\nset = { pool.size = 1 }\nseeds = { count = 500 }
[limits]\nmax_runs = ‸505",
        &["2 pool.size × 3 seeds and 1 point make 506 runs"],
    );
    // Whatever the file allows.
    let allowed = "[limits]\nmax_runs = ‸1000000000";
    check(
        "",
        &format!("[axes]\npool.size = {{ min = 1, max = 9999, count = 9999 }}\n{allowed}"),
        &["make 29997 runs, more than the 10000 of the largest plan"],
    );
    check(
        "",
        &format!("[axes]\npool.size = [{}0]\n{allowed}", "0,".repeat(10_000)),
        &["10001 pool.size × 3 seeds make 30003 runs, more than the 10000 of the largest plan"],
    );
    check("seeds = { count = 10001 }", allowed, &["make 10001 runs"]);
    let point = "[[points]]\nset = { pool.size = 1 }\nseeds = { count = 9223372036854775807 }";
    check("", &format!("{point}\n{allowed}"), &["and 1 point make 9223372036854775810 runs"]);
}

#[test]
fn no_run_is_planned_twice() {
    check(
        "",
        "[axes]\npool.size = [0, 50]\n‸[[points]]\nset = { pool.size = 50 }",
        &["this point is the cell `size=50` again"],
    );
    check(
        "",
        "[axes]\ntrain.log_every = [10, ‸20]\npool.size = [0, 50]",
        &[
            "are the same runs",
            "they differ only in `train.log_every`, which does not change what is trained",
        ],
    );
}

#[test]
fn seeds_are_distinct_whole_numbers() {
    check("seeds = [1, ‸-2, 3]", "", &["found the whole number -2"]);
    check("seeds = [1, 2, ‸1]", "", &["1 is given twice"]);
    check("seeds = ‸[]", "", &["is empty"]);
    check("seeds = ‸3", "", &["write [1, 2, 3] or { count = 3, base = 1 }"]);
    check("seeds = { count = ‸0 }", "", &["a whole number ≥ 1"]);
    check("seeds = ‸{ base = 7 }", "", &["needs `count`"]);
    check(
        "",
        "[[points]]\nset = { pool.size = 0 }\nseeds = [1, ‸1]",
        &["`seeds` in [[points]]: 1 is given twice"],
    );
}
