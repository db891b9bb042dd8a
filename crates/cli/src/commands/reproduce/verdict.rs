//! Two trainings of one run, and what to think of them.

use std::path::Path;

use anyhow::{Context, ensure};
use runner::{MetricDifference, WeightComparison, compare_rows, compare_weights};
use serde_json::{Value, json};
use track::{RunDir, RunRecord, read_run_at};

use crate::terminal::{number, plural, table};

/// Where anything differs, or on a GPU. A GPU adds up in another order every time, and other code or
/// another processor may round otherwise; adversarial training amplifies that from step to step.
/// Over a short training this lets rounding pass, and no other computation.
const LOOSE: f64 = 1e-3;

/// Both held against each other.
pub(super) struct Held {
    metrics: Vec<MetricDifference>,
    weights: WeightComparison,
    /// What differs: name, then, now.
    circumstances: Vec<(String, String, String)>,
    /// The last step that was compared.
    last_step: u64,
    tolerance: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    BitForBit,
    Within,
    Not,
}

impl Held {
    /// `until`: the last step that counts.
    pub(super) fn between(
        original: &RunDir,
        record: &RunRecord,
        again: &RunDir,
        until: u64,
        tolerance: Option<f64>,
    ) -> anyhow::Result<Self> {
        let (_, now) = read_run_at(again)?.context("the run that was trained again is gone")?;
        let circumstances = differing(&original.circumstances()?, &again.circumstances()?);
        let on_cpu = now.device.as_deref() == Some("cpu");
        let default = if on_cpu && circumstances.is_empty() { 0.0 } else { LOOSE };
        let rows = record.rows.iter().chain(&now.rows);
        let metrics = compare_rows(&record.rows, &now.rows, until);
        ensure!(metrics.iter().any(|it| it.rows > 0), "no row is in both: there is no verdict");
        Ok(Held {
            metrics,
            weights: compare_weights(original, again)?,
            circumstances,
            last_step: rows.map(|row| row.step).filter(|it| *it <= until).max().unwrap_or(0),
            tolerance: tolerance.unwrap_or(default),
        })
    }

    pub(super) fn verdict(&self) -> Verdict {
        let largest = self.largest();
        match () {
            () if self.missing() > 0 => Verdict::Not,
            () if largest == 0.0 => Verdict::BitForBit,
            () if largest <= self.tolerance => Verdict::Within,
            () => Verdict::Not,
        }
    }

    fn largest(&self) -> f64 {
        let metrics = self.metrics.iter().map(|it| it.largest);
        let weights = match &self.weights {
            WeightComparison::At { networks, .. } => networks.as_slice(),
            WeightComparison::None { .. } => &[],
        };
        metrics.chain(weights.iter().map(|it| it.largest)).fold(0.0, f64::max)
    }

    fn rows(&self) -> usize {
        self.metrics.iter().map(|it| it.rows).sum()
    }

    fn missing(&self) -> usize {
        self.metrics.iter().map(|it| it.missing).sum()
    }

    pub(super) fn print(&self, kept: Option<&Path>) {
        if !self.circumstances.is_empty() {
            let row =
                |(name, a, b): &(String, String, String)| vec![name.clone(), a.clone(), b.clone()];
            let rows: Vec<_> = self.circumstances.iter().map(row).collect();
            tell!("{}\n", table(&["circumstance", "then", "now"], &rows));
        }
        tell!("{}\n", self.metric_table());
        tell!("{}", self.weights_in_words());
        if let Some(folder) = kept {
            tell!("kept: {}", folder.display());
        }
        tell!("{}", self.verdict_in_words());
    }

    /// The largest differences first.
    fn metric_table(&self) -> String {
        let mut metrics: Vec<_> = self.metrics.iter().collect();
        metrics.sort_by(|a, b| b.largest.total_cmp(&a.largest));
        let row = |it: &&MetricDifference| {
            let [step, then, now] = match it.at {
                Some((step, then, now)) => [step.to_string(), then.to_string(), now.to_string()],
                None => [String::new(), String::new(), String::new()],
            };
            let rows = match (it.missing, it.more) {
                (0, 0) => it.rows.to_string(),
                (0, more) => format!("{}, {more} more now", it.rows),
                (missing, _) => format!("{}, {missing} missing now", it.rows),
            };
            vec![it.name.clone(), rows, part(it.largest), step, then, now]
        };
        let rows: Vec<_> = metrics.iter().map(row).collect();
        table(&["metric", "rows", "largest difference", "step", "then", "now"], &rows)
    }

