//! What a better value costs: the primary metric against the training time of a run, and against the
//! size of its generators where cells differ in it.

use std::collections::BTreeSet;

use stats::Goal;
use track::{PlanRecord, RunRecord, RunState};

use super::answer::places;
use super::figure_data::{Column, Datum, FigureData};
use super::{level, wide_figure_above};
use crate::ReportError;
use crate::escape::esc;
use crate::figure::{Tradeoff, TradeoffPoint, tradeoff};
use crate::number::{fixed, plural};
use crate::page::Subject;
use crate::summary::{Interval, Sample};

pub(crate) fn section(subject: &Subject<'_>) -> Result<String, ReportError> {
    let offers = offers(subject, Cost::Minutes);
    let mut body = match offers.len() {
        0 => "<p>No completed run has both a value and a training time yet.</p>\n".into(),
        1 => "<p>One cell alone has a value and a training time: there is nothing to trade.</p>\n"
            .into(),
        _ => drawn(subject, offers, Cost::Minutes)?,
    };
    let by_size = self::offers(subject, Cost::Parameters);
    if by_size.windows(2).any(|pair| pair[0].cost != pair[1].cost) {
        body.push_str(&drawn(subject, by_size, Cost::Parameters)?);
    }
    Ok(format!("<section id=\"tradeoffs\">\n<h2>Trade-offs</h2>\n{body}</section>\n"))
}

/// What is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cost {
    /// Of training, evaluation excluded.
    Minutes,
    /// Of both generators, in millions.
    Parameters,
}

impl Cost {
    fn of(self, run: &RunRecord) -> Option<f64> {
        match self {
            Cost::Minutes => run.active_s.map(|seconds| seconds / 60.0),
            Cost::Parameters => run.parameters.map(|it| it.generators as f64 / 1e6),
        }
    }

    /// What the metric is drawn against.
    fn words(self) -> &'static str {
        match self {
            Cost::Minutes => "training time",
            Cost::Parameters => "size of the generators",
        }
    }

    fn axis(self) -> &'static str {
        match self {
            Cost::Minutes => "training a run, minutes",
            Cost::Parameters => "parameters of both generators, millions",
        }
    }

    fn with_unit(self, cost: f64) -> String {
        match self {
            Cost::Minutes => format!("{} min", fixed(cost, 1)),
            Cost::Parameters => format!("{} M parameters", fixed(cost, 3)),
        }
    }
}

/// What one cell gives, and for how much.
#[derive(Debug, Clone)]
struct Offer {
    cell: usize,
    /// The mean over its completed runs.
    cost: f64,
    value: Sample,
    on_front: bool,
}

/// The cheapest first.
fn offers(subject: &Subject<'_>, cost: Cost) -> Vec<Offer> {
    let mut offers: Vec<Offer> = (0..subject.summary.cells.len())
        .filter_map(|cell| {
            let runs = subject.record.runs.iter().filter(|run| run.cell == cell);
            let completed = runs.filter(|run| run.state == RunState::Completed);
            let costs: Vec<f64> = completed.filter_map(|run| cost.of(run)).collect();
            let value = subject.summary.cells[cell].estimate?;
            // Sizes are equal within a cell, and a mean of equal numbers may be another one.
            let cost = match cost {
                Cost::Minutes => costs.iter().sum::<f64>() / costs.len() as f64,
                Cost::Parameters => *costs.first()?,
            };
            cost.is_finite().then_some(Offer { cell, cost, value, on_front: false })
        })
        .collect();
    offers.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    mark_front(&mut offers, |difference| {
        subject.summary.goal().is_some_and(|goal| goal.is_better(difference))
    });
    offers
}

