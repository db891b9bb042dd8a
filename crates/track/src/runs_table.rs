//! `runs.parquet`: one wide row per run, for a look with any tool. Derived: it
//! can be deleted and written again.
//!
//! Columns: the run's identity and fate, `param.<leaf>` for every leaf of the
//! resolved configurations, and `metric.<name>.last`, `.min`, `.max`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use polars::prelude::{Column, DataFrame, NamedFrom, PolarsResult, Series};
use serde_json::Value;

use crate::durable;
use crate::error::TrackError;
use crate::layout::SweepDir;
use crate::metric_part::encode_frame;
use crate::plan::PlanEntry;
use crate::record::{RunRecord, RunState, SweepRecord};

/// Writes the table of a sweep that was read with its rows.
pub fn write_runs_parquet(sweep: &SweepDir, record: &SweepRecord) -> Result<(), TrackError> {
    let (_, entries) = sweep.read_plan()?;
    let entries: BTreeMap<usize, PlanEntry> =
        entries.into_iter().map(|entry| (entry.index, entry)).collect();
    // A plan rewritten since the record was read has no entry for what it dropped.
    let runs: Vec<(&RunRecord, &PlanEntry)> = record
        .runs
        .iter()
        .filter_map(|run| Some((run, entries.get(&run.index).filter(|it| it.key == run.key)?)))
        .collect();
    let path = sweep.runs_parquet();
    let bytes = table(&runs)
        .and_then(|frame| encode_frame(frame, None))
        .map_err(|error| TrackError::write(&path)(io::Error::other(error)))?;
    durable::replace(&path, &bytes)
}

fn table(runs: &[(&RunRecord, &PlanEntry)]) -> PolarsResult<DataFrame> {
    macro_rules! column {
        ($name:literal, |$run:ident, $entry:pat_param| $value:expr) => {
            Column::new($name.into(), runs.iter().map(|&($run, $entry)| $value).collect::<Vec<_>>())
        };
    }
    let mut columns = vec![
        column!("index", |run, _| run.index as u32),
        column!("key", |run, _| run.key.as_str()),
        column!("label", |_run, entry| entry.label.as_str()),
        column!("seed", |run, _| run.seed),
        column!("state", |run, _| run.state.name()),
        column!("failure_class", |run, _| failure_class(&run.state)),
        column!("reason", |run, _| run.state.reason()),
        column!("attempts", |run, _| run.attempts),
        column!("started_at", |run, _| run.started_at.as_deref()),
        column!("active_s", |run, _| run.active_s),
        column!("device", |run, _| run.device.as_deref()),
        column!("code", |run, _| run.code.as_deref()),
        column!("folder", |_run, entry| entry.folder.as_str()),
    ];
    columns.extend(param_columns(runs));
    columns.extend(metric_columns(runs));
    DataFrame::new(runs.len(), columns)
}

fn failure_class(state: &RunState) -> Option<&'static str> {
    match state {
        RunState::Failed { class, .. } => Some(class.name()),
        _ => None,
    }
}

/// In the order of the first configuration that has the leaf.
fn param_columns(runs: &[(&RunRecord, &PlanEntry)]) -> Vec<Column> {
    let leaves: Vec<BTreeMap<String, &Value>> = runs
        .iter()
        .map(|(_, entry)| {
            let mut leaves = vec![];
            collect_leaves("", &entry.config, &mut leaves);
            leaves.into_iter().collect()
        })
        .collect();
    let mut names = Vec::new();
    let mut seen = BTreeSet::new();
    for (_, entry) in runs {
        let mut leaves = vec![];
        collect_leaves("", &entry.config, &mut leaves);
        names.extend(leaves.into_iter().map(|(name, _)| name).filter(|it| seen.insert(it.clone())));
    }
    names
        .iter()
        .map(|name| {
            let values: Vec<Option<&Value>> = leaves
                .iter()
                .map(|leaves| leaves.get(name).copied().filter(|value| !value.is_null()))
                .collect();
            typed_column(&format!("param.{name}"), &values)
        })
        .collect()
}

fn collect_leaves<'a>(prefix: &str, value: &'a Value, leaves: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                collect_leaves(&path, value, leaves);
            }
        }
        leaf => leaves.push((prefix.to_owned(), leaf)),
    }
}

/// The narrowest type that holds all: bool, i64, f64, or text.
fn typed_column(name: &str, values: &[Option<&Value>]) -> Column {
    let all = |holds: fn(&Value) -> bool| values.iter().flatten().all(|value| holds(value));
    let any = values.iter().any(Option::is_some);
    let series = if any && all(Value::is_boolean) {
        let values: Vec<_> = values.iter().map(|value| value.and_then(Value::as_bool)).collect();
        Series::new(name.into(), values)
    } else if any && all(Value::is_i64) {
        let values: Vec<_> = values.iter().map(|value| value.and_then(Value::as_i64)).collect();
        Series::new(name.into(), values)
    } else if any && all(Value::is_number) {
        let values: Vec<_> = values.iter().map(|value| value.and_then(Value::as_f64)).collect();
        Series::new(name.into(), values)
    } else {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let values: Vec<_> = values.iter().map(|value| value.map(text)).collect();
        Series::new(name.into(), values)
    };
    series.into()
}

