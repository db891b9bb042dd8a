//! Images that are not there: asked of the caller, said at the leaf that names them.

use std::path::Path;

use super::{document, unmark};
use crate::tests::{shown, source};
use crate::{DataConfig, Diagnostic, Plan, Rejected, SourceText, Unfound, read_in};

const BASE: &str = "data.path = \"beside\"\n";

/// Knows the data set `blueprint` and the folders `good`; answers with all it was asked.
fn look(text: &str, overrides: &[(&str, &str)]) -> (Result<Plan, Rejected>, Vec<String>) {
    let mut asked = Vec::new();
    let mut find = |images: &DataConfig| {
        let name = images.dataset.as_ref().or(images.path.as_ref()).expect("one of both").clone();
        let is_known = name == "blueprint" || name.ends_with("good");
        asked.push(name.clone());
        let help = Some("did you mean `blueprint`?".to_string());
        is_known.then_some(()).ok_or(Unfound { message: format!("no `{name}`"), help })
    };
    let overrides: Vec<(String, String)> =
        overrides.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let mut load = |name: &str| Ok(SourceText { name: name.to_string(), text: BASE.to_string() });
    let plan = read_in(Path::new("/at"), source(text), &overrides, &mut load, &mut find);
    (plan, asked)
}

fn check(marked: &str, expected: &[&str]) {
    let (text, position) = unmark(marked);
    let rejected = look(&text, &[]).0.expect_err(marked);
    let errors: Vec<&Diagnostic> = rejected.errors().collect();
    assert_eq!(errors.len(), 1, "{marked}\n{rejected}");
    assert_eq!(errors[0].position(&rejected.sources), position, "{marked}\n{rejected}");
    for piece in expected {
        assert!(shown(errors[0]).contains(piece), "{piece} in {}", shown(errors[0]));
    }
}

/// A sound file whose `[set]` begins with `data`.
fn file(data: &str, rest: &str) -> String {
    document("", rest).replace("data.path = \"images\"", data)
}

#[test]
fn they_are_looked_for_where_they_are_named() {
    check(
        &file("data.dataset = ‸\"blueprnt\"", ""),
        &["`data.dataset`: no `blueprnt`", "did you mean `blueprint`?"],
    );
    check(&file("data.path = ‸\"mine\"", ""), &["`data.path`: no `/at/mine`"]);
    // Each value of an axis, with the cells that it concerns.
    check(
        &file("", "[axes]\ndata.dataset = [\"blueprint\", ‸\"blueprnt\"]\npool.size = [0, 50]"),
        &["`data.dataset`: no `blueprnt`", "concerns 2 of 4 cells"],
    );
    check(
        &file("data.path = \"good\"", "[[points]]\nset = { data.path = ‸\"no\" }"),
        &["`data.path`: no `/at/no`", "concerns 1 of 2 cells"],
    );
}

#[test]
fn each_is_asked_for_once_and_as_it_will_be_opened() {
    let text = file("data.path = \"good\"", "[axes]\npool.size = [0, 50]\nmodel.ngf = [8, 16]");
    let (plan, asked) = look(&text, &[]);
    assert_eq!(asked, ["/at/good"]);
    // As written: paths are joined when they are used.
    let plan = plan.expect("the folder is good");
    assert_eq!(plan.cells[0].config.data.path.as_deref(), Some("good"));

    // A base file's path is relative to it, one of the command line to the working directory.
    let base = document("base = \"of/base.toml\"", "").replace("data.path = \"images\"", "");
    let (rejected, asked) = look(&base, &[]);
    assert_eq!(asked, ["/at/of/beside"]);
    let rejected = rejected.expect_err("there is no such folder");
    let found = rejected.errors().next().expect("an error");
    assert_eq!(
        found.located(&rejected.sources).to_string(),
        "of/base.toml:1:13: error: `data.path`: no `/at/of/beside`"
    );
    let (plan, asked) = look(&text, &[("data.path", "in/good")]);
    assert_eq!((plan.is_ok(), asked), (true, vec!["in/good".to_string()]));
}

/// Beside every other mistake, and not where there is nothing to look for.
#[test]
fn they_are_one_mistake_among_others() {
    let (rejected, _) = look(&file("data.dataset = \"no\"", "pool.sise = 3"), &[]);
    assert_eq!(rejected.expect_err("two mistakes").errors().count(), 2);
    for data in ["", "data.path = \"good\"\ndata.dataset = \"no\"", "data.path = 3"] {
        let (rejected, asked) = look(&file(data, ""), &[]);
        assert_eq!(rejected.expect_err(data).errors().count(), 1, "{data}");
        assert!(asked.is_empty(), "{data}: {asked:?}");
    }
}
