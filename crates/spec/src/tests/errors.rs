use super::{document, expect, plan, read_alone, read_with, shown};
use crate::{Diagnostic, Rejected};

/// Stands in a case's text where the caret is expected.
const CARET: char = '‸';

/// Splits a case into its text and the expected line and column.
fn unmark(text: &str) -> (String, (usize, usize)) {
    let at = text.find(CARET).expect("the case marks its caret");
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let position = (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1);
    (text.replace(CARET, ""), position)
}

fn refused(text: &str) -> Rejected {
    match read_alone(text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(rejected) => rejected,
    }
}

/// One mistake, one error, at the caret, with all of the expected pieces.
fn check_text(marked: &str, expected: &[&str]) {
    let (text, position) = unmark(marked);
    let rejected = refused(&text);
    let errors: Vec<&Diagnostic> = rejected.errors().collect();
    assert_eq!(errors.len(), 1, "{marked}\n{rejected}");
    assert_eq!(errors[0].position(&rejected.sources), position, "{marked}\n{rejected}");
    for piece in expected {
        assert!(shown(errors[0]).contains(piece), "{marked}\n{}\nlacks {piece}", shown(errors[0]));
    }
}

fn check(sweep: &str, rest: &str, expected: &[&str]) {
    check_text(&document(sweep, rest), expected);
}

#[test]
fn unknown_keys_are_named_with_their_neighbours() {
    check("", "[‸smaples]\ncount = 1", &["unknown key `smaples`", "did you mean `samples`?"]);
    check("‸desgin = \"grid\"", "", &["unknown key `desgin` in [sweep]", "`design`"]);
    check("", "[exec]\n‸device = \"cpu\"", &["unknown key `device` in [exec]", "`devices`"]);
    check("", "[limits]\n‸max_run = 3", &["`max_runs`"]);
    check("metric.‸goals = \"minimize\"", "", &["unknown key `goals` in [sweep.metric]", "`goal`"]);
    check("", "[[points]]\nset = { pool.size = 0 }\n‸nota = \"x\"", &["[[points]]", "`note`"]);
    check("", "[samples]\n‸zebra = 1", &["known here: `count` and `ids`"]);
    check(
        "",
        "[axes]\nloss.lambda_cycle = { values = [1, 10], ‸lable = \"x\" }",
        &["unknown key `lable` in the axis `loss.lambda_cycle`", "`label`"],
    );
    check(
        "",
        "[axes]\nloss.lambda_cycle = { ‸value = [1, 10] }",
        &["`value`", "did you mean `values`?"],
    );
}

#[test]
fn paths_must_be_leaves() {
    check(
        "",
        "[axes]\nloss.‸lambda_cyc = [1, 10]",
        &["`loss.lambda_cyc` is not a setting", "`loss.lambda_cycle`"],
    );
    check("", "[axes]\n‸\"loss.lambda_cyc\" = [1, 10]", &["`loss.lambda_cycle`"]);
    check("", "[axes]\n‸lambda_cycle = [1, 10]", &["did you mean `loss.lambda_cycle`?"]);
    check("", "[axes]\n‸loss = [1, 2]", &["`loss` is a section, not a setting", "`loss.gan_mode`"]);
    check("", "[axes]\n‸loss = { values = [1, 2] }", &["`loss` is a section"]);
    check("", "‸pool_size = 3", &["`pool_size` is not a setting", "`pool.size`"]);
    check(
        "",
        "[zip.both]\nmodel.‸blocks = [1, 2]",
        &["`model.blocks` is not a setting", "`model.n_blocks`"],
    );
    check("", "[[points]]\nset = { pool.‸sise = 3 }", &["`pool.sise` is not a setting"]);
    check("", "loss.gamma.‸deep = 1", &["`loss.gamma.deep` is not a setting"]);
}

