//! Losses between two log lines. They stay on the device until the window
//! closes: reading one makes the device wait.

use burn::tensor::Tensor;
use model::Term;
use serde::{Deserialize, Serialize};

use crate::step::{OutputStd, StepLosses};

/// What a window keeps one number a step of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// A term of the objective before its weight.
    Loss(Term),
    /// Spread of the generated images of domain A or B; only where a guard watches it.
    OutputStdA,
    OutputStdB,
}

impl Quantity {
    /// As logged.
    pub(crate) fn name(self) -> String {
        match self {
            Quantity::Loss(term) => format!("loss/{}", term.name()),
            Quantity::OutputStdA => "output/std_a".to_string(),
            Quantity::OutputStdB => "output/std_b".to_string(),
        }
    }
}

/// The steps since the last log line.
#[derive(Debug, Default)]
pub(crate) struct LossWindow {
    /// What the configuration has; the same at every step.
    quantities: Vec<Quantity>,
    /// Read already, one row a step.
    read: Vec<Vec<f32>>,
    /// Still on the device, `[quantities]` a step.
    waiting: Vec<Tensor<1>>,
}

/// One quantity over a closed window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WindowStat {
    pub quantity: Quantity,
    pub mean: f64,
    pub min: f64,
    pub max: f64,
    pub count: u32,
}

/// An open window as a checkpoint keeps it, so that a resumed run closes it with the same numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedWindow(Vec<Vec<Exact>>);

/// A float32 in JSON, bit for bit: widened to 64 bits, parsing cannot round to a neighbour; and
/// what is no number is text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Exact {
    Finite(f64),
    NotFinite(String),
}

impl From<f32> for Exact {
    fn from(value: f32) -> Self {
        match value.is_finite() {
            true => Exact::Finite(f64::from(value)),
            false => Exact::NotFinite(value.to_string()),
        }
    }
}

impl From<Exact> for f32 {
    fn from(value: Exact) -> f32 {
        match value {
            Exact::Finite(value) => value as f32,
            Exact::NotFinite(text) => text.parse().unwrap_or(f32::NAN),
        }
    }
}

impl LossWindow {
    pub(crate) fn restore(saved: SavedWindow) -> Self {
        let row = |row: Vec<Exact>| row.into_iter().map(f32::from).collect();
        LossWindow { read: saved.0.into_iter().map(row).collect(), ..LossWindow::default() }
    }

    pub(crate) fn push(&mut self, losses: StepLosses, output_std: Option<OutputStd>) {
        let losses = losses.into_iter().map(|(term, value)| (Quantity::Loss(term), value));
        let spreads = output_std
            .into_iter()
            .flat_map(|OutputStd { a, b }| [(Quantity::OutputStdA, a), (Quantity::OutputStdB, b)]);
        let (quantities, values): (Vec<_>, Vec<_>) = losses.chain(spreads).unzip();
        self.quantities = quantities;
        self.waiting.push(Tensor::cat(values, 0));
    }

    /// What the open window holds, one row a step.
    pub(crate) fn rows(&mut self) -> (&[Quantity], &[Vec<f32>]) {
        self.read_waiting();
        (&self.quantities, &self.read)
    }

    /// The window as it stands; it stays open.
    pub(crate) fn save(&mut self) -> SavedWindow {
        self.read_waiting();
        let row = |row: &Vec<f32>| row.iter().copied().map(Exact::from).collect();
        SavedWindow(self.read.iter().map(row).collect())
    }

    /// In one transfer.
    fn read_waiting(&mut self) {
        if !self.waiting.is_empty() {
            let waiting = std::mem::take(&mut self.waiting);
            let data = Tensor::cat(waiting, 0).into_data();
            let values = data.as_slice::<f32>().expect("losses are float32");
            self.read.extend(values.chunks_exact(self.quantities.len()).map(<[f32]>::to_vec));
        }
    }