/// The cells that no other equals in one and beats in the other, by their means.
fn mark_front(offers: &mut [Offer], is_better: impl Fn(f64) -> bool) {
    let beaten = |own: &Offer, other: &Offer| {
        let (cost, value) = (own.cost - other.cost, other.value.mean - own.value.mean);
        (cost >= 0.0 && is_better(value)) || (cost > 0.0 && (value == 0.0 || is_better(value)))
    };
    let on_front: Vec<bool> =
        offers.iter().map(|own| !offers.iter().any(|other| beaten(own, other))).collect();
    for (offer, on_front) in offers.iter_mut().zip(on_front) {
        offer.on_front = on_front;
    }
}

fn drawn(subject: &Subject<'_>, offers: Vec<Offer>, cost: Cost) -> Result<String, ReportError> {
    let (plan, primary) = (&subject.record.plan, &subject.primary);
    let has_front = subject.summary.goal().is_some();
    let point = |offer: &Offer| {
        let is_baseline = subject.summary.baseline == Some(offer.cell);
        TradeoffPoint {
            label: name(plan, offer.cell),
            ink: match (has_front && offer.on_front, is_baseline) {
                (_, true) => 0,
                (true, false) => 3,
                (false, false) => 1,
            },
            cost: offer.cost,
            mean: offer.value.mean,
            interval: offer.value.interval,
            on_front: has_front && offer.on_front,
        }
    };
    let mut points: Vec<TradeoffPoint> = offers.iter().map(point).collect();
    // Where names have no room, those of the front and of the baseline stay.
    points.sort_by_key(|point| (point.ink != 0, !point.on_front));
    let words = in_words(subject, &offers, cost) + &noise(subject, &offers);
    let figure = Tradeoff {
        id: if cost == Cost::Minutes { "tradeoff-plot" } else { "size-plot" }.into(),
        title: format!("{} against {}", primary.title, cost.words()),
        description: format!("{}. {words}", primary.direction()),
        x_title: cost.axis().into(),
        points,
    };
    let Some(svg) = tradeoff(&figure)? else { return Ok(String::new()) };
    let caption = format!("{} against {}", esc(primary.heading()), cost.words());
    Ok(format!(
        "<p>{}</p>\n{}{}",
        esc(words),
        wide_figure_above(&caption, &svg, &data(subject, &offers, cost)),
        note(subject, has_front, cost)
    ))
}

/// Beside its mark a cell has no room for the names of its settings: their values tell it from others.
fn name(plan: &PlanRecord, cell: usize) -> String {
    let cell = &plan.cells[cell];
    match plan.axes.as_slice() {
        [] | [_] => cell.label.clone(),
        axes => axes.iter().map(|axis| level(axis, cell)).collect::<Vec<_>>().join(" · "),
    }
}

/// The front, from its cheap end.
fn in_words(subject: &Subject<'_>, offers: &[Offer], cost: Cost) -> String {
    if subject.summary.goal().is_none() {
        return "The metric has no side that is an achievement, so no cell is a better bargain than another."
            .into();
    }
    let digits = places(subject);
    let said: Vec<String> = offers
        .iter()
        .filter(|offer| offer.on_front)
        .map(|offer| {
            let label = &subject.record.plan.cells[offer.cell].label;
            let mean = fixed(offer.value.mean, digits);
            format!("{label} ({mean} for {})", cost.with_unit(offer.cost))
        })
        .collect();
    match said.as_slice() {
        [only] if offers.len() > 1 => {
            format!(
                "By the means {only} is both the best and the cheapest: no other cell is worth its cost."
            )
        }
        front => format!(
            "Pareto front by the means, from the cheapest: {}. Every other cell costs more than one of these and is no \
             better.",
            front.join("; ")
        ),
    }
}

/// Cells that are named where the front may be the seeds' luck; the table has the others.
const NAMED: usize = 3;

