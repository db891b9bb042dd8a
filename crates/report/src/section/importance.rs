//! Which axes of a random design the best cells have in common, in words and as a table.

use super::answer::top;
use crate::escape::esc;
use crate::importance::{AxisImportance, Found, Importances};
use crate::number::{MISSING, fixed, p_value, percent, plural};
use crate::page::Subject;

/// Empty where there is nothing to compute.
pub(crate) fn block(subject: &Subject<'_>) -> String {
    let body = match &subject.importance {
        None => return String::new(),
        Some(Ok(all)) => {
            format!("{}{}{}", answer(subject, all), table(all), note(subject, all))
        }
        Some(Err(reason)) => format!("<p>Not computed: {}.</p>\n", esc(reason)),
    };
    format!(
        "<h3 id=\"importance\">Importance of the axes for {}</h3>\n{body}",
        esc(subject.primary.heading())
    )
}

/// The least likely by luck first. Not the largest share: that of an axis grows with its levels.
fn ranked(all: &Importances) -> Vec<(&AxisImportance, &Found)> {
    let computed = all.axes.iter().filter_map(|axis| Some((axis, axis.found.as_ref().ok()?)));
    let mut ranked: Vec<(&AxisImportance, &Found)> = computed.collect();
    ranked
        .sort_by(|(_, a), (_, b)| a.p.total_cmp(&b.p).then(b.divergence.total_cmp(&a.divergence)));
    ranked
}

fn answer(subject: &Subject<'_>, all: &Importances) -> String {
    let best = format!(
        "Of {} the {} {} differ from all of them",
        plural(all.cells, "drawn cell"),
        top(subject).to_lowercase(),
        all.best
    );
    let named: Vec<String> = ranked(all)
        .into_iter()
        .filter(|(_, found)| found.is_more_than_luck())
        .map(|(axis, found)| {
            let among = match axis.when {
                Some(_) => format!(", among the {} where it varies", found.cells),
                None => String::new(),
            };
            format!("{} (p = {} after Holm{among})", axis.label, p_value(found.adjusted_p))
        })
        .collect();
    let said = match named.is_empty() {
        true => {
            format!("{best} in no axis by more than luck: any as many cells do about as much.")
        }
        false => format!("{best} by more than luck in {}.", named.join(", ")),
    };
    let so_far = if subject.summary.has_ended() { "" } else { " So far: runs are still to come." };
    let origin = match all.is_origin_known {
        true => "",
        false => {
            " An earlier version wrote the plan, which does not say which cells were drawn: points of the sweep file, if it has \
             some, are among them."
        }
    };
    format!(
        "<p>{} This is to narrow the space, not to claim: what matters is for a grid with seeds to show.{origin}{so_far}</p>\n",
        esc(said)
    )
}

/// CSS pixels of a bar.
const BAR: f64 = 200.0;

fn table(all: &Importances) -> String {
    let mut out = String::from(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Importance of the axes\">\n<table>\n<thead><tr>\
         <th scope=\"col\">axis</th><th scope=\"col\" colspan=\"2\">importance</th>\
         <th scope=\"col\" class=\"num\">Pearson divergence</th>\
         <th scope=\"col\" class=\"num\">as large by chance, p</th>\
         <th scope=\"col\" class=\"num\">p after Holm</th></tr></thead>\n<tbody>\n",
    );
    for (axis, found) in ranked(all) {
        let share = found.share.map_or_else(|| MISSING.into(), percent);
        out.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td class=\"num\">{share}</td>\
             <td><svg class=\"bar\" viewBox=\"0 0 {BAR} 20\" aria-hidden=\"true\"><path class=\"span\" d=\"M0 10H{:.1}\"/></svg></td>\
             <td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td></tr>\n",
            esc(name(axis, found)),
            BAR * found.share.unwrap_or(0.0),
            fixed(found.divergence, 3),
            esc(p_value(found.p)),
            esc(p_value(found.adjusted_p)),
        ));
    }
    for axis in &all.axes {
        if let Err(reason) = &axis.found {
            out.push_str(&format!(
                "<tr><th scope=\"row\">{}</th><td colspan=\"5\">not computed: {}</td></tr>\n",
                esc(&axis.label),
                esc(reason)
            ));
        }
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
    out
}

fn name(axis: &AxisImportance, found: &Found) -> String {
    match &axis.when {
        Some(when) => format!("{} ({} where {when})", axis.label, plural(found.cells, "cell")),
        None => axis.label.clone(),
    }
}

fn note(subject: &Subject<'_>, all: &Importances) -> String {
    let is_are = |count: usize| if count == 1 { "is" } else { "are" };
    let failed = match all.failed_runs {
        0 => String::new(),
        count => {
            format!(
                " {} {} in with what they count as.",
                plural(count, "failed run"),
                is_are(count)
            )
        }
    };
    let last = match all.without_value {
        0 => String::new(),
        count => format!(
            " {} with a run that failed, or gave no finite value, {} ranked behind all others.",
            plural(count, "cell"),
            is_are(count)
        ),
    };
    let conditional = match all.axes.iter().any(|axis| axis.when.is_some()) {
        true => " An axis that varies in some cells alone is judged among those, and has no share.",
        false => "",
    };
    format!(
        "<p class=\"note\">PED-ANOVA (Watanabe, Bansal, Hutter 2023): how far the values of the {} quarter lie from those of all \
         drawn cells, each axis by itself; interactions do not show. Importances are shares of the sum, so that one that does not \
         matter has some, too, and more the more levels it has. By chance: how often a random quarter lies as far; after Holm for \
         all these axes. Cells count by their mean over seeds.{last}{failed}{conditional}</p>\n",
        top(subject).to_lowercase(),
    )
}
