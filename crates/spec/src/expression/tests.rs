use super::*;
use crate::diagnostic::SourceText;
use crate::node::Value;
use crate::run_config::GanMode;

fn config() -> RunConfig {
    let mut config = RunConfig::reference();
    config.loss.gan_mode = GanMode::WganGp;
    config.pool.size = 50;
    config.optim.lr_g = 2e-4;
    config
}

#[test]
fn expressions_are_true_or_false_of_a_run() {
    let config = config();
    let check = |text: &str, expected: bool| {
        let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(expression.holds(&config, 3, "lambda=1, mode=x"), expected, "{text}");
        assert_eq!(expression.text(), text);
    };
    check("pool.size == 50", true);
    check("pool.size != 50.0", false);
    check("loss.gan_mode == 'wgan-gp'", true);
    check("\"wgan-gp\" == loss.gan_mode", true);
    check("optim.lr_g <= 2e-4 and optim.lr_g >= 0.000_2", true);
    check("pool.size > 10 and pool.size < 50", false);
    check("data.flip", true);
    check("not data.flip or pool.size == 50", true);
    check("not (data.flip or pool.size == 50)", false);
    // `and` before `or`, `*` before `+`, a sign before `*`.
    check("true or true and false", true);
    check("(true or true) and false", false);
    check("1 + 2 * 3 == 7", true);
    check("(1 + 2) * 3 == 9", true);
    check("-2 * -3 == 6", true);
    check("10 - 4 - 3 == 3", true);
    check("16 / 4 / 2 == 2", true);
    check("not pool.size == 0", true);
    check("pool.size in [0, 25 * 2]", true);
    check("pool.size not in [0, 50,]", false);
    check("loss.gan_mode in ['hinge', 'lsgan']", false);
    check("seed == 3 and label == 'lambda=1, mode=x' and cell == label", true);
    check("seed in [1, 2]", false);
    // A division by zero is larger than anything, and 0 / 0 equals nothing.
    check("1 / 0 > 1e300", true);
    check("0 / 0 == 0 / 0", false);
    // What is absent.
    check("train.steps == 5", false);
    check("train.steps != 5", true);
    check("train.steps < 5", false);
    check("train.steps + 1 > 0", false);
    check("not train.steps < 5", true);
    check("data.dataset == data.dataset", false);
    check("data.dataset not in ['blueprint']", true);
}

/// Where the caret is expected to begin and to end.
const CARET: char = '‸';

#[test]
fn what_is_no_expression_is_named_at_its_place() {
    let check = |marked: &str, expected: &str| {
        let text = marked.replace(CARET, "");
        let marks: Vec<usize> = marked.match_indices(CARET).map(|(at, _)| at).collect();
        let span = marks[0]..marks[1] - CARET.len_utf8();
        let error = Expression::parse(&text).expect_err(&text);
        assert_eq!(error.span, span, "{text}: {error}");
        let shown = format!("{error} [{}]", error.help.clone().unwrap_or_default());
        assert!(shown.contains(expected), "{text}: {shown}");
    };
    // Letters.
    check("pool.size ‸=‸ 50", "write `==`");
    check("data.flip ‸&&‸ data.flip", "write `and`");
    check("‸!‸data.flip", "write `not`");
    check("pool.size == ‸ü‸", "`ü` is no part of an expression");
    check("loss.gan_mode == ‸'lsgan‸", "no closing '");
    check("pool.size == ‸5x‸", "`5x` is not a number");
    check("pool.size == ‸1.2.3‸", "`1.2.3` is not a number");
    check("pool.size == ‸1e999‸", "is not a number");
    check("seed == ‸9007199254740993‸", "not below 2^53");
    check("2 ‸**‸ 3 == 8", "write a product");
    // Sentences.
    check("‸‸", "expected a key, a number, text in quotes, or `(`, found the end");
    check("pool.size ==‸‸", "found the end");
    check("pool.size == 50 ‸50‸", "expected the end of the expression");
    check("(pool.size == 50‸‸", "expected `)`, found the end");
    check("pool.size == 50‸)‸", "found `)`");
    check("1 < pool.size ‸<‸ 3", "write `a < b and b < c`");
    check("pool.size in ‸50‸", "expected a list");
    check("pool.size in ‸[]‸", "nothing is in an empty list");
    check("pool.size in [1 ‸2‸]", "expected `,` or `]`");
    check("pool.size not ‸50‸", "expected `in`");
    check("pool.size == ‸[‸1]", "behind `in` only");
    check("‸and‸ data.flip", "found `and`");
    check("‸max(‸pool.size, 3) > 1", "there are no functions");
    // Names.
    check("‸pool.sise‸ == 1", "did you mean `pool.size`?");
    check("‸pool_size‸ == 1", "did you mean `pool.size`?");
    check("‸pool‸ == 1", "`pool` is a section, not a setting [its settings are `pool.size`");
    check("loss.gan_mode == ‸zzz‸", "text stands in quotes: 'zzz'");
    check("‸True‸", "`true`");
    // Types.
    check("‸pool.size‸", "this is a number, not a condition");
    check("‸(pool.size + 1)‸", "not a condition");
    check("‸loss.gan_mode‸", "this is text, not a condition");
    check("‸pool.size == 'x'‸", "a number never equals text");
    check("‸pool.size == '50'‸", "remove the quotes");
    check("‸data.flip == 1‸", "true or false never equals a number");
    check("‸loss.gan_mode‸ < 3", "an order is of numbers: a number, and this is text");
    check("pool.size < ‸data.flip‸", "and this is true or false");
    check("data.flip and ‸pool.size‸", "`and` joins true or false, and this is a number");
    check("not ‸3‸", "`not` takes");
    check("-‸data.flip‸ == 1", "`-` takes a number");
    check("1 + ‸'2'‸ == 3", "remove the quotes");
    check("pool.size in [1, ‸'x'‸]", "a number never equals text");
    check(
        "loss.gan_mode == ‸'wgangp'‸",
        "`loss.gan_mode` is never \"wgangp\" [did you mean `wgan-gp`?]",
    );
    check("loss.gan_mode in ['lsgan', ‸'hing'‸]", "did you mean `hinge`?");
    check("‸'zzz'‸ != loss.cycle", "it is one of `both`, `forward`, `backward` or `none`");
}

