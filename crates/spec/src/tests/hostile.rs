//! Texts that nobody wrote to be read: whatever is given, a plan or a list of findings comes out,
//! and neither is larger than a plan or a list can be.

use super::{document, expect, plan, read_alone, read_with, shown};
use crate::draw::{Draw, Purpose};
use crate::{Diagnostic, Expression, RunConfig, SourceText};

/// As much of `line` as a file holds behind `head`, with a number in place of `@`.
fn full_of(head: &str, line: &str) -> String {
    let mut text = head.to_string();
    for at in 0.. {
        let next = line.replace('@', &at.to_string());
        if text.len() + next.len() > 1 << 20 {
            break;
        }
        text.push_str(&next);
    }
    text
}

/// What is found in a text of any size stays short, and points into the text.
fn findings_of(text: &str) -> Vec<Diagnostic> {
    let found = match read_alone(text) {
        Ok(plan) => {
            assert!(plan.runs.len() <= 10_000, "{} runs", plan.runs.len());
            plan.warnings
        }
        Err(rejected) => {
            assert!(rejected.errors().count() > 0);
            rejected.diagnostics
        }
    };
    assert!(found.len() <= 402, "{} findings", found.len());
    for found in &found {
        let sources = [SourceText { name: String::new(), text: text.to_string() }];
        let _ = found.position(&sources);
        assert!(found.span.start <= found.span.end && found.span.end <= text.len(), "{found:?}");
        assert!(shown(found).len() < 20_000, "{} bytes", shown(found).len());
    }
    found
}

fn has(found: &[Diagnostic], expected: &str) -> bool {
    found.iter().any(|found| shown(found).contains(expected))
}

#[test]
fn a_file_full_of_anything_gives_a_short_list() {
    let check = |head: &str, line: &str, expected: &str| {
        let mut head = document("", head);
        head.pop(); // The end of its last line: what comes may belong there.
        let found = findings_of(&full_of(&head, line));
        assert!(has(&found, expected), "{head}{line}: {:?}", found.first().map(shown));
    };
    check("", "pool.size = @\n", "duplicate key");
    check("", "k@ = 1\n", "`k99` is not a setting of a run");
    check("", "k@ = 1\n", "errors more, not listed; the last is: `k");
    check("", "[k@]\n", "unknown key `k99`");
    check("", "[[k@]]\n", "unknown key `k99`");
    check("", "= @\n", "this is not TOML");
    check("", "\u{0}", "this is not TOML");
    check("", "\"", "this is not TOML");
    check("", "a.", "this is not TOML");
    check("[", "a.", "this is not TOML");
    check("pool.size = ", "[", "this is not TOML");
    check("pool.size = ", "{a=", "this is not TOML");
    check("pool.size = ", "9", "found `999");
    check("pool.size = 0x", "f", "found `0xfff");
    check("", "[zip.z@]\npool.size = [0, 1]\n", "is in [zip.z1] and in [zip.z0]");
    check("", "[[points]]\n", "[[points]] are more than 10000");
    check("", "[[exclude]]\nmatch.pool.size = 0\n", "[[exclude]] are more than 1000");
    let note = "x".repeat(80);
    let point = format!("[[points]]\nset.pool.size = @\nseeds.count = 9\nnote = \"{note}\"\n");
    check("[limits]\nmax_runs = 1000000\n", &point, "more than the 10000 of the largest plan");
}

#[test]
fn a_value_as_long_as_a_file_gives_a_short_list() {
    let check = |sweep: &str, rest: &str, expected: &str| {
        let found = findings_of(&document(sweep, rest));
        assert!(has(&found, expected), "{expected}: {:?}", found.first().map(shown));
    };
    let long = "x".repeat(1_000_000);
    let half = &long[..500_000];
    check("", &format!("data.direction = \"{long}\""), "found the string \"xxx");
    check("", &format!("init.gen_ab = \"{long}\""), "no path or name is longer than 4096 bytes");
    check("", &format!("pool.size = \"{long}\""), "found the string \"xxx");
    check("", &format!("{long} = 1"), "is not a setting of a run");
    check("", &format!("[{long}]"), "unknown key `xxx");
    check("", &full_of(&format!("[set.{half}]\n"), "k@ = 1\n")[..900_000], "is not a setting");
    check(&format!("name = \"{long}\""), "", "cannot be a folder's name");
    check(&format!("run_name = \"{long}\""), "", "one line of at most 200 bytes");
    check(&format!("base = \"{long}\""), "", "no path is longer than 4096 bytes");
    check(&format!("metric.name = \"{long}\""), "", "no metric is called");
    let label = format!("[axes]\npool.size = {{ values = [0, 1], label = \"{long}\" }}");
    check("", &label, "one line of at most 200 bytes");
    check("", &format!("[zip.{long}]\npool.size = [0, 1]"), "the name of a zip is one line");
    check("", &format!("[exec]\ndevices = [\"{long}\"]"), "is not a device");
    check("", &format!("[samples]\nids = [\"{long}\"]"), "is not the id of an image");
    check("", &format!("[limits]\nrun_timeout = \"{long}\""), "a time such as");
}