/// Where the front may be the seeds' luck.
fn noise(subject: &Subject<'_>, offers: &[Offer]) -> String {
    let Some(goal) = subject.summary.goal() else { return String::new() };
    let label = |offer: &&Offer| subject.record.plan.cells[offer.cell].label.clone();
    let open: Vec<&Offer> = offers.iter().filter(|own| is_open(own, offers, goal)).collect();
    let alone = offers.iter().filter(|it| it.value.interval.is_none()).count();
    let mut said = String::new();
    if !open.is_empty() {
        let names = open.iter().take(NAMED).map(label).collect::<Vec<_>>().join("; ");
        let (more, is, its) = match open.len() {
            1 => (String::new(), "is", "its own"),
            count if count > NAMED => (format!("; and {} more", count - NAMED), "are", "theirs"),
            _ => (String::new(), "are", "theirs"),
        };
        said.push_str(&format!(
            " The seeds do not settle whether {names}{more} {is} on the front: intervals of cells that cost no more \
             overlap {its}."
        ));
    }
    if alone > 0 {
        said.push_str(&format!(
            " {} of one seed and no interval: how far the front is luck is not known there.",
            match alone {
                1 => "1 cell has a value".into(),
                count => format!("{count} cells have a value"),
            }
        ));
    }
    said
}

/// Whether other seeds might put the cell on the front or off it: none that costs no more is better for
/// certain, and some might be.
fn is_open(own: &Offer, offers: &[Offer], goal: Goal) -> bool {
    let Some(interval) = own.value.interval else { return false };
    let rivals = offers.iter().filter(|it| it.cell != own.cell && it.cost <= own.cost);
    let overlaps = |it: &Interval| it.lower < interval.upper && interval.lower < it.upper;
    let mut is_open = false;
    for (rival, other) in rivals.filter_map(|it| Some((it, it.value.interval?))) {
        if overlaps(&other) {
            is_open = true;
        } else if goal.is_better(rival.value.mean - own.value.mean) {
            return false;
        }
    }
    is_open
}

fn data(subject: &Subject<'_>, offers: &[Offer], cost: Cost) -> String {
    let digits = places(subject);
    let has_front = subject.summary.goal().is_some();
    let price = if cost == Cost::Minutes { "minutes a run" } else { "million parameters" };
    let mut columns = vec![
        Column::words("cell"),
        Column::number(price),
        Column::number("seeds"),
        Column::number("mean"),
    ];
    columns.extend(Column::ends());
    columns.push(Column::words("on the front"));
    let mut data = FigureData::new(columns);
    let number = |value: Option<f64>| Datum::number(value, |value| fixed(value, digits));
    for offer in offers {
        let decimals = if cost == Cost::Minutes { 2 } else { 3 };
        data.row([
            Datum::Words(subject.record.plan.cells[offer.cell].label.clone()),
            Datum::number(Some(offer.cost), |cost| fixed(cost, decimals)),
            Datum::count(offer.value.n),
            number(Some(offer.value.mean)),
            number(offer.value.interval.map(|it| it.lower)),
            number(offer.value.interval.map(|it| it.upper)),
            Datum::Words(if has_front && offer.on_front { "yes" } else { "no" }.into()),
        ]);
    }
    data.folded()
}

fn note(subject: &Subject<'_>, has_front: bool, cost: Cost) -> String {
    let what = match cost {
        Cost::Minutes => "Minutes: training alone, the mean over the cell's completed runs.",
        Cost::Parameters => "Both generators; they alone are needed to translate.",
    };
    let marks = "Diamond: the baseline; upright bar: 95\u{a0}% t interval over seeds.";
    let mut said = vec![format!("{what} {marks}")];
    if has_front {
        said.push("Triangles and the line: the front, by the means.".into());
    }
    said.extend(spread(subject, cost));
    let axes = &subject.record.plan.axes;
    if axes.len() > 1 {
        let labels: Vec<&str> = axes.iter().map(|axis| axis.label.as_str()).collect();
        said.push(format!("Beside a mark: {}.", labels.join(" · ")));
    }
    let devices: BTreeSet<&str> =
        subject.record.runs.iter().filter_map(|run| run.device.as_deref()).collect();
    if cost == Cost::Minutes && devices.len() > 1 {
        said.push(format!(
            "Runs were on {}, and a minute of one is not a minute of another: {}.",
            plural(devices.len(), "device"),
            devices.into_iter().collect::<Vec<_>>().join(", ")
        ));
    }
    if !subject.summary.is_final() {
        said.push("So far: runs or their values are still to come.".into());
    }
    format!("<p class=\"note\">{}</p>\n", esc(said.join(" ")))
}

