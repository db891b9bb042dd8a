//! Rules, derived leaves, requirements and conditional axes that cannot be.

use super::check;

/// A rule, a requirement, a derived leaf or a condition of an axis, as TOML.
fn rule(when: &str) -> String {
    format!("[[rules]]\nwhen = {when}\nset = {{ model.ngf = 8 }}")
}

#[test]
fn expressions_are_refused_inside_their_strings() {
    check("", &rule("\"pool.size ‸= 50\""), &["`=` is no part of an expression", "`==`"]);
    check("", &rule("'pool.size == 50 and ‸pool.sise == 1'"), &["did you mean `pool.size`?"]);
    check("", &rule("\"loss.gan_mode == \\\"lsgan\\\" or ‸x == 1\""), &["`x` is not a setting"]);
    check("", &rule("\"\"\"\ndata.flip\nand ‸pool.size\"\"\""), &["joins true or false"]);
    check("", &rule("\"‸pool.size\""), &["this is a number, not a condition"]);
    check("", &rule("\"pool.size >‸\""), &["found the end"]);
    check("", &rule("\"‸seed == 1\""), &["the same for each of its seeds"]);
    check("", &rule("‸5"), &["`when` in [[rules]]: expected a string"]);
    check("", "[[require]]\nexpr = \"loss.gan_mode == ‸'lsgann'\"", &["did you mean `lsgan`?"]);
    check("", "[derive]\npool.size = \"model.ngf +‸\"", &["found the end"]);
    check("", "[derive]\npool.size = \"‸data.flip\"", &["and `pool.size` is not"]);
    check("", "[derive]\npool.size = ‸3", &["expected an expression in quotes", "under [set]"]);
    check("", "[derive]\npool.‸sise = \"3\"", &["`pool.sise` is not a setting"]);
    let axis = "[axes]\nloss.gan_mode = [\"lsgan\", \"wgan-gp\"]\nloss.gp_weight = { values = [1, 10], when = ";
    check(
        "",
        &format!("{axis}\"loss.gan_mode == ‸3\" }}")
            .replace("‸3", "3")
            .replace("\"loss.gan_mode", "\"‸loss.gan_mode"),
        &["text never equals a number"],
    );
    check("", &format!("{axis}‸\"loss.gp_weight > 1\" }}"), &["asks for `loss.gp_weight` itself"]);
    check(
        "",
        &format!("{axis}‸true }}"),
        &["`when` in the axis `loss.gp_weight`: expected a string"],
    );
}

#[test]
fn tables_are_whole() {
    check("", "‸[[rules]]\nset = { pool.size = 0 }", &["[[rules]] needs `when`", "pool.size > 0"]);
    check("", "‸[[rules]]\nwhen = \"data.flip\"", &["[[rules]] needs `set`"]);
    check("", "‸[[require]]\nmessage = \"x\"", &["[[require]] needs `expr`"]);
    check("", "[[require]]\nexpr = \"data.flip\"\n‸massage = \"x\"", &["`message`"]);
    check("", "[‸rules]\nwhen = \"data.flip\"", &["write [[rules]]"]);
    check("", "‸[[derive]]\npool.size = \"1\"", &["[derive] must be a table"]);
}

#[test]
fn what_is_true_of_nothing_is_a_mistake() {
    let axes = "[axes]\nloss.gan_mode = [\"lsgan\", \"vanilla\"]";
    check("", &rule("‸\"pool.size == 7\""), &["this rule is true of no cell"]);
    check(
        "",
        &format!("{axes}\npool.size = {{ values = [0, 50], when = ‸\"model.ngf == 8\" }}"),
        &["`pool.size` varies in no cell"],
    );
    check(
        "design = \"one-at-a-time\"",
        "[axes]\nloss.gan_mode = [\"lsgan\", \"wgan-gp\"]\nloss.gp_weight = { values = [1, 10], when = ‸\"loss.gan_mode == 'wgan-gp'\" }",
        &["varies in no cell", "asks its baseline"],
    );
}

#[test]
fn conditions_ask_for_what_is_decided_before() {
    check(
        "",
        "[derive]\nmodel.ndf = \"model.ngf\"\n[[rules]]\nwhen = ‸\"model.ndf == 64\"\nset = { pool.size = 0 }",
        &["`model.ndf` is derived, after the rules"],
    );
    let axis = "[axes]\npool.size = { values = [0, 50], when = ‸\"model.ndf == 64\" }\nmodel.ngf = [8, 64]\n";
    check("", &format!("{axis}[derive]\nmodel.ndf = \"model.ngf\""), &["derived, after the axes"]);
    check(
        "",
        &format!("{axis}[[rules]]\nwhen = \"model.ngf == 8\"\nset = {{ model.ndf = 8 }}"),
        &["`model.ndf` is set by [[rules]], after the axes"],
    );
    check(
        "",
        "[axes]\npool.size = { values = [0, 50], when = ‸\"loss.gp_weight == 1\" }\nloss.gp_weight = { values = [1, 10], when = \"data.flip\" }",
        &["`loss.gp_weight` is a conditional axis that stands below this one"],
    );
}

