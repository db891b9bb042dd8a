//! Two runs side by side: what was asked, under which circumstances, and what came out.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use serde_json::{Map, Value, json};
use spec::RunConfig;
use track::{RunIdentity, RunRecord, read_run_at};

use crate::args::DiffArgs;
use crate::exit::Exit;
use crate::places::Places;
use crate::run_address::run_at;
use crate::terminal::{number, plural, table};

/// One thing that both runs may have.
struct Pair<T> {
    name: String,
    a: Option<T>,
    b: Option<T>,
}

struct Metric {
    last: Pair<f64>,
    /// Of the machine, not of the training: never a difference of the runs.
    of_machine: bool,
}

struct Difference {
    /// Leaves with two values.
    settings: Vec<Pair<Value>>,
    /// Circumstances that are not the same.
    facts: Vec<Pair<Value>>,
    /// All of them.
    metrics: Vec<Metric>,
}

pub(crate) fn diff(args: &DiffArgs, places: &Places) -> anyhow::Result<Exit> {
    let (a, b) = (recorded(&args.a, places)?, recorded(&args.b, places)?);
    let found = Difference::between(&a, &b);
    match args.json {
        true => print_json(&found, &a.1, &b.1)?,
        false => print(&found, args),
    }
    Ok(Exit::Done)
}

fn recorded(address: &str, places: &Places) -> anyhow::Result<(RunIdentity, RunRecord)> {
    let run = read_run_at(&run_at(address, places)?)?;
    let run = run.with_context(|| format!("`{address}` has not begun: nothing to compare"))?;
    for (path, reason) in &run.1.damaged {
        say!("warning: `{}` is damaged: {reason}", path.display());
    }
    Ok(run)
}

impl Difference {
    fn between(a: &(RunIdentity, RunRecord), b: &(RunIdentity, RunRecord)) -> Self {
        let differ = |pair: &Pair<Value>| pair.a != pair.b;
        let settings = pairs(leaves(&a.0.config), leaves(&b.0.config));
        let mut settings: Vec<_> = settings.into_iter().filter(differ).collect();
        // As declared; a leaf of another version comes last.
        let declared = RunConfig::leaves();
        settings.sort_by_key(|it| {
            declared.iter().position(|leaf| *leaf == it.name).unwrap_or(declared.len())
        });
        let fact = |((name, a), (_, b)): ((&str, Value), (_, Value))| Pair {
            name: name.to_string(),
            a: Some(a),
            b: Some(b),
        };
        let facts = facts(a).into_iter().zip(facts(b)).map(fact).filter(differ).collect();
        let of_machine = |name: &str| name.starts_with("perf/") || name.starts_with("sys/");
        let metrics = pairs(last_values(&a.1), last_values(&b.1)).into_iter();
        let metrics = metrics.map(|last| Metric { of_machine: of_machine(&last.name), last });
        Difference { settings, facts, metrics: metrics.collect() }
    }

    fn is_none(&self) -> bool {
        let results = |metric: &Metric| metric.of_machine || metric.is_same();
        self.settings.is_empty() && self.facts.is_empty() && self.metrics.iter().all(results)
    }
}

impl Metric {
    fn is_same(&self) -> bool {
        // NaN in both is the same outcome.
        self.last.a.map(f64::to_bits) == self.last.b.map(f64::to_bits) || self.last.a == self.last.b
    }

    /// B against A, as a part of A. `None` where there is no such number.
    fn relative(&self) -> Option<f64> {
        let (a, b) = (self.last.a?, self.last.b?);
        let relative = if a == b { 0.0 } else { (b - a) / a.abs() };
        relative.is_finite().then_some(relative)
    }

    fn relative_in_words(&self) -> String {
        match self.relative() {
            _ if self.is_same() => "same".into(),
            Some(part) => {
                format!("{}{} %", if part > 0.0 { "+" } else { "" }, number(100.0 * part))
            }
            None => "—".into(),
        }
    }
}

