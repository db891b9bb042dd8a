//! `data.json` of a comparison, for other programs. Every field is in `docs/report.md`; a change that
//! could mislead a reader of the old one raises [`FORMAT`].

use serde_json::{Map, Value, json};
use stats::Interquartile;

use super::agreement::Agreement;
use super::cost::Cost;
use super::settings::{Differing, Setting};
use super::{Apart, Beside, Pooled, Sweep};
use crate::data::{bounds, difference, estimate, status};
use crate::summary::Counts;

const FORMAT: u32 = 1;

pub(super) fn json(beside: &Beside<'_>) -> String {
    let metric = &beside.metric;
    let (pooled, reason) = match &beside.pooled {
        Ok(found) => (found.iter().map(|it| across(beside, it)).collect(), None),
        Err(reason) => (Vec::new(), Some(reason)),
    };
    let data = json!({
        "format": FORMAT,
        "generator": concat!("cyclelab ", env!("CARGO_PKG_VERSION")),
        "store_format": track::SCHEMA_REV,
        "metric": {
            "name": metric.name,
            "title": metric.title,
            "unit": metric.unit,
            "definition": metric.definition,
            "minimize": metric.minimize,
        },
        "sweeps": beside.sweeps.iter().map(sweep).collect::<Vec<_>>(),
        "differing": beside.matched.differing.iter().map(differing).collect::<Vec<_>>(),
        "values_comparable": beside.evaluation.is_same(),
        "not_comparable_because": beside.evaluation.differences,
        "reference": beside.reference,
        "settings": settings(beside),
        "across": pooled,
        "no_across_because": reason,
    });
    serde_json::to_string_pretty(&data).expect("a value with text for keys is JSON") + "\n"
}

fn sweep(sweep: &Sweep<'_>) -> Value {
    let (record, cost) = (sweep.record(), Cost::of(sweep));
    let plan = &record.plan;
    json!({
        "name": plan.name,
        "question": plan.question,
        "design": plan.design,
        "seeds": plan.seeds,
        "declared_metric": plan.metric.name,
        "dataset": {
            "name": plan.dataset.name,
            "title": plan.dataset.title,
            "fingerprint": plan.dataset.fingerprint,
        },
        "status": status(Counts::of(&record.runs)),
        "is_final": sweep.summary.is_final(),
        "baseline": sweep.summary.baseline,
        "apart": sweep.apart.map(|why| match why {
            Apart::NoBaseline => "no baseline",
            Apart::OtherGoal => "other goal",
            Apart::OtherBaseline => "other baseline",
        }),
        "training_s": cost.seconds,
        "ms_a_step": cost.ms_a_step(),
    })
}

fn differing(it: &Differing) -> Value {
    json!({ "leaf": it.leaf, "values": it.values })
}

fn settings(beside: &Beside<'_>) -> Vec<Value> {
    let shared = beside.shared();
    let agreement = |setting: &Setting| {
        let found = shared.iter().find(|(it, _)| *it == setting);
        found.map(|(setting, sweeps)| Agreement::of(beside, setting, sweeps).words())
    };
    let setting = |setting: &Setting| {
        let keys = beside.matched.keys.iter().cloned();
        json!({
            "label": setting.name,
            "settings": keys.zip(setting.values.iter().cloned()).collect::<Map<_, _>>(),
            "agreement": agreement(setting),
            "cells": cells(beside, setting),
        })
    };
    beside.matched.settings.iter().map(setting).collect()
}

/// By sweep; `null` where it does not have the setting.
fn cells(beside: &Beside<'_>, setting: &Setting) -> Vec<Option<Value>> {
    let of_sweep = |(sweep, cell): (&Sweep<'_>, &Option<usize>)| {
        let cell = (*cell)?;
        let own = sweep.cell(cell);
        Some(json!({
            "cell": cell,
            "estimate": own.estimate.map(estimate),
            "difference": own.difference().map(|it| difference(it, own)),
            "verdict": sweep.verdict(cell).map(|it| it.words()),
        }))
    };
    beside.sweeps.iter().zip(&setting.cells).map(of_sweep).collect()
}

fn across(beside: &Beside<'_>, it: &Pooled) -> Value {
    json!({
        "label": beside.matched.settings[it.setting].name,
        "value": it.value.map(interquartile),
        "difference": it.difference.map(interquartile),
        "p": it.p,
        "adjusted_p": it.adjusted_p,
        "claim": it.claim.words(),
    })
}

fn interquartile(it: Interquartile) -> Value {
    json!({
        "mean": it.mean,
        "interval": it.interval.map(bounds),
        "n": it.runs,
        "data_sets": it.tasks,
    })
}
