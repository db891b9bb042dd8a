//! What the page shows by itself: an input a row, a cell a column.

use track::{RunState, SampleKind};

use super::album::{Album, Share};
use super::catalogue::{Catalogue, Slot};
use super::picture::Picture;
use crate::escape::esc;
use crate::page::Subject;
use crate::section::runs::state_word;

/// Shown unless a reader chooses otherwise.
pub(super) const BY_ITSELF: [SampleKind; 2] = [SampleKind::Fake, SampleKind::Rec];

/// One direction; nothing where no input of its domain is there.
pub(super) fn table(
    subject: &Subject<'_>,
    catalogue: &Catalogue<'_>,
    album: &Album,
    domain: &str,
    direction: &str,
) -> String {
    let rows: Vec<usize> =
        album.rows().into_iter().filter(|at| catalogue.inputs[*at].domain == domain).collect();
    if rows.is_empty() {
        return String::new();
    }
    let has_truth = catalogue.has_truth(domain);
    let mut out = format!(
        "<h3>{direction}</h3>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Samples {direction}\">\n\
         <table class=\"samples\">\n<thead><tr><th scope=\"col\">input</th>"
    );
    if has_truth {
        out.push_str("<th scope=\"col\">true<br>translation</th>");
    }
    for column in 0..catalogue.columns.len() {
        out.push_str(&column_head(subject, catalogue, album, column));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str(&tr(subject, catalogue, album, row, has_truth));
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
    out
}

fn tr(
    subject: &Subject<'_>,
    catalogue: &Catalogue<'_>,
    album: &Album,
    row: usize,
    has_truth: bool,
) -> String {
    let given = |kind: SampleKind| {
        let slot = Slot::Given { kind, input: row };
        match album.places.get(&slot) {
            Some(place) => picture(album, *place, kind, &given_alt(catalogue, kind, row)),
            None => hole(kind, "—"),
        }
    };
    let mut out = format!(
        "<tr data-input=\"{row}\"><th scope=\"row\"><div data-given=\"real\">{}</div>\
         <span class=\"id\" title=\"{1}\">{1}</span></th>",
        given(SampleKind::Real),
        esc(&catalogue.inputs[row].id)
    );
    if has_truth {
        out.push_str(&format!("<td data-given=\"truth\">{}</td>", given(SampleKind::Truth)));
    }
    for column in 0..catalogue.columns.len() {
        out.push_str(&format!("<td data-column=\"{column}\">"));
        for kind in BY_ITSELF {
            out.push_str(&made(subject, catalogue, album, column, row, kind));
        }
        out.push_str("</td>");
    }
    out.push_str("</tr>\n");
    out
}

fn column_head(
    subject: &Subject<'_>,
    catalogue: &Catalogue<'_>,
    album: &Album,
    column: usize,
) -> String {
    let cell = catalogue.columns[column];
    let mut out = format!("<th scope=\"col\">{}", esc(&subject.record.plan.cells[cell].label));
    let roles = [(subject.summary.baseline, "baseline"), (subject.summary.best, "★ best")];
    let held = roles.iter().filter(|(holder, _)| *holder == Some(cell));
    let own: Vec<&str> = held.map(|(_, role)| *role).collect();
    if !own.is_empty() {
        out.push_str(&format!(" <span class=\"tag\">{}</span>", own.join(", ")));
    }
    out.push_str(&format!(
        "<span class=\"when\" data-column=\"{column}\">{}</span></th>",
        when(catalogue, album, column)
    ));
    out
}

/// What sets a run apart from those that were completed and have a picture of the step that is
/// shown. The script says the same of the steps before.
fn when(catalogue: &Catalogue<'_>, album: &Album, column: usize) -> String {
    let Some(shelf) = catalogue.shelves.get(&(column, catalogue.seeds[0])) else {
        return String::new();
    };
    let (state, last) = (&shelf.run.state, shelf.steps.last());
    if *state == RunState::Completed && last == album.steps(catalogue).last() {
        return String::new();
    }
    let step = last.map_or_else(|| "no sample".into(), |step| format!("step {step}"));
    match state {
        RunState::Completed => step,
        state => format!("{}, {step}", state_word(state)),
    }
}

fn made(
    subject: &Subject<'_>,
    catalogue: &Catalogue<'_>,
    album: &Album,
    column: usize,
    input: usize,
    kind: SampleKind,
) -> String {
    let seed = catalogue.seeds[0];
    let Some(shelf) = catalogue.shelves.get(&(column, seed)) else {
        return hole(kind, "not planned");
    };
    let Some(&step) = shelf.steps.last() else {
        return hole(kind, state_word(&shelf.run.state));
    };
    match album.places.get(&Slot::Made { column, seed, step, kind, input }) {
        None => hole(kind, "not saved"),
        Some(place) => {
            let label = &subject.record.plan.cells[catalogue.columns[column]].label;
            let subject = made_words(kind, catalogue.inputs[input].domain);
            let id = &catalogue.inputs[input].id;
            let alt = format!("{subject} of {id}, {label}, seed {seed}, step {step}");
            picture(album, *place, kind, &alt)
        }
    }
}

/// Named by the generators that a picture went through.
pub(super) fn made_words(kind: SampleKind, domain: &str) -> &'static str {
    match (kind, domain) {
        (SampleKind::Fake, "a") => "A→B translation",
        (SampleKind::Fake, _) => "B→A translation",
        (SampleKind::Rec, "a") => "A→B→A reconstruction",
        (SampleKind::Rec, _) => "B→A→B reconstruction",
        (SampleKind::Idt, "a") => "B→A identity",
        (SampleKind::Idt, _) => "A→B identity",
        (SampleKind::Real, _) => "Held-out input",
        (SampleKind::Truth, _) => "True translation",
    }
}

pub(super) fn given_alt(catalogue: &Catalogue<'_>, kind: SampleKind, input: usize) -> String {
    let (domain, id) = (catalogue.inputs[input].domain, &catalogue.inputs[input].id);
    let of = if kind == SampleKind::Real { "" } else { "of " };
    format!("{} {of}{id}, domain {}", made_words(kind, domain), domain.to_uppercase())
}

/// Larger ones lead to the file beside the page.
fn picture(album: &Album, place: Option<usize>, kind: SampleKind, alt: &str) -> String {
    let Some(at) = place else { return hole(kind, "unreadable") };
    let picture: &Picture = &album.pictures[at];
    let (width, height) = picture.shown();
    let sharp = if picture.is_sharp() { " class=\"sharp\"" } else { "" };
    let img = format!(
        "<img{sharp} data-picture=\"{at}\" src=\"{}\" width=\"{width}\" height=\"{height}\" alt=\"{}\">",
        picture.address,
        esc(alt)
    );
    match &picture.file {
        Some(file) => format!("<a class=\"picture\" href=\"{}\">{img}</a>", file.address()),
        None => format!("<span class=\"picture\">{img}</span>"),
    }
}

fn hole(kind: SampleKind, reason: &str) -> String {
    format!("<span class=\"hole {}\">{}</span>", kind.as_str(), esc(reason))
}

impl Album {
    /// The inputs that are in, in order.
    pub(super) fn rows(&self) -> Vec<usize> {
        let mut rows: Vec<usize> = self.taken().iter().filter_map(Share::input).collect();
        rows.sort_unstable();
        rows
    }
}
