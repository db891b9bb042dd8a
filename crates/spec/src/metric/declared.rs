//! `[sweep.metric]`: what the file declares before anybody looks.

use super::{Goal, KnownMetric, Metric, Needs, Select, known_metric, known_metrics};
use crate::diagnostic::{Findings, Located, Place, quoted};
use crate::node::{Node, Value};
use crate::section::{Section, unavailable};
use crate::settings::Entry;

/// The metric, and the setting of `eval.checkpoint` that its `select` stands for.
pub(crate) fn read_metric(node: &Node, findings: &mut Findings) -> (Metric, Option<Entry>) {
    let default = Metric::default();
    let Some(mut section) = Section::open("[sweep.metric]", node, findings) else {
        return (default, None);
    };
    let name = section.string("name", findings);
    let goals = [("minimize", Goal::Minimize), ("maximize", Goal::Maximize)];
    let goal = section.choice("goal", &goals, &[], findings);
    let goal_given = section.get("goal").is_some();
    let secondary = section.strings("secondary", findings);
    let select = select(&mut section, findings);
    section.finish(findings);
    for other in &secondary {
        known(other, findings);
    }
    let known = match &name {
        Some(name) => known(name, findings),
        None => known_metric(&default.name),
    };
    let metric = Metric {
        declared: name.is_some(),
        goal: settled_goal(&name, known, &goal, goal_given, findings),
        name: name.as_ref().map_or(default.name, |name| name.value.clone()),
        select: select.as_ref().map_or(Select::Last, |select| select.value),
        secondary: secondary.into_iter().map(|name| name.value).collect(),
    };
    if let Some(Located { value: Select::Best, place }) = select {
        can_select(&metric, &name, known, place, findings);
    }
    let setting = select.map(|Located { value, place }| {
        let value = match value {
            Select::Last => "last",
            Select::Best => "best",
        };
        Entry { leaf: "eval.checkpoint", key: place, value: value.into(), place }
    });
    (metric, setting)
}

fn select(section: &mut Section<'_>, findings: &mut Findings) -> Option<Located<Select>> {
    match section.get("select") {
        Some((_, Node { value: Value::Table(_), place })) => {
            let instead = "use \"last\", or \"best\" by the metric on the `val` fold";
            unavailable("select = { … }", *place, instead, findings);
            None
        }
        Some(_) => {
            let rules = [("last", Select::Last), ("best", Select::Best)];
            section.choice("select", &rules, &[], findings)
        }
        None => None,
    }
}

/// The goal that the file gives, or the usual one.
fn settled_goal(
    name: &Option<Located<String>>,
    known: Option<&KnownMetric>,
    goal: &Option<Located<Goal>>,
    goal_given: bool,
    findings: &mut Findings,
) -> Goal {
    match (goal, known.map(|known| known.goal)) {
        (Some(goal), usual) => {
            if let Some(Some(usual)) = usual
                && usual != goal.value
            {
                let message = format!("{usual:?} is the usual goal of this metric");
                findings.warning(goal.place, message);
            }
            goal.value
        }
        (None, Some(Some(usual))) => usual,
        (None, Some(None)) if !goal_given => {
            let name = name.as_ref().expect("the default metric has a usual goal");
            findings
                .error(name.place, format!("`{}` needs a `goal`", name.value))
                .help("neither way is better by itself: write goal = \"minimize\" or \"maximize\"");
            Metric::default().goal
        }
        _ => Metric::default().goal,
    }
}

/// Weights are chosen by what a run writes about held-out images, and by its name alone: the goal
/// is no part of a run.
fn can_select(
    metric: &Metric,
    name: &Option<Located<String>>,
    known: Option<&KnownMetric>,
    place: Place,
    findings: &mut Findings,
) {
    let Some(name) = name else {
        findings
            .error(place, "`select = \"best\"` needs the `name` of a metric to choose by")
            .help("write name = \"eval/gain\" in [sweep.metric]");
        return;
    };
    let Some(known) = known else { return };
    if !known.is_evaluation() || known.goal != Some(metric.goal) {
        let why = match known.goal {
            _ if !known.is_evaluation() => "is no score of held-out images",
            None => "has no better side of its own",
            Some(_) => "is given the goal that it usually has not",
        };
        findings.error(
            place,
            format!("the best weights cannot be chosen by `{}`, which {why}", name.value),
        );
    }
}

fn known(name: &Located<String>, findings: &mut Findings) -> Option<&'static KnownMetric> {
    let found = known_metric(&name.value);
    match found {
        None => {
            let recorded = known_metrics().iter().filter(|known| known.is_recorded());
            let names: Vec<&str> = recorded.map(|known| known.name.as_str()).collect();
            let help = findings
                .did_you_mean(&name.value, names.iter().copied())
                .unwrap_or_else(|| format!("known: {}", quoted(&names, "and")));
            findings.error(name.place, format!("no metric is called `{}`", name.value)).help(help);
        }
        Some(known) if !known.is_recorded() => {
            let why = "only `cyclelab score` takes the weights that it needs";
            let message = format!("no run records `{}`: {why}", name.value);
            findings.error(name.place, message).help(known.brought_by());
        }
        Some(_) => {}
    }
    found
}

impl KnownMetric {
    /// The command that computes what no run records.
    fn brought_by(&self) -> &'static str {
        match self.needs.contains(&Needs::LpipsWeights) {
            true => "for a folder of translations: `cyclelab score --pairs by-name --lpips FILE`",
            false => "for a folder of translations: `cyclelab score --inception FILE`",
        }
    }
}
