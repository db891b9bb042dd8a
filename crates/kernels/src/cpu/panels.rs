//! Weights in the order in which products read them.

use rayon::prelude::*;

/// A matrix of weights `[depth, columns]` in panels of neighbouring columns, each panel row by row;
/// what stands in columns that the last panel lacks is of no meaning.
#[derive(Debug)]
pub(crate) struct Panels {
    pub values: Vec<f32>,
    pub depth: usize,
    pub columns: usize,
    pub panel_width: usize,
}

/// Panels to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weights<'a> {
    pub values: &'a [f32],
    pub depth: usize,
    pub columns: usize,
    pub panel_width: usize,
}

/// How a matrix `[tap, channel] × column` lies in a weight tensor: `tap + channel · step + column · step`.
#[derive(Debug, Clone)]
pub(crate) struct WeightOrder {
    /// Positions within the kernel, `row · kernel width + column`, in the order of the matrix's rows.
    pub taps: Vec<usize>,
    pub channels: usize,
    pub channel_step: usize,
    pub columns: usize,
    pub column_step: usize,
}

impl WeightOrder {
    pub(crate) fn depth(&self) -> usize {
        self.taps.len() * self.channels
    }
}

/// Channels that are written at a time. Columns are often a power of two apart, and what is shares a
/// cache set, which holds eight lines or more.
const STRIP: usize = 8;

impl Panels {
    pub(crate) fn pack(weight: &[f32], order: &WeightOrder, panel_width: usize) -> Self {
        let mut panels = Panels::zeros(order.depth(), order.columns, panel_width);
        let len = panels.depth * panel_width;
        panels.values.par_chunks_exact_mut(len).enumerate().for_each(|(panel, values)| {
            let first = panel * panel_width;
            let width = panel_width.min(order.columns - first);
            // Channel by channel: the kernel's taps lie side by side in the tensor.
            for channel in 0..order.channels {
                let from = &weight[channel * order.channel_step + first * order.column_step..];
                for (row, &tap) in order.taps.iter().enumerate() {
                    let at = (row * order.channels + channel) * panel_width;
                    for (column, value) in values[at..at + width].iter_mut().enumerate() {
                        *value = from[column * order.column_step + tap];
                    }
                }
            }
        });
        panels
    }

    pub(crate) fn weights(&self) -> Weights<'_> {
        let Panels { values, depth, columns, panel_width } = self;
        Weights { values, depth: *depth, columns: *columns, panel_width: *panel_width }
    }

    /// Of `values`.
    pub(crate) fn len(depth: usize, columns: usize, panel_width: usize) -> usize {
        columns.div_ceil(panel_width) * depth * panel_width
    }

    fn zeros(depth: usize, columns: usize, panel_width: usize) -> Self {
        let values = vec![0.0; Panels::len(depth, columns, panel_width)];
        Panels { values, depth, columns, panel_width }
    }

    /// The opposite of [`pack`](Self::pack).
    ///
    /// # Panics
    /// If columns do not lie one behind the other: `order` must be that of going down.
    pub(crate) fn unpack(&self, order: &WeightOrder, weight: &mut [f32]) {
        assert_eq!(order.column_step, order.depth());
        let len = self.depth * self.panel_width;
        let panels = weight.par_chunks_mut(self.panel_width * order.column_step);
        panels.zip(self.values.par_chunks_exact(len)).for_each(|(weight, values)| {
            let width = weight.len() / order.column_step;
            for strip in (0..order.channels).step_by(STRIP) {
                for column in 0..width {
                    for channel in strip..order.channels.min(strip + STRIP) {
                        let to = channel * order.channel_step + column * order.column_step;
                        let to = &mut weight[to..];
                        let mut from = channel * self.panel_width + column;
                        for &tap in &order.taps {
                            to[tap] = values[from];
                            from += order.channels * self.panel_width;
                        }
                    }
                }
            }
        });
    }
}
