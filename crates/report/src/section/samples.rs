//! The fixed held-out inputs through every cell, side by side.

use std::fs;
use std::io::Cursor;
use std::path::{Component, Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use track::{RunRecord, RunState, SampleKind};

use super::drawn_cells;
use crate::Options;
use crate::escape::esc;
use crate::number::plural;
use crate::page::Subject;

/// Columns a reader can still compare; more cells are thinned as in the plots.
const MOST_COLUMNS: usize = 12;

pub(crate) fn section(
    subject: &Subject<'_>,
    options: &Options,
    problems: &mut Vec<(PathBuf, String)>,
) -> String {
    let record = subject.record;
    let mut out = String::from("<section id=\"samples\">\n<h2>Samples</h2>\n");
    if record.runs.iter().all(|run| run.samples.is_empty()) {
        out.push_str("<p>No run has saved a sample yet.</p>\n</section>\n");
        return out;
    }
    let mut album = Album { left: options.image_budget, problems };
    let cells: Vec<usize> = if record.plan.cells.len() <= MOST_COLUMNS {
        (0..record.plan.cells.len()).collect()
    } else {
        drawn_cells(subject).into_iter().map(|(cell, _)| cell).collect()
    };
    let (seeds, left_out) = affordable_seeds(subject, &cells, &album);

    let mut body = String::new();
    for (domain, direction) in [("a", "A → B"), ("b", "B → A")] {
        body.push_str(&block(subject, &cells, &seeds, domain, direction, &mut album));
    }
    out.push_str(&controls(&seeds));
    out.push_str(&note(subject, cells.len(), &seeds, &left_out));
    out.push_str(&body);
    out.push_str("</section>\n");
    out
}

/// The first seed whatever it costs, then as many as the budget holds.
fn affordable_seeds(
    subject: &Subject<'_>,
    cells: &[usize],
    album: &Album<'_>,
) -> (Vec<u64>, Vec<u64>) {
    let record = subject.record;
    let mut spent = 0;
    let with_samples = super::seeds(record).into_iter().filter(|seed| {
        record
            .runs
            .iter()
            .any(|run| run.seed == *seed && cells.contains(&run.cell) && !run.samples.is_empty())
    });
    let (mut kept, mut left_out) = (Vec::new(), Vec::new());
    for seed in with_samples {
        let runs = record.runs.iter().filter(|run| run.seed == seed && cells.contains(&run.cell));
        let cost: usize = runs.map(run_cost).sum();
        spent += cost;
        if kept.is_empty() || spent <= album.left { kept.push(seed) } else { left_out.push(seed) }
    }
    (kept, left_out)
}

/// Base64 makes four bytes of three.
fn run_cost(run: &RunRecord) -> usize {
    let step = last_step(run);
    let shown = run
        .samples
        .iter()
        .filter(|s| Some(s.step) == step && matches!(s.kind, SampleKind::Fake | SampleKind::Rec));
    shown
        .filter_map(|s| fs::metadata(inside(run, &s.path)).ok())
        .map(|m| m.len() as usize * 4 / 3)
        .sum()
}

/// Radio buttons and the seed menu do nothing without the script, which shows them.
fn controls(seeds: &[u64]) -> String {
    let mut out = String::from("<div class=\"controls\" id=\"sample-controls\" hidden>");
    if seeds.len() > 1 {
        out.push_str("<label>Seed <select id=\"sample-seed\">");
        for seed in seeds {
            out.push_str(&format!("<option>{seed}</option>"));
        }
        out.push_str("</select></label>");
    }
    out.push_str(
        "<fieldset><legend>Show</legend>\
         <label><input type=\"radio\" name=\"show\" value=\"both\" checked> both</label>\
         <label><input type=\"radio\" name=\"show\" value=\"fake\"> translation</label>\
         <label><input type=\"radio\" name=\"show\" value=\"rec\"> reconstruction</label></fieldset></div>\n",
    );
    out
}

/// One direction: an input a row, a cell a column.
fn block(
    subject: &Subject<'_>,
    cells: &[usize],
    seeds: &[u64],
    domain: &str,
    direction: &str,
    album: &mut Album<'_>,
) -> String {
    let record = subject.record;
    let inputs = inputs(subject, domain);
    if inputs.is_empty() {
        return String::new();
    }
    let has_truth = record
        .runs
        .iter()
        .flat_map(|run| &run.samples)
        .any(|sample| sample.domain == domain && sample.kind == SampleKind::Truth);
    let mut out = format!(
        "<h3>{direction}</h3>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Samples {direction}\">\n\
         <table class=\"samples\">\n<thead><tr><th scope=\"col\">input</th>"
    );
    if has_truth {
        out.push_str("<th scope=\"col\">true<br>translation</th>");
    }
    for &cell in cells {
        out.push_str(&column_head(subject, cell, seeds));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for id in inputs {
        out.push_str("<tr><th scope=\"row\">");
        out.push_str(&shared_image(subject, domain, &id, SampleKind::Real, album));
        out.push_str(&format!("<span class=\"id\" title=\"{0}\">{0}</span></th>", esc(&id)));
        if has_truth {
            out.push_str(&format!(
                "<td>{}</td>",
                shared_image(subject, domain, &id, SampleKind::Truth, album)
            ));
        }
        for &cell in cells {
            out.push_str("<td>");
            for (at, &seed) in seeds.iter().enumerate() {
                let hidden = if at > 0 { " hidden" } else { "" };
                out.push_str(&format!("<div class=\"pair\" data-seed=\"{seed}\"{hidden}>"));
                match record.runs.iter().find(|run| run.cell == cell && run.seed == seed) {
                    Some(run) => {
                        for kind in [SampleKind::Fake, SampleKind::Rec] {
                            out.push_str(&run_image(subject, run, domain, &id, kind, album));
                        }
                    }
                    None => out.push_str(&hole("both", "not planned")),
                }
                out.push_str("</div>");
            }
            out.push_str("</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
    out
}

/// The planned inputs; without a plan for them, whatever was saved.
fn inputs(subject: &Subject<'_>, domain: &str) -> Vec<String> {
    let saved = || {
        let samples = subject.record.runs.iter().flat_map(|run| &run.samples);
        samples.filter(|sample| sample.domain == domain).map(|sample| &sample.id)
    };
    let planned =
        subject.record.plan.samples.iter().filter(|(own, _)| own == domain).map(|(_, id)| id);
    let mut inputs: Vec<String> =
        planned.filter(|id| saved().any(|other| other == *id)).cloned().collect();
    if inputs.is_empty() {
        inputs = saved().cloned().collect();
        inputs.sort();
        inputs.dedup();
    }
    inputs
}

fn column_head(subject: &Subject<'_>, cell: usize, seeds: &[u64]) -> String {
    let record = subject.record;
    let mut out = format!("<th scope=\"col\">{}", esc(&record.plan.cells[cell].label));
    let roles = [(subject.summary.baseline, "baseline"), (subject.summary.best, "★ best")];
    let held = roles.iter().filter(|(holder, _)| *holder == Some(cell));
    let own: Vec<&str> = held.map(|(_, role)| *role).collect();
    if !own.is_empty() {
        out.push_str(&format!(" <span class=\"tag\">{}</span>", own.join(", ")));
    }
    let usual_step = record.runs.iter().filter_map(last_step).max();
    for (at, &seed) in seeds.iter().enumerate() {
        let Some(run) = record.runs.iter().find(|run| run.cell == cell && run.seed == seed) else {
            continue;
        };
        let step = last_step(run);
        let said = match (&run.state, step) {
            (RunState::Completed, step) if step == usual_step => continue,
            (RunState::Completed, _) => String::new(),
            (state, _) => format!("{}, ", super::runs::state_word(state)),
        };
        let step = step.map_or_else(|| "no sample".into(), |step| format!("step {step}"));
        let hidden = if at > 0 { " hidden" } else { "" };
        out.push_str(&format!(
            "<span class=\"when\" data-seed=\"{seed}\"{hidden}>{said}{step}</span>"
        ));
    }
    out.push_str("</th>");
    out
}

/// The input or its true translation: the same for all runs, shown once.
fn shared_image(
    subject: &Subject<'_>,
    domain: &str,
    id: &str,
    kind: SampleKind,
    album: &mut Album<'_>,
) -> String {
    let found: Option<PathBuf> = subject.record.runs.iter().find_map(|run| {
        let sample =
            run.samples.iter().find(|s| s.domain == domain && s.id == id && s.kind == kind)?;
        Some(inside(run, &sample.path))
    });
    let word = if kind == SampleKind::Real { "Held-out input" } else { "True translation of" };
    match found {
        Some(path) => {
            album.image(&path, "shared", &format!("{word} {id}, domain {}", domain.to_uppercase()))
        }
        None => hole("shared", "—"),
    }
}

fn run_image(
    subject: &Subject<'_>,
    run: &RunRecord,
    domain: &str,
    id: &str,
    kind: SampleKind,
    album: &mut Album<'_>,
) -> String {
    let (class, word) =
        if kind == SampleKind::Fake { ("fake", "translation") } else { ("rec", "reconstruction") };
    let step = last_step(run);
    let found = run
        .samples
        .iter()
        .find(|s| Some(s.step) == step && s.domain == domain && s.id == id && s.kind == kind);
    let Some(sample) = found else {
        return hole(
            class,
            if run.samples.is_empty() { super::runs::state_word(&run.state) } else { "not saved" },
        );
    };
    let direction = if domain == "a" { "A→B" } else { "B→A" };
    let cell = &subject.record.plan.cells[run.cell].label;
    let alt =
        format!("{direction} {word} of {id}, {cell}, seed {}, step {}", run.seed, sample.step);
    album.image(&inside(run, &sample.path), class, &alt)
}

fn last_step(run: &RunRecord) -> Option<u64> {
    run.samples.iter().map(|sample| sample.step).max()
}

fn hole(class: &str, reason: &str) -> String {
    format!("<span class=\"hole {class}\">{}</span>", esc(reason))
}

/// Images on their way into the page.
struct Album<'a> {
    left: usize,
    problems: &'a mut Vec<(PathBuf, String)>,
}

impl Album<'_> {
    fn image(&mut self, path: &Path, class: &str, alt: &str) -> String {
        match embed(path) {
            Ok((uri, (width, height))) => {
                let (shown, pixelated) = shown_width(width);
                let sharp = if pixelated { " sharp" } else { "" };
                let tall = shown * height / width.max(1);
                format!(
                    "<img class=\"{class}{sharp}\" src=\"{uri}\" width=\"{shown}\" height=\"{tall}\" alt=\"{}\">",
                    esc(alt)
                )
            }
            Err(reason) => {
                self.problems.push((path.to_path_buf(), reason));
                hole(class, "unreadable")
            }
        }
    }
}

/// The bytes as they are on disk, once their header says they are an image a browser shows.
fn embed(path: &Path) -> Result<(String, (u32, u32)), String> {
    let bytes = read(path)?;
    let reader = image::ImageReader::new(Cursor::new(&bytes))
        .with_guessed_format()
        .map_err(|e| e.to_string())?;
    let kind = match reader.format() {
        Some(image::ImageFormat::Png) => "png",
        Some(image::ImageFormat::Jpeg) => "jpeg",
        Some(image::ImageFormat::WebP) => "webp",
        _ => return Err("neither PNG, JPEG nor WebP".into()),
    };
    let size = reader.into_dimensions().map_err(|e| e.to_string())?;
    Ok((format!("data:image/{kind};base64,{}", STANDARD.encode(&bytes)), size))
}

/// A store may come from elsewhere: what its list of samples names begins in the run's folder.
fn inside(run: &RunRecord, path: &Path) -> PathBuf {
    let below = path.components().filter(|part| matches!(part, Component::Normal(_)));
    run.folder.join(below.collect::<PathBuf>())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    const MOST: u64 = 64 << 20;
    // A pipe would be waited for.
    let found = fs::metadata(path).map_err(|e| e.to_string())?;
    match found.is_file() && found.len() <= MOST {
        true => fs::read(path).map_err(|e| e.to_string()),
        false => Err(format!("no file, or one of more than {} MiB", MOST >> 20)),
    }
}

/// Width in CSS pixels, and whether pixels stay squares. Small images grow by a
/// whole factor, so that every pixel has the same size.
fn shown_width(width: u32) -> (u32, bool) {
    match width {
        0..64 => (80_u32.div_ceil(width.max(1)) * width, true),
        64..=160 => (width.max(96), false),
        _ => (128, false),
    }
}

fn note(subject: &Subject<'_>, columns: usize, seeds: &[u64], left_out: &[u64]) -> String {
    let mut said = vec![
        "Upper image: the translation; lower image: the translation taken back to the input's domain. Each at the last step its \
         run saved; inputs are held out and the same for all runs."
            .to_string(),
    ];
    if let [first, _, ..] = seeds {
        said.push(format!("Seed {first} is shown; the other seeds are in the menu above."));
    } else if let [only] = seeds {
        said.push(format!("Seed {only}."));
    }
    if !left_out.is_empty() {
        let list: Vec<String> = left_out.iter().map(u64::to_string).collect();
        said.push(format!("Left out to keep this page small: seed {}.", list.join(", ")));
    }
    let all = subject.record.plan.cells.len();
    if columns < all {
        said.push(format!("{columns} of {} are shown.", plural(all, "cell")));
    }
    format!("<p class=\"note\">{}</p>\n", esc(said.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_large_enough_and_small_ones_keep_square_pixels() {
        let check = |width, expected| assert_eq!(shown_width(width), expected, "{width} px");
        check(32, (96, true));
        check(48, (96, true));
        check(63, (126, true));
        check(64, (96, false));
        check(128, (128, false));
        check(256, (128, false));
    }
}
