//! What is wrong in the store, by path.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use spec::RunConfig;
use track::{Checkup, Finding, Fsck, Level, RunDir, SweepDir};

use super::rm::is_sweep;
use crate::args::FsckArgs;
use crate::exit::Exit;
use crate::places::Places;
use crate::run_address::run_at;
use crate::terminal::plural;

pub(crate) fn fsck(args: &FsckArgs, places: &Places) -> anyhow::Result<Exit> {
    let mut checkups = Vec::new();
    if args.address.is_empty() {
        checkups = fsck_in(&places.runs, args.repair).check_store()?;
    }
    for address in &args.address {
        checkups.extend(check(address, args.repair, places)?);
    }
    match args.json {
        true => print_json(&checkups)?,
        false => print(&checkups, args.repair),
    }
    let open = findings(&checkups).any(Finding::is_open);
    Ok(if open { Exit::Failed } else { Exit::Done })
}

fn fsck_in(runs_root: &Path, repair: bool) -> Fsck<'_> {
    Fsck { runs_root, repair, config_toml: &config_toml }
}

/// `None` for a configuration that this version would write otherwise: nothing can be said of it.
fn config_toml(config: &Value) -> Option<String> {
    let known: RunConfig = serde_json::from_value(config.clone()).ok()?;
    // As text, in which the order of the leaves counts.
    let [now, then] = [serde_json::to_string(&known), serde_json::to_string(config)];
    (now.ok()? == then.ok()?).then(|| known.to_toml())
}

fn check(address: &str, repair: bool, places: &Places) -> anyhow::Result<Vec<Checkup>> {
    for folder in folders(address, places) {
        if is_sweep(&folder) {
            return check_sweep(folder, repair);
        }
        // Without its `run.json` too: that may be what is wrong.
        let run = RunDir::new(folder);
        if run.run_json().exists() || run.events().exists() {
            return Ok(vec![fsck_in(&places.runs, repair).check_run(&run)]);
        }
    }
    Ok(vec![fsck_in(&places.runs, repair).check_run(&run_at(address, places)?)])
}

/// Under the path it was given by, where that has a name.
fn check_sweep(mut folder: PathBuf, repair: bool) -> anyhow::Result<Vec<Checkup>> {
    if folder.file_name().is_none() {
        folder = folder.canonicalize()?;
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let root = match folder.parent() {
        Some(root) if !root.as_os_str().is_empty() => root,
        _ => Path::new("."),
    };
    Ok(fsck_in(root, repair).check_sweep(&SweepDir::new(root, &name)?)?)
}

fn folders(address: &str, places: &Places) -> [PathBuf; 2] {
    [Path::new(address).to_path_buf(), places.runs.join(address)]
}

fn findings(checkups: &[Checkup]) -> impl Iterator<Item = &Finding> {
    checkups.iter().flat_map(|checkup| &checkup.findings)
}

fn print(checkups: &[Checkup], repair: bool) {
    for checkup in checkups.iter().filter(|it| !it.findings.is_empty()) {
        tell!("{}", checkup.folder.display());
        for finding in &checkup.findings {
            let path = finding.path.strip_prefix(&checkup.folder).unwrap_or(&finding.path);
            let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
            let done = finding.repaired.iter().map(|done| format!(" — {done}"));
            tell!(
                "  {:<10}  {}: {}{}",
                word(finding),
                path.display(),
                finding.what,
                done.collect::<String>()
            );
        }
    }
    tell!("{}", summary(checkups, repair));
}

fn word(finding: &Finding) -> &'static str {
    match (finding.level, &finding.repaired) {
        (_, Some(_)) => "repaired",
        (Level::Note, _) => "note",
        (Level::Repairable, _) => "repairable",
        (Level::Damaged, _) => "damaged",
    }
}

fn summary(checkups: &[Checkup], repair: bool) -> String {
    let sum = |of: fn(&Checkup) -> usize| checkups.iter().map(of).sum::<usize>();
    let counted = |n: usize, noun: &str| plural(n, noun).replacen(&n.to_string(), &grouped(n), 1);
    let looked = [
        counted(sum(|it| it.runs), "run"),
        counted(sum(|it| it.rows), "row"),
        counted(sum(|it| it.checkpoints), "checkpoint"),
        counted(sum(|it| it.samples), "sample"),
    ];
    let found = ["damaged", "repairable", "repaired", "note"].map(|wanted| {
        let n = findings(checkups).filter(|it| word(it) == wanted).count();
        (n, if wanted == "note" { plural(n, "note") } else { format!("{n} {wanted}") })
    });
    let words: Vec<_> = found.iter().filter(|(n, _)| *n > 0).map(|(_, it)| it.clone()).collect();
    let verdict = if words.is_empty() { "nothing wrong".to_string() } else { words.join(", ") };
    let hint = if !repair && found[1].0 > 0 { "; --repair mends what can be mended" } else { "" };
    format!("{}: {verdict}{hint}", looked.join(", "))
}

/// `3,412`.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn print_json(checkups: &[Checkup]) -> anyhow::Result<()> {
    let finding = |it: &Finding| {
        let level = match it.level {
            Level::Note => "note",
            Level::Repairable => "repairable",
            Level::Damaged => "damaged",
        };
        json!({ "level": level, "path": it.path, "what": it.what, "repaired": it.repaired })
    };
    let checkup = |it: &Checkup| {
        json!({
            "folder": it.folder, "runs": it.runs, "rows": it.rows, "checkpoints": it.checkpoints,
            "samples": it.samples, "in_use": it.in_use,
            "findings": it.findings.iter().map(finding).collect::<Vec<_>>(),
        })
    };
    let value = json!({
        "good": !findings(checkups).any(Finding::is_open),
        "checked": checkups.iter().map(checkup).collect::<Vec<_>>(),
    });
    tell!("{}", crate::terminal::json(&value)?);
    Ok(())
}
