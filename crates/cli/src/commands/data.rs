use std::path::Path;

use anyhow::{Context, bail};
use data::{Dataset, Domain, FEATURE_WEIGHTS, FeatureWeights, Fold, Recipe};
use serde_json::json;
use spec::{DataConfig, OnBadImage, RunConfig};

use crate::args::{DataArgs, DataCommand, SizeArgs};
use crate::exit::Exit;
use crate::places::Places;
use crate::sweep_progress::Preparing;
use crate::terminal::{plural, table};

pub(crate) fn data(args: &DataArgs, places: &Places) -> anyhow::Result<Exit> {
    match &args.command {
        DataCommand::List { json } => list(*json, places),
        DataCommand::Fetch { name } => fetch(name, places),
        DataCommand::Check { source, size, json } => check(source, *size, *json, places),
        DataCommand::Export { source, out, fold, size } => export(source, out, fold, *size, places),
        DataCommand::Preview { source, out, rows, fold, size } => {
            preview(source, out, *rows, fold, *size, places)
        }
    }
}

fn list(as_json: bool, places: &Places) -> anyhow::Result<Exit> {
    let store = places.store();
    let recipes = store.book().list();
    let place = |recipe: &Recipe| match (recipe.is_embedded(), store.is_fetched(recipe)) {
        (true, _) => "built in",
        (_, true) => "fetched",
        (_, false) => "not fetched",
    };
    if as_json {
        let one = |it: &Recipe| json!({ "name": it.name, "title": it.title, "licence": it.licence, "credit": it.credit, "here": place(it) });
        tell!("{}", crate::terminal::json(&recipes.iter().map(one).collect::<Vec<_>>())?);
    } else {
        let row = |it: &Recipe| {
            vec![it.name.clone(), place(it).to_string(), it.title.clone(), it.licence.clone()]
        };
        let rows: Vec<_> = recipes.iter().map(row).collect();
        tell!("{}\n", table(&["name", "here", "what", "licence"], &rows));
        let here = if store.feature_weights().is_some() { "fetched" } else { "not fetched" };
        let FeatureWeights { name, title, licence, .. } = FEATURE_WEIGHTS;
        let weights = [name, here, title, licence].map(str::to_string).to_vec();
        tell!("{}", table(&["weights", "here", "what", "licence"], &[weights]));
    }
    for broken in store.book().broken() {
        say!("warning: {broken}");
    }
    Ok(Exit::Done)
}

fn fetch(name: &str, places: &Places) -> anyhow::Result<Exit> {
    let store = places.store();
    let mut preparing = Preparing::new();
    let fetched = store.fetch_named(name, &mut |it| preparing.show(it))?;
    preparing.clear();
    match fetched.path {
        None => tell!("{name}: part of this program, nothing to fetch"),
        Some(path) => tell!(
            "{name}: {} ({:.1} MB, sha256 {}){}",
            path.display(),
            fetched.bytes as f64 / 1e6,
            fetched.sha256.as_deref().unwrap_or("unknown"),
            if fetched.downloaded { "" } else { ", already here" },
        ),
    }
    Ok(Exit::Done)
}

fn check(source: &str, size: SizeArgs, as_json: bool, places: &Places) -> anyhow::Result<Exit> {
    let dataset = open(source, size, places)?;
    let counts: Vec<_> = Fold::ALL
        .into_iter()
        .map(|fold| (fold, dataset.count(fold, Domain::A), dataset.count(fold, Domain::B)))
        .filter(|(_, a, b)| a + b > 0)
        .collect();
    let shared = dataset.shared();
    let sound = dataset.skipped().is_empty() && shared.is_empty();
    let exit = if sound { Exit::Done } else { Exit::Data };
    if as_json {
        tell!(
            "{}",
            crate::terminal::json(&json!({
                "name": dataset.name(),
                "fingerprint": dataset.fingerprint(),
                "counts": counts.iter().map(|(fold, a, b)| json!({ "fold": fold, "a": a, "b": b })).collect::<Vec<_>>(),
                "paired": dataset.paired(Fold::Test),
                "skipped": dataset.skipped(),
                "shared": shared,
            }))?
        );
        return Ok(exit);
    }
    tell!("{} ({})", dataset.title(), dataset.fingerprint());
    let row = |(fold, a, b): &(Fold, usize, usize)| {
        vec![format!("{fold:?}").to_lowercase(), a.to_string(), b.to_string()]
    };
    tell!("{}", table(&["fold", "A", "B"], &counts.iter().map(row).collect::<Vec<_>>()));
    if dataset.paired(Fold::Test) {
        tell!("held-out images come with their true translation");
    }
    match dataset.skipped() {
        [] => tell!("every image can be used"),
        bad => {
            tell!("{} cannot be used:", plural(bad.len(), "image"));
            bad.iter().for_each(|it| tell!("  {it}"));
        }
    }
    if !shared.is_empty() {
        tell!("no image belongs in two folds:");
        shared.iter().for_each(|it| tell!("  {it}"));
    }
    Ok(exit)
}

