//! The JSON Schema against the files and the reader that it describes.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{document, read_alone, shown};
use crate::schema;

/// Where a document breaks the schema; the part of JSON Schema that ours uses.
fn broken(schema: &Json, at: &Json, root: &Json) -> Option<String> {
    if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
        let target = root.pointer(reference.trim_start_matches('#')).expect("a definition");
        return broken(target, at, root);
    }
    if let Some(Json::Array(options)) = schema.get("anyOf") {
        let none = options.iter().all(|option| broken(option, at, root).is_some());
        return none.then(|| format!("{at} is none of the options"));
    }
    if let Some(Json::Array(names)) = schema.get("enum") {
        return (!names.contains(at)).then(|| format!("{at} is not in the list"));
    }
    let fits = match schema["type"].as_str().expect("a type") {
        "object" => at.is_object(),
        "array" => at.is_array(),
        "string" => at.is_string(),
        "boolean" => at.is_boolean(),
        "number" => at.is_number(),
        "integer" => at.is_i64() || at.is_u64(),
        other => panic!("an unknown type {other}"),
    };
    let limit = |key: &str| schema.get(key).and_then(Json::as_f64);
    let number = at.as_f64();
    let beyond = limit("minimum").zip(number).is_some_and(|(least, it)| it < least)
        || limit("maximum").zip(number).is_some_and(|(most, it)| it > most);
    if !fits || beyond {
        return Some(format!("{at} is no {}", schema["type"]));
    }
    match at {
        Json::Array(items) => items.iter().find_map(|item| broken(&schema["items"], item, root)),
        Json::Object(entries) => {
            let missing = schema.get("required").and_then(Json::as_array).into_iter().flatten();
            let missing = missing.filter_map(Json::as_str).find(|key| !entries.contains_key(*key));
            let inside = |(key, value): (&String, &Json)| match schema["properties"].get(key) {
                Some(of) => broken(of, value, root),
                None if schema["additionalProperties"] == false => Some(format!("unknown {key}")),
                None => broken(&schema["additionalProperties"], value, root),
            };
            missing.map(|key| format!("no {key}")).or_else(|| entries.iter().find_map(inside))
        }
        _ => None,
    }
}

fn check(text: &str) -> Option<String> {
    let root = schema();
    let document: toml::Table = text.parse().expect("the case is TOML");
    broken(&root, &serde_json::to_value(document).expect("TOML is JSON"), &root)
}

#[test]
fn shipped_files_fit() {
    let page = include_str!("../../../../docs/sweep-file.md");
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    let files = [
        include_str!("../../../../experiments/lambda.toml"),
        include_str!("../../../../experiments/loss.toml"),
        include_str!("../../../../experiments/paper-ablation.toml"),
        include_str!("../../../../experiments/gpu/horse2zebra-pool.toml"),
        include_str!("sweeps/leave-one-out.toml"),
        include_str!("sweeps/conditions.toml"),
        include_str!("sweeps/random.toml"),
        example.expect("an example"),
    ];
    for text in files {
        assert_eq!(check(text), None, "{text}");
    }
}

#[test]
fn mistakes_do_not_fit() {
    let check = |rest: &str, expected: &str| {
        let found = check(&document("", rest)).unwrap_or_else(|| panic!("{rest} fits"));
        assert!(found.contains(expected), "{rest}: {found}");
    };
    check("pool.sise = 3", "unknown sise");
    check("[sweep.metric]\nname = \"eval/fid_ab\"", "not in the list");
    check("[sweep.metric]\nsecondary = [\"eval/lpips_ab\"]", "not in the list");
    check("\"pool.sise\" = 3", "unknown pool.sise");
    check("pool.size = -1", "-1 is no \"integer\"");
    check("pool.size = 0.5", "is no \"integer\"");
    check("loss.gan_mode = \"lsgann\"", "not in the list");
    check("[axes]\nloss.lambda_cycle = 3", "none of the options");
    check("[axes]\nloss.gan_mode = { min = 1, max = 2 }", "none of the options");
    check("[[arms]]\nname = \"x\"", "no set");
    check("[[rules]]\nset = {}", "no when");
    check("[exec]\nretries = { nan = 1 }", "unknown nan");
}

/// Of every metric that a sweep may name, at its place in the list.
#[test]
fn editors_are_told_what_each_metric_is() {
    let root = schema();
    let metric = root.pointer("/properties/sweep/properties/metric/properties/name");
    let metric = metric.expect("the metric's name");
    let names = metric["enum"].as_array().expect("a list");
    let texts = metric["x-taplo"]["docs"]["enumValues"].as_array().expect("a list");
    assert_eq!(names.len(), texts.len());
    let of = |name: &str| {
        let at = names.iter().position(|it| it == name).expect("a name of the list");
        texts[at].as_str().expect("a text")
    };
    assert!(of("eval/ssim_ba").starts_with("SSIM B→A (at most 1): structural similarity of"));
    assert!(of("loss/idt_a").starts_with("Identity A: identity loss on the training batch"));
    for known in crate::known_metrics().iter().filter(|known| known.is_recorded()) {
        assert!(of(&known.name).ends_with(known.definition), "{}", known.name);
    }
}

/// The reader's own list of what it knows, table by table.
#[test]
fn every_table_has_the_keys_that_are_read() {
    const STRANGER: &str = "zzzzzzzz";
    let check = |text: String, of: &str| {
        let Err(rejected) = read_alone(&text) else { panic!("accepted: {text}") };
        let shown: Vec<String> = rejected.errors().map(shown).collect();
        let found = shown.iter().find(|it| it.contains(&format!("unknown key `{STRANGER}`")));
        let (_, known) = found.and_then(|it| it.split_once("known here: ")).expect("a list");
        let read: BTreeSet<&str> = known.split('`').skip(1).step_by(2).collect();
        let root = schema();
        let keys = root.pointer(of).and_then(Json::as_object).expect("a table");
        let listed: BTreeSet<&str> = keys.keys().map(String::as_str).collect();
        assert_eq!(listed, read, "{of}");
    };
    let rest = |rest: &str| document("", &rest.replace('@', &format!("{STRANGER} = 1")));
    check(format!("{STRANGER} = 1\n{}", document("", "")), "/properties");
    check(document(&format!("{STRANGER} = 1"), ""), "/properties/sweep/properties");
    let metric = format!("metric.{STRANGER} = 1");
    check(document(&metric, ""), "/properties/sweep/properties/metric/properties");
    let axis = "/properties/axes/properties/pool.size/anyOf/1/properties";
    check(rest("[axes.pool.size]\nvalues = [0]\n@"), axis);
    for table in ["arms", "points", "exclude", "rules", "require"] {
        check(rest(&format!("[[{table}]]\n@")), &format!("/properties/{table}/items/properties"));
    }
    for table in ["limits", "exec", "samples"] {
        check(rest(&format!("[{table}]\n@")), &format!("/properties/{table}/properties"));
    }
    check(rest("[executor]\n@"), "/properties/executor/properties");
    let executor = |rest: &str| format!("/properties/executor/properties/{rest}/properties");
    check(rest("[executor.slurm]\n@"), &executor("slurm"));
    check(rest("[executor.hq]\n@"), &executor("hq"));
    let classes = executor("slurm/properties/classes/items");
    check(rest("[[executor.slurm.classes]]\nwhen = \"seed > 0\"\n@"), &classes);
    check(rest("[exec.retries]\n@"), "/properties/exec/properties/retries/properties");
    let seeds = format!("seeds = {{ {STRANGER} = 1 }}");
    check(document(&seeds, ""), "/definitions/seeds/anyOf/1/properties");
}
