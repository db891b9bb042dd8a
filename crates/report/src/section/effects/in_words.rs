//! What a plot shows, for those who do not see it: its description and its data.

use track::{AxisRecord, SweepRecord};

use crate::figure::EffectPoint;
use crate::metric::Metric;
use crate::number::{decimals, fixed, plural};
use crate::section::figure_data::{Column, Datum, FigureData};
use crate::section::seeds;
use crate::summary::Summary;

pub(super) fn describe(record: &SweepRecord, metric: &Metric, summary: &Summary) -> String {
    let places = decimals(summary.cells.iter().filter_map(|cell| cell.estimate).map(|e| e.mean));
    let said: Vec<String> = record
        .plan
        .cells
        .iter()
        .zip(&summary.cells)
        .map(|(cell, own)| match own.estimate {
            Some(e) => {
                format!("{}: {} over {}", cell.label, fixed(e.mean, places), plural(e.n, "seed"))
            }
            None => format!("{}: no value", cell.label),
        })
        .collect();
    format!("{}. Means: {}.", metric.direction(), said.join("; "))
}

/// Means over the cells of each level, where a level is one point.
pub(super) fn of_levels(labels: &[String], points: &[EffectPoint]) -> String {
    let places = decimals(points.iter().filter_map(|it| it.estimate).map(|e| e.mean));
    let said: Vec<String> = points
        .iter()
        .filter_map(|point| {
            let estimate = point.estimate?;
            let mean = fixed(estimate.mean, places);
            Some(format!("{}: {mean} over {}", labels[point.level], plural(estimate.n, "cell")))
        })
        .collect();
    format!("Levels: {}. ", said.join("; "))
}

/// A row a cell: where it lies on the axis, its mean, and each seed's value.
pub(super) fn data(record: &SweepRecord, axis: &AxisRecord, summary: &Summary) -> String {
    let places = decimals(summary.cells.iter().filter_map(|cell| cell.estimate).map(|e| e.mean));
    let number = |value: Option<f64>| Datum::number(value, |value| fixed(value, places));
    let seeds = seeds(record);
    let mut columns = vec![
        Column::words("cell"),
        Column::words("role"),
        Column::axis(record, axis),
        Column::number("seeds"),
        Column::number("mean"),
    ];
    columns.extend(Column::ends());
    columns.extend(seeds.iter().map(|seed| Column::number(&format!("seed {seed}"))));
    let mut data = FigureData::new(columns);
    for (at, (cell, own)) in record.plan.cells.iter().zip(&summary.cells).enumerate() {
        let interval = own.estimate.and_then(|it| it.interval);
        let of_cell = [
            Datum::Words(cell.label.clone()),
            Datum::role(summary, at),
            Datum::on_axis(record, axis, cell),
            Datum::count(own.values.len()),
            number(own.estimate.map(|it| it.mean)),
            number(interval.map(|it| it.lower)),
            number(interval.map(|it| it.upper)),
        ];
        let of_seed = |seed: &u64| {
            let found = own.values.iter().find(|(own, _)| own == seed);
            number(found.map(|(_, value)| *value))
        };
        data.row(of_cell.into_iter().chain(seeds.iter().map(of_seed)));
    }
    data.folded()
}
