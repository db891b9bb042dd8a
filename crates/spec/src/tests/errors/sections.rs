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
    let known = "known: `eval/gain`, `eval/gain_ab`";
    check("metric.name = ‸\"accuracy\"", "", &["no metric is called `accuracy`", known]);
    check(
        "metric.goal = ‸\"minimise\"",
        "",
        &["unknown goal \"minimise\"", "did you mean `minimize`?"],
    );
}

/// Nothing that a sweep is judged by, or shows beside, may be a column that stays empty.
#[test]
fn what_no_run_records_is_refused() {
    let fid =
        ["no run records `eval/fid_ba`", "`cyclelab score --inception FILE`", "takes the weights"];
    check("metric.name = ‸\"eval/fid_ba\"", "", &fid);
    check("metric.secondary = [\"eval/gain\", ‸\"eval/fid_ba\"]", "", &fid);
    let lpips = ["no run records `eval/lpips_ab`", "`cyclelab score --pairs by-name --lpips FILE`"];
    check("metric.secondary = [‸\"eval/lpips_ab\"]", "", &lpips);
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
    check("", "[limits]\nstall_timeout = ‸\"0s\"", &["`stall_timeout`", "a time such as"]);
    check("", "[limits]\n‸stall_time = \"1m\"", &["unknown key", "`stall_timeout`"]);
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
fn only_what_may_pass_is_tried_again() {
    let retries = "[exec.retries]";
    check(
        "",
        "[exec]\nretries = { ‸losst = 2 }",
        &["unknown key `losst` in [exec.retries]", "`lost`"],
    );
    check("", "[exec]\nretries = { lost = ‸101 }", &["`lost` in [exec.retries]", "from 0 to 100"]);
    check("", "[exec]\nretries = { io = ‸-1 }", &["found the whole number -1"]);
    check("", &format!("{retries}\noom = ‸\"all\""), &["found the string \"all\""]);
    check(
        "",
        "[exec]\nretries = ‸2",
        &["[exec.retries] must be a table, found the whole number 2"],
    );
    for key in ["nan", "diverged"] {
        check("", &format!("{retries}\n‸{key} = 0"), &[&format!("`{key}`"), "is a result"]);
    }
    for key in ["config", "data"] {
        check("", &format!("{retries}\n‸{key} = 1"), &["never passes by itself"]);
    }
}

#[test]
fn guards_may_stand_in_a_table_of_their_own() {
    check(
        "",
        "[guards]\n‸d_loss_belw = 1e-4",
        &["`guards.d_loss_belw` is not a setting of a run", "`guards.d_loss_below`"],
    );
    check(
        "",
        "[guards]\nnon_finite = ‸\"stopp\"",
        &["`guards.non_finite`: expected one of \"stop\", \"continue\"", "`stop`"],
    );
    check("", "[guards]\nd_loss_below = ‸{ value = 1e-4 }", &["expected a number ≥ 0"]);
    check("", "guards.d_loss_steps = ‸0", &["a whole number from 1 to 10^15"]);
    check("", "‸guards = 3", &["`guards` is a section, not a setting"]);
    check_text(
        "guards = ‸3\n[sweep]\nname = \"x\"\nquestion = \"?\"\n[set]\ndata.path = \"d\"\n",
        &["[guards] must be a table"],
    );
    check(
        "",
        "guards.d_loss_below = 1e-3\n[guards]\n‸d_loss_below = 0.5",
        &["`guards.d_loss_below` is in [guards], as 0.5, and in [set], as 0.001"],
    );
    check_text(
        "guards.d_loss_below = 0.5\n[sweep]\nname = \"x\"\nquestion = \"?\"\n\
         [set]\ndata.path = \"d\"\n[set.guards]\n‸d_loss_below = 0.5\n",
        &["is in [guards], as 0.5, and in [set], as 0.5"],
    );
    check(
        "",
        "[guards]\n‸d_loss_below = 0.5\n[axes]\nguards.d_loss_below = [0, 1e-3]",
        &["`guards.d_loss_below` is in [guards] and in [axes]"],
    );
}

#[test]
fn later_versions_are_announced_not_ignored() {
    let gone = "is not available in this version";
    check("", "[‸checkpoint]\nkeep = 2", &[gone, "`train.checkpoint_every`", "under [set]"]);
    for name in ["checkpoint", "report"] {
        check("", &format!("[‸{name}]\nx = 1"), &[&format!("`[{name}]`"), gone]);
    }
    check("", "[samples]\n‸every = \"10 epochs\"", &[gone, "train.sample_every"]);
}
