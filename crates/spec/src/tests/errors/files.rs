//! Whole files: broken, newer, several, with many mistakes or with none.

use super::{check_text, refused};
use crate::tests::{expect, plan, read_alone, read_with, shown};

#[test]
fn a_newer_schema_is_refused_before_anything_else() {
    check_text(
        "schema = ‸2\n[whatever]\nx = 1\n",
        &["`schema` 2 is newer than this build, which reads 1"],
    );
}

#[test]
fn broken_toml_is_reported_line_by_line() {
    let text = "[sweep]\nname = \nquestion = \"x\nseeds = [1, 2]\n";
    let rejected = refused(text);
    let lines: Vec<usize> =
        rejected.errors().map(|error| error.position(&rejected.sources).0).collect();
    assert!(lines.contains(&2) && lines.contains(&3), "{rejected}");
    check_text("a = 1\n‸a = 2\n", &["this is not TOML: duplicate key"]);
}

#[test]
fn base_files_are_findings_of_their_own_source() {
    let text = "[sweep]\nname = \"x\"\nquestion = \"?\"\nbase = [\"a.toml\", \"gone.toml\", \"a.toml\", \"b.toml\"]\n";
    let bases =
        [("a.toml", "[loss]\nlambda_cyc = 3\n[sweep]\nname = \"no\"\n"), ("b.toml", "x = = 1\n")];
    let rejected = read_with(text, &[], &bases).expect_err("six mistakes");
    let found: Vec<String> =
        rejected.errors().map(|error| error.located(&rejected.sources).to_string()).collect();
    let expected = [
        "test.toml:4:19: error: cannot read the base file `gone.toml`: no such file",
        "test.toml:4:32: error: the base file `a.toml` is given twice",
        "a.toml:2:1: error: `loss.lambda_cyc` is not a setting of a run",
        "a.toml:4:1: error: `sweep.name` is not a setting of a run",
        "b.toml:1:5: error: this is not TOML: extra `=`",
        "b.toml:1:7: error: this is not TOML: unexpected key or value",
    ];
    assert_eq!(found.len(), expected.len(), "{rejected}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
}

#[test]
fn ten_mistakes_are_ten_errors() {
    let text = r#"schema = 1
[sweep]
name = "ten mistakes"
seeds = [1, 1, 2, 3]
metric.name = "eval/l1"
[sweep.baseline]
loss.lambda_cycle = 10
[set]
data.path = "images"
data.crop_size = 130
loss.gan_mode = "lsgann"
[axes]
loss.lambda_cycle = [1, "ten", 10]
pool.sise = [0, 50]
[[rules]]
when = "x"
set = { pool.size = 0 }
[limits]
run_timeout = "soon"
"#;
    let rejected = refused(text);
    let found: Vec<(usize, usize)> =
        rejected.errors().map(|error| error.position(&rejected.sources)).collect();
    let expected = [
        (2, 2),   // no question
        (3, 8),   // name
        (4, 13),  // seed twice
        (5, 15),  // metric
        (10, 18), // crop
        (11, 17), // gan_mode
        (13, 25), // "ten"
        (14, 6),  // pool.sise
        (16, 9),  // x
        (19, 15), // run_timeout
    ];
    assert_eq!(found, expected, "{rejected}");
}

#[test]
fn warnings_do_not_refuse() {
    let check = |sweep: &str, rest: &str, expected: &[&str]| {
        let plan = plan(sweep, rest);
        assert_eq!(plan.warnings.len(), expected.len(), "{:?}", plan.warnings);
        for (found, expected) in plan.warnings.iter().zip(expected) {
            assert!(shown(found).contains(expected), "{}\n{expected}", shown(found));
        }
    };
    check("", "", &[]);
    check(
        "seeds = [1, 2]",
        "",
        &["with 2 seeds, the smallest p-value of a sign-flip test is 2/2^2 = 0.5"],
    );
    check(
        "seeds = [7]",
        "",
        &["with 1 seed, the smallest p-value of a sign-flip test is 2/2^1 = 1"],
    );
    check("", "[axes]\nloss.lambda_cycle = [10]", &["has one value, so it varies nothing"]);
    check(
        "",
        "[axes]\nloss.lambda_cycle = [1, 2]",
        &[
            "the default of `loss.lambda_cycle` (10) is not among its values: `lambda_cycle=1` is taken",
        ],
    );
    check("", "[axes]\nloss.lambda_cycle = [1, 10]", &[]);
    check(
        "",
        "[axes]\npool.size = [0, 50]\n[[exclude]]\nmatch = { pool.size = 50 }",
        &["the cell of the default values is excluded"],
    );
    check("run_name = \"same\"", "[axes]\npool.size = [0, 50]", &["several cells the same name"]);
    check("metric.goal = \"minimize\"", "", &["the usual goal"]);
    check(
        "",
        "train.steps = 1000\n[guards]\nd_loss_below = 1e-4",
        &["`guards.d_loss_below` can never stop this run: `guards.d_loss_steps` is 2000, and the \
           training has 1000 steps"],
    );
    check(
        "",
        "train.steps = 1000\nguards.output_std_below = 0.01\n[axes]\nguards.output_std_steps = [500, 2000]",
        &["is 2000, and the training has 1000 steps [concerns 1 of 2 cells]"],
    );
    check(
        "design = \"points\"",
        "[[points]]\nset = { pool.size = 1 }\n[[points]]\nset = { pool.size = 2 }",
        &["no point is the default"],
    );
}

#[test]
fn a_missing_seeds_key_means_one_seed() {
    let text = "[sweep]\nname = \"x\"\nquestion = \"?\"\n[set]\ndata.path = \"d\"\n";
    let plan = expect(read_alone(text));
    assert_eq!(plan.seeds, [1]);
    assert_eq!(plan.warnings.len(), 1);
}
