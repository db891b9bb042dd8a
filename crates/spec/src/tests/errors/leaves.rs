//! Keys and values: what is no leaf, what does not fit one, who owns it.

use super::{check, check_text};
use crate::tests::{document, read_with};

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
    check(
        "",
        "guards.d_loss_below = 1e-4\n[axes]\nloss.gan_mode = [\"lsgan\", ‸\"wgan-gp\"]",
        &["a loss below 0", "would stop every run", "a [zip] of both", "1 of 2 cells"],
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