    /// Names a loss of the open window that is not a number, as far as it has been read.
    pub(crate) fn non_finite(&self) -> Option<String> {
        let row = self.read.iter().find(|row| row.iter().any(|value| !value.is_finite()))?;
        let mut values = self.quantities.iter().zip(row);
        let (quantity, value) = values.find(|(_, value)| !value.is_finite())?;
        Some(format!("{} is {value}", quantity.name()))
    }

    /// Closes the window: one entry a quantity, empty where no step was taken.
    pub(crate) fn close(&mut self) -> Vec<WindowStat> {
        self.read_waiting();
        let steps = std::mem::take(&mut self.read);
        let stat = |(i, &quantity): (usize, &Quantity)| {
            let values = steps.iter().map(|step| f64::from(step[i]));
            // f64::min and max would skip a NaN; a window with one has no extremes.
            let lowest =
                |a: f64, b: f64| if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) };
            let highest =
                |a: f64, b: f64| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) };
            WindowStat {
                quantity,
                mean: values.clone().sum::<f64>() / steps.len() as f64,
                min: values.clone().fold(f64::INFINITY, lowest),
                max: values.fold(f64::NEG_INFINITY, highest),
                count: steps.len() as u32,
            }
        };
        match steps.is_empty() {
            true => Vec::new(),
            false => self.quantities.iter().enumerate().map(stat).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn step(window: &mut LossWindow, losses: StepLosses) {
        window.push(losses, None);
    }

    fn losses(cycle: f32, d: f32) -> StepLosses {
        let scalar = |v: f32| Tensor::<1>::from_data([v], &Device::flex());
        vec![(Term::CycleA, scalar(cycle)), (Term::DA, scalar(d))]
    }

    #[test]
    fn mean_and_extremes_by_term() {
        let mut window = LossWindow::default();
        step(&mut window, losses(1.0, 4.0));
        step(&mut window, losses(3.0, -2.0));
        let stats = window.close();
        assert_eq!(
            (stats[0].quantity, stats[0].mean, stats[0].min, stats[0].max),
            (Quantity::Loss(Term::CycleA), 2.0, 1.0, 3.0)
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
        step(&mut straight, losses(0.1, 0.7));
        let saved = straight.save();
        let saved = serde_json::to_string(&saved).expect("serialises");
        let mut resumed = LossWindow::restore(serde_json::from_str(&saved).expect("reads back"));
        step(&mut straight, losses(0.3, 0.9));
        step(&mut resumed, losses(0.3, 0.9));
        assert_eq!(straight.close(), resumed.close());
    }

    #[test]
    fn every_float_is_saved_as_it_is() {
        let odd = [0.1, f32::MIN_POSITIVE, 1e-45, f32::MAX, -0.0, f32::INFINITY, f32::NEG_INFINITY];
        let mut window = LossWindow { read: vec![odd.to_vec()], ..LossWindow::default() };
        let saved = serde_json::to_string(&window.save()).expect("serialises");
        let back = LossWindow::restore(serde_json::from_str(&saved).expect("reads back"));
        assert_eq!(
            back.read[0].iter().map(|v| v.to_bits()).collect::<Vec<_>>(),
            odd.map(f32::to_bits)
        );
        let saved = serde_json::to_string(&SavedWindow(vec![vec![f32::NAN.into()]]));
        let back = serde_json::from_str(&saved.expect("serialises")).expect("reads back");
        assert!(LossWindow::restore(back).read[0][0].is_nan());
    }

    #[test]
    fn a_nan_is_never_averaged_away() {
        let mut window = LossWindow::default();
        step(&mut window, losses(f32::NAN, 1.0));
        step(&mut window, losses(1.0, 1.0));
        let stats = window.close();
        assert!(stats[0].mean.is_nan() && stats[0].min.is_nan() && stats[0].max.is_nan());
        assert_eq!(stats[1].mean, 1.0);
    }
}
