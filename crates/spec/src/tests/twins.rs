//! Warnings of cells that would train the same twice.

use super::{plan, shown};

/// All warnings of a file that opens with two lines of `[sweep]`, in order.
fn check(sweep: &str, rest: &str, expected: &[&str]) {
    let found = plan(sweep, rest);
    let warnings: Vec<String> = found.warnings.iter().map(shown).collect();
    assert_eq!(warnings.len(), expected.len(), "{rest}\n{warnings:?}");
    for (found, expected) in warnings.iter().zip(expected) {
        assert!(found.contains(expected), "{rest}\n{found}\nlacks {expected}");
    }
}

#[test]
fn an_axis_without_effect_is_named_with_its_reason() {
    check(
        "",
        "[axes]\nloss.gan_mode = [\"lsgan\", \"wgan-gp\"]\nloss.gp_weight = [1, 10]",
        &["`loss.gp_weight` has no effect where `loss.gan_mode` is lsgan: \
           `gan_mode=lsgan, gp_weight=1` and `gan_mode=lsgan, gp_weight=10` train the same ["],
    );
    check(
        "",
        "[axes]\nmodel.generator = [\"resnet\", \"unet-256\"]\nmodel.n_blocks = [3, 6, 9]",
        &["`model.n_blocks` has no effect where `model.generator` is unet-256: \
           `generator=unet-256, n_blocks=3` and `generator=unet-256, n_blocks=6` train the same \
           (and 1 pair more)"],
    );
    check("", "loss.gan = false\n[axes]\npool.size = [0, 50]", &["where `loss.gan` is false"]);
    check(
        "design = \"one-at-a-time\"",
        "model.discriminator = \"pixel\"\n[axes]\nmodel.n_layers = [2, 3]\npool.size = [0, 50]",
        &["`model.n_layers` has no effect where `model.discriminator` is pixel"],
    );
}

#[test]
fn a_guard_that_is_off_has_nothing_to_wait_for() {
    check(
        "",
        "[axes]\nguards.d_loss_steps = [100, 2000]",
        &["`guards.d_loss_steps` has no effect where `guards.d_loss_below` is 0"],
    );
    check(
        "",
        "loss.gan = false\n[axes]\nguards.d_loss_below = [0, 1e-4]",
        &["`guards.d_loss_below` has no effect where `loss.gan` is false"],
    );
    check("", "guards.d_loss_below = 1e-4\n[axes]\nguards.d_loss_steps = [100, 2000]", &[]);
}

#[test]
fn every_reason_is_given_once() {
    check(
        "",
        "[axes]\nloss.gan_mode = [\"vanilla\", \"lsgan\", \"wgan-gp\"]\nloss.gp_weight = [1, 10]",
        &["where `loss.gan_mode` is lsgan", "where `loss.gan_mode` is vanilla"],
    );
    check(
        "",
        "loss.gan = false\n[axes]\npool.size = [0, 50]\nmodel.ndf = [16, 64]",
        &[
            "`size=0, ndf=16` and `size=50, ndf=16` train the same (and 1 pair more)",
            "`size=0, ndf=16` and `size=0, ndf=64` train the same (and 1 pair more)",
        ],
    );
}

#[test]
fn points_are_compared_as_well() {
    check(
        "design = \"points\"",
        "[[points]]\nset = {}\n[[points]]\nset = { loss.gp_weight = 1 }",
        &["`default` and `gp_weight=1` train the same"],
    );
}

#[test]
fn what_trains_otherwise_is_no_twin() {
    // A leaf that is idle in one cell alone, and one that is never.
    check("", "[axes]\nloss.gan = [true, false]", &[]);
    check("", "[axes]\nloss.gan_mode = [\"lsgan\", \"wgan-gp\"]\npool.size = [0, 50]", &[]);
    // λ still weighs the identity terms.
    check("", "loss.cycle = \"none\"\n[axes]\nloss.lambda_cycle = [1, 10]", &[]);
    let exclude = "[[exclude]]\nmatch = { loss.gan_mode = \"lsgan\", loss.gp_weight = 1 }";
    check(
        "",
        &format!(
            "[axes]\nloss.gan_mode = [\"lsgan\", \"wgan-gp\"]\nloss.gp_weight = [1, 10]\n{exclude}"
        ),
        &[],
    );
}