#[test]
fn values_must_fit_their_leaf() {
    check(
        "",
        "[axes]\nloss.lambda_cycle = [1, ‸\"ten\", 10]",
        &[
            "value 2 of the axis `loss.lambda_cycle`: expected a number ≥ 0, found the string \"ten\"",
        ],
    );
    check(
        "",
        "model.n_blocks = ‸9.0",
        &["`model.n_blocks`: expected a whole number from 0 to 16", "write 9 without"],
    );
    check(
        "",
        "loss.gan_mode = ‸\"lsgann\"",
        &["one of \"vanilla\", \"lsgan\"", "did you mean `lsgan`?"],
    );
    check("", "loss.lambda_cycle = ‸nan", &["only finite numbers"]);
    check("", "[axes]\nloss.lambda_cycle = [1, ‸inf]", &["value 2", "only finite numbers"]);
    check("", "pool.size = ‸-1", &["found the whole number -1"]);
    check("", "pool.size = ‸{ x = 1 }", &["`pool.size`: expected", "found a table"]);
    check("", "pool.size = ‸[0, 50]", &["to vary it, put `pool.size` under [axes]"]);
    check("", "data.flip = ‸\"true\"", &["remove the quotes"]);
    check(
        "",
        "[zip.z]\npool.size = [0, 50]\nmodel.n_blocks = [6, ‸\"9\"]",
        &["value 2 of `model.n_blocks` in [zip.z]", "remove the quotes"],
    );
}

#[test]
fn axes_have_values() {
    check("", "[axes]\nloss.lambda_cycle = ‸[]", &["the axis `loss.lambda_cycle` is empty"]);
    check("", "[axes]\nloss.lambda_cycle = ‸3", &["must be an array", "under [set]"]);
    check(
        "",
        "[axes]\nloss.‸lambda_cycle = { label = \"λ\" }",
        &["has no values", "`min`, `max` and `count`"],
    );
    check(
        "",
        "[axes]\nloss.lambda_cycle = { values = ‸3 }",
        &["must be an array, found the whole number 3"],
    );
    check("", "[axes]\nloss.lambda_cycle = [1, 10, ‸10.0]", &["value 3", "repeats 10"]);
    check(
        "",
        "[axes]\nloss.lambda_cycle = { values = ‸[1, 2], count = 3 }",
        &["both `values` and a range"],
    );
    check(
        "",
        "[axes]\nloss.lambda_cycle = [1, 2]\n‸\"loss.lambda_cycle\" = [3, 4]",
        &["given twice"],
    );
}

#[test]
fn ranges_are_bounded_and_rising() {
    check(
        "",
        "[axes]\nloss.lambda_cycle = { min = ‸10, max = 1, count = 3 }",
        &["(10) is not below its `max` (1)"],
    );
    check(
        "",
        "[axes]\nloss.lambda_cycle = { min = 1, max = 10, count = ‸1 }",
        &["`count`", "a whole number ≥ 2"],
    );
    check(
        "",
        "[axes]\nloss.lambda_cycle = { min = ‸0, max = 10, count = 3, spacing = \"log\" }",
        &["cannot start at 0"],
    );
    check(
        "",
        "[axes]\nloss.‸lambda_cycle = { min = 1, max = 10 }",
        &["needs `count`", "has no end"],
    );
    check("", "[axes]\nloss.‸lambda_cycle = { max = 10, count = 2 }", &["needs `min`"]);
    check(
        "",
        "[axes]\nloss.lambda_cycle = { min = 1, max = 9, count = 2, spacing = ‸\"cubic\" }",
        &["unknown spacing \"cubic\""],
    );
    check("", "[axes]\nloss.‸gan_mode = { min = 1, max = 9, count = 2 }", &["holds no numbers"]);
    check(
        "",
        "[axes]\nmodel.n_blocks = { min = 1, max = 4, count = ‸3 }",
        &["point 2 of the axis", "found the number 2.5"],
    );
    check(
        "",
        "[axes]\nloss.lambda_cycle = { min = ‸\"1\", max = 4, count = 3 }",
        &["`min` of the axis", "remove the quotes"],
    );
}