fn export(
    source: &str,
    out: &Path,
    folds: &[String],
    size: SizeArgs,
    places: &Places,
) -> anyhow::Result<Exit> {
    let folds = folds.iter().map(|name| fold_of(name)).collect::<anyhow::Result<Vec<_>>>()?;
    if folds.contains(&Fold::Train) {
        bail!("training images are cropped at random; val, ref and test can be exported");
    }
    let dataset = open(source, size, places)?;
    for fold in folds {
        for domain in Domain::ALL {
            let folder = out.join(format!("{}{domain:?}", format!("{fold:?}").to_lowercase()));
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make `{}`", folder.display()))?;
            let count = dataset.count(fold, domain);
            let mut names = std::collections::BTreeSet::new();
            for i in 0..count {
                let name = file_stem(dataset.id(fold, domain, i));
                if !names.insert(name.clone()) {
                    bail!("two images of `{source}` would be written as `{name}.png`");
                }
                dataset.held_out(fold, domain, i)?.to_png(&folder.join(format!("{name}.png")))?;
            }
            tell!("{}: {}", folder.display(), plural(count, "image"));
        }
    }
    Ok(Exit::Done)
}

/// Plain enough for every file system.
fn file_stem(id: &str) -> String {
    let stem = id.rsplit_once('.').map_or(id, |(stem, _)| stem);
    let plain = |c: char| if c.is_alphanumeric() || "._-+".contains(c) { c } else { '_' };
    stem.chars().map(plain).collect()
}

fn fold_of(name: &str) -> anyhow::Result<Fold> {
    let found = Fold::ALL.into_iter().find(|it| format!("{it:?}").to_lowercase() == name);
    found.with_context(|| format!("no fold is called `{name}`; there are train, val, ref and test"))
}

fn preview(
    source: &str,
    out: &Path,
    rows: usize,
    fold: &str,
    size: SizeArgs,
    places: &Places,
) -> anyhow::Result<Exit> {
    let fold = fold_of(fold)?;
    let dataset = open(source, size, places)?;
    if dataset.count(fold, Domain::A) + dataset.count(fold, Domain::B) == 0 {
        bail!("`{source}` has no images in its {fold:?} fold");
    }
    let sheet = dataset.contact_sheet(fold, rows)?;
    sheet.save(out).with_context(|| format!("cannot write `{}`", out.display()))?;
    tell!("{} ({})", out.display(), dataset.title());
    Ok(Exit::Done)
}

/// A data set by name, or a folder by path; bad images are counted, not fatal.
fn open(source: &str, size: SizeArgs, places: &Places) -> anyhow::Result<Dataset> {
    let is_folder = Path::new(source).is_dir();
    let path = std::path::absolute(source).unwrap_or_else(|_| source.into());
    let config = DataConfig {
        dataset: (!is_folder).then(|| source.to_string()),
        path: is_folder.then(|| path.to_string_lossy().into_owned()),
        load_size: size.px,
        crop_size: size.px,
        on_bad_image: OnBadImage::Skip,
        ..RunConfig::reference().data
    };
    let mut preparing = Preparing::new();
    let dataset = places.store().prepare(&config, &mut |it| preparing.show(it))?;
    preparing.clear();
    Ok(dataset)
}
