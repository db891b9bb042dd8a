//! By which metric sweeps are compared.

use std::collections::BTreeSet;

use track::{RunState, SweepRecord};

use crate::ReportError;

/// What all sweeps declare; else the first declared one that all have measured.
pub(super) fn chosen(records: &[SweepRecord], wanted: Option<&str>) -> Result<String, ReportError> {
    if let Some(wanted) = wanted {
        return match records.iter().find(|record| !has_value(record, wanted)) {
            None => Ok(wanted.into()),
            Some(record) => Err(ReportError::Unmeasured {
                sweep: record.plan.name.clone(),
                metric: wanted.into(),
                measured: common_metrics(records),
            }),
        };
    }
    let declared: Vec<&str> = records.iter().map(|it| it.plan.metric.name.as_str()).collect();
    if declared.iter().all(|name| *name == declared[0]) {
        return Ok(declared[0].into());
    }
    let in_all = |name: &&&str| records.iter().all(|record| has_value(record, name));
    declared.iter().find(in_all).map(|name| (*name).to_string()).ok_or_else(|| {
        ReportError::NoCommonMetric {
            declared: declared.iter().map(|it| (*it).to_string()).collect(),
            measured: common_metrics(records),
        }
    })
}

fn has_value(record: &SweepRecord, metric: &str) -> bool {
    let completed = record.runs.iter().filter(|run| run.state == RunState::Completed);
    completed.filter_map(|run| run.last(metric)).any(f64::is_finite)
}

/// What could be asked for instead.
fn common_metrics(records: &[SweepRecord]) -> Vec<String> {
    let rows = records.iter().flat_map(|record| &record.runs).flat_map(|run| &run.rows);
    let names: BTreeSet<&str> = rows.map(|row| row.name.as_str()).collect();
    let names =
        names.into_iter().filter(|it| it.starts_with("eval/") && !spec::is_standard_error(it));
    let in_all = |name: &&str| records.iter().all(|record| has_value(record, name));
    names.filter(in_all).map(str::to_string).collect()
}
