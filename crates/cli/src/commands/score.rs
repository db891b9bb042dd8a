use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use clap::ValueEnum;
use runner::{FolderScores, Raised, Score, ScoreCard, ScoredFolders, Severity, score_folders};
use serde_json::{Value, json};

use crate::args::{PairsArg, ScoreArgs};
use crate::commands::device;
use crate::exit::Exit;
use crate::places::Places;
use crate::terminal::{number, plural, print_by_class, table};

/// Scores a folder of translations.
pub(crate) fn score(args: &ScoreArgs, places: &Places) -> anyhow::Result<Exit> {
    carry_out(args, places).or_else(print_by_class)
}

fn carry_out(args: &ScoreArgs, places: &Places) -> anyhow::Result<Exit> {
    expect_apart(args)?;
    let feature_weights = places.store().feature_weights();
    let has_weights = feature_weights.is_some();
    let scored = score_folders(&FolderScores {
        real: &args.real,
        fake: &args.fake,
        source: args.source.as_deref(),
        pairs: args.pairs.map(PairsArg::kind),
        reference: args.reference.as_deref(),
        size: args.size,
        feature_weights,
        inception: args.inception.as_deref(),
        lpips: &args.lpips,
        device: device(&args.device)?,
    })?;
    match args.json {
        true => tell!("{}", crate::terminal::json(&as_json(args, &scored))?),
        false => print(&scored),
    }
    if !has_weights {
        say!(
            "hint: `{}` brings the network that most metrics need",
            data::FEATURE_WEIGHTS.fetch_command
        );
    }
    Ok(Exit::Done)
}

/// True translations beside themselves are perfect: the oracle that the gain is measured by would be
/// 0 by construction, and translations that come near them too good.
fn expect_apart(args: &ScoreArgs) -> anyhow::Result<()> {
    let Some(reference) = &args.reference else { return Ok(()) };
    // What is no folder is named when its pictures are listed.
    let (Ok(real), Ok(of_reference)) = (args.real.canonicalize(), reference.canonicalize()) else {
        return Ok(());
    };
    if real == of_reference {
        bail!(
            "`--reference` is the same folder as `--real`, `{}`: it takes other real pictures; leave it out \
             where there are none",
            reference.display(),
        );
    }
    Ok(())
}

/// Anchors in the order of how much they know.
pub(crate) const KINDS: [&str; 4] = ["identity", "mean", "colour", "oracle"];

fn print(scored: &ScoredFolders) {
    let ScoredFolders {
        size,
        n_fake,
        n_reference,
        n_pairs,
        reference_is_apart,
        input_side,
        network,
        n_copies,
        card,
        flags,
        anchors,
    } = scored;
    tell!(
        "{} against {} at {size} px{}\n",
        plural(*n_fake, "translation"),
        plural(*n_reference, "real picture"),
        if *n_pairs > 0 { format!(", {n_pairs} with their partner") } else { String::new() },
    );
    let kinds: Vec<&str> = KINDS.into_iter().filter(|kind| anchors.contains_key(kind)).collect();
    // The primary first, as everywhere.
    let known = spec::known_metrics().iter().filter_map(|metric| {
        let name = metric.name.strip_prefix("eval/")?.strip_suffix("_ab")?;
        let (name, score) = card.scores.get_key_value(name)?;
        Some((metric, *name, score))
    });
    let row = |(metric, name, score): (&spec::KnownMetric, &'static str, &Score)| {
        let mut row = vec![name.to_string(), with_error(score), better(metric).to_string()];
        row.extend(kinds.iter().map(|kind| {
            anchors[kind].scores.get(name).map_or(String::new(), |it| number(it.value))
        }));
        row
    };
    let mut rows: Vec<_> = known.map(row).collect();
    // FID and LPIPS have no direction here.
    let is_listed = |name: &str| spec::known_metric(&format!("eval/{name}_ab")).is_some();
    for (name, score) in card.scores.iter().filter(|(name, _)| !is_listed(name)) {
        rows.push(vec![name.to_string(), with_error(score), "lower".to_string()]);
    }
    let mut header = vec!["metric", "score", "better"];
    header.extend(&kinds);
    tell!("{}", table(&header, &rows));
    for Raised { flag, severity, reason } in flags {
        let gravity = if *severity == Severity::Fail { "misleading" } else { "worth a look" };
        tell!("\n{flag} ({gravity}): {reason}");
    }
    if *n_copies > 0 {
        tell!(
            "\n{n_copies} of {} {} among the real pictures they are compared with, pixel for pixel.",
            plural(*n_fake, "translation"),
            if *n_copies == 1 { "is" } else { "are" },
        );
    }
    for (why, names) in by_reason(card) {
        tell!("\nabsent: {} ({why})", names.join(", "));
    }
    if let Some(network) = network {
        tell!("\nFeatures: {network}, which saw every picture at {input_side} × {input_side} px.");
    }
    if !reference_is_apart {
        tell!("\n{}", without_reference(*n_pairs > 0));
    }
    if card.scores.values().any(|it| it.standard_error.is_some()) {
        tell!("\n±: one standard error over images (jackknife).");
    }
    if *n_fake < 100 || *n_reference < 100 {
        tell!("\nFewer than 100 pictures a side: KID, coverage and their like are rough.");
    }
}

