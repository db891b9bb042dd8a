//! The sweep file exactly as typed: every section read, every value of its type.
//!
//! Nothing is combined here; `plan.rs` gives the sections their meaning.

use crate::axis_spec::{Dimension, read_axes, read_zips};
use crate::diagnostic::{Findings, Located, Place, quoted};
use crate::execution::{Exec, Limits, Samples, read_exec, read_limits, read_samples};
use crate::metric::{Goal, KnownMetric, Metric, Select, known_metrics};
use crate::node::{Key, Node, Value};
use crate::plan::MOST_RUNS;
use crate::preset::Preset;
use crate::section::{Section, unavailable};
use crate::seeds::{Seeds, read_seeds};
use crate::settings::{Entry, Reading};

/// The newest `schema` this build reads.
pub const SCHEMA: u64 = 1;

/// Each is held against every cell.
const MOST_EXCLUDES: usize = 1000;

/// How cells are made from axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Design {
    /// Every combination.
    Grid,
    /// The baseline, and each other value of each axis alone.
    OneAtATime,
    /// Only the `[[points]]`.
    Points,
}

impl Design {
    /// As in the sweep file.
    pub fn name(self) -> &'static str {
        match self {
            Design::Grid => "grid",
            Design::OneAtATime => "one-at-a-time",
            Design::Points => "points",
        }
    }
}

pub(crate) struct SweepFile {
    pub(crate) name: String,
    pub(crate) question: String,
    /// What a finding about the sweep as a whole points at.
    pub(crate) place: Place,
    pub(crate) base: Vec<Located<String>>,
    pub(crate) preset: Preset,
    pub(crate) design: Located<Design>,
    pub(crate) seeds: Seeds,
    pub(crate) run_name: Option<Located<String>>,
    pub(crate) tags: Vec<String>,
    pub(crate) metric: Metric,
    pub(crate) baseline: Option<Match>,
    pub(crate) set: Vec<Entry>,
    /// `[guards]` is short for `guards.*` under `[set]`.
    pub(crate) guards: Vec<Entry>,
    /// Axes and zips in the order of the file.
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) points: Vec<Point>,
    pub(crate) excludes: Vec<Match>,
    pub(crate) limits: Limits,
    pub(crate) max_runs_place: Option<Place>,
    pub(crate) exec: Exec,
    pub(crate) samples: Samples,
}

/// Values that cells are compared with: the baseline, or an exclusion.
pub(crate) struct Match {
    pub(crate) entries: Vec<Entry>,
    pub(crate) place: Place,
    /// Whether it was read without an error.
    pub(crate) sound: bool,
}

pub(crate) struct Point {
    /// The cell's label, in place of one made from what it sets or from `run_name`.
    pub(crate) name: Option<String>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) seeds: Option<Seeds>,
    pub(crate) note: Option<String>,
    pub(crate) place: Place,
    /// Whether it was read without an error.
    pub(crate) sound: bool,
}

impl SweepFile {
    /// Reads the document. `None`: it is not for this version, the finding says so.
    pub(crate) fn read(root: &Node, reading: &mut Reading) -> Option<SweepFile> {
        let mut top = Section::open("", root, &mut reading.findings)?;
        schema(&mut top, reading)?;
        let start = root.place;
        let (sweep_key, sweep_node) = match top.get("sweep") {
            Some((key, node)) => (Some(key), node.clone()),
            None => (None, Node { value: Value::Table(Vec::new()), place: start }),
        };
        let place = sweep_key.map_or(start, |key| key.place);
        let mut file = sweep(&sweep_node, place, reading)?;
        if let Some((_, node)) = top.get("set") {
            file.set = reading.settings(node, "[set]");
        }
        if let Some((_, node)) = top.get("guards") {
            file.guards = reading.settings_of("guards", node, "[guards]");
        }
        if let Some((_, node)) = top.get("axes") {
            file.dimensions.extend(read_axes(node, reading));
        }
        if let Some((_, node)) = top.get("zip") {
            file.dimensions.extend(read_zips(node, reading));
        }
        file.dimensions.sort_by_key(|dimension| dimension.place);
        for node in tables(&mut top, "points", MOST_RUNS as usize, reading) {
            if let Some(point) = point(node, &file.points, reading) {
                file.points.push(point);
            }
        }
        file.excludes = tables(&mut top, "exclude", MOST_EXCLUDES, reading)
            .into_iter()
            .filter_map(|node| exclude(node, reading))
            .collect();
        if let Some((_, node)) = top.get("limits") {
            (file.limits, file.max_runs_place) = read_limits(node, &mut reading.findings);
        }
        if let Some((_, node)) = top.get("exec") {
            file.exec = read_exec(node, &mut reading.findings);
        }
        if let Some((_, node)) = top.get("samples") {
            file.samples = read_samples(node, &mut reading.findings);
        }
        for later in ["arms", "rules", "derive", "require", "report", "executor"] {
            top.later(later, "");
        }
        top.later("checkpoint", "how often is `train.checkpoint_every`, in steps, under [set]");
        top.finish(&mut reading.findings);
        Some(file)
    }
}