/// Extremes are over windows, where a row has them: a mean can hide a spike.
fn metric_columns(runs: &[(&RunRecord, &PlanEntry)]) -> Vec<Column> {
    let names: BTreeSet<&str> =
        runs.iter().flat_map(|(run, _)| &run.rows).map(|row| row.name.as_str()).collect();
    let column = |name: &str, field: &str, of_run: &dyn Fn(&RunRecord) -> Option<f64>| {
        let values: Vec<Option<f64>> = runs.iter().map(|(run, _)| of_run(run)).collect();
        Column::new(format!("metric.{name}.{field}").into(), values)
    };
    let mut columns = Vec::new();
    for name in names {
        // NaN where there is nothing else; `f64::min` and `max` pass it over.
        let min = |run: &RunRecord| {
            let rows = run.rows.iter().filter(|row| row.name == name);
            rows.map(|row| row.min.unwrap_or(row.value)).reduce(f64::min)
        };
        let max = |run: &RunRecord| {
            let rows = run.rows.iter().filter(|row| row.name == name);
            rows.map(|row| row.max.unwrap_or(row.value)).reduce(f64::max)
        };
        columns.push(column(name, "last", &|run| run.last(name)));
        columns.push(column(name, "min", &min));
        columns.push(column(name, "max", &max));
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{self, Store};
    use crate::reader::read_sweep;
    use crate::record::FailureClass;
    use polars::prelude::{AnyValue, ParquetReader, SerReader};
    use serde_json::json;

    fn written(edit: impl FnOnce(&mut SweepRecord)) -> DataFrame {
        let store = Store::new();
        let entries = [fixture::entry(0), fixture::entry(1)];
        store.sweep.write_plan(&fixture::plan(), &entries).unwrap();
        let mut record = read_sweep(&store.root, "lambda").unwrap();
        edit(&mut record);
        write_runs_parquet(&store.sweep, &record).unwrap();
        let bytes = std::fs::read(store.sweep.runs_parquet()).unwrap();
        ParquetReader::new(io::Cursor::new(bytes)).finish().unwrap()
    }

    #[test]
    fn columns_and_their_types() {
        let frame = written(|record| {
            let run = &mut record.runs[0];
            run.state = RunState::Failed { class: FailureClass::Oom, reason: "r".into() };
            run.rows = [(1, 3.0), (2, -1.0), (3, f64::NAN)]
                .map(|(step, value)| {
                    let mut row = fixture::row(1, step, step);
                    (row.value, row.min, row.max) = (value, None, (step == 2).then_some(9.0));
                    row
                })
                .to_vec();
        });
        let check = |name: &str, dtype: &str, expected: [&str; 2]| {
            let column = frame.column(name).unwrap();
            assert_eq!(column.dtype().to_string(), dtype, "{name}");
            let text = |index: usize| match column.get(index).unwrap() {
                AnyValue::Null => "null".to_owned(),
                AnyValue::String(text) => text.to_owned(),
                value => value.to_string(),
            };
            assert_eq!([text(0), text(1)], expected, "{name}");
        };
        check("index", "u32", ["0", "1"]);
        check("state", "str", ["failed", "planned"]);
        check("failure_class", "str", ["oom", "null"]);
        check("reason", "str", ["r", "null"]);
        check("active_s", "f64", ["null", "null"]);
        check("param.data.dataset", "str", ["tiny", "tiny"]);
        check("param.data.path", "str", ["null", "null"]);
        check("param.data.batch_size", "i64", ["1", "1"]);
        check("param.data.flip", "bool", ["true", "false"]);
        check("param.loss.lambda_cycle", "f64", ["10.0", "0.5"]);
        check("param.loss.mixed", "f64", ["1.0", "0.25"]);
        check("metric.loss/d_a.last", "f64", ["NaN", "null"]);
        check("metric.loss/d_a.min", "f64", ["-1.0", "null"]);
        check("metric.loss/d_a.max", "f64", ["9.0", "null"]);
        assert_eq!(frame.width(), 13 + 6 + 3);
    }

    #[test]
    fn mixed_leaves_become_text() {
        let values = [json!("auto"), json!(3), json!([1, 2])];
        let values: Vec<_> = values.iter().map(Some).chain([None]).collect();
        let column = typed_column("x", &values);
        let text: Vec<_> = column.str().unwrap().iter().collect();
        assert_eq!(text, [Some("auto"), Some("3"), Some("[1,2]"), None]);
    }

    #[test]
    fn a_record_of_an_older_plan_gives_the_rows_that_are_left() {
        let frame = written(|record| record.runs[1].key = "gone".into());
        assert_eq!(frame.height(), 1);
    }
}
