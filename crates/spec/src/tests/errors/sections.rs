//! The sections around the runs: names, metrics, execution, what is yet to come.

use super::{check, check_text};

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