/// Everything but configuration and results.
fn facts((identity, record): &(RunIdentity, RunRecord)) -> Vec<(&'static str, Value)> {
    let code = record.code.clone().unwrap_or_else(|| identity.code.to_string());
    vec![
        ("seed", json!(identity.seed)),
        ("data set", json!(identity.dataset.fingerprint)),
        ("training revision", json!(identity.training_rev)),
        ("code", json!(code)),
        ("device", json!(record.device)),
        ("state", json!(record.state.name())),
        ("last step", json!(record.rows.last().map(|row| row.step))),
    ]
}

fn last_values(run: &RunRecord) -> BTreeMap<String, f64> {
    run.rows.iter().map(|row| (row.name.clone(), row.value)).collect()
}

/// Values by dotted path, whichever version wrote them.
fn leaves(config: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let mut open = vec![(String::new(), config)];
    while let Some((path, value)) = open.pop() {
        match value {
            Value::Object(section) => open.extend(section.iter().map(|(key, value)| {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                (path, value)
            })),
            leaf => drop(found.insert(path, leaf.clone())),
        }
    }
    found
}

fn pairs<T: Clone>(a: BTreeMap<String, T>, b: BTreeMap<String, T>) -> Vec<Pair<T>> {
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let pair = |name: &String| Pair {
        name: name.clone(),
        a: a.get(name).cloned(),
        b: b.get(name).cloned(),
    };
    names.into_iter().map(pair).collect()
}

fn print(found: &Difference, args: &DiffArgs) {
    if found.is_none() {
        let results = found.metrics.iter().filter(|metric| !metric.of_machine).count();
        tell!(
            "{} and {} are equal: configuration, seed, data set, training revision, code, device \
             and the last values of {}",
            args.a,
            args.b,
            plural(results, "metric")
        );
        return;
    }
    tell!("A: {}\nB: {}\n", args.a, args.b);
    let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "—".into(), spec::show);
    let row = |pair: &Pair<Value>| vec![pair.name.clone(), shown(&pair.a), shown(&pair.b)];
    for (what, pairs, same) in [
        ("setting", &found.settings, "The same configuration."),
        (
            "circumstance",
            &found.facts,
            "The same seed, data set, training revision, code and device.",
        ),
    ] {
        let rows: Vec<_> = pairs.iter().map(row).collect();
        match rows.is_empty() {
            true => tell!("{same}\n"),
            false => tell!("{}\n", table(&[what, "A", "B"], &rows)),
        }
    }
    let value = |value: Option<f64>| value.map_or_else(|| "—".into(), number);
    let row = |metric: &Metric| {
        let last = &metric.last;
        vec![last.name.clone(), value(last.a), value(last.b), metric.relative_in_words()]
    };
    let rows: Vec<_> = found.metrics.iter().map(row).collect();
    match rows.is_empty() {
        true => tell!("No metric in either."),
        false => tell!("{}", table(&["last value", "A", "B", "B against A"], &rows)),
    }
}

fn print_json(found: &Difference, a: &RunRecord, b: &RunRecord) -> anyhow::Result<()> {
    let run = |run: &RunRecord| json!({ "key": run.key, "folder": run.folder, "state": run.state });
    let metrics = found.metrics.iter().map(|metric| {
        let Pair { name, a, b } = &metric.last;
        let pair = Pair { name: name.clone(), a: a.map(|it| json!(it)), b: b.map(|it| json!(it)) };
        let mut object = pair_json(&pair);
        object["relative"] = json!(metric.relative());
        object["same"] = json!(metric.is_same());
        object
    });
    let value = json!({
        "equal": found.is_none(),
        "a": run(a),
        "b": run(b),
        "settings": found.settings.iter().map(pair_json).collect::<Vec<_>>(),
        "circumstances": found.facts.iter().map(pair_json).collect::<Vec<_>>(),
        "metrics": metrics.collect::<Vec<_>>(),
    });
    tell!("{}", crate::terminal::json(&value)?);
    Ok(())
}

/// What a run lacks is left out: `null` is a value of some leaves, and stands for NaN.
fn pair_json(pair: &Pair<Value>) -> Value {
    let mut object = Map::from_iter([("name".to_string(), json!(pair.name))]);
    let sides = [("a", &pair.a), ("b", &pair.b)];
    object.extend(sides.into_iter().filter_map(|(side, it)| Some((side.into(), it.clone()?))));
    Value::Object(object)
}