    fn weights_in_words(&self) -> String {
        match &self.weights {
            WeightComparison::None { reason } => format!("weights are not compared: {reason}"),
            WeightComparison::At { step, networks } => {
                let one = |it: &runner::WeightDifference| {
                    format!("{} {}", it.network.name(), part(it.largest))
                };
                let networks: Vec<_> = networks.iter().map(one).collect();
                format!("weights at step {step}: {}", networks.join(", "))
            }
        }
    }

    fn verdict_in_words(&self) -> String {
        let what = format!(
            "{} of {} up to step {}",
            plural(self.rows(), "row"),
            plural(self.metrics.len(), "metric"),
            self.last_step
        );
        let largest = number(self.largest());
        match self.verdict() {
            Verdict::BitForBit => format!("reproduced bit for bit: {what}"),
            Verdict::Within => {
                format!("reproduced within {} (largest: {largest}): {what}", number(self.tolerance))
            }
            Verdict::Not if self.missing() > 0 => {
                format!("NOT reproduced: {} missing beside {what}", plural(self.missing(), "row"))
            }
            Verdict::Not => format!(
                "NOT reproduced: the largest difference is {largest}, {} would do; {what}",
                number(self.tolerance)
            ),
        }
    }

    pub(super) fn print_json(&self, kept: Option<&Path>) -> anyhow::Result<()> {
        let metric = |it: &MetricDifference| {
            let at = it.at.map(|(step, then, now)| {
                json!({ "step": step, "then": as_json(then), "now": as_json(now) })
            });
            json!({
                "name": it.name, "split": it.split, "rows": it.rows, "missing": it.missing,
                "more": it.more,
                "largest": as_json(it.largest), "at": at,
            })
        };
        let weights = match &self.weights {
            WeightComparison::None { reason } => json!({ "reason": reason }),
            WeightComparison::At { step, networks } => {
                let one = |it: &runner::WeightDifference| json!({ "network": it.network.name(), "largest": as_json(it.largest) });
                json!({ "step": step, "networks": networks.iter().map(one).collect::<Vec<_>>() })
            }
        };
        let circumstance =
            |(name, a, b): &(String, String, String)| json!({ "name": name, "then": a, "now": b });
        let verdict = match self.verdict() {
            Verdict::BitForBit => "bit for bit",
            Verdict::Within => "within tolerance",
            Verdict::Not => "not reproduced",
        };
        let value = json!({
            "verdict": verdict,
            "tolerance": self.tolerance,
            "largest": as_json(self.largest()),
            "rows": self.rows(),
            "missing": self.missing(),
            "last_step": self.last_step,
            "metrics": self.metrics.iter().map(metric).collect::<Vec<_>>(),
            "weights": weights,
            "circumstances": self.circumstances.iter().map(circumstance).collect::<Vec<_>>(),
            "kept": kept,
        });
        tell!("{}", crate::terminal::json(&value)?);
        Ok(())
    }
}

/// A difference in words.
fn part(value: f64) -> String {
    match value {
        0.0 => "same".into(),
        f64::INFINITY => "other kind".into(),
        value => number(value),
    }
}

/// As text where JSON has no such number.
fn as_json(value: f64) -> Value {
    if value.is_finite() { json!(value) } else { json!(value.to_string()) }
}

/// Circumstances with two values, in the original's order; one that only one of them knows, too.
fn differing(then: &[(String, String)], now: &[(String, String)]) -> Vec<(String, String, String)> {
    let find = |in_: &[(String, String)], name: &str| {
        in_.iter().find(|(known, _)| known == name).map_or("—".to_string(), |(_, it)| it.clone())
    };
    let mut names: Vec<&String> = then.iter().map(|(name, _)| name).collect();
    for (name, _) in now {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let both = names.into_iter().map(|name| (name.clone(), find(then, name), find(now, name)));
    both.filter(|(_, then, now)| then != now).collect()
}
