//! Figures: numbers in, SVG out.
//!
//! plotters lays out the axes and maps values to places; colours, dashes and
//! fonts stay with the style sheet, so that one drawing serves light, dark and
//! paper. Drawing therefore happens in [`ink::Ink`], colours that stand for a
//! class and are exchanged for it at the end.

mod bundle;
mod chart;
mod cloud;
mod effect;
mod forest;
mod gantt;
mod grouped_forest;
mod ink;
mod learning_curve;
mod mark;
mod parallel;
mod run_curve;
mod scale;
mod scatter;
mod tradeoff;

pub(crate) use cloud::{Cloud, CloudCell, cloud};
pub(crate) use effect::{Effect, EffectDrawing, EffectPoint, EffectSeries, effect};
pub(crate) use forest::{Forest, ForestRow, forest};
pub(crate) use gantt::{Gantt, GanttBar, gantt};
pub(crate) use grouped_forest::{ForestGroup, GroupedForest, grouped_forest};
pub(crate) use ink::{SERIES, swatch};
pub(crate) use learning_curve::{
    CellCurve, LearningCurve, POINTS, learning_curve, range_over_seeds,
};
pub(crate) use parallel::{Parallel, ParallelAxis, ParallelLine, parallel};
pub(crate) use run_curve::{RunCurve, RunLine, run_curve};
pub(crate) use scale::{Level, Place, place, ticks};
pub(crate) use scatter::{ScatterAxis, ScatterCell, ScatterMatrix, scatter};
pub(crate) use tradeoff::{Tradeoff, TradeoffPoint, tradeoff};
