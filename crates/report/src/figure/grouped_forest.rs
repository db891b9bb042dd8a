//! Differences to baselines, grouped by setting: within a group a mark and a bar for every sweep that
//! has the setting, always in the same order, colour and shape.

use super::chart::{Frame, WIDE, line, stroke};
use super::forest::{ForestDrawing, ForestRow, draw, x_range};
use super::ink::Ink;
use super::mark::cut;
use super::scale::ticks;
use crate::ReportError;
use crate::number;

pub(crate) struct GroupedForest {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) x_title: String,
    /// From top to bottom.
    pub(crate) groups: Vec<ForestGroup>,
}

pub(crate) struct ForestGroup {
    pub(crate) label: String,
    /// Their own labels are the legend's.
    pub(crate) rows: Vec<ForestRow>,
}

/// Of a row and between groups, in rows.
const ROW: i32 = 20;
const GAP: f64 = 0.7;
/// Characters of a setting's name.
const NAME: usize = 60;
/// From here on a name makes the figure wider, else it would take the room of the bars.
const SHORT: usize = 30;

/// `None` without a row.
pub(crate) fn grouped_forest(figure: &GroupedForest) -> Result<Option<ForestDrawing>, ReportError> {
    let groups: Vec<&ForestGroup> = figure.groups.iter().filter(|it| !it.rows.is_empty()).collect();
    if groups.is_empty() {
        return Ok(None);
    }
    let (low, high) = x_range(groups.iter().flat_map(|group| &group.rows));
    let places = Places::of(&groups);
    let labels = groups.iter().zip(&places.middles);
    let longest = groups.iter().map(|group| group.label.chars().count().min(NAME)).max();
    let (x_ticks, decimals) = ticks(low, high, 8);
    let frame = Frame {
        x: (low, high),
        x_ticks: x_ticks.into_iter().map(|at| (at, number::signed(at, decimals))).collect(),
        x_title: figure.x_title.clone(),
        y: (0.0, places.height),
        y_labels: Some(labels.map(|(group, y)| (*y, cut(&group.label, NAME))).collect()),
        size: (
            WIDE.0 + 6 * longest.unwrap_or(0).saturating_sub(SHORT) as i32,
            50 + (f64::from(ROW) * places.height).round() as i32,
        ),
        title: figure.title.clone(),
        description: figure.description.clone(),
        id: figure.id.clone(),
    };
    let mut cut_intervals = 0;
    let svg = frame.draw(|chart| {
        for &y in &places.borders {
            line(chart, &[(low, y), (high, y)], stroke(Ink::Grid, 1.0))?;
        }
        line(chart, &[(0.0, 0.0), (0.0, places.height)], stroke(Ink::Reference, 1.25))?;
        for (group, ys) in groups.iter().zip(&places.rows) {
            for (row, &y) in group.rows.iter().zip(ys) {
                cut_intervals += usize::from(draw(chart, row, y, (low, high))?);
            }
        }
        Ok(())
    })?;
    Ok(Some(ForestDrawing { svg, cut_intervals }))
}

/// Heights over the lowest end of the figure, in rows.
struct Places {
    rows: Vec<Vec<f64>>,
    middles: Vec<f64>,
    /// Between groups.
    borders: Vec<f64>,
    height: f64,
}

impl Places {
    fn of(groups: &[&ForestGroup]) -> Places {
        let rows: usize = groups.iter().map(|group| group.rows.len()).sum();
        let height = rows as f64 + GAP * groups.len() as f64;
        let mut places = Places { rows: vec![], middles: vec![], borders: vec![], height };
        let mut top = height;
        for (at, group) in groups.iter().enumerate() {
            if at > 0 {
                places.borders.push(top);
            }
            let first = top - (GAP + 1.0) / 2.0;
            places.rows.push((0..group.rows.len()).map(|row| first - row as f64).collect());
            top -= GAP + group.rows.len() as f64;
            places.middles.push(first - (group.rows.len() - 1) as f64 / 2.0);
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(rows: usize) -> ForestGroup {
        let row = || ForestRow {
            label: "sweep".into(),
            ink: 1,
            mean: 1.0,
            interval: None,
            values: vec![0.5, 1.5],
        };
        ForestGroup { label: "setting".into(), rows: (0..rows).map(|_| row()).collect() }
    }

    #[test]
    fn rows_stay_in_their_group() {
        let groups = [group(1), group(3), group(2)];
        let places = Places::of(&groups.iter().collect::<Vec<_>>());
        assert_eq!(places.borders.len(), 2);
        for (at, ys) in places.rows.iter().enumerate() {
            let above = if at == 0 { places.height } else { places.borders[at - 1] };
            let below = places.borders.get(at).copied().unwrap_or(0.0);
            assert!(ys.iter().all(|y| *y < above - 0.5 && *y > below + 0.5), "{at}: {ys:?}");
            assert!((places.middles[at] - (above + below) / 2.0).abs() < 1e-9, "{at}");
        }
    }

    #[test]
    fn a_figure_without_a_row_is_none() {
        let figure = |groups| GroupedForest {
            id: "f".into(),
            title: "t".into(),
            description: "d".into(),
            x_title: "x".into(),
            groups,
        };
        let drawn = |groups| grouped_forest(&figure(groups)).unwrap().map(|it| it.cut_intervals);
        assert_eq!(drawn(vec![group(0)]), None);
        assert_eq!(drawn(vec![group(0), group(2)]), Some(0));
    }
}
