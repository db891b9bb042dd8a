use serde_json::{Value as Json, json};
use spec::{Departure, Preset, RunConfig, show};

use crate::exit::Exit;
use crate::terminal::table;

/// Every preset: what it departs in from the reference and why, and what no leaf can say of it.
pub(crate) fn presets(json: bool) -> anyhow::Result<Exit> {
    let reference = RunConfig::reference();
    if json {
        let all: Vec<Json> = Preset::ALL.map(|preset| as_json(preset, &reference)).into();
        tell!("{}", crate::terminal::json(&all)?);
    } else {
        let all = Preset::ALL.map(|preset| in_words(preset, &reference));
        tell!("{}", all.join("\n\n"));
    }
    Ok(Exit::Done)
}

fn in_words(preset: Preset, reference: &RunConfig) -> String {
    let mut lines = vec![format!("{}: {}", preset.name(), preset.about())];
    let row = |it: &Departure| {
        let before = show(&reference.get(it.leaf));
        vec![it.leaf.to_string(), show(&it.value), before, it.source.to_string()]
    };
    let rows: Vec<_> = preset.departures().iter().map(row).collect();
    if !rows.is_empty() {
        let table = table(&["leaf", "value", "reference", "source"], &rows);
        lines.extend(table.lines().map(|line| format!("  {line}")));
    }
    if !preset.beyond().is_empty() {
        lines.push("  Not expressed by any leaf:".to_string());
        lines.extend(preset.beyond().iter().map(|it| format!("  - {it}")));
    }
    lines.join("\n")
}

fn as_json(preset: Preset, reference: &RunConfig) -> Json {
    let departure = |it: &Departure| {
        let before = reference.get(it.leaf);
        json!({ "leaf": it.leaf, "value": it.value, "reference": before, "source": it.source })
    };
    json!({
        "name": preset.name(),
        "about": preset.about(),
        "departures": preset.departures().iter().map(departure).collect::<Vec<_>>(),
        "beyond": preset.beyond(),
    })
}
