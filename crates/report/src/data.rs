//! `data.json`: what the page's numbers are made of, for other programs. Every field is in
//! `docs/report.md`; a change that could mislead a reader of the old one raises [`FORMAT`].

use serde_json::{Map, Value, json};
use stats::MIN_SEEDS;
use track::{CellRecord, RunRecord, RunState, Split, SweepRecord};

use crate::importance::{AxisImportance, Importances};
use crate::measured::{ANCHORS, Measured, Role};
use crate::metric::is_mechanical;
use crate::page::Subject;
use crate::summary::{CellSummary, Contrast, Counts, Interval, Sample, Summary};

const FORMAT: u32 = 1;

pub(crate) fn json(subject: &Subject<'_>) -> String {
    let record = subject.record;
    let data = json!({
        "format": FORMAT,
        "generator": concat!("cyclelab ", env!("CARGO_PKG_VERSION")),
        "store_format": track::SCHEMA_REV,
        "sweep": sweep(record),
        "status": status(Counts::of(&record.runs)),
        "is_final": subject.summary.is_final(),
        "baseline": subject.summary.baseline,
        "best": subject.summary.best,
        "cells": record.plan.cells.iter().enumerate().map(cell).collect::<Vec<_>>(),
        "runs": record.runs.iter().map(run).collect::<Vec<_>>(),
        "importance": subject.importance.as_ref().map(importance),
        "metrics": subject.measured.iter().map(|it| metric(subject, it)).collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&data).expect("a value with text for keys is JSON") + "\n"
}

fn sweep(record: &SweepRecord) -> Value {
    let plan = &record.plan;
    let axis = |axis: &track::AxisRecord| {
        json!({
            "label": axis.label,
            "keys": axis.keys,
            "values": axis.values,
            "scale": axis.scale,
            "when": axis.when,
        })
    };
    json!({
        "name": plan.name,
        "question": plan.question,
        "design": plan.design,
        "command": plan.command,
        "preset": plan.preset,
        "seeds": plan.seeds,
        "axes": plan.axes.iter().map(axis).collect::<Vec<_>>(),
        "metric": {
            "name": plan.metric.name,
            "minimize": plan.metric.minimize,
            "select": plan.metric.select,
            "secondary": plan.metric.secondary,
        },
        "dataset": {
            "name": plan.dataset.name,
            "title": plan.dataset.title,
            "fingerprint": plan.dataset.fingerprint,
            "licence": plan.dataset.licence,
            "paired": plan.dataset.paired,
        },
    })
}

pub(crate) fn status(counts: Counts) -> Value {
    json!({
        "planned": counts.planned,
        "completed": counts.completed,
        "running": counts.running,
        "diverged": counts.diverged,
        "failed": counts.failed,
        "stopped": counts.stopped,
        "pending": counts.pending,
        "flagged": counts.flagged,
    })
}

fn cell((index, cell): (usize, &CellRecord)) -> Value {
    json!({
        "index": index,
        "label": cell.label,
        "settings": cell.settings.iter().cloned().collect::<Map<_, _>>(),
        "baseline": cell.baseline,
        "seeds": cell.seeds,
        "arm": cell.arm,
        "note": cell.note,
        "origin": cell.origin,
    })
}

fn importance(computed: &Result<Importances, String>) -> Value {
    let all = match computed {
        Ok(all) => all,
        Err(reason) => return json!({ "not_computed": reason }),
    };
    let axis = |own: &AxisImportance| match &own.found {
        Ok(found) => json!({
            "axis": own.axis,
            "among_cells": found.cells,
            "divergence": found.divergence,
            "share": found.share,
            "p": found.p,
            "adjusted_p": found.adjusted_p,
        }),
        Err(reason) => json!({ "axis": own.axis, "not_computed": reason }),
    };
    json!({
        "among_cells": all.cells,
        "best_cells": all.best,
        "cells_without_value": all.without_value,
        "failed_runs": all.failed_runs,
        "origin_known": all.is_origin_known,
        "axes": all.axes.iter().map(axis).collect::<Vec<_>>(),
    })
}

fn run(run: &RunRecord) -> Value {
    let class = match &run.state {
        RunState::Failed { class, .. } => Some(class.name()),
        _ => None,
    };
    let (values, not_finite) = values(run);
    let flags = run.flags.iter().map(|flag| {
        json!({
            "direction": flag.direction,
            "flag": flag.flag,
            "fails": flag.fails,
            "reason": flag.reason,
        })
    });
    json!({
        "index": run.index,
        "key": run.key,
        "folder": run.folder.file_name().map(|name| name.to_string_lossy()),
        "cell": run.cell,
        "seed": run.seed,
        "state": run.state.name(),
        "class": class,
        "reason": run.state.reason(),
        "attempts": run.attempts,
        "started_at": run.started_at,
        "training_s": run.active_s,
        "device": run.device,
        "code": run.code,
        "steps": run.rows.iter().map(|row| row.step).max(),
        "values": values,
        "not_finite": not_finite,
        "flags": flags.collect::<Vec<_>>(),
        "absent": run.absent,
    })
}

/// The final value of everything that the evaluation measured, and as text those that JSON has no
/// number for. A run that has not completed has no final value.
fn values(run: &RunRecord) -> (Map<String, Value>, Map<String, Value>) {
    let mut found: std::collections::BTreeMap<&str, f64> = Default::default();
    for row in run.rows.iter().filter(|row| row.split != Split::Val) {
        if run.state == RunState::Completed && row.name.starts_with("eval/") {
            // Rows are in the order of their steps.
            found.insert(&row.name, row.value);
        }
    }
    let (mut values, mut not_finite) = (Map::new(), Map::new());
    for (name, value) in found {
        values.insert(name.into(), json!(value));
        if !value.is_finite() {
            not_finite.insert(name.into(), json!(value.to_string()));
        }
    }
    (values, not_finite)
}

fn metric(subject: &Subject<'_>, measured: &Measured) -> Value {
    let role = match measured.role {
        Role::Primary => "primary",
        Role::Secondary => "secondary",
        Role::Other => "other",
    };
    let metric = &measured.metric;
    // The primary one alone was compared.
    let summary = if measured.role == Role::Primary { &subject.summary } else { &measured.summary };
    let anchors = ANCHORS.iter().zip(measured.anchors);
    let anchors = anchors.filter_map(|((kind, _, _), value)| Some(((*kind).into(), json!(value?))));
    json!({
        "name": metric.name,
        "title": metric.title,
        "unit": metric.unit,
        "definition": metric.definition,
        "minimize": metric.minimize,
        "mechanical": is_mechanical(&metric.name),
        "role": role,
        "failed_as": summary.failed_as,
        "anchors": anchors.collect::<Map<String, Value>>(),
        "cells": cells(summary, &measured.image_errors),
    })
}

fn cells(summary: &Summary, image_errors: &[Option<f64>]) -> Vec<Value> {
    let cell = |(index, (own, image_error)): (usize, (&CellSummary, &Option<f64>))| {
        json!({
            "cell": index,
            "estimate": own.estimate.map(estimate),
            "failed_in_estimate": own.failed_in_values,
            "without_value": own.without_value,
            "standard_error_over_images": image_error,
            "difference": own.difference().map(|it| difference(it, own)),
            "verdict": own.verdict().map(|it| it.words()),
        })
    };
    summary.cells.iter().zip(image_errors).enumerate().map(cell).collect()
}

pub(crate) fn estimate(sample: Sample) -> Value {
    json!({
        "n": sample.n,
        "mean": sample.mean,
        "interval": sample.interval.map(bounds),
        "min": sample.min,
        "max": sample.max,
    })
}

/// Before every run has ended a p would invite to stop at a good moment: there is none.
pub(crate) fn difference(contrast: &Contrast, own: &CellSummary) -> Value {
    let judgement = own.judgement();
    let judged = |value: Option<f64>| judgement.and(value);
    let described = judgement.filter(|_| contrast.n >= MIN_SEEDS);
    json!({
        "n": contrast.n,
        "mean": contrast.mean,
        "interval": contrast.interval.map(bounds),
        "bootstrap_interval": described.and(contrast.bootstrap_t).map(bounds),
        "p": judged(Some(contrast.sign_flip.p)),
        "adjusted_p": judgement.and_then(|it| it.adjusted_p),
        "d_z": described.and(contrast.d_z),
        "p_better": described.and(contrast.probability_of_improvement),
    })
}

pub(crate) fn bounds(interval: Interval) -> Value {
    json!([interval.lower, interval.upper])
}
