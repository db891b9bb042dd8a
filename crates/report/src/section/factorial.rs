//! A balanced grid taken apart: main effects, two-way interactions, and what the seeds leave.

use stats::{AnovaRow, Factor, Factorial, Grid, Observation, Source, StatsError};
use track::AxisRecord;

use super::answer::places;
use super::{interval, level};
use crate::escape::esc;
use crate::number::{MISSING, fixed, p_value, plural, signed};
use crate::page::Subject;
use crate::summary::LEVEL;

/// Empty for fewer than two axes: then there is nothing to take apart.
pub(crate) fn block(subject: &Subject<'_>) -> String {
    let axes: Vec<&AxisRecord> =
        subject.record.plan.axes.iter().filter(|axis| levels(subject, axis).len() > 1).collect();
    if axes.len() < 2 {
        return String::new();
    }
    let body = match factorial(subject, &axes) {
        Ok(found) => {
            format!("{}{}{}", variance(&found), level_means(subject, &found), note(subject))
        }
        Err(reason) => format!("<p>Not computed: {}.</p>\n", esc(reason)),
    };
    format!(
        "<h3 id=\"factorial\">Main effects and interactions on {}</h3>\n{body}",
        esc(subject.primary.heading())
    )
}

/// As cells have them, in plan order.
fn levels(subject: &Subject<'_>, axis: &AxisRecord) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for cell in &subject.record.plan.cells {
        let own = level(axis, cell);
        if !found.contains(&own) {
            found.push(own);
        }
    }
    found
}

/// Or why not, in words.
fn factorial(subject: &Subject<'_>, axes: &[&AxisRecord]) -> Result<Factorial, String> {
    let (plan, summary) = (&subject.record.plan, &subject.summary);
    if plan.design != "grid" {
        return Err(format!(
            "the design is {}, not a grid: interactions were not varied, so nothing can be said of them",
            plan.design
        ));
    }
    if !summary.has_ended() {
        return Err("runs are still to come, and a grid is taken apart once it is complete".into());
    }
    let factors: Vec<Factor> = axes
        .iter()
        .map(|axis| Factor { name: axis.label.clone(), levels: levels(subject, axis) })
        .collect();
    let place = |cell: usize| -> Vec<usize> {
        let position = |(axis, factor): (&&AxisRecord, &Factor)| {
            let own = level(axis, &plan.cells[cell]);
            factor.levels.iter().position(|level| *level == own).unwrap_or(usize::MAX)
        };
        axes.iter().zip(&factors).map(position).collect()
    };
    let observations: Vec<Observation> = summary
        .cells
        .iter()
        .enumerate()
        .flat_map(|(cell, own)| own.values.iter().map(move |&(seed, value)| (cell, seed, value)))
        .map(|(cell, seed, value)| Observation { cell: place(cell), seed, value })
        .collect();
    match Grid::new(factors, &observations) {
        Ok(grid) => Ok(Factorial::of(&grid, LEVEL)),
        Err(StatsError::NoGrid) => Err("no run has a value".into()),
        Err(StatsError::NotBalanced { count, missing }) => {
            let named: Vec<String> = missing.iter().take(3).map(ToString::to_string).collect();
            let more = if count > named.len() { "; …" } else { "" };
            Err(format!(
                "the grid is not balanced, {} without a value ({}{more})",
                plural(count, "run"),
                named.join("; ")
            ))
        }
        Err(other) => Err(other.to_string()),
    }
}

fn variance(found: &Factorial) -> String {
    let mut out = String::from(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Analysis of variance\">\n<table>\n<thead><tr>\
         <th scope=\"col\">source</th><th scope=\"col\" class=\"num\">share of the variation, η²</th>\
         <th scope=\"col\" class=\"num\">ω²</th><th scope=\"col\" class=\"num\">F</th><th scope=\"col\" class=\"num\">df</th>\
         <th scope=\"col\" class=\"num\">p</th></tr></thead>\n<tbody>\n",
    );
    let residual = found.row(Source::Residual).map(|row| row.df);
    for row in found.rows.iter().filter(|row| row.source != Source::Total) {
        let AnovaRow { f, p, eta_squared, omega_squared, .. } = row;
        let name = match row.source {
            Source::Seed => "seed (the same luck in all cells)".into(),
            Source::Residual => "residual (seeds within cells)".into(),
            source => found.name(source),
        };
        let or_missing = |value: &Option<f64>, write: &dyn Fn(f64) -> String| {
            value.map_or_else(|| MISSING.into(), write)
        };
        let df = match (f, residual) {
            (Some(_), Some(residual)) => format!("{}, {residual}", row.df),
            _ => row.df.to_string(),
        };
        out.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td>\
             <td class=\"num\">{df}</td><td class=\"num\">{}</td></tr>\n",
            esc(name),
            or_missing(eta_squared, &|v| fixed(v, 3)),
            or_missing(omega_squared, &|v| fixed(v, 3)),
            or_missing(f, &|v| fixed(v, 2)),
            or_missing(p, &|p| esc(p_value(p)).to_string()),
        ));
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
    out
}

fn level_means(subject: &Subject<'_>, found: &Factorial) -> String {
    let digits = places(subject);
    let mut out = String::from(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Means of the levels\">\n<table>\n<thead><tr>\
         <th scope=\"col\">axis</th><th scope=\"col\">level</th><th scope=\"col\" class=\"num\">mean over the other axes</th>\
         <th scope=\"col\" class=\"num\">95\u{a0}% interval over seeds</th>\
         <th scope=\"col\" class=\"num\">minus the grand mean</th>\
         <th scope=\"col\" class=\"num\">95\u{a0}% interval over seeds</th></tr></thead>\n<tbody>\n",
    );
    for row in &found.levels {
        let factor = &found.factors[row.factor];
        let axis = if row.level == 0 { esc(&factor.name).to_string() } else { String::new() };
        out.push_str(&format!(
            "<tr><th scope=\"row\">{axis}</th><td>{}</td><td class=\"num\">{}</td><td class=\"num quiet\">{}</td>\
             <td class=\"num\">{}</td><td class=\"num quiet\">{}</td></tr>\n",
            esc(&factor.levels[row.level]),
            fixed(row.mean.mean, digits),
            interval(row.mean.interval, |v| fixed(v, digits)),
            signed(row.effect.mean, digits),
            interval(row.effect.interval, |v| signed(v, digits)),
        ));
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
    out
}

fn note(subject: &Subject<'_>) -> String {
    let failed = subject.summary.cells.iter().map(|cell| cell.failed_in_values).sum::<usize>();
    let failed = match failed {
        0 => String::new(),
        1 => " One failed run is in with what it counts as.".into(),
        n => format!(" {n} failed runs are in with what they count as."),
    };
    format!(
        "<p class=\"note\">Seeds are blocks: what a seed does alike in all cells is set apart, and effects are measured by what \
         is left. η² is a share of this sweep's variation and too large on average, ω² allows for that. F tests assume normal \
         residuals of equal spread and are not corrected for their number; with few seeds, read shares and intervals \
         first.{failed}</p>\n"
    )
}
