//! Parallel coordinates: an upright line an axis of the sweep, the metric's last, and a path a cell.

use super::chart::{Frame, WIDE, faint, line, stroke};
use super::ink::Ink;
use super::mark::{Side, cut, marker, word};
use crate::ReportError;

pub(crate) struct Parallel {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    /// From left to right; the last is the metric.
    pub(crate) axes: Vec<ParallelAxis>,
    pub(crate) lines: Vec<ParallelLine>,
}

pub(crate) struct ParallelAxis {
    pub(crate) title: String,
    /// What is written beside it: a share of its height from below, and the words.
    pub(crate) marks: Vec<(f64, String)>,
}

pub(crate) struct ParallelLine {
    pub(crate) ink: usize,
    /// Drawn over the others.
    pub(crate) is_baseline: bool,
    /// One a axis, as a share of its height.
    pub(crate) places: Vec<f64>,
}

/// Characters beside an axis and under it, all axes together.
const CHARACTERS: usize = 92;

/// `None` without a line.
pub(crate) fn parallel(figure: &Parallel) -> Result<Option<String>, ReportError> {
    if figure.lines.is_empty() {
        return Ok(None);
    }
    let count = figure.axes.len();
    let room = (CHARACTERS / count).saturating_sub(2).max(5);
    let titles: Vec<String> = figure.axes.iter().map(|axis| cut(&axis.title, room)).collect();
    let frame = Frame {
        x: (-left(&titles), count as f64 - 1.0 + RIGHT),
        x_ticks: titles.into_iter().enumerate().map(|(at, title)| (at as f64, title)).collect(),
        x_title: String::new(),
        y: (-0.08, 1.08),
        y_labels: Some(Vec::new()),
        size: WIDE,
        title: figure.title.clone(),
        description: figure.description.clone(),
        id: figure.id.clone(),
    };
    let svg = frame.draw(|chart| {
        for at in 0..count {
            line(chart, &[(at as f64, 0.0), (at as f64, 1.0)], stroke(Ink::Text, 1.0))?;
        }
        let mut lines: Vec<(&ParallelLine, Vec<f64>)> =
            figure.lines.iter().zip(spread(&figure.lines)).collect();
        lines.sort_by_key(|(line, _)| line.is_baseline);
        for (path, places) in lines {
            let points: Vec<(f64, f64)> =
                places.into_iter().enumerate().map(|(at, share)| (at as f64, share)).collect();
            let style = match path.is_baseline {
                true => stroke(Ink::Lead, 4.0),
                false => faint(Ink::Series(path.ink), 1.5, 0.8),
            };
            line(chart, &points, style)?;
            if let Some(&end) = points.last() {
                marker(chart, end, path.ink)?;
            }
        }
        for (at, axis) in figure.axes.iter().enumerate() {
            for (share, words) in &axis.marks {
                word(chart, (at as f64, *share), Side::Right, &cut(words, room))?;
            }
        }
        Ok(())
    })?;
    Ok(Some(svg))
}

/// Right of the last axis, in steps between axes: its numbers stand there.
const RIGHT: f64 = 0.3;
/// CSS pixels: of the frame between its margins, its margin to the left, and of a character, about.
const INNER: f64 = 778.0;
const MARGIN: f64 = 12.0;
const CHARACTER: f64 = 6.6;

/// Left of the first axis, in steps between axes: half of its title, which is centred under it.
fn left(titles: &[String]) -> f64 {
    let half = titles.first().map_or(0.0, |it| CHARACTER * it.chars().count() as f64 / 2.0);
    let pixels = (half - MARGIN).max(0.0);
    let steps = titles.len() as f64 - 1.0 + RIGHT;
    (pixels * steps / (INNER - pixels)).max(0.12)
}

/// Shares of an axis: between two lines at one level, and all that a level's lines may take.
const BESIDE: f64 = 0.014;
const BUNDLE: f64 = 0.09;

/// The places of every line, those at one level side by side: one upon the other they would be one.
/// In the order of the last axis, so that bundles cross as little as they can.
fn spread(lines: &[ParallelLine]) -> Vec<Vec<f64>> {
    let end = |line: &ParallelLine| line.places.last().copied().unwrap_or(0.0);
    let beside = |at: usize, axis: usize| {
        let level = lines[at].places[axis];
        let bundle = lines.iter().enumerate().filter(|(_, other)| other.places[axis] == level);
        let mut bundle: Vec<usize> = bundle.map(|(other, _)| other).collect();
        bundle.sort_by(|&a, &b| end(&lines[a]).total_cmp(&end(&lines[b])).then(a.cmp(&b)));
        let step = BESIDE.min(BUNDLE / bundle.len() as f64);
        let rank = bundle.iter().position(|&other| other == at).unwrap_or(0);
        level + step * (rank as f64 - (bundle.len() - 1) as f64 / 2.0)
    };
    let places = |(at, line): (usize, &ParallelLine)| {
        let metric = line.places.len() - 1;
        (0..metric).map(|axis| beside(at, axis)).chain([line.places[metric]]).collect()
    };
    lines.iter().enumerate().map(places).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_title_is_within_the_figure() {
        let axis = |title: &str| ParallelAxis { title: title.into(), marks: Vec::new() };
        for count in [4, 6] {
            let figure = Parallel {
                id: "p".into(),
                title: "t".into(),
                description: "d".into(),
                axes: (0..count).map(|_| axis("learning rate of generators")).collect(),
                lines: vec![ParallelLine { ink: 1, is_baseline: true, places: vec![0.5; count] }],
            };
            let svg = parallel(&figure).unwrap().expect("a line");
            let title = svg.split("<text ").find(|it| it.contains("learning")).expect("a title");
            assert!(title.contains("text-anchor=\"middle\""), "{title}");
            let said = title.split('>').nth(1).and_then(|it| it.split('<').next()).expect("words");
            let middle = title.split(" x=\"").nth(1).and_then(|it| it.split('"').next());
            let middle: f64 = middle
                .or(title.strip_prefix("x=\""))
                .unwrap()
                .split('"')
                .next()
                .unwrap()
                .parse()
                .unwrap();
            let half = 6.2 * 4.0 * said.trim().chars().count() as f64 / 2.0;
            assert!(middle >= half, "{count}: {middle} {half}");
        }
    }

    #[test]
    fn lines_at_one_level_lie_side_by_side() {
        let line =
            |level, end| ParallelLine { ink: 0, is_baseline: false, places: vec![level, end] };
        let found = spread(&[line(0.0, 1.0), line(0.0, 0.2), line(1.0, 0.5)]);
        let first: Vec<f64> = found.iter().map(|places| places[0]).collect();
        assert_eq!(first, [BESIDE / 2.0, -BESIDE / 2.0, 1.0]);
        assert_eq!(found[1][1], 0.2, "a value stays where it is");
        let many: Vec<ParallelLine> = (0..100).map(|at| line(0.5, f64::from(at))).collect();
        assert!(spread(&many).iter().all(|places| (places[0] - 0.5).abs() <= BUNDLE / 2.0));
    }
}