/// Refuses a newer file at once: its other "mistakes" may be none.
fn schema(top: &mut Section<'_>, reading: &mut Reading) -> Option<()> {
    let schema = top.whole("schema", 1..=u64::MAX, &mut reading.findings);
    match schema {
        Some(schema) if schema.value > SCHEMA => {
            let message =
                format!("`schema` {} is newer than this build, which reads {SCHEMA}", schema.value);
            reading.error(schema.place, message).help("update cyclelab");
            None
        }
        _ => Some(()),
    }
}

fn sweep(node: &Node, place: Place, reading: &mut Reading) -> Option<SweepFile> {
    let findings = &mut reading.findings;
    let mut section = Section::open("[sweep]", node, findings)?;
    let name = name(&mut section, place, findings);
    let question = required(&mut section, "question", place, findings);
    let base = match section.get("base") {
        // One base file need not stand in an array.
        Some((_, Node { value: Value::String(path), place })) => {
            vec![Located { value: path.clone(), place: *place }]
        }
        _ => section.strings("base", findings),
    };
    let presets = Preset::ALL.map(|preset| (preset.name(), preset));
    let preset = section.choice("preset", &presets, &[], findings);
    let designs =
        [("grid", Design::Grid), ("one-at-a-time", Design::OneAtATime), ("points", Design::Points)];
    let design = section.choice("design", &designs, &["leave-one-out", "random"], findings);
    let run_name = section.line("run_name", findings);
    let tags = section.strings("tags", findings).into_iter().map(|tag| tag.value).collect();
    let metric = section.get("metric").map(|(_, node)| metric(node, findings));
    let seeds = match section.get("seeds") {
        Some((_, node)) => read_seeds(node, "`seeds`", findings),
        None => Seeds::one(place),
    };
    seeds.warn_if_few(findings);
    let baseline = section.get("baseline").map(|(key, node)| {
        let before = reading.findings.errors();
        let entries = reading.settings(node, "[sweep.baseline]");
        Match { entries, place: key.place, sound: reading.findings.errors() == before }
    });
    section.finish(&mut reading.findings);
    Some(SweepFile {
        place: name.as_ref().map_or(place, |name| name.place),
        name: name.map_or_else(String::new, |name| name.value),
        question,
        base,
        preset: preset.map_or(Preset::Reference, |preset| preset.value),
        design: design.unwrap_or(Located { value: Design::Grid, place }),
        seeds,
        run_name,
        tags,
        metric: metric.unwrap_or_default(),
        baseline,
        set: Vec::new(),
        guards: Vec::new(),
        dimensions: Vec::new(),
        points: Vec::new(),
        excludes: Vec::new(),
        limits: Limits::default(),
        max_runs_place: None,
        exec: Exec::default(),
        samples: Samples::default(),
    })
}

fn required(
    section: &mut Section<'_>,
    key: &'static str,
    place: Place,
    findings: &mut Findings,
) -> String {
    match section.get(key) {
        None => {
            let help = match key {
                "question" => "one sentence: what should this sweep decide?",
                _ => "the name of the sweep's folder, such as \"lambda\"",
            };
            findings.error(place, format!("[sweep] needs `{key}`")).help(help);
            String::new()
        }
        Some((key_found, node)) => match section.string(key, findings) {
            Some(text) if text.value.trim().is_empty() => {
                findings.error(node.place, format!("`{}` in [sweep] is empty", key_found.text));
                String::new()
            }
            Some(text) => text.value,
            None => String::new(),
        },
    }
}

