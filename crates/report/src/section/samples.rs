//! The fixed held-out inputs through every cell, side by side.
//!
//! The page shows one choice by itself: the first seed's last step. The other seeds and steps lie
//! beside it as data, for a script that changes what is shown and lays two pictures side by side.

mod album;
mod catalogue;
mod data_block;
mod grid;
mod picture;

use std::collections::BTreeMap;
use std::path::PathBuf;

use album::{Album, Share};
use catalogue::Catalogue;
use track::SampleKind;

use crate::escape::esc;
use crate::number::plural;
use crate::page::Subject;
use crate::{Options, PictureFile};

const PAIR: &str = include_str!("samples/pair.html");

/// What is shown unless a reader chooses otherwise, as a value and in words.
const BOTH: (&str, &str) = ("both", "translation and reconstruction");

/// The section, and the pictures that it names beside the page.
pub(crate) fn section(
    subject: &Subject<'_>,
    options: &Options,
    problems: &mut Vec<(PathBuf, String)>,
) -> (String, Vec<PictureFile>) {
    let mut out = String::from("<section id=\"samples\">\n<h2>Samples</h2>\n");
    let catalogue = Catalogue::of(subject);
    if catalogue.seeds.is_empty() || catalogue.inputs.is_empty() {
        out.push_str("<p>No run has saved a sample yet.</p>\n</section>\n");
        return (out, Vec::new());
    }
    let mut album = Album::fill(&catalogue, options.image_budget, problems);
    let files = album.files();
    out.push_str(&controls(&catalogue, &album));
    out.push_str(&note(subject, &catalogue, &album));
    for (domain, direction) in [("a", "A → B"), ("b", "B → A")] {
        out.push_str(&grid::table(subject, &catalogue, &album, domain, direction));
    }
    out.push_str(PAIR);
    out.push_str(&data_block::script(subject, &catalogue, &mut album));
    out.push_str("</section>\n");
    (out, files)
}

/// Nothing here does anything without the script, which shows it.
fn controls(catalogue: &Catalogue<'_>, album: &Album) -> String {
    let mut out = String::from("<div class=\"controls\" id=\"sample-controls\" hidden>\n");
    let seeds = album.seeds(catalogue);
    if seeds.len() > 1 {
        out.push_str("<label>Seed <select id=\"sample-seed\">");
        seeds.iter().for_each(|seed| out.push_str(&format!("<option>{seed}</option>")));
        out.push_str("</select></label>\n");
    }
    let steps = album.steps(catalogue);
    if let [_, .., last] = steps[..] {
        let most = steps.len() - 1;
        out.push_str(&format!(
            "<label>Step <input type=\"range\" id=\"sample-step\" min=\"0\" max=\"{most}\" value=\"{most}\" \
             aria-valuetext=\"{last}\"> <output for=\"sample-step\">{last}</output></label>\n"
        ));
    }
    out.push_str("<fieldset><legend>Show</legend>");
    let made = catalogue.made.iter().map(|kind| (kind.as_str(), name(*kind)));
    let all = std::iter::once(BOTH).chain(made);
    for (at, (value, words)) in all.enumerate() {
        let checked = if at == 0 { " checked" } else { "" };
        out.push_str(&format!(
            "<label><input type=\"radio\" name=\"show\" value=\"{value}\"{checked}> {words}</label>"
        ));
    }
    out.push_str("</fieldset>\n</div>\n");
    out
}

fn name(kind: SampleKind) -> &'static str {
    match kind {
        SampleKind::Real => "input",
        SampleKind::Fake => "translation",
        SampleKind::Rec => "reconstruction",
        SampleKind::Idt => "identity",
        SampleKind::Truth => "true translation",
    }
}

fn note(subject: &Subject<'_>, catalogue: &Catalogue<'_>, album: &Album) -> String {
    let mut said = vec![
        "Inputs are held out and the same for all runs. Above the translation, below it the reconstruction: the \
         translation taken back to the input's domain."
            .to_string(),
    ];
    if catalogue.made.contains(&SampleKind::Idt) {
        said.push(
            "Identity: the input given to the generator of its own domain, which should leave it alone.".into(),
        );
    }
    if album.steps(catalogue).len() > 1 {
        said.push("A run without a picture of the chosen step shows its newest before it.".into());
    }
    let left_out = in_words(catalogue, album.left_out());
    if !left_out.is_empty() {
        said.push(format!("Left out to keep this page small: {}.", left_out.join("; ")));
    }
    let (all, columns) = (subject.record.plan.cells.len(), catalogue.columns.len());
    if columns < all {
        said.push(format!("{columns} of {} are shown.", plural(all, "cell")));
    }
    // By the script told anew, aloud too, with every choice; on paper the controls are missing.
    let last = album.steps(catalogue).last().copied().unwrap_or_default();
    let shown = format!("Shown: seed {}, step {last}, {}.", catalogue.seeds[0], BOTH.1);
    format!(
        "<p class=\"note\">{} <span class=\"keys\" hidden>Choose a picture to see it large beside another; arrow keys go from \
         picture to picture.</span></p>\n<p class=\"note\" role=\"status\">{shown}</p>\n",
        esc(said.join(" "))
    )
}

/// What a reader does not find here: inputs, whole seeds, and of the other seeds earlier steps.
fn in_words(catalogue: &Catalogue<'_>, left_out: &[Share]) -> Vec<String> {
    let (mut inputs, mut seeds) = (Vec::new(), Vec::new());
    let mut steps: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for share in left_out {
        match *share {
            Share::Input(at) => inputs.push(at),
            Share::Seed(seed) => seeds.push(seed.to_string()),
            Share::Step { seed, step } => steps.entry(seed).or_default().push(step),
        }
    }
    let mut said = Vec::new();
    if !inputs.is_empty() {
        inputs.sort_unstable();
        let input = |at: usize| {
            let input = &catalogue.inputs[at];
            format!("{} ({})", input.id, input.domain.to_uppercase())
        };
        let inputs: Vec<String> = inputs.into_iter().map(input).collect();
        said.push(format!("input {}", listed(&inputs)));
    }
    if !seeds.is_empty() {
        said.push(format!("seed {}", listed(&seeds)));
    }
    // Seeds of which the same is missing share one part of the sentence.
    let mut alike: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for (seed, mut steps) in
        steps.into_iter().filter(|(seed, _)| !seeds.contains(&seed.to_string()))
    {
        steps.sort_unstable();
        let steps: Vec<String> = steps.iter().map(u64::to_string).collect();
        match alike.iter_mut().find(|(others, _)| *others == steps) {
            Some((_, seeds)) => seeds.push(seed.to_string()),
            None => alike.push((steps, vec![seed.to_string()])),
        }
    }
    let of_seeds = alike
        .iter()
        .map(|(steps, seeds)| format!("of seed {} step {}", listed(seeds), listed(steps)));
    said.extend(of_seeds);
    said
}

/// Long lists by their ends.
fn listed(all: &[String]) -> String {
    match all {
        [first, .., last] if all.len() > 8 => format!("{first} … {last} ({} of them)", all.len()),
        _ => all.join(", "),
    }
}