#[test]
fn a_list_as_long_as_a_file_gives_a_short_list() {
    let check = |head: &str, item: &str, expected: &str| {
        let items = full_of("", item);
        let (items, _) = items[..1_000_000].rsplit_once(',').expect("a list");
        let line = format!("{head}[{items}]");
        let (sweep, rest) =
            if head.contains('.') { ("", line.as_str()) } else { (line.as_str(), "") };
        let found = findings_of(&document(sweep, rest));
        assert!(has(&found, expected), "{head}{item}: {:?}", found.first().map(shown));
    };
    check("seeds = ", "@,", "runs, more than");
    check("seeds = ", "7,", "7 is given twice");
    check("base = ", "\"b@\",", "cannot read the base file `b99`");
    check("metric = { secondary = ", "\"m@\",", "this is not TOML");
    check("set.pool.size = ", "@,", "is not a setting of a run");
    check("pool.size = ", "@,", "to vary it, put `pool.size` under [axes]");
    check("[axes]\npool.size = ", "@,", "pool.size × 3 seeds make");
    check("[axes]\npool.size = ", "\"x\",", "pool.size × 3 seeds make");
    check("[zip.z]\npool.size = ", "@,", "more than the 10000 runs");
    check("[samples]\ncount = 1.0\nids = ", "\"A/7\",", "is given twice");
}

#[test]
fn the_largest_plans_are_made() {
    let check = |sweep: &str, rest: &str| {
        let found = plan(sweep, &format!("{rest}\n[limits]\nmax_runs = 10000"));
        assert_eq!(found.runs.len(), 10_000, "{sweep} {rest}");
    };
    let range = "{ min = 1, max = 100, count = 100 }";
    check("seeds = [1]", &format!("[axes]\npool.size = {range}\nmodel.ngf = {range}"));
    check("seeds = [1]", "[axes]\npool.size = { min = 1, max = 10000, count = 10000 }");
    check("seeds = { count = 10000 }", "");
    let list: Vec<String> = (1..=5000).map(|at| at.to_string()).collect();
    let list = list.join(",");
    check("seeds = [1, 2]", &format!("[zip.z]\npool.size = [{list}]\nmodel.ngf = [{list}]"));
}

/// Expressions that nobody wrote: random bytes, random words of the language, and both inside a
/// file's string.
#[test]
fn any_text_is_an_expression_or_an_error_inside_it() {
    const WORDS: [&str; 28] = [
        "and",
        "or",
        "not",
        "in",
        "==",
        "!=",
        "<",
        ">=",
        "+",
        "-",
        "*",
        "/",
        "(",
        ")",
        "[",
        "]",
        ",",
        "pool.size",
        "loss.gan_mode",
        "data.flip",
        "train.steps",
        "'lsgan'",
        "\"x\"",
        "1",
        "2e-4",
        "true",
        "seed",
        "λ",
    ];
    let config = RunConfig::reference();
    let mut accepted = 0;
    for case in 0..20_000 {
        let mut draw = Draw::new(case, Purpose::Synthetic, 0, 0);
        let len = 1 + draw.below(9);
        let text: String = if case % 4 == 0 {
            let bytes: Vec<u8> = (0..4 * len).map(|_| draw.below(256) as u8).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        } else {
            let words = (0..len).map(|_| WORDS[draw.below(WORDS.len() as u64) as usize]);
            words.collect::<Vec<_>>().join(if case % 2 == 0 { " " } else { "" })
        };
        match Expression::parse(&text) {
            Ok(expression) => {
                accepted += 1;
                expression.holds(&config, case, "label");
                let again = Expression::parse(&format!("({text}) and true"));
                assert!(again.is_ok(), "{text}");
            }
            Err(error) => {
                assert!(text.get(error.span.clone()).is_some(), "{text:?}: {error:?}");
                assert!(error.message.len() < 1000, "{text:?}: {error}");
            }
        }
        if case % 20 == 0 {
            let quoted = toml::Value::from(text).to_string();
            findings_of(&document("", &format!("[[require]]\nexpr = {quoted}")));
        }
    }
    assert!(accepted > 100, "only {accepted} were expressions");
}