fn name(
    section: &mut Section<'_>,
    place: Place,
    findings: &mut Findings,
) -> Option<Located<String>> {
    let value = required(section, "name", place, findings);
    let (_, node) = section.get("name")?;
    if !value.is_empty() && !is_name(&value) {
        let help = match slug(&value) {
            slug if is_name(&slug) => format!("write {slug:?}"),
            _ => "write a short name such as \"lambda\"".to_string(),
        };
        findings
            .error(node.place, format!("the name {value:?} cannot be a folder's name everywhere"))
            .label("1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit")
            .help(help);
    }
    Some(Located { value, place: node.place })
}

/// `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`: what every file system takes.
fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(allowed)
        // Windows drops a final dot, and keeps some names for devices, whatever follows their dot.
        && !text.ends_with('.')
        && !is_device(text.split('.').next().unwrap_or_default())
        // Beside the sweeps' folders lies the list of all runs.
        && text != "index.jsonl"
}

fn is_device(stem: &str) -> bool {
    let stem = stem.to_ascii_lowercase();
    let numbered =
        |it: &str| stem.strip_prefix(it).is_some_and(|n| matches!(n.as_bytes(), [b'1'..=b'9']));
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

/// The nearest name: every other run of characters becomes one `-`.
pub(crate) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') {
            slug.push(c);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_matches(['-', '.', '_']);
    slug.chars().take(64).collect::<String>().trim_end_matches(['-', '.', '_']).to_string()
}

fn metric(node: &Node, findings: &mut Findings) -> Metric {
    let default = Metric::default();
    let Some(mut section) = Section::open("[sweep.metric]", node, findings) else { return default };
    let goals = [("minimize", Goal::Minimize), ("maximize", Goal::Maximize)];
    let name = section.string("name", findings);
    let typed_goal = section.choice("goal", &goals, &[], findings);
    let goal_given = section.get("goal").is_some();
    let secondary = section.strings("secondary", findings);
    match section.get("select") {
        Some((_, Node { value: Value::String(text), .. })) if text == "last" => {}
        Some((_, Node { value: Value::String(text), place })) if text == "best" => {
            unavailable(&format!("select = {text:?}"), *place, "use \"last\"", findings);
        }
        Some((_, Node { value: Value::Table(_), place })) => {
            unavailable("select = { … }", *place, "use \"last\"", findings);
        }
        Some((_, node)) => section.unexpected("select", "\"last\"", node, findings),
        None => {}
    }
    section.finish(findings);
    for other in &secondary {
        known(other, findings);
    }
    let known = match &name {
        Some(name) => known(name, findings),
        None => known_metrics().iter().find(|known| known.name == default.name),
    };
    let goal = match (typed_goal, known.map(|known| known.goal)) {
        (Some(goal), obvious) => {
            if let Some(Some(obvious)) = obvious
                && obvious != goal.value
            {
                findings
                    .warning(goal.place, format!("{obvious:?} is the usual goal of this metric"));
            }
            goal.value
        }
        (None, Some(Some(obvious))) => obvious,
        (None, Some(None)) if !goal_given => {
            let name = name.as_ref().expect("the default metric has an obvious goal");
            findings
                .error(name.place, format!("`{}` needs a `goal`", name.value))
                .help("neither way is better by itself: write goal = \"minimize\" or \"maximize\"");
            default.goal
        }
        _ => default.goal,
    };
    Metric {
        declared: name.is_some(),
        name: name.map_or(default.name, |name| name.value),
        goal,
        select: Select::Last,
        secondary: secondary.into_iter().map(|name| name.value).collect(),
    }
}

fn known(name: &Located<String>, findings: &mut Findings) -> Option<&'static KnownMetric> {
    let found = known_metrics().iter().find(|known| known.name == name.value);
    if found.is_none() {
        let names: Vec<&str> = known_metrics().iter().map(|known| known.name).collect();
        let help = findings
            .did_you_mean(&name.value, names.iter().copied())
            .unwrap_or_else(|| format!("known: {}", quoted(&names, "and")));
        findings.error(name.place, format!("no metric is called `{}`", name.value)).help(help);
    }
    found
}

