use std::path::Path;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{document, expect, plan, read_with};
use crate::draw::{Draw, Purpose};
use crate::run_config::{GanMode, NonFinite, RunConfig};
use crate::{Devices, Goal, OnCodeChange, Origin, Plan, Retries, Scale, Slots, point_id, run_key};

fn labels(plan: &Plan) -> Vec<&str> {
    plan.cells.iter().map(|cell| cell.label.as_str()).collect()
}

fn baseline(plan: &Plan) -> &str {
    let marked: Vec<&str> =
        plan.cells.iter().filter(|cell| cell.baseline).map(|cell| cell.label.as_str()).collect();
    assert_eq!(marked.len(), 1, "one baseline per plan: {marked:?}");
    marked[0]
}

fn order(plan: &Plan) -> Vec<(usize, u64)> {
    assert!(plan.runs.iter().enumerate().all(|(at, run)| run.index == at));
    plan.runs.iter().map(|run| (run.cell, run.seed)).collect()
}

#[test]
fn a_grid_varies_its_last_axis_fastest() {
    let grid = "loss.lambda_cycle = [1, 10]\npool.size = [0, 50]\nloss.gan_mode = [\"lsgan\", \"vanilla\"]";
    let found = plan("seeds = [5, 3, 4]", &format!("[axes]\n{grid}"));
    // `loss` stands before and after `pool`: the order is that of the lines.
    assert_eq!(found.cells[1].label, "lambda_cycle=1, size=0, gan_mode=vanilla");
    assert_eq!(found.cells[2].label, "lambda_cycle=1, size=50, gan_mode=lsgan");
    assert_eq!(found.cells[4].label, "lambda_cycle=10, size=0, gan_mode=lsgan");
    assert_eq!(found.cells.len(), 8);
    assert_eq!(baseline(&found), "lambda_cycle=10, size=50, gan_mode=lsgan");
    assert_eq!(found.cells[1].config.loss.gan_mode, GanMode::Vanilla);
    assert_eq!(found.cells[1].settings[0], ("loss.lambda_cycle".to_string(), json!(1.0)));
    assert_eq!(found.cells[1].slug(), "lambda_cycle1-size0-vanilla");
    assert_eq!(order(&found)[..3], [(0, 5), (1, 5), (2, 5)]);
    assert_eq!(order(&found)[8], (0, 3));
    assert_eq!(found.axes[1].values, [[json!(0)], [json!(50)]]);
}

#[test]
fn both_spellings_mean_the_same() {
    let dotted = plan("", "[axes]\nloss.lambda_cycle = [1, 10]\npool.size = [0, 50]");
    let quoted =
        plan("", "[axes]\n\"loss.lambda_cycle\" = [1, 10]\n\"pool.size\" = { values = [0, 50] }");
    let tables =
        plan("", "[axes.loss]\nlambda_cycle = [1, 10]\n[axes.pool.size]\nvalues = [0, 50]");
    for other in [&quoted, &tables] {
        assert_eq!(labels(&dotted), labels(other));
        assert!(dotted.cells.iter().zip(&other.cells).all(|(a, b)| a.config == b.config));
    }
}

#[test]
fn as_declared_runs_every_seed_of_a_cell_first() {
    let found =
        plan("seeds = [1, 2, 3]", "[axes]\npool.size = [0, 50]\n[exec]\norder = \"as-declared\"");
    assert_eq!(order(&found), [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)]);
}

#[test]
fn one_at_a_time_leaves_the_baseline_in_one_axis_only() {
    let sweep =
        "design = \"one-at-a-time\"\n[sweep.baseline]\nloss.lambda_cycle = 10\npool.size = 50";
    let found = plan(sweep, "[axes]\nloss.lambda_cycle = [1, 10, 20]\npool.size = [0, 50]");
    let expected = [
        "lambda_cycle=10, size=50",
        "lambda_cycle=1, size=50",
        "lambda_cycle=20, size=50",
        "lambda_cycle=10, size=0",
    ];
    assert_eq!(labels(&found), expected);
    assert_eq!(baseline(&found), expected[0]);
}

