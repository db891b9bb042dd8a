//! One run over the whole terminal, in burn-train's dashboard.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn_train::Interrupter;
use burn_train::logger::TrainingProgressLogger;
use burn_train::metric::{
    MetricAttributes, MetricDefinition, MetricEntry, MetricId, NumericAttributes, NumericEntry,
    SerializedEntry,
};
use burn_train::renderer::tui::TuiMetricsRendererWrapper;
use burn_train::renderer::{MetricState, MetricsRenderer, MetricsRendererTraining};
use runner::{Stop, TrainEvent};

use crate::terminal::number;

pub(crate) struct Dashboard {
    renderer: TuiMetricsRendererWrapper,
    /// What the dashboard's `q` sets.
    interrupter: Interrupter,
    stop: Arc<Stop>,
    known: BTreeMap<String, MetricId>,
    from_step: u64,
}

impl Dashboard {
    /// Pressing `q` in the dashboard raises `stop`: the run saves and ends.
    pub(crate) fn new(stop: Arc<Stop>) -> Self {
        let interrupter = Interrupter::new();
        let renderer = TuiMetricsRendererWrapper::new(interrupter.clone(), None);
        Dashboard { renderer, interrupter, stop, known: BTreeMap::new(), from_step: 0 }
    }

    pub(crate) fn update(&mut self, event: &TrainEvent) {
        if self.interrupter.should_stop() && !self.stop.requested() {
            self.stop.raise();
        }
        match event {
            TrainEvent::Started { from_step, total_steps, device } => {
                self.from_step = *from_step;
                let steps = (total_steps - from_step) as usize;
                self.renderer.start(1, 1, Some(steps), Some(device));
                self.renderer.start_split("train", steps);
            }
            TrainEvent::Step { step } => {
                self.renderer.update_split((step - self.from_step) as usize);
            }
            TrainEvent::Losses { losses, .. } => {
                for (name, value) in losses {
                    let state = self.state(&format!("loss/{name}"), *value);
                    self.renderer.update_train(state);
                }
            }
            TrainEvent::Evaluated { scores, .. } => {
                for (name, value) in scores {
                    let state = self.state(name, *value);
                    self.renderer.update_valid(state);
                }
            }
            TrainEvent::Warning { message } => self.renderer.log_event_training(message.clone()),
            TrainEvent::Checkpoint { step } => {
                self.renderer.log_event_training(format!("checkpoint at step {step}"));
            }
            TrainEvent::Preparing { .. } | TrainEvent::Evaluating { .. } => {}
        }
    }

    fn state(&mut self, name: &str, value: f64) -> MetricState {
        let id = match self.known.get(name) {
            Some(id) => id.clone(),
            None => self.register(name),
        };
        let entry = SerializedEntry::new(format!("{name}: {}", number(value)), value.to_string());
        MetricState::Numeric(MetricEntry::new(id, entry), Some(NumericEntry::Value(value)))
    }

    fn register(&mut self, name: &str) -> MetricId {
        let id = MetricId::new(Arc::new(name.to_string()));
        self.renderer.register_metric(MetricDefinition {
            metric_id: id.clone(),
            name: Arc::new(name.to_string()),
            description: None,
            attributes: MetricAttributes::Numeric(NumericAttributes {
                unit: None,
                higher_is_better: name.contains("psnr") || name.contains("ssim"),
            }),
        });
        self.known.insert(name.to_string(), id.clone());
        id
    }
}