/// Which side is better; where neither is, what the best is.
fn better(metric: &spec::KnownMetric) -> &'static str {
    match metric.goal {
        Some(spec::Goal::Minimize) => "lower",
        Some(spec::Goal::Maximize) => "higher",
        None if metric.unit.starts_with("1 is") => "near 1",
        None => "as oracle",
    }
}

/// What scores are worth where the pictures of `--real` are the only real ones.
fn without_reference(paired: bool) -> &'static str {
    match paired {
        true => {
            "No real pictures apart from the partners: no gain, and distances to real pictures are too low, \
             for translations are compared with their very own partners. --reference takes other ones."
        }
        false => {
            "No real pictures apart from those of --real: no gain; and if they are the true translations, \
             distances to them are too low. --reference takes other ones."
        }
    }
}

fn with_error(score: &Score) -> String {
    match score.standard_error {
        Some(error) => format!("{} ± {}", number(score.value), number(error)),
        None => number(score.value),
    }
}

fn by_reason(card: &ScoreCard) -> BTreeMap<&str, Vec<&'static str>> {
    let mut reasons: BTreeMap<&str, BTreeSet<&'static str>> = BTreeMap::new();
    for (name, why) in &card.absent {
        reasons.entry(why).or_default().insert(name);
    }
    reasons.into_iter().map(|(why, names)| (why, names.into_iter().collect())).collect()
}

fn as_json(args: &ScoreArgs, scored: &ScoredFolders) -> Value {
    let of_card = |card: &ScoreCard| {
        let score = |(name, it): (&&'static str, &Score)| {
            let better = spec::known_metric(&format!("eval/{name}_ab")).map_or("lower", better);
            let value = json!({
                "value": it.value, "standard_error": it.standard_error, "n": it.n, "better": better,
            });
            ((*name).to_string(), value)
        };
        card.scores.iter().map(score).collect::<serde_json::Map<String, Value>>()
    };
    let anchors: serde_json::Map<String, Value> = scored
        .anchors
        .iter()
        .map(|(kind, card)| ((*kind).to_string(), Value::Object(of_card(card))))
        .collect();
    let flag = |it: &Raised| json!({ "flag": it.flag.name(), "misleads": it.severity == Severity::Fail, "reason": it.reason });
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "real": args.real,
        "fake": args.fake,
        "source": args.source,
        "reference": args.reference,
        "pairs": args.pairs.map(|it| it.to_possible_value().map(|it| it.get_name().to_string())),
        "size": scored.size,
        "n_fake": scored.n_fake,
        "n_reference": scored.n_reference,
        "n_pairs": scored.n_pairs,
        "reference_is_apart": scored.reference_is_apart,
        "input_side": scored.input_side,
        "network": scored.network,
        "scores": of_card(&scored.card),
        "n_copies": scored.n_copies,
        "flags": scored.flags.iter().map(flag).collect::<Vec<_>>(),
        "absent": scored.card.absent,
        "anchors": anchors,
    })
}