#[test]
fn conditions_are_bounded() {
    let check = |sweep: &str, rest: &str, expected: &str| {
        let found = findings_of(&document(sweep, rest));
        assert!(has(&found, expected), "{expected}: {:?}", found.first().map(shown));
    };
    let rules = |n: usize| "[[rules]]\nwhen = \"data.flip\"\nset = { pool.size = 3 }\n".repeat(n);
    check("", &rules(101), "101 [[rules]] are more than 100");
    check("", &"[[require]]\nexpr = \"data.flip\"\n".repeat(101), "[[require]] are more than 100");
    check("", &"[[arms]]\n".repeat(10_001), "10001 [[arms]] are more than 10000");
    for (open, close) in [("(", ")"), ("not ", ""), ("-", "")] {
        let nested = format!("{}1{}", open.repeat(300), close.repeat(300));
        check("", &format!("[derive]\npool.size = \"{nested}\""), "deep");
    }
    check("", &format!("[[require]]\nexpr = \"{}\"", "x".repeat(900_000)), "at most 2000 bytes");
    let random = "design = \"random\"\nseeds = [1]\nn_trials = 9999";
    // Ten thousand different values and one.
    let axis = "[axes]\noptim.lr_g = { min = 1, max = 2, distribution = \"uniform\" }";
    let limits = "[limits]\nmax_runs = 10000";
    check(random, &format!("{axis}\n{limits}"), "brought no new cell");
    let axis =
        format!("{axis}\noptim.lr_d = {{ min = 1e-6, max = 1, distribution = \"log_uniform\" }}");
    assert_eq!(plan(random, &format!("{axis}\n{limits}")).runs.len(), 9999);
}

/// Rules, what is derived and conditional axes, in as many cells as a plan has.
#[test]
fn the_largest_plan_may_be_conditional() {
    let range = "min = 1, max = 60, count = 60";
    let rest = format!(
        "[axes]\npool.size = {{ {range} }}\nmodel.ngf = {{ {range}, when = \"pool.size <= 30\" }}
[[rules]]\nwhen = \"pool.size > 10\"\nset = {{ model.ndf = 8 }}
[derive]\noptim.lr_d = \"optim.lr_g / 2\"\n[[require]]\nexpr = \"model.ngf > 0\"
[limits]\nmax_runs = 10000"
    );
    assert_eq!(plan("seeds = [1]", &rest).cells.len(), 30 * 60 + 30);
}

#[test]
fn the_largest_plan_may_be_thinned_out_and_doubted() {
    let range = "{ min = 1, max = 100, count = 100 }";
    let axes = format!("[axes]\npool.size = {range}\nmodel.ngf = {range}\n");
    let excludes = |leaf: &str, of: std::ops::Range<u32>| -> String {
        of.map(|at| format!("[[exclude]]\nmatch.{leaf} = {at}\n")).collect()
    };
    let rest = format!(
        "{axes}{}{}[limits]\nmax_runs = 10000",
        excludes("pool.size", 1..100),
        excludes("model.ngf", 1..65)
    );
    assert_eq!(plan("seeds = [1]", &rest).cells.len(), 36);
    // Pools do nothing here: 100 cells of each width train the same.
    let idle = plan("seeds = [1]", &format!("loss.gan = false\n{axes}[limits]\nmax_runs = 10000"));
    let twins: Vec<String> = idle.warnings.iter().map(shown).collect();
    assert!(
        twins.iter().any(|it| it.contains("train the same (and 9899 pairs more)")),
        "{twins:?}"
    );
}

#[test]
fn a_file_beyond_any_sweep_is_refused_unread() {
    let refused = |text: &str| findings_of(text).iter().map(shown).collect::<Vec<_>>();
    // Ten million bytes of nothing, and of mistakes.
    for text in [document("", &"# x\n".repeat(2_500_000)), "[".repeat(10_000_000)] {
        let found = refused(&text);
        let expected = format!("the file is {} bytes long", text.len());
        assert!(found.len() == 1 && found[0].contains(&expected), "{found:?}");
    }
    let comment = "#".repeat((1 << 20) - document("", "").len());
    plan("", &comment);
    assert_eq!(refused(&document("", &format!("{comment}#"))).len(), 1);
    let base = [("b.toml", "#".repeat(1 << 21))];
    let base: Vec<(&str, &str)> = base.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let rejected = read_with(&document("base = \"b.toml\"", ""), &[], &base).expect_err("long");
    assert!(rejected.to_string().starts_with("b.toml:1:1: error: the file is 2097152 bytes long"));
}