#[test]
fn a_zip_is_one_axis_of_several_leaves() {
    let zip = "[zip.capacity]\nmodel.n_blocks = [6, 9]\ndata.crop_size = [128, 256]\n[axes]\npool.size = [0, 50]";
    let found = plan("[sweep.baseline]\nmodel.n_blocks = 9\npool.size = 0", zip);
    let expected = [
        "n_blocks=6, crop_size=128, size=0",
        "n_blocks=6, crop_size=128, size=50",
        "n_blocks=9, crop_size=256, size=0",
        "n_blocks=9, crop_size=256, size=50",
    ];
    assert_eq!(labels(&found), expected, "the zip stands first in the file");
    assert_eq!(baseline(&found), expected[2], "one leaf of a zip is enough where it is unique");
    assert_eq!(found.axes[0].leaves, ["model.n_blocks", "data.crop_size"]);
    assert_eq!(found.cells[0].origins["model.n_blocks"], Origin::Zip("capacity".to_string()));
}

#[test]
fn points_add_to_the_baseline_and_may_have_their_own_seeds() {
    let rest = "[axes]\nloss.lambda_cycle = [1, 10]\npool.size = [0, 50]
[[points]]\nset = { loss.lambda_cycle = 50 }\nseeds = [1, 9]\nnote = \"extreme\"
[[points]]\nset = { optim.lr_g = 1e-4, pool.size = 0 }";
    let found = plan("", rest);
    assert_eq!(
        labels(&found)[4..],
        ["lambda_cycle=50, size=50", "lambda_cycle=10, size=0, lr_g=1e-4"]
    );
    let extreme = &found.cells[4];
    assert_eq!(
        (extreme.note.as_deref(), extreme.seeds.as_slice()),
        (Some("extreme"), [1, 9].as_slice())
    );
    assert_eq!(extreme.origins["loss.lambda_cycle"], Origin::Point(0));
    assert_eq!(extreme.origins["pool.size"], Origin::Axis("pool.size".to_string()));
    assert_eq!(extreme.settings.len(), 3, "every leaf that varies anywhere");
    assert_eq!(
        order(&found).last(),
        Some(&(4, 9)),
        "a seed of one point comes after the shared ones"
    );
    assert_eq!(found.runs.len(), 4 * 3 + 2 + 3);
}

#[test]
fn a_design_of_points_has_only_points() {
    let points = "[[points]]\nset = { pool.size = 0 }\n[[points]]\nset = {}\n[[points]]\nset = { model.ngf = 8 }";
    let found = plan("design = \"points\"", points);
    assert_eq!(labels(&found), ["size=0", "default", "ngf=8"]);
    assert_eq!(baseline(&found), "default");
    let found = plan("design = \"points\"\n[sweep.baseline]\nmodel.ngf = 8", points);
    assert_eq!(baseline(&found), "ngf=8");
}

