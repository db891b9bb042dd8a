//! What the cells cost.

use track::SweepRecord;

use crate::number::{MISSING, fixed};

/// Training time a cell, in the unit that suits the sweep.
pub(super) struct Cost {
    pub(super) seconds: Vec<Option<f64>>,
    pub(super) unit: &'static str,
    divisor: f64,
}

impl Cost {
    pub(super) fn of(record: &SweepRecord) -> Cost {
        let of_cell = |cell| {
            record.runs.iter().filter(move |run| run.cell == cell).filter_map(|run| run.active_s)
        };
        let seconds: Vec<Option<f64>> = (0..record.plan.cells.len())
            .map(|cell| of_cell(cell).reduce(|sum, s| sum + s))
            .collect();
        let longest = seconds.iter().flatten().copied().fold(0.0, f64::max);
        let (unit, divisor) = if longest < 3.0 * 3600.0 { ("min", 60.0) } else { ("h", 3600.0) };
        Cost { seconds, unit, divisor }
    }

    pub(super) fn write(&self, cell: usize) -> String {
        self.exact(cell).map_or_else(|| MISSING.into(), |cost| fixed(cost, 1))
    }

    pub(super) fn exact(&self, cell: usize) -> Option<f64> {
        self.seconds[cell].map(|seconds| seconds / self.divisor)
    }

    pub(super) fn unit_in_words(&self) -> &'static str {
        if self.unit == "h" { "hours" } else { "minutes" }
    }
}