#[test]
fn nesting_is_bounded() {
    let check = |rest: &str, expected: &str| {
        let found = findings_of(&document("", rest));
        assert!(has(&found, expected), "{:?}", found.first().map(shown));
    };
    let nested = |open: &str, n: usize, close: &str| open.repeat(n) + "1" + &close.repeat(n);
    check(&format!("pool.size = {}", nested("[", 50_000, "]")), "recurse");
    check(&format!("pool.size = {}", nested("{a = ", 50_000, "}")), "recurse");
    check(&format!("{}b = 1", "a.".repeat(50_000)), "recursion limit");
    check(&format!("[{}b]\nc = 1", "a.".repeat(50_000)), "recursion limit");
    // As deep as the parser goes: 79 tables, each 79 keys deep.
    let deep = nested(&format!("{{{}a = ", "a.".repeat(78)), 79, "}");
    check(&format!("pool.{}a = {deep}", "a.".repeat(77)), "is not a setting of a run");
    check(&format!("pool.size = [{deep}]"), "found an array");
    check(&format!("[[points]]\nset.a = {deep}"), "is not a setting of a run");
    check(&format!("[k]\nx = {deep}"), "unknown key `k`");
    let rejected = read_with(&document("", ""), &[("pool.size", &nested("[", 50_000, "]"))], &[]);
    assert_eq!(rejected.expect_err("too deep").errors().count(), 1);
    let rejected = read_with(&document("", ""), &[("pool.size", &deep)], &[]);
    assert_eq!(rejected.expect_err("a table").errors().count(), 1);
}

#[test]
fn line_ends_and_a_byte_order_mark_change_nothing() {
    let text = document("", "[axes]\npool.size = [0, 50]");
    let plain = expect(read_alone(&text));
    let wrong = text.replace("50]", "fifty]").replace("schema = 1", "schema = 1 ");
    let place = |text: &str| {
        let rejected = read_alone(text).expect_err("`fifty` is no value");
        let first = rejected.errors().next().expect("one error");
        (first.position(&rejected.sources), first.message.clone())
    };
    let expected = place(&wrong);
    assert_eq!(expected.0, (10, 17));
    type Spelling = fn(&str) -> String;
    let spellings: [Spelling; 3] = [
        |text| text.replace('\n', "\r\n"),
        |text| format!("\u{feff}{text}"),
        |text| format!("\u{feff}{}", text.replace('\n', "\r\n")),
    ];
    for spelling in spellings {
        let found = expect(read_alone(&spelling(&text)));
        let configs = |plan: &crate::Plan| -> Vec<RunConfig> {
            plan.cells.iter().map(|cell| cell.config.clone()).collect()
        };
        assert_eq!(configs(&found), configs(&plain));
        assert_eq!(place(&spelling(&wrong)), expected);
    }
    let first_line = read_alone("\u{feff}schema = 2\n").expect_err("newer");
    assert!(first_line.to_string().starts_with("test.toml:1:10: error"), "{first_line}");
    // Elsewhere they are no white space.
    for (text, expected) in [("\rx = 1", (1, 2)), ("x = 1\n\u{feff}y = 1", (2, 1))] {
        let rejected = read_alone(text).expect_err("no TOML");
        let first = rejected.errors().next().expect("one error");
        assert_eq!(first.position(&rejected.sources), expected, "{rejected}");
    }
}

/// Of any leaf and any value, at the line that says it.
#[test]
fn every_leaf_refuses_what_it_cannot_hold() {
    let everywhere = ["nan", "-nan", "inf", "-inf", "1e999", "[]", "{}", "1979-05-27", "[[1]]"];
    let somewhere = ["true", "-1", "0.5", "\"\"", "99999999999999999999", "0xffffffffffffffffffff"];
    for leaf in RunConfig::leaves() {
        for value in everywhere.iter().chain(&somewhere) {
            let text = document("", &format!("{leaf} = {value}"));
            match read_alone(&text) {
                Ok(_) => assert!(!everywhere.contains(value), "{leaf} = {value}"),
                Err(rejected) => {
                    assert_eq!(rejected.errors().count(), 1, "{leaf} = {value}\n{rejected}");
                    let error = rejected.errors().next().expect("one");
                    let path = leaf == "data.path";
                    let line = error.position(&rejected.sources).0;
                    assert!(line == 9 || path, "{leaf} = {value}\n{rejected}");
                }
            }
        }
    }
}

#[test]
fn nothing_is_said_twice() {
    let check = |text: &str, position: (usize, usize), expected: &str| {
        let rejected = read_alone(text).expect_err("a duplicate");
        let first = rejected.errors().next().expect("one error");
        assert_eq!(first.position(&rejected.sources), position, "{rejected}");
        assert!(first.message.contains(expected), "{rejected}");
    };
    let (again, extends) = ("duplicate key", "cannot extend value of type inline table");
    check("[set]\n[sweep]\n[set]\n", (3, 2), again);
    check("set.pool.size = 1\n[set]\n", (2, 2), again);
    check("[set]\npool.size = 1\npool.size = 1\n", (3, 6), again);
    check("[set]\npool = { size = 1 }\npool.size = 1\n", (3, 1), extends);
    check("[set]\npool = { size = 1, size = 2 }\n", (2, 20), again);
    check("points = []\n[[points]]\n", (2, 3), again);
}