fn tables<'a>(
    top: &mut Section<'a>,
    key: &'static str,
    most: usize,
    reading: &mut Reading,
) -> Vec<&'a Node> {
    match top.get(key) {
        None => Vec::new(),
        Some((Key { place, .. }, Node { value: Value::Array(items), .. }))
            if items.len() > most =>
        {
            reading.error(*place, format!("{} [[{key}]] are more than {most}", items.len()));
            Vec::new()
        }
        Some((_, Node { value: Value::Array(items), .. })) => items.iter().collect(),
        Some((Key { place, .. }, node)) => {
            let message = format!("`{key}` must be [[{key}]] tables, found {}", node.found());
            reading.error(*place, message).help(format!("write [[{key}]] with two brackets"));
            Vec::new()
        }
    }
}

fn point(node: &Node, earlier: &[Point], reading: &mut Reading) -> Option<Point> {
    let before = reading.findings.errors();
    let mut section = Section::open("[[points]]", node, &mut reading.findings)?;
    let name = point_name(&mut section, earlier, &mut reading.findings);
    let entries = match section.get("set") {
        Some((_, set)) => reading.settings(set, "`set` in [[points]]"),
        None => {
            reading.error(node.place, "[[points]] needs `set`");
            Vec::new()
        }
    };
    let findings = &mut reading.findings;
    let seeds =
        section.get("seeds").map(|(_, node)| read_seeds(node, "`seeds` in [[points]]", findings));
    let note = section.string("note", findings).map(|note| note.value);
    section.finish(findings);
    Some(Point {
        name,
        entries,
        seeds,
        note,
        place: node.place,
        sound: reading.findings.errors() == before,
    })
}

/// Any one line of text: it is a label, and folders get their own spelling of it.
fn point_name(
    section: &mut Section<'_>,
    earlier: &[Point],
    findings: &mut Findings,
) -> Option<String> {
    let name = section.string("name", findings)?;
    let text = name.value.trim();
    if text.is_empty() || text.contains(char::is_control) {
        findings.error(name.place, "`name` in [[points]] must be one line of text");
    } else if earlier.iter().any(|point| point.name.as_deref() == Some(text)) {
        findings.error(name.place, format!("two points are called {text:?}"));
    }
    Some(text.to_string())
}

fn exclude(node: &Node, reading: &mut Reading) -> Option<Match> {
    let before = reading.findings.errors();
    let mut section = Section::open("[[exclude]]", node, &mut reading.findings)?;
    let entries = match section.get("match") {
        Some((_, matched)) => {
            let entries = reading.settings(matched, "`match` in [[exclude]]");
            if entries.is_empty() && reading.findings.errors() == before {
                reading.error(
                    matched.place,
                    "`match` in [[exclude]] is empty: it would remove every cell",
                );
            }
            entries
        }
        None => {
            reading.error(node.place, "[[exclude]] needs `match`");
            Vec::new()
        }
    };
    // For the reader of the file; the removed cells are not shown anywhere.
    section.string("reason", &mut reading.findings);
    section.finish(&mut reading.findings);
    Some(Match { entries, place: node.place, sound: reading.findings.errors() == before })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_safe_or_has_a_safe_neighbour() {
        let check = |name: &str, safe: bool, expected_slug: &str| {
            assert_eq!(is_name(name), safe, "{name}");
            assert_eq!(slug(name), expected_slug, "{name}");
        };
        check("lambda-x-loss", true, "lambda-x-loss");
        check("2025.run_1", true, "2025.run_1");
        check("../escape", false, "escape");
        check("λ sweep / two", false, "sweep-two");
        check(".hidden", false, "hidden");
        check("", false, "");
        check("ends.", false, "ends");
        check("con", false, "con");
        check("Aux.2", false, "Aux.2");
        check("com1", false, "com1");
        check("com10", true, "com10");
        check("console", true, "console");
        check("index.jsonl", false, "index.jsonl");
        check(&"x".repeat(65), false, &"x".repeat(64));
    }
}
