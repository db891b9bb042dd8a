//! Losses between two log lines. They stay on the device until the window
//! closes: reading one makes the device wait.

use burn::tensor::Tensor;
use model::Term;
use serde::{Deserialize, Serialize};

use crate::step::StepLosses;

/// The steps since the last log line.
#[derive(Debug, Default)]
pub(crate) struct LossWindow {
    /// Which terms the configuration has; the same at every step.
    terms: Vec<Term>,
    /// Read already, one row a step.
    read: Vec<Vec<f32>>,
    /// Still on the device, `[terms]` a step.
    waiting: Vec<Tensor<1>>,
}

/// One term over a closed window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WindowStat {
    pub term: Term,
    pub mean: f64,
    pub min: f64,
    pub max: f64,
    pub count: u32,
}

/// An open window as a checkpoint keeps it, so that a resumed run closes it with the same numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedWindow(Vec<Vec<f32>>);

impl LossWindow {
    pub(crate) fn restore(saved: SavedWindow) -> Self {
        LossWindow { read: saved.0, ..LossWindow::default() }
    }

    pub(crate) fn push(&mut self, losses: StepLosses) {
        let (terms, values): (Vec<_>, Vec<_>) = losses.into_iter().unzip();
        self.terms = terms;
        self.waiting.push(Tensor::cat(values, 0));
    }

    /// Reads what waits, in one transfer, and keeps the window open.
    pub(crate) fn save(&mut self) -> SavedWindow {
        if !self.waiting.is_empty() {
            let waiting = std::mem::take(&mut self.waiting);
            let data = Tensor::cat(waiting, 0).into_data();
            let values = data.as_slice::<f32>().expect("losses are float32");
            self.read.extend(values.chunks_exact(self.terms.len()).map(<[f32]>::to_vec));
        }
        SavedWindow(self.read.clone())
    }

    /// Names a loss of the open window that is not a number, as far as it has been read.
    pub(crate) fn non_finite(&self) -> Option<String> {
        let row = self.read.iter().find(|row| row.iter().any(|value| !value.is_finite()))?;
        let (term, value) = self.terms.iter().zip(row).find(|(_, value)| !value.is_finite())?;
        Some(format!("loss/{} is {value}", term.name()))
    }

    /// Closes the window: one entry a term, empty where no step was taken.
    pub(crate) fn close(&mut self) -> Vec<WindowStat> {
        self.save();
        let steps = std::mem::take(&mut self.read);
        let stat = |(i, &term): (usize, &Term)| {
            let values = steps.iter().map(|step| f64::from(step[i]));
            // f64::min and max would skip a NaN; a window with one has no extremes.
            let lowest =
                |a: f64, b: f64| if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) };
            let highest =
                |a: f64, b: f64| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) };
            WindowStat {
                term,
                mean: values.clone().sum::<f64>() / steps.len() as f64,
                min: values.clone().fold(f64::INFINITY, lowest),
                max: values.fold(f64::NEG_INFINITY, highest),
                count: steps.len() as u32,
            }
        };
        match steps.is_empty() {
            true => Vec::new(),
            false => self.terms.iter().enumerate().map(stat).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn losses(cycle: f32, d: f32) -> StepLosses {
        let scalar = |v: f32| Tensor::<1>::from_data([v], &Device::flex());
        vec![(Term::CycleA, scalar(cycle)), (Term::DA, scalar(d))]
    }

    #[test]
    fn mean_and_extremes_by_term() {
        let mut window = LossWindow::default();
        window.push(losses(1.0, 4.0));
        window.push(losses(3.0, -2.0));
        let stats = window.close();
        assert_eq!(
            (stats[0].term, stats[0].mean, stats[0].min, stats[0].max),
            (Term::CycleA, 2.0, 1.0, 3.0)
        );
        assert_eq!(
            (stats[1].mean, stats[1].min, stats[1].max, stats[1].count),
            (1.0, -2.0, 4.0, 2)
        );
        assert!(window.close().is_empty());
    }

    #[test]
    fn a_saved_window_closes_with_the_same_numbers() {
        let mut straight = LossWindow::default();
        straight.push(losses(0.1, 0.7));
        let saved = straight.save();
        let saved = serde_json::to_string(&saved).expect("serialises");
        let mut resumed = LossWindow::restore(serde_json::from_str(&saved).expect("reads back"));
        straight.push(losses(0.3, 0.9));
        resumed.push(losses(0.3, 0.9));
        assert_eq!(straight.close(), resumed.close());
    }

    #[test]
    fn a_nan_is_never_averaged_away() {
        let mut window = LossWindow::default();
        window.push(losses(f32::NAN, 1.0));
        window.push(losses(1.0, 1.0));
        let stats = window.close();
        assert!(stats[0].mean.is_nan() && stats[0].min.is_nan() && stats[0].max.is_nan());
        assert_eq!(stats[1].mean, 1.0);
    }
}