#[test]
fn a_point_may_have_a_name() {
    let points = "[[points]]\nname = \"GAN + forward cycle\"\nset = { loss.cycle = \"forward\" }
[[points]]\nset = { loss.cycle = \"none\" }\n[[points]]\nname = \"full\"\nset = {}";
    let found = plan("design = \"points\"", points);
    assert_eq!(labels(&found), ["GAN + forward cycle", "cycle=none", "full"]);
    assert_eq!(found.cells[0].slug(), "GAN-forward-cycle");
    assert_eq!(baseline(&found), "full");
    // A name is the file's last word, also where `run_name` names the others.
    let found = plan("design = \"points\"\nrun_name = \"{loss.cycle}\"", points);
    assert_eq!(labels(&found), ["GAN + forward cycle", "none", "full"]);
    // Equal names from elsewhere are told apart as before.
    let clash =
        "[axes]\npool.size = [0, 50]\n[[points]]\nname = \"size=0\"\nset = { pool.size = 5 }";
    assert_eq!(labels(&plan("", clash)), ["size=0", "size=50", "size=0 #2"]);
}

#[test]
fn exclusions_match_in_part_and_by_value() {
    let rest = "[axes]\nloss.lambda_cycle = [1, 10]\npool.size = [0, 50]
[[exclude]]\nmatch = { \"loss.lambda_cycle\" = 1, \"pool.size\" = 0 }\nreason = \"known\"";
    assert_eq!(
        labels(&plan("", rest)),
        ["lambda_cycle=1, size=50", "lambda_cycle=10, size=0", "lambda_cycle=10, size=50"]
    );
}

#[test]
fn a_file_without_axes_is_one_cell() {
    let found = plan("", "");
    assert_eq!(labels(&found), ["default"]);
    assert_eq!(baseline(&found), "default");
    assert_eq!(order(&found), [(0, 1), (0, 2), (0, 3)]);
}

#[test]
fn ranges_hit_both_ends() {
    let values = |axis: &str| -> Vec<Json> {
        let found = plan("", &format!("[axes]\n{axis}"));
        found.axes[0].values.iter().map(|row| row[0].clone()).collect()
    };
    let log = "loss.lambda_cycle = { min = 0.1, max = 100, count = 4, spacing = \"log\" }";
    assert_eq!(values(log), [json!(0.1), json!(1.0), json!(10.0), json!(100.0)]);
    let linear = "loss.lambda_cycle = { min = 0, max = 1, count = 11 }";
    assert_eq!(values(linear)[3], json!(0.3), "not 0.30000000000000004");
    let whole = "model.n_blocks = { min = 0, max = 9, count = 4 }";
    assert_eq!(values(whole), [json!(0), json!(3), json!(6), json!(9)]);
    assert_eq!(plan("", &format!("[axes]\n{log}")).axes[0].scale, Scale::Log);
}

#[test]
fn labels_use_full_paths_where_segments_repeat() {
    let bases = [("b.toml", "")];
    let text = document(
        "base = \"b.toml\"",
        "[axes]\noptim.lr_g = [1e-4, 2e-4]\ninit.gen_ab = [\"w/a.pt\", \"w/b.pt\"]",
    );
    let found = expect(read_with(&text, &[], &bases));
    assert_eq!(labels(&found)[0], "lr_g=1e-4, gen_ab=w/a.pt");
    assert_eq!(found.cells[0].slug(), "lr_g1e-4-w-a.pt");
}

#[test]
fn a_template_names_cells() {
    let found = plan(
        "run_name = \"lam{loss.lambda_cycle}-{loss.gan_mode}\"",
        "[axes]\nloss.lambda_cycle = [1, 10]",
    );
    assert_eq!(labels(&found), ["lam1-lsgan", "lam10-lsgan"]);
    let found = plan("run_name = \"x\"", "[axes]\npool.size = [0, 50]");
    assert_eq!(labels(&found), ["x", "x #2"]);
}

#[test]
fn later_layers_win_and_every_leaf_knows_its_origin() {
    let bases = [
        (
            "base/a.toml",
            "[loss]\nlambda_cycle = 1\nlambda_identity = 1\n[pool]\nsize = 1\n[data]\npath = \"a\"\n",
        ),
        ("base/b.toml", "loss.lambda_identity = 2\npool.size = 2\n[optim]\nlr_g = 2\n"),
    ];
    let text = "[sweep]\nname = \"x\"\nquestion = \"?\"\npreset = \"paper-log\"\nbase = [\"base/a.toml\", \"base/b.toml\"]
[set]\npool.size = 3\noptim.lr_g = 3\n[axes]\nmodel.ngf = [8, 16]\n[[points]]\nset = { optim.lr_g = 4, optim.lr_d = 4 }";
    let overrides = [("optim.lr_d", "5"), ("loss.cycle", "forward")];
    let found = expect(read_with(text, &overrides, &bases));
    let cell = found.cells.last().expect("the point");
    let check = |leaf: &str, value: Json, origin: Origin| {
        assert_eq!((cell.config.get(leaf), &cell.origins[leaf]), (value, &origin), "{leaf}");
    };
    check("loss.gan_mode", json!("vanilla"), Origin::Preset("paper-log".to_string()));
    check("loss.lambda_cycle", json!(1.0), Origin::Base("base/a.toml".to_string()));
    check("loss.lambda_identity", json!(2.0), Origin::Base("base/b.toml".to_string()));
    check("pool.size", json!(3), Origin::Set);
    check("model.ngf", json!(8), Origin::Axis("model.ngf".to_string()));
    check("optim.lr_g", json!(4.0), Origin::Point(0));
    check("optim.lr_d", json!(5.0), Origin::CommandLine);
    check("loss.cycle", json!("forward"), Origin::CommandLine);
    assert_eq!(cell.origins.len(), RunConfig::leaves().len());
    let names: Vec<&str> = found.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "test.toml",
            "base/a.toml",
            "base/b.toml",
            "--set optim.lr_d=5",
            "--set loss.cycle=forward"
        ]
    );
}