/// Times are also the machine's: how far they lie apart for runs of one cell, which all do the same.
fn spread(subject: &Subject<'_>, cost: Cost) -> Option<String> {
    let of_cell = |cell: usize| {
        let runs = subject.record.runs.iter().filter(move |run| run.cell == cell);
        let completed = runs.filter(|run| run.state == RunState::Completed);
        let costs = completed.filter_map(move |run| cost.of(run));
        costs.fold((f64::INFINITY, 0.0_f64), |(low, high), it| (low.min(it), high.max(it)))
    };
    let cells = (0..subject.record.plan.cells.len()).map(of_cell).filter(|(low, _)| *low > 0.0);
    let (low, high) = cells.max_by(|a, b| (a.1 / a.0).total_cmp(&(b.1 / b.0)))?;
    (cost == Cost::Minutes && high > 1.2 * low).then(|| {
        format!(
            "Runs of one cell do the same work and took from {} to {}, as the machine had time for them: costs that lie no \
             farther apart are no different.",
            cost.with_unit(low),
            cost.with_unit(high)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::LEVEL;

    #[test]
    fn the_front_is_what_nothing_beats() {
        let check = |offers: &[(f64, f64)], expected: &[usize]| {
            let offer = |(cell, &(cost, mean)): (usize, &(f64, f64))| Offer {
                cell,
                cost,
                value: Sample::of(&[mean], LEVEL).unwrap(),
                on_front: false,
            };
            let mut offers: Vec<Offer> = offers.iter().enumerate().map(offer).collect();
            mark_front(&mut offers, |difference| difference > 0.0);
            let front = offers.iter().filter(|it| it.on_front).map(|it| it.cell);
            assert_eq!(front.collect::<Vec<_>>(), expected);
        };
        check(&[(1.0, 0.2), (2.0, 0.5), (3.0, 0.4), (4.0, 0.6)], &[0, 1, 3]);
        check(&[(1.0, 0.5), (2.0, 0.5)], &[0]);
        check(&[(1.0, 0.5), (1.0, 0.6)], &[1]);
        check(&[(1.0, 0.5), (1.0, 0.5)], &[0, 1]);
        check(&[(1.0, 0.9), (2.0, 0.5), (3.0, 0.4)], &[0]);
    }

    #[test]
    fn a_place_on_the_front_is_open_where_no_rival_settles_it() {
        let check = |offers: &[(f64, [f64; 2])], expected: &[usize]| {
            let offer = |(cell, &(cost, values)): (usize, &(f64, [f64; 2]))| Offer {
                cell,
                cost,
                value: Sample::of(&values, LEVEL).unwrap(),
                on_front: false,
            };
            let offers: Vec<Offer> = offers.iter().enumerate().map(offer).collect();
            let open = offers.iter().filter(|own| is_open(own, &offers, Goal::Maximise));
            assert_eq!(open.map(|it| it.cell).collect::<Vec<_>>(), expected);
        };
        // Far apart, and each seed like the other.
        check(&[(1.0, [0.2, 0.21]), (2.0, [0.8, 0.81]), (3.0, [0.5, 0.51])], &[]);
        // As near to a cheaper one as seeds are apart; the cheapest is far below.
        check(&[(1.0, [-9.0, -9.01]), (2.0, [0.4, 0.6]), (3.0, [0.3, 0.5])], &[2]);
        // Of one price.
        check(&[(1.0, [0.4, 0.6]), (1.0, [0.3, 0.5])], &[0, 1]);
        // A third is better for certain.
        check(&[(1.0, [0.5, 0.51]), (2.0, [2.0, 2.01]), (3.0, [0.5, 0.52])], &[]);
    }
}