#[test]
fn derived_leaves_have_an_end_and_one_owner() {
    check(
        "",
        "[derive]\nmodel.‸ndf = \"model.ngf\"\nmodel.ngf = \"pool.size + 1\"\npool.size = \"model.ndf\"",
        &["[derive] goes in a circle: model.ndf needs model.ngf needs pool.size needs model.ndf"],
    );
    check("", "[derive]\nmodel.‸ndf = \"model.ndf * 2\"", &["`model.ndf` is derived from itself"]);
    // What waits for a circle is not in it.
    check(
        "",
        "[derive]\nmodel.ndf = \"model.ngf\"\nmodel.‸ngf = \"pool.size\"\npool.size = \"model.ngf\"",
        &["in a circle: model.ngf needs pool.size needs model.ngf"],
    );
    let derive = "[derive]\nmodel.‸ndf = \"model.ngf\"\n";
    let check_owner = |before: &str, after: &str, owner: &str| {
        let message = format!("`model.ndf` is in [derive] and in {owner}");
        check("", &format!("{before}\n{derive}{after}"), &[&message, "keep one"]);
    };
    check_owner("model.ndf = 8", "", "[set]");
    check_owner("", "[axes]\nmodel.ndf = [8, 64]", "[axes]");
    check_owner("", "[zip.z]\nmodel.ndf = [8, 64]\npool.size = [0, 50]", "[zip.z]");
    check_owner("", "[[arms]]\nname = \"x\"\nset = { model.ndf = 8 }", "[[arms]]");
    check_owner("", "[[points]]\nset = { model.ndf = 8 }", "[[points]]");
    check_owner("", "[[rules]]\nwhen = \"data.flip\"\nset = { model.ndf = 8 }", "[[rules]]");
}

#[test]
fn derived_values_fit_their_leaf_in_every_cell() {
    check(
        "",
        "[axes]\nmodel.ngf = [64, 33]\n[derive]\nmodel.ndf = ‸\"model.ngf / 2\"",
        &[
            "`model.ndf` = model.ngf / 2: expected a whole number ≥ 1, found the number 16.5",
            "concerns 1 of 2 cells",
        ],
    );
    check(
        "",
        "[derive]\npool.size = ‸\"model.ngf - 65\"",
        &["a whole number from 0 to 4294967295, found the whole number -1"],
    );
    check("", "[derive]\nloss.lambda_cycle = ‸\"1 / pool.size\"\n[set.pool]\nsize = 0", &["inf"]);
    check(
        "",
        "[derive]\nloss.lambda_cycle = ‸\"0 - 1\"",
        &["`loss.lambda_cycle`: expected a number ≥ 0"],
    );
    check(
        "",
        "[derive]\nmodel.ngf = ‸\"train.steps + 1\"",
        &["`model.ngf` = train.steps + 1: `train.steps` is not set"],
    );
    // A load size follows from the crop that is to be derived from it.
    check(
        "",
        "[derive]\ndata.crop_size = ‸\"data.load_size - 158\"",
        &["`data.crop_size` is derived from what depends on it", "set it"],
    );
}

#[test]
fn requirements_name_the_cells_that_break_them() {
    check(
        "",
        "[axes]\npool.size = [0, 50, 100, 200]\n[[require]]\nexpr = ‸\"pool.size <= 50\"\nmessage = \"the pool fits\"",
        &[
            "required: the pool fits; not so in `size=100` and `size=200` [violated by 2 of 4 cells]",
        ],
    );
    check(
        "",
        "[axes]\npool.size = { min = 1, max = 8, count = 8 }\n[[require]]\nexpr = ‸\"pool.size > 8\"",
        &[
            "required: pool.size > 8; not so in `size=1`, `size=2`, `size=3`, `size=4` and `size=5` and 3 more",
            "violated by 8 of 8 cells",
        ],
    );
    // It is about the run as it will be.
    check(
        "",
        "[[rules]]\nwhen = \"data.flip\"\nset = { pool.size = 3 }\n[[require]]\nexpr = ‸\"pool.size == 50\"",
        &["not so in `default`"],
    );
}

#[test]
fn a_baseline_names_what_varies_there() {
    let axes = "[axes]\nloss.gan_mode = [\"lsgan\", \"wgan-gp\"]\nloss.gp_weight = { values = [1, 10], when = \"loss.gan_mode == 'wgan-gp'\" }";
    check(
        "[sweep.baseline]\nloss.gan_mode = \"lsgan\"\nloss.‸gp_weight = 1",
        axes,
        &["the baseline sets `loss.gp_weight`, whose `when` does not hold there", "leave it out"],
    );
    check(
        "[sweep.‸baseline]\nloss.gan_mode = \"wgan-gp\"",
        axes,
        &["does not fix `loss.gp_weight`"],
    );
}