#[test]
fn rules_fill_what_nobody_set() {
    let check = |rest: &str, leaf: &str, value: Json, rule: Option<&str>| {
        let found = plan("", rest);
        let cell = &found.cells[0];
        assert_eq!(cell.config.get(leaf), value, "{rest}");
        let origin = match &cell.origins[leaf] {
            Origin::Rule(rule) => Some(rule.as_str()),
            _ => None,
        };
        assert_eq!(origin, rule, "{rest}");
    };
    check("", "model.n_blocks", json!(9), None);
    check("data.crop_size = 128", "model.n_blocks", json!(6), Some("6 below 256 px"));
    check("data.crop_size = 512", "model.n_blocks", json!(9), None);
    check("data.crop_size = 128\nmodel.n_blocks = 9", "model.n_blocks", json!(9), None);
    check("data.crop_size = 128", "data.load_size", json!(143), Some("crop_size × 286 / 256"));
    check("data.crop_size = 128\ndata.load_size = 128", "data.load_size", json!(128), None);
    check("data.load_size = 300", "data.crop_size", json!(256), None);
    check(
        "train.steps = 30",
        "train.steps_decay",
        json!(0),
        Some("0 unless set beside train.steps"),
    );
    check("train.steps = 30", "train.n_epochs", Json::Null, None);
    check("train.steps = 30", "train.n_epochs_decay", Json::Null, None);
    check("train.n_epochs = 5", "train.steps", Json::Null, None);
    check("train.n_epochs = 5", "train.n_epochs_decay", json!(100), None);
    let unet = "model.generator = \"unet-128\"\ndata.crop_size = 128";
    check(unet, "model.n_blocks", json!(9), None);
}

#[test]
fn the_higher_level_decides_between_alternatives() {
    let bases = [("b.toml", "data.dataset = \"toy\"\ntrain.n_epochs = 5\n")];
    let text = document("base = \"b.toml\"", "train.steps = 30");
    let found = expect(read_with(&text, &[], &bases));
    let config = &found.cells[0].config;
    assert_eq!(
        (config.data.dataset.as_deref(), config.data.path.as_deref()),
        (None, Some("images"))
    );
    assert_eq!((config.train.steps, config.train.n_epochs), (Some(30), None));
    let overrides =
        [("train.n_epochs", "1"), ("train.n_epochs_decay", "0"), ("data.dataset", "toy")];
    let found = expect(read_with(&text, &overrides, &bases));
    let config = &found.cells[0].config;
    assert_eq!(
        (config.train.steps, config.train.steps_decay, config.train.n_epochs),
        (None, None, Some(1))
    );
    assert_eq!((config.data.dataset.as_deref(), config.data.path.as_deref()), (Some("toy"), None));
}

