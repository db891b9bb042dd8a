//! What a better value costs: the primary metric against the training time of a run.

use std::collections::BTreeSet;

use track::RunState;

use super::answer::places;
use super::{interval, plain_table, wide_figure};
use crate::ReportError;
use crate::escape::esc;
use crate::figure::{Tradeoff, TradeoffPoint, tradeoff};
use crate::number::{fixed, plural};
use crate::page::Subject;
use crate::summary::Sample;

pub(crate) fn section(subject: &Subject<'_>) -> Result<String, ReportError> {
    let offers = offers(subject);
    let body = match offers.len() {
        0 => "<p>No completed run has both a value and a training time yet.</p>\n".into(),
        1 => "<p>One cell alone has a value and a training time: there is nothing to trade.</p>\n"
            .into(),
        _ => drawn(subject, offers)?,
    };
    Ok(format!("<section id=\"tradeoffs\">\n<h2>Trade-offs</h2>\n{body}</section>\n"))
}

/// What one cell gives, and for how much.
#[derive(Debug, Clone)]
struct Offer {
    cell: usize,
    minutes: f64,
    value: Sample,
    on_front: bool,
}

/// The cheapest first.
fn offers(subject: &Subject<'_>) -> Vec<Offer> {
    let mut offers: Vec<Offer> = (0..subject.summary.cells.len())
        .filter_map(|cell| {
            let runs = subject.record.runs.iter().filter(|run| run.cell == cell);
            let completed = runs.filter(|run| run.state == RunState::Completed);
            let seconds: Vec<f64> = completed.filter_map(|run| run.active_s).collect();
            let value = subject.summary.cells[cell].estimate?;
            let minutes = seconds.iter().sum::<f64>() / seconds.len() as f64 / 60.0;
            minutes.is_finite().then_some(Offer { cell, minutes, value, on_front: false })
        })
        .collect();
    offers.sort_by(|a, b| a.minutes.total_cmp(&b.minutes));
    mark_front(&mut offers, |difference| {
        subject.summary.goal().is_some_and(|goal| goal.is_better(difference))
    });
    offers
}

/// The cells that no other equals in one and beats in the other, by their means.
fn mark_front(offers: &mut [Offer], is_better: impl Fn(f64) -> bool) {
    let beaten = |own: &Offer, other: &Offer| {
        let (cost, value) = (own.minutes - other.minutes, other.value.mean - own.value.mean);
        (cost >= 0.0 && is_better(value)) || (cost > 0.0 && (value == 0.0 || is_better(value)))
    };
    let on_front: Vec<bool> =
        offers.iter().map(|own| !offers.iter().any(|other| beaten(own, other))).collect();
    for (offer, on_front) in offers.iter_mut().zip(on_front) {
        offer.on_front = on_front;
    }
}

fn drawn(subject: &Subject<'_>, offers: Vec<Offer>) -> Result<String, ReportError> {
    let (plan, primary) = (&subject.record.plan, &subject.primary);
    let has_front = subject.summary.goal().is_some();
    let point = |offer: &Offer| {
        let is_baseline = subject.summary.baseline == Some(offer.cell);
        TradeoffPoint {
            label: plan.cells[offer.cell].label.clone(),
            ink: match (has_front && offer.on_front, is_baseline) {
                (_, true) => 0,
                (true, false) => 3,
                (false, false) => 1,
            },
            cost: offer.minutes,
            mean: offer.value.mean,
            interval: offer.value.interval,
            on_front: has_front && offer.on_front,
        }
    };
    let mut points: Vec<TradeoffPoint> = offers.iter().map(point).collect();
    // Where names have no room, those of the front and of the baseline stay.
    points.sort_by_key(|point| !(point.on_front || point.ink == 0));
    let words = in_words(subject, &offers);
    let figure = Tradeoff {
        id: "tradeoff-plot".into(),
        title: format!("{} against training time", primary.title),
        description: format!("{}. {words}", primary.direction()),
        x_title: "training a run, minutes".into(),
        points,
    };
    let Some(svg) = tradeoff(&figure)? else { return Ok(String::new()) };
    let caption = format!("{} against the minutes that a run trains", esc(primary.heading()));
    Ok(format!(
        "<p>{}</p>\n{}{}",
        esc(words),
        wide_figure(&caption, &svg, &table(subject, &offers)),
        note(subject, has_front)
    ))
}

/// The front, from its cheap end.
fn in_words(subject: &Subject<'_>, offers: &[Offer]) -> String {
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
            let (mean, minutes) = (fixed(offer.value.mean, digits), fixed(offer.minutes, 1));
            format!("{label} ({mean} in {minutes} min)")
        })
        .collect();
    match said.as_slice() {
        [only] if offers.len() > 1 => {
            format!(
                "By the means {only} is both the best and the cheapest: no other cell is worth its time."
            )
        }
        front => format!(
            "Pareto front by the means, from the cheapest: {}. Every other cell costs more than one of these and is no \
             better.",
            front.join("; ")
        ),
    }
}

fn table(subject: &Subject<'_>, offers: &[Offer]) -> String {
    let digits = places(subject);
    let has_front = subject.summary.goal().is_some();
    let rows: Vec<Vec<String>> = offers
        .iter()
        .map(|offer| {
            vec![
                subject.record.plan.cells[offer.cell].label.clone(),
                fixed(offer.minutes, 2),
                fixed(offer.value.mean, digits),
                interval(offer.value.interval, |value| fixed(value, digits)),
                if has_front && offer.on_front { "yes" } else { "no" }.into(),
            ]
        })
        .collect();
    let heads = ["cell", "minutes a run#", "mean#", "95 % interval#", "on the front"];
    plain_table(&heads, &rows)
}

fn note(subject: &Subject<'_>, has_front: bool) -> String {
    let mut said = vec![
        "Minutes: training alone, the mean over the cell's completed runs. Diamond: the baseline; upright bar: 95 % t \
         interval over seeds."
            .to_string(),
    ];
    if has_front {
        said.push(
            "Triangles and the line: the front. It goes by means; where intervals overlap, another set of seeds may draw \
             another."
                .into(),
        );
    }
    let devices: BTreeSet<&str> =
        subject.record.runs.iter().filter_map(|run| run.device.as_deref()).collect();
    if devices.len() > 1 {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::LEVEL;

    #[test]
    fn the_front_is_what_nothing_beats() {
        let check = |offers: &[(f64, f64)], expected: &[usize]| {
            let offer = |(cell, &(minutes, mean)): (usize, &(f64, f64))| Offer {
                cell,
                minutes,
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
}
