use std::path::Path;

use anyhow::{Context, bail};
use data::{Dataset, Domain, Fold, Recipe};
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
        tell!("{}", table(&["name", "here", "what", "licence"], &rows));
    }
    for broken in store.book().broken() {
        say!("warning: {broken}");
    }
    Ok(Exit::Done)
}

fn fetch(name: &str, places: &Places) -> anyhow::Result<Exit> {
    let store = places.store();
    let recipe = store.book().get(name)?;
    let mut preparing = Preparing::new();
    let fetched = store.fetch(&recipe, &mut |it| preparing.show(it))?;
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
    let exit = if dataset.skipped().is_empty() { Exit::Done } else { Exit::Data };
    if as_json {
        tell!(
            "{}",
            crate::terminal::json(&json!({
                "name": dataset.name(),
                "fingerprint": dataset.fingerprint(),
                "counts": counts.iter().map(|(fold, a, b)| json!({ "fold": fold, "a": a, "b": b })).collect::<Vec<_>>(),
                "paired": dataset.paired(Fold::Test),
                "skipped": dataset.skipped(),
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
    Ok(exit)
}

fn preview(
    source: &str,
    out: &Path,
    rows: usize,
    fold: &str,
    size: SizeArgs,
    places: &Places,
) -> anyhow::Result<Exit> {
    let names = Fold::ALL.map(|it| (format!("{it:?}").to_lowercase(), it));
    let Some((_, fold)) = names.iter().find(|(name, _)| name == fold) else {
        bail!("no fold is called `{fold}`; there are train, val, ref and test");
    };
    let dataset = open(source, size, places)?;
    if dataset.count(*fold, Domain::A) + dataset.count(*fold, Domain::B) == 0 {
        bail!("`{source}` has no images in its {fold:?} fold");
    }
    let sheet = dataset.contact_sheet(*fold, rows)?;
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