#[test]
fn paths_are_relative_to_the_file_that_says_them() {
    let bases = [("base/b.toml", "init.gen_ab = \"w.pt\"\n")];
    let text = document("base = \"base/b.toml\"", "init.gen_ba = \"/abs/w.pt\"");
    let mut found = expect(read_with(&text, &[("init.disc_a", "here.pt")], &bases));
    found.resolve_paths(Path::new("experiments"));
    let config = &found.cells[0].config;
    assert_eq!(config.data.path.as_deref(), Some("experiments/images"));
    assert_eq!(config.init.gen_ab.as_deref(), Some("experiments/base/w.pt"));
    assert_eq!(config.init.gen_ba.as_deref(), Some("/abs/w.pt"));
    assert_eq!(config.init.disc_a.as_deref(), Some("here.pt"));
}

#[test]
fn execution_and_metric_are_read() {
    let sweep = "tags = [\"a\"]\nmetric = { name = \"loss/d_a\", goal = \"maximize\", select = \"last\", secondary = [\"eval/psnr_ab\"] }";
    let rest = "[limits]\nmax_runs = 7\nrun_timeout = \"90s\"\nstall_timeout = \"10m\"\ntotal_time = \"3d\"\nmax_failures = 5\ndisk_free_min = \"20GB\"
[exec]\ndevices = [\"cuda:0\", \"cpu\"]\nslots_per_device = \"auto\"\non_code_change = \"rerun\"
retries = { lost = 0, oom = 3, exit = 100 }
[samples]\ncount = 2\nids = [\"A/x\", \"B/y\"]";
    let found = plan(sweep, rest);
    assert_eq!(found.limits.max_runs, 7);
    assert_eq!(found.limits.run_timeout, Some(Duration::from_secs(90)));
    assert_eq!(found.limits.stall_timeout, Some(Duration::from_secs(600)));
    assert_eq!(found.limits.total_time, Some(Duration::from_secs(3 * 86400)));
    assert_eq!(
        (found.limits.max_failures, found.limits.disk_free_min),
        (Some(5), Some(20_000_000_000))
    );
    assert_eq!(found.exec.devices, Devices::Named(vec!["cuda:0".to_string(), "cpu".to_string()]));
    assert_eq!(
        (found.exec.slots_per_device, found.exec.on_code_change),
        (Slots::Auto, OnCodeChange::Rerun)
    );
    let retries = Retries { lost: 0, timeout: 0, oom: 3, io: 1, panic: 0, exit: 100 };
    assert_eq!(found.exec.retries, retries);
    assert_eq!((found.samples.count, found.samples.ids.len()), (2, 2));
    assert_eq!((found.metric.name.as_str(), found.metric.goal), ("loss/d_a", Goal::Maximize));
    assert_eq!(
        (found.tags, found.metric.secondary),
        (vec!["a".to_string()], vec!["eval/psnr_ab".to_string()])
    );
    assert_eq!(plan("metric.name = \"eval/ssim_ab\"", "").metric.goal, Goal::Maximize);
    for undeclared in ["", "metric.secondary = [\"eval/l1_ab\"]"] {
        let metric = plan(undeclared, "").metric;
        let found = (metric.name.as_str(), metric.goal, metric.declared);
        assert_eq!(found, ("eval/gain", Goal::Maximize, false));
    }
    assert_eq!(plan("seeds = { count = 4, base = 10 }", "").seeds, [10, 11, 12, 13]);
    assert_eq!(plan("seeds = { count = 3 }", "").seeds, [1, 2, 3]);
}

#[test]
fn what_is_not_written_keeps_its_default() {
    let found = plan("", "");
    let retries = Retries { lost: 2, timeout: 0, oom: 0, io: 1, panic: 0, exit: 0 };
    assert_eq!(found.exec.retries, retries);
    assert_eq!((found.limits.run_timeout, found.limits.stall_timeout), (None, None));
    assert_eq!(found.limits.max_runs, 200);
}

#[test]
fn a_table_of_guards_is_a_part_of_set() {
    let apart = plan("", "pool.size = 0\n[guards]\nnon_finite = \"continue\"\nd_loss_below = 1");
    let within =
        plan("", "pool.size = 0\nguards.non_finite = \"continue\"\nguards.d_loss_below = 1");
    let [apart, within] = [&apart, &within].map(|plan| &plan.cells[0]);
    assert_eq!(apart.config, within.config);
    assert_eq!(apart.config.guards.non_finite, NonFinite::Continue);
    assert_eq!(apart.origins, within.origins);
    assert_eq!(apart.origins["guards.d_loss_below"], Origin::Set);
    let text = document("", "[guards]\nd_loss_below = 1e-3");
    let found = expect(read_with(&text, &[("guards.d_loss_below", "0")], &[]));
    assert_eq!(found.cells[0].config.guards.d_loss_below, 0.0);
}

#[test]
fn a_longer_axis_keeps_the_runs_it_had() {
    let keys = |axis: &str| -> Vec<String> {
        let found = plan("", &format!("[axes]\nloss.lambda_cycle = {axis}"));
        let key = |config| run_key(&point_id(config, 1, "images", &[]), 1).to_string();
        found.cells.iter().map(|cell| key(&cell.config)).collect()
    };
    let (short, long) = (keys("[1, 10]"), keys("[1.0, 5, 10, 20]"));
    assert_eq!(short, [long[0].clone(), long[2].clone()]);
    let mut unique = long.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), 4);
}

