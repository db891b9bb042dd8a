//! What varies: axes, ranges, zips.

use super::check;

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

/// Where somebody looks for it first.
#[test]
fn a_seed_is_no_axis() {
    let help = "write seeds = [1, 2, 3] under [sweep]";
    check("", "[axes]\n‸seed = [1, 2]", &["`seed` is not a setting of a run", help]);
    check("", "[axes]\ntrain.‸seed = { values = [1, 2] }", &["`train.seed` is not", help]);
    check("", "[zip.z]\n‸seeds = [1, 2]\npool.size = [0, 50]", &["`seeds` is not", help]);
    check("", "‸seed = 3", &["`seed` is not", help]);
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
    check(
        "",
        &format!("[zip.z]\npool.size = ‸[{}0]\npool.swap_probability = [0]", "0,".repeat(10_000)),
        &["`pool.size` in [zip.z] has 10001 values, more than the 10000 runs"],
    );
    check("", "[zip.size]\nmodel.n_blocks = ‸9", &["must be an array"]);
    check("", "[zip]\nsize = ‸[1, 2]", &["[zip.size] must be a table"]);
    check(
        "",
        "[zip.z]\npool.size = [0, ‸0]\nmodel.n_blocks = [6, 6]",
        &["values 2 repeat values 1"],
    );
}