#[test]
fn an_error_is_drawn_as_any_finding_is() {
    let text = "seed == 1 and λ".to_string();
    let error = Expression::parse(&text).expect_err("no expression");
    let sources = [SourceText { name: "--only".to_string(), text }];
    let expected = "--only:1:15: error: `λ` is no part of an expression";
    assert_eq!(error.diagnostic(0).located(&sources).to_string(), expected);
}

#[test]
fn cells_have_no_seed_and_no_label() {
    let check = |text: &str, expected: &str| {
        let error = Expression::condition(text, Scope::Cell).expect_err(text);
        assert!(error.message.contains(expected), "{text}: {error}");
    };
    check("seed == 1", "a cell is the same for each of its seeds");
    check("label == 'x'", "`label` is not a setting");
}

#[test]
fn computed_values_are_what_somebody_would_type() {
    let tree = leaf::tree(&config());
    let check = |leaf: &str, text: &str, expected: Option<&str>| {
        let expression = Expression::value(text, leaf).unwrap_or_else(|it| panic!("{text}: {it}"));
        let shown = expression.value_in(&tree).map(|value| match value {
            Value::Integer(number) => format!("{number}"),
            Value::Float(number) => format!("{number:e}"),
            Value::String(text) => text,
            other => format!("{other:?}"),
        });
        assert_eq!(shown.as_deref(), expected, "{text}");
    };
    check("optim.lr_d", "optim.lr_g * 0.1", Some("2e-5"));
    check("train.n_epochs_decay", "train.n_epochs", Some("100"));
    check("pool.size", "0.1 * 30", Some("3"));
    check("pool.size", "pool.size / 4", Some("1.25e1"));
    check("loss.cycle", "'none'", Some("none"));
    check("data.flip", "pool.size > 0", Some("Boolean(true)"));
    check("train.steps_decay", "train.steps", None);
    let refused = |leaf: &str, text: &str, expected: &str| {
        let error = Expression::value(text, leaf).expect_err(text);
        assert!(error.message.contains(expected), "{text}: {error}");
    };
    refused("pool.size", "data.flip", "this is true or false, and `pool.size` is not");
    refused("data.flip", "1", "this is a number");
    refused("loss.cycle", "'nne'", "`loss.cycle` is never \"nne\"");
}

#[test]
fn every_leaf_can_be_asked_for() {
    let config = config();
    for leaf in leaf::paths() {
        let (value, other) = match leaf::kind(leaf) {
            Kind::Flag => ("true".to_string(), "false"),
            Kind::Whole(_) | Kind::Number => (leaf::show(&config.get(leaf)), "-1"),
            Kind::Text | Kind::Choice(_) => (format!("'{}'", leaf::show(&config.get(leaf))), "''"),
        };
        let absent = config.get(leaf).is_null();
        let value = if absent { other.to_string() } else { value };
        let is_flag = *leaf::kind(leaf) == Kind::Flag;
        let text = if is_flag { leaf.to_string() } else { format!("{leaf} == {value}") };
        let expression = Expression::parse(&text).unwrap_or_else(|it| panic!("{text}: {it}"));
        let expected = if is_flag { config.get(leaf) == true } else { !absent };
        assert_eq!(expression.holds(&config, 0, ""), expected, "{text}");
        assert_eq!(expression.leaves(), [leaf]);
    }
}

#[test]
fn nothing_written_is_too_deep_or_too_long() {
    let refused = |text: &str, expected: &str| {
        let error = Expression::parse(text).expect_err("refused");
        assert!(error.message.contains(expected), "{error}");
        assert!(text.get(error.span.clone()).is_some(), "{:?}", error.span);
    };
    for (open, close) in [("(", ")"), ("not ", ""), ("1 in [", "]")] {
        let nested = |n: usize| format!("{}true{}", open.repeat(n), close.repeat(n));
        refused(&nested(200), "nest at most 32 deep");
    }
    refused(&format!("{}1 == 1", "-".repeat(300)), "nest at most 32 deep");
    assert!(Expression::parse(&format!("{}true{}", "(".repeat(32), ")".repeat(32))).is_ok());
    // A chain is no nesting, however long.
    let chain = format!("1{} > 1", "+1".repeat(990));
    assert!(Expression::parse(&chain).expect("a chain").holds(&config(), 0, ""));
    let chain = format!("true{}", " or true".repeat(245));
    assert!(Expression::parse(&chain).expect("a chain").holds(&config(), 0, ""));
    refused(&"ü".repeat(1_000_000), "at most 2000 bytes, and this one has 2000000");
}