#[test]
fn every_planned_configuration_survives_its_json() {
    let choices: [(&str, &[&str]); 9] = [
        ("loss.lambda_cycle", &["0", "1", "10.0", "1e-7", "1e30", "0.1"]),
        ("loss.gan_mode", &["\"lsgan\"", "\"vanilla\"", "\"hinge\"", "\"wgan-gp\""]),
        ("model.norm", &["\"instance\"", "\"instance-affine\"", "\"none\""]),
        ("pool.size", &["0", "1", "4294967295"]),
        ("data.crop_size", &["64", "128", "256"]),
        ("data.flip", &["true", "false"]),
        ("loss.cycle", &["\"both\"", "\"none\"", "\"forward\""]),
        ("train.steps", &["1", "1000000000000"]),
        ("model.discriminator", &["\"patch\"", "\"pixel\"", "\"image\""]),
    ];
    for case in 0..40 {
        let mut draw = Draw::new(case, Purpose::Synthetic, 0, 0);
        let mut axes = String::new();
        for at in draw.permutation(choices.len()).into_iter().take(3) {
            let (leaf, values) = choices[at];
            let count = 1 + draw.below(values.len() as u64) as usize;
            let order = draw.permutation(values.len());
            let values: Vec<&str> = order.into_iter().take(count).map(|at| values[at]).collect();
            axes.push_str(&format!("{leaf} = [{}]\n", values.join(", ")));
        }
        let found = plan("seeds = [1]", &format!("[axes]\n{axes}"));
        let product: usize = found.axes.iter().map(|axis| axis.values.len()).product();
        assert_eq!(found.cells.len(), product, "{axes}");
        let mut seen = std::collections::BTreeSet::new();
        for cell in &found.cells {
            let text = serde_json::to_string(&cell.config).expect("a configuration is JSON");
            let back: RunConfig = serde_json::from_str(&text).expect("its JSON is a configuration");
            assert_eq!(back, cell.config, "{axes}");
            assert!(seen.insert(&cell.label), "{} twice in\n{axes}", cell.label);
            for (leaf, value) in &cell.settings {
                assert_eq!(cell.config.get(leaf), *value);
            }
        }
        baseline(&found);
    }
}