#[test]
fn zips_are_equally_long() {
    check(
        "",
        "[zip.size]\nmodel.n_blocks = [6, 9]\ndata.crop_size = ‸[64, 128, 256]",
        &["[zip.size]: `model.n_blocks` has 2 values, `data.crop_size` has 3"],
    );
    check("", "[zip.‸size]", &["[zip.size] is empty"]);
    check("", "[zip.size]\nmodel.n_blocks = ‸9", &["must be an array"]);
    check("", "[zip]\nsize = ‸[1, 2]", &["[zip.size] must be a table"]);
    check(
        "",
        "[zip.z]\npool.size = [0, ‸0]\nmodel.n_blocks = [6, 6]",
        &["values 2 repeat values 1"],
    );
}

#[test]
fn a_leaf_has_one_owner() {
    let axes = "[axes]\nloss.lambda_cycle = [1, 10]\npool.size = [0, 50]";
    check(
        "",
        &format!("loss.‸lambda_cycle = 3\n{axes}"),
        &["`loss.lambda_cycle` is in [set] and in [axes]"],
    );
    check(
        "",
        &format!("{axes}\n[zip.z]\npool.‸size = [0, 50]\nmodel.n_blocks = [6, 9]"),
        &["`pool.size` is in [zip.z] and in [axes]"],
    );
    check(
        "",
        "[zip.y]\npool.size = [0, 50]\n[zip.z]\npool.‸size = [0, 50]",
        &["in [zip.z] and in [zip.y]"],
    );
    let rejected =
        read_with(&document("", axes), &[("pool.size", "3")], &[]).expect_err("undoes the axis");
    assert_eq!(rejected.errors().count(), 1);
    assert!(rejected.to_string().contains("`--set pool.size` would undo [axes]"), "{rejected}");
}

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
fn unsound_configurations_are_named_where_they_were_set() {
    check("", "data.crop_size = ‸130", &["expected a multiple of 4, at least 8, found 130"]);
    check("", "loss.lambda_cycle = ‸-1", &["`loss.lambda_cycle`: expected a number ≥ 0, found -1"]);
    check(
        "",
        "[axes]\nloss.lambda_cycle = [1, ‸-1]\npool.size = [0, 50]",
        &["found -1", "[concerns 2 of 4 cells]"],
    );
    check(
        "",
        "[axes]\ndata.crop_size = [‸16, 256]\n",
        &["sees nothing at `data.crop_size` 16", "at most 2"],
    );
    check(
        "",
        "data.load_size = 200\n[axes]\ndata.crop_size = [128, ‸256]",
        &["(200) is smaller than `data.crop_size` (256)"],
    );
    check(
        "",
        "data.dataset = ‸\"horse2zebra\"",
        &["`data.dataset` and `data.path` exclude each other"],
    );
    check(
        "",
        "train.steps = ‸10\ntrain.n_epochs = 5",
        &["`train.steps` and `train.n_epochs` exclude each other"],
    );
    check("", "train.steps_decay = ‸10", &["without `train.steps`"]);
    check("", "loss.gp_weight = ‸-1", &["`loss.gp_weight`: expected a number ≥ 0, found -1"]);
    check(
        "",
        "data.crop_size = 128\nmodel.generator = ‸\"unet-256\"",
        &["`data.crop_size` must be a multiple of 256, found 128", "\"unet-128\""],
    );
    check(
        "",
        "model.generator = \"unet-128\"\n[axes]\ndata.crop_size = [128, ‸192, 256]",
        &["multiple of 128, found 192", "\"resnet\"", "1 of 3 cells"],
    );
    check(
        "",
        "model.norm = \"batch\"\n[axes]\nloss.gan_mode = [\"lsgan\", ‸\"wgan-gp\"]",
        &["the gradient penalty is per image", "loss.gp_weight = 0", "1 of 2 cells"],
    );
    check(
        "",
        "model.discriminator = \"image\"\n[axes]\ndata.crop_size = [‸16, 256]",
        &["sees nothing at `data.crop_size` 16", "at most 2"],
    );
    check("", "train.steps = ‸0", &["no steps"]);
    for leaf in ["train.checkpoint_every", "train.sample_every", "eval.every"] {
        check("", &format!("{leaf} = ‸1000000000000001"), &["expected a whole number up to 10^15"]);
    }
    check(
        "",
        "train.steps = 1\ntrain.steps_decay = ‸18446744073709551615",
        &["expected a whole number up to 10^15"],
    );
    check("", "train.log_every = ‸18446744073709551615", &["a whole number from 1 to 10^15"]);
    check(
        "",
        "loss.gan = false\nloss.lambda_identity = 0\n[axes]\nloss.lambda_cycle = [‸0, 10]",
        &["nothing to train", "1 of 2 cells"],
    );
    check_text(
        "[sweep]\nname = ‸\"x\"\nquestion = \"?\"\n",
        &["neither `data.dataset` nor `data.path`"],
    );
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

#[test]
fn names_are_safe_and_required() {
    check("name = ‸\"λ: best?\"", "", &["cannot be a folder's name", "write \"best\""]);
    check("name = ‸\"../up\"", "", &["write \"up\""]);
    check("name = ‸\"\"", "", &["`name` in [sweep] is empty"]);
    check("question = ‸\" \"", "", &["`question` in [sweep] is empty"]);
    check_text("[‸sweep]\nname = \"x\"\n[set]\ndata.path = \"d\"\n", &["[sweep] needs `question`"]);
    check_text("[‸sweep]\nquestion = \"x\"\n[set]\ndata.path = \"d\"\n", &["[sweep] needs `name`"]);
    check("run_name = ‸\"a{loss.lambda}\"", "", &["`loss.lambda` is not a setting"]);
    check("run_name = ‸\"a{loss.lambda_cycle\"", "", &["a brace without its partner"]);
    check("run_name = ‸\"a}\"", "", &["a brace without its partner"]);
    let named = "design = \"points\"";
    check(named, "[[points]]\nname = ‸\" \"\nset = {}", &["must be one line of text"]);
    check(named, "[[points]]\nname = ‸\"a\\nb\"\nset = {}", &["must be one line of text"]);
    check(
        named,
        "[[points]]\nname = \"a\"\nset = {}\n[[points]]\nname = ‸\"a \"\nset = { pool.size = 0 }",
        &["two points are called \"a\""],
    );
    check("", "[samples]\nids = [\"A/x\", ‸\"A/../x\"]", &["is not the id of an image"]);
    check("", "[samples]\nids = [\"A/x\", ‸\"A/x\"]", &["is given twice"]);
}

#[test]
fn metrics_are_known_and_have_a_goal() {
    check("metric.name = ‸\"eval/l1\"", "", &["no metric is called `eval/l1`", "`eval/l1_ab`"]);
    check("metric.secondary = [‸\"accuracy\"]", "", &["no metric is called `accuracy`", "known: "]);
    check("metric.name = ‸\"loss/d_a\"", "", &["`loss/d_a` needs a `goal`"]);
    check(
        "metric.goal = ‸\"minimise\"",
        "",
        &["unknown goal \"minimise\"", "did you mean `minimize`?"],
    );
    check(
        "metric.select = ‸\"best\"",
        "",
        &["`select = \"best\"` is not available in this version"],
    );
    check("metric.select = ‸{ epoch = 3 }", "", &["is not available in this version"]);
}

#[test]
fn sections_of_execution_are_checked() {
    check("", "[exec]\ndevices = ‸\"cuda:0\"", &["write [\"cuda:0\"]"]);
    check("", "[exec]\ndevices = [‸\"gpu\"]", &["is not a device"]);
    check("", "[exec]\ndevices = ‸[]", &["is empty"]);
    check("", "[exec]\nslots_per_device = ‸0", &["from 1 to 1024"]);
    check("", "[exec]\norder = ‸\"shuffled\"", &["is not available in this version"]);
    check(
        "",
        "[exec]\non_code_change = ‸\"ignore\"",
        &["unknown on_code_change", "one of `reuse`, `warn` or `rerun`"],
    );
    check("", "[limits]\nrun_timeout = ‸\"12\"", &["a time such as"]);
    check("", "[limits]\ndisk_free_min = ‸20", &["a size such as"]);
    check("", "[limits]\nmax_runs = ‸0", &["a whole number ≥ 1"]);
    check("design = ‸\"gird\"", "", &["unknown design \"gird\"", "`grid`"]);
    check("preset = ‸\"paper\"", "", &["unknown preset \"paper\""]);
    check(
        "preset = ‸\"tf\"",
        "",
        &["one of `reference`, `paper-log`, `tf-tutorial`, `lua` or `yunjey`"],
    );
    check("design = ‸\"points\"", "", &["needs [[points]]"]);
    check(
        "design = \"points\"",
        "[axes]\npool.‸size = [0, 50]\n[[points]]\nset = { model.ngf = 8 }",
        &["takes no axes"],
    );
    // A range too long to be made has no value that could be the baseline's.
    check(
        "design = \"points\"",
        "[axes]\npool.‸size = { min = 0, max = 200000, count = 200001 }\n[[points]]\nset = { model.ngf = 8 }",
        &["takes no axes"],
    );
}

#[test]
fn later_versions_are_announced_not_ignored() {
    let gone = "is not available in this version";
    check("", "[[‸rules]]\nwhen = \"x\"", &["`[[rules]]`", gone]);
    check("", "[[‸arms]]\nname = \"x\"", &["`[[arms]]`", gone]);
    check("", "[‸derive]\n\"train.n_epochs_decay\" = \"train.n_epochs\"", &["`[derive]`", gone]);
    check("", "[[‸require]]\nexpr = \"x\"", &["`[[require]]`", gone]);
    for name in ["guards", "checkpoint", "report", "executor"] {
        check("", &format!("[‸{name}]\nx = 1"), &[&format!("`[{name}]`"), gone]);
    }
    check("", "[axes]\nloss.lambda_cycle = { values = [1, 2], ‸when = \"x\" }", &["`when`", gone]);
    check(
        "",
        "[axes]\nloss.lambda_cycle = { min = 1, max = 2, count = 2, ‸distribution = \"log\" }",
        &["`distribution`", gone],
    );
    check("design = ‸\"leave-one-out\"", "", &[gone]);
    check("design = ‸\"random\"", "", &[gone]);
    check("", "[exec]\n‸retries = { lost = 2 }", &[gone]);
    check("", "[samples]\n‸every = \"10 epochs\"", &[gone, "train.sample_every"]);
}

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
fn overrides_are_named_as_they_were_typed() {
    let check = |key: &str, value: &str, expected: &str| {
        let text = document("", "");
        let rejected = read_with(&text, &[(key, value)], &[]).expect_err(expected);
        assert_eq!(rejected.errors().count(), 1, "{rejected}");
        assert!(rejected.to_string().contains(expected), "{rejected}\n{expected}");
    };
    check("loss.lambda_cycle", "ten", "--set loss.lambda_cycle=ten:1:19: error:");
    check("loss.lambda_cycle", "\"10\"", "`--set loss.lambda_cycle=\"10\"`: expected a number ≥ 0");
    check("loss.lambda", "10", "--set loss.lambda=10:1:1: error: `loss.lambda` is not a setting");
    check("loss.gan_mode", "lsgann", "expected one of \"vanilla\", \"lsgan\"");
    check(
        "model.n_blocks",
        "17",
        "--set model.n_blocks=17:1:16: error: `model.n_blocks`: expected",
    );
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
        (15, 3),  // rules
        (18, 15), // run_timeout
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
    check("metric.goal = \"maximize\"", "", &["the usual goal"]);
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
