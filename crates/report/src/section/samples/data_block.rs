//! All pictures as data, for the script: the other seeds, steps and kinds. A browser reads nothing
//! of it by itself.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use track::SampleKind;

use super::album::Album;
use super::catalogue::{Catalogue, GIVEN, Slot};
use super::grid::{self, BY_ITSELF, made_words};
use crate::escape::{data_block, visible};
use crate::page::Subject;
use crate::section::runs::state_word;

/// Takes the pictures' bytes with it.
pub(super) fn script(
    subject: &Subject<'_>,
    catalogue: &Catalogue<'_>,
    album: &mut Album,
) -> String {
    let label = |cell: &usize| visible(&subject.record.plan.cells[*cell].label);
    let inputs = catalogue.inputs.iter().enumerate().map(|(at, input)| {
        let alt = GIVEN.map(|kind| visible(&grid::given_alt(catalogue, kind, at)));
        json!({ "domain": input.domain, "id": visible(&input.id), "real": alt[0], "truth": alt[1] })
    });
    let data = json!({
        "columns": catalogue.columns.iter().map(label).collect::<Vec<_>>(),
        // As text: a script's numbers do not hold every seed.
        "seeds": album.seeds(catalogue).iter().map(u64::to_string).collect::<Vec<_>>(),
        "steps": album.steps(catalogue),
        "made": catalogue.made,
        "rows": album.rows(),
        "inputs": inputs.collect::<Vec<_>>(),
        "words": { "a": words(catalogue, "a"), "b": words(catalogue, "b") },
        "given": given(catalogue, album),
        "runs": runs(catalogue, album),
        "pictures": pictures(catalogue, album),
    });
    data_block("sample-data", &data)
}

fn words(catalogue: &Catalogue<'_>, domain: &str) -> Value {
    let words = catalogue
        .made
        .iter()
        .map(|kind| (kind.as_str().to_string(), json!(made_words(*kind, domain))));
    Value::Object(words.collect())
}

/// `null` where there is none, -1 where it could not be read.
fn place(album: &Album, slot: Slot) -> Value {
    match album.places.get(&slot) {
        None => Value::Null,
        Some(None) => json!(-1),
        Some(Some(at)) => json!(at),
    }
}

fn given(catalogue: &Catalogue<'_>, album: &Album) -> Value {
    let of_kind = |kind: SampleKind| {
        let places =
            (0..catalogue.inputs.len()).map(|input| place(album, Slot::Given { kind, input }));
        (kind.as_str().to_string(), places.collect::<Value>())
    };
    Value::Object(GIVEN.map(of_kind).into_iter().collect())
}

/// Of the seeds that can be chosen: every step that was saved, and the pictures of those that are in.
fn runs(catalogue: &Catalogue<'_>, album: &Album) -> Value {
    let seeds = album.seeds(catalogue);
    let in_menu = catalogue.shelves.iter().filter(|((_, seed), _)| seeds.contains(seed));
    let run = in_menu.map(|((column, seed), shelf)| {
        let mut samples = Map::new();
        for &step in
            shelf.steps.iter().filter(|step| album.holds(catalogue, *column, *seed, **step))
        {
            let of_kind = |kind: &SampleKind| {
                let slot =
                    |input| Slot::Made { column: *column, seed: *seed, step, kind: *kind, input };
                let places = (0..catalogue.inputs.len()).map(|input| place(album, slot(input)));
                (kind.as_str().to_string(), places.collect::<Value>())
            };
            samples.insert(
                step.to_string(),
                Value::Object(catalogue.made.iter().map(of_kind).collect()),
            );
        }
        json!({
            "column": column,
            "seed": seed.to_string(),
            "state": state_word(&shelf.run.state),
            "saved": shelf.steps,
            "samples": samples,
        })
    });
    run.collect()
}

/// What the page shows by itself has its bytes there.
fn pictures(catalogue: &Catalogue<'_>, album: &mut Album) -> Value {
    let shown: BTreeSet<usize> = album
        .places
        .iter()
        .filter(|(slot, _)| is_shown_by_itself(catalogue, **slot))
        .filter_map(|(_, place)| *place)
        .collect();
    let picture = album.pictures.iter_mut().enumerate().map(|(at, picture)| {
        let mut of = Map::new();
        if !shown.contains(&at) {
            of.insert("address".into(), std::mem::take(&mut picture.address).into());
        }
        of.insert("size".into(), json!(picture.size));
        of.insert("shown".into(), json!(picture.shown()));
        if picture.is_sharp() {
            of.insert("sharp".into(), true.into());
        }
        if let Some(file) = &picture.file {
            of.insert("file".into(), file.address().into());
        }
        Value::Object(of)
    });
    picture.collect()
}

fn is_shown_by_itself(catalogue: &Catalogue<'_>, slot: Slot) -> bool {
    match slot {
        Slot::Given { kind: SampleKind::Real, .. } => true,
        Slot::Given { input, .. } => catalogue.has_truth(catalogue.inputs[input].domain),
        Slot::Made { column, seed, step, kind, .. } => {
            let last = catalogue.shelves[&(column, seed)].steps.last();
            seed == catalogue.seeds[0] && Some(&step) == last && BY_ITSELF.contains(&kind)
        }
    }
}
