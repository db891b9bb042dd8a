//! Load of the machine while a run trains, by burn-train's system metrics.

use std::time::{Duration, Instant};

use burn::data::dataloader::Progress;
use burn_train::metric::{CpuMemory, CpuUse, Metric, MetricMetadata, Numeric, NumericEntry};

/// Readings are at least this far apart: they describe minutes, not steps.
const EVERY: Duration = Duration::from_secs(5);

pub(crate) struct SystemLoad {
    cpu: CpuUse,
    memory: CpuMemory,
    last: Option<Instant>,
}

impl SystemLoad {
    pub(crate) fn new() -> Self {
        SystemLoad { cpu: CpuUse::new(), memory: CpuMemory::new(), last: None }
    }

    /// `sys/…` readings of the whole machine, or nothing when the last are fresh.
    pub(crate) fn read(&mut self) -> Vec<(&'static str, f64)> {
        if self.last.is_some_and(|last| last.elapsed() < EVERY) {
            return Vec::new();
        }
        self.last = Some(Instant::now());
        let metadata = MetricMetadata {
            progress: Progress { items_processed: 0, items_total: 0, unit: None },
            iteration: None,
            lr: None,
        };
        let readings = [
            ("sys/cpu_percent", reading(&mut self.cpu, &metadata)),
            ("sys/memory_gb", reading(&mut self.memory, &metadata)),
        ];
        readings.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

fn reading<M: Metric<Input = ()> + Numeric>(
    metric: &mut M,
    metadata: &MetricMetadata,
) -> Option<f64> {
    metric.update(&(), metadata).ok()?;
    match metric.value()? {
        NumericEntry::Value(value) | NumericEntry::Final(value) => Some(value),
        NumericEntry::Aggregated { aggregated_value, .. } => Some(aggregated_value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_memory_in_use() {
        let mut load = SystemLoad::new();
        let readings = load.read();
        let memory = readings.iter().find(|(name, _)| *name == "sys/memory_gb").expect("read");
        assert!(memory.1 > 0.0);
        assert!(load.read().is_empty(), "fresh readings are not taken again");
    }
}
