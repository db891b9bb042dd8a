//! From a plan to runs with an identity: which images, which keys, which
//! folders, which of them are done. Writes nothing but the data cache.

mod initial_weights;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data::{Dataset, Domain, Fold, Progress, SharedImages, Store};
use model::Network;
use spec::{Axis, DataConfig, Devices, EvalCheckpoint, Expression, Needs, Plan, RunConfig};
use track::{
    AxisRecord, CellOrigin, CellRecord, DatasetRecord, MetricRecord, PlanEntry, PlanRecord, RunDir,
    RunRecord, RunState, SweepDir,
};

use crate::anchors;
use crate::device::ComputeDevice;
use crate::error::RunnerError;
use crate::evaluate;
use crate::feature_net::FeatureExtractor;
use crate::real_images::{FEWEST, RealImages, has_reference};
use crate::samples;

/// A plan whose runs are known by key, and what the store says about each.
pub struct PreparedSweep {
    pub plan: Plan,
    pub record: PlanRecord,
    /// In the order they are started.
    pub entries: Vec<PlanEntry>,
    /// Where each entry stands, without its rows.
    pub runs: Vec<RunRecord>,
    pub sweep: SweepDir,
    pub runs_root: PathBuf,
    /// Steps of each entry's whole training.
    pub total_steps: Vec<u64>,
    /// What the sweep is judged by and why, where the file does not say and the usual metric
    /// cannot be measured.
    pub metric_note: Option<String>,
    /// Weight files that are named and not used, or used for another network than they are of.
    pub init_notes: Vec<String>,
    /// What is not computed for want of the feature network's weights.
    pub feature_note: Option<String>,
    /// That there are few real images to compare with.
    pub reference_note: Option<String>,
    /// Images that lie in two folds.
    pub shared_notes: Vec<String>,
    /// That finished runs are evaluated once more.
    pub unscored_note: Option<String>,
    /// Finished runs without the primary metric, which can be had now, by index.
    unscored: BTreeSet<usize>,
    /// The runs that are asked for now, by index; all where it is left out.
    only: Option<BTreeSet<usize>>,
}

/// Prepares the plan's images and works out every run's identity.
///
/// `command` is what the user typed, for the report. `progress` is told about downloads and decoding.
///
/// # Errors
/// Weight files that cannot be used, data that cannot be had, sample ids that do not exist.
pub fn prepare(
    mut plan: Plan,
    runs_root: &Path,
    store: &Store,
    command: &str,
    progress: &mut dyn FnMut(Progress),
) -> Result<PreparedSweep, RunnerError> {
    initial_weights::check(&plan)?;
    if plan.metric.declared && needs_features(&plan.metric.name) {
        store.fetch_feature_weights(progress)?;
    }
    let feature_note = store.feature_weights().is_none().then(no_feature_weights);
    let init_notes = [initial_weights::unused(&plan), initial_weights::otherwise_trained(&plan)];
    let datasets = open_each_once(&plan, store, progress)?;
    let metric_note = settle_metric(&mut plan, &datasets, store)?;
    let of_few = || datasets.iter().find_map(|dataset| few_real_images(dataset));
    let reference_note = store.feature_weights().and_then(|_| of_few());
    let shared_notes = shared_images(&datasets);
    let sweep = SweepDir::new(runs_root, &plan.name)?;
    let baseline = plan.cells.iter().position(|cell| cell.baseline).unwrap_or(0);
    let record = plan_record(&plan, command, &datasets[baseline], &plan.cells[baseline].config)?;
    let point = |(cell, dataset): (&spec::Cell, &Arc<Dataset>)| {
        let init = init_hashes(&cell.config)?;
        let revision = model::TRAINING_REV;
        Ok::<_, RunnerError>(spec::point_id(&cell.config, revision, dataset.fingerprint(), &init))
    };
    let points = plan.cells.iter().zip(&datasets).map(point).collect::<Result<Vec<_>, _>>()?;
    let mut entries = Vec::new();
    for run in &plan.runs {
        let (cell, point) = (&plan.cells[run.cell], &points[run.cell]);
        let key = spec::run_key(point, run.seed).as_str().to_string();
        let folder = folder_of(runs_root, &sweep, &cell.slug(), run.seed, &key)?;
        entries.push(PlanEntry {
            index: run.index,
            point_id: point.as_str().to_string(),
            key,
            cell: run.cell,
            seed: run.seed,
            label: cell.label.clone(),
            folder,
            config: serde_json::to_value(&cell.config).expect("a configuration is plain data"),
            origins: cell.origins.iter().map(|(leaf, it)| (leaf.clone(), it.to_string())).collect(),
        });
    }
    let runs: Vec<RunRecord> =
        entries.iter().map(|entry| track::read_run_status(runs_root, entry)).collect();
    let total = |entry: &PlanEntry| {
        let config = &plan.cells[entry.cell].config;
        config.train.total_steps(datasets[entry.cell].steps_per_epoch())
    };
    let total_steps: Vec<u64> = entries.iter().map(total).collect();
    let unscored = match store.feature_weights() {
        Some(_) => unscored(&runs, &plan.metric.name, &sweep, &total_steps)?,
        None => BTreeSet::new(),
    };
    let metric = &plan.metric.name;
    let unscored_note = (!unscored.is_empty()).then(|| {
        format!(
            "{} of the finished runs have no {metric}, for want of the feature network's weights; they are here now, \
             and these runs are scored again",
            unscored.len()
        )
    });
    let runs_root = runs_root.to_path_buf();
    Ok(PreparedSweep {
        plan,
        record,
        entries,
        runs,
        sweep,
        runs_root,
        total_steps,
        metric_note,
        feature_note,
        reference_note,
        shared_notes,
        unscored_note,
        unscored,
        init_notes: init_notes.into_iter().flatten().collect(),
        only: None,
    })
}

impl PreparedSweep {
    /// What to know before anything trains.
    pub fn notes(&self) -> impl Iterator<Item = &String> {
        let scores = self.feature_note.iter().chain(&self.reference_note);
        let scores = scores.chain(&self.unscored_note).chain(&self.shared_notes);
        self.metric_note.iter().chain(&self.init_notes).chain(scores)
    }

    /// Which run has which number: whatever names a run by its number names the plan by this.
    pub fn fingerprint(&self) -> String {
        track::plan_fingerprint(self.entries.iter().map(|it| (it.index, it.key.as_str())))
    }

    /// Leaves the runs for which the filter does not hold to another time; they stay in the plan.
    pub fn restrict_to(&mut self, filter: &Expression) {
        self.only = Some(self.plan.runs_where(filter).into_iter().collect());
    }

    /// Entries that are asked for, by index.
    pub fn asked(&self) -> impl Iterator<Item = usize> + '_ {
        let is_asked = |i: &usize| self.only.as_ref().is_none_or(|only| only.contains(i));
        (0..self.entries.len()).filter(is_asked)
    }

    /// Whether a finished run has no value of the primary metric and would get one, were its last
    /// checkpoint evaluated again.
    pub fn is_unscored(&self, index: usize) -> bool {
        self.unscored.contains(&index)
    }

    /// Of those, the ones that have no result yet, in starting order; those that another process
    /// trains come last.
    pub fn to_do(&self) -> impl Iterator<Item = usize> + '_ {
        let open = |i: &usize| !self.runs[*i].state.is_result() || self.is_unscored(*i);
        let elsewhere = |i: &usize| self.runs[*i].state == RunState::Running;
        let own = self.asked().filter(open).filter(move |i| !elsewhere(i));
        own.chain(self.asked().filter(elsewhere))
    }
}

/// Refuses a primary metric that the file names and these images cannot give. One that it does not
/// name gives way to the first of the others that they can, and the reason comes back.
fn settle_metric(
    plan: &mut Plan,
    datasets: &[Arc<Dataset>],
    store: &Store,
) -> Result<Option<String>, RunnerError> {
    let measurable = |metric: &str| {
        let mut cells = plan.cells.iter().zip(datasets);
        cells.try_for_each(|(cell, dataset)| expect_score(metric, &cell.config, dataset, store))?;
        expect_gain(metric, plan, datasets, store)
    };
    let reason = match measurable(&plan.metric.name) {
        Ok(()) => return Ok(None),
        Err(RunnerError::NoSuchScore { reason, .. }) if !plan.metric.declared => reason,
        Err(error) => return Err(error),
    };
    // None of the objective's own terms unless nothing is held out: it would praise its weights.
    const OTHERS: [&str; 3] = ["eval/kid_lite0_ab", "eval/swd_ref_ab", "eval/swd_ref_ba"];
    let other = OTHERS.into_iter().find(|it| measurable(it).is_ok()).unwrap_or("loss/cycle_a");
    let note = format!(
        "the file names no metric; judged by {other}, as eval/gain cannot be had: {reason}"
    );
    let known = spec::known_metric(other).expect("a metric of the table");
    plan.metric.name = other.to_string();
    plan.metric.goal = known.goal.expect("one side of it is better");
    Ok(Some(note))
}

/// The same of a gain that has no room between its anchors, for each data set and fold once.
fn expect_gain(
    metric: &str,
    plan: &Plan,
    datasets: &[Arc<Dataset>],
    store: &Store,
) -> Result<(), RunnerError> {
    let Some(weights) = store.feature_weights().filter(|_| metric.starts_with("eval/gain")) else {
        return Ok(());
    };
    let mut asked = BTreeSet::new();
    for (cell, dataset) in plan.cells.iter().zip(datasets) {
        let fold = evaluate::fold(cell.config.eval.fold);
        if asked.insert((Arc::as_ptr(dataset), fold as usize)) {
            // What the network sees there is kept: runs on the CPU need not look again.
            let network = FeatureExtractor::open(&weights, ComputeDevice::Cpu)?;
            let real = RealImages::new(dataset, Some(network), store.features_folder());
            anchors::expect_gain(metric, &real, fold)?;
        }
    }
    Ok(())
}

/// Refuses a primary metric that these images cannot give, before anything trains for it.
pub(crate) fn expect_score(
    metric: &str,
    config: &RunConfig,
    dataset: &Dataset,
    store: &Store,
) -> Result<(), RunnerError> {
    let fold = evaluate::fold(config.eval.fold);
    expect_score_of(metric, fold, dataset, store)?;
    match &config.eval.best_by {
        Some(by) if config.eval.checkpoint == EvalCheckpoint::Best => {
            expect_score_of(by, Fold::Val, dataset, store)
        }
        _ => Ok(()),
    }
}

fn expect_score_of(
    metric: &str,
    fold: Fold,
    dataset: &Dataset,
    store: &Store,
) -> Result<(), RunnerError> {
    let refuse = |reason: String| {
        let metric = metric.to_string();
        Err(RunnerError::NoSuchScore { metric, reason })
    };
    if !metric.starts_with("eval/") {
        return Ok(());
    }
    let name = dataset.name();
    let known = spec::known_metric(metric);
    let (inputs, targets) = domains_of(metric);
    let by_features = known.is_some_and(|known| known.needs.contains(&Needs::FeatureWeights));
    // Some metrics are of sets, and take a few images.
    let fewest = if by_features { FEWEST } else { 1 };
    for &domain in inputs {
        let count = dataset.count(fold, domain);
        if (1..fewest).contains(&count) {
            return refuse(format!(
                "`{name}` has {count} held-out images {domain:?} in its {fold:?} fold, and it takes {fewest}"
            ));
        }
        if count == 0 {
            let why = match fold {
                Fold::Val => {
                    "; to choose the best weights takes some (`select = \"last\"` does not)"
                }
                _ => "",
            };
            let folder = format!("{fold:?}").to_lowercase();
            return refuse(format!(
                "`{name}` has no held-out images {domain:?} in its {fold:?} fold (a folder {folder}{domain:?}){why}"
            ));
        }
    }
    for &domain in targets {
        if dataset.count(fold, domain) < fewest && !has_reference(dataset, domain) {
            return refuse(format!(
                "`{name}` has fewer than {fewest} real images {domain:?} to compare with"
            ));
        }
    }
    if metric.starts_with("eval/ssim") && dataset.side() < 11 {
        return refuse(format!("its window is 11 px wide, and images of `{name}` are smaller"));
    }
    for needed in known.iter().flat_map(|known| known.needs) {
        match needed {
            // Features can be compared with a partner that is drawn by another hand.
            Needs::Pairs if by_features && !dataset.partnered(fold) => {
                return refuse(format!("the held-out images of `{name}` have no partners"));
            }
            Needs::Pairs if !by_features && !dataset.paired(fold) => {
                return refuse(format!("the held-out images of `{name}` have no true translation"));
            }
            Needs::Reference => {
                let lacking = targets.iter().find(|it| !has_reference(dataset, **it));
                if let Some(domain) = lacking {
                    return refuse(format!(
                        "`{name}` has no {FEWEST} real images {domain:?} apart from the held-out ones (its ref fold: a \
                         folder ref{domain:?})"
                    ));
                }
            }
            Needs::FeatureWeights if store.feature_weights().is_none() => {
                return refuse(no_feature_weights());
            }
            Needs::InceptionWeights | Needs::LpipsWeights => {
                return refuse("only `cyclelab score` takes the weights that it needs".into());
            }
            Needs::Pairs | Needs::FeatureWeights => {}
        }
    }
    Ok(())
}

/// Whose held-out images are translated for it, and of which domain real ones are compared with.
fn domains_of(metric: &str) -> (&'static [Domain], &'static [Domain]) {
    const A: &[Domain] = &[Domain::A];
    const B: &[Domain] = &[Domain::B];
    match metric.rsplit_once('_').map(|(_, side)| side) {
        Some("ab") => (A, B),
        Some("ba") => (B, A),
        Some("a") => (A, &[]),
        Some("b") => (B, &[]),
        _ => (&Domain::ALL, &Domain::ALL),
    }
}

fn needs_features(metric: &str) -> bool {
    spec::known_metric(metric).is_some_and(|it| it.needs.contains(&Needs::FeatureWeights))
}

fn no_feature_weights() -> String {
    let command = data::FEATURE_WEIGHTS.fetch_command;
    format!(
        "{}, so KID, gain and their like are not computed; `{command}` brings them",
        eval::NO_FEATURES
    )
}

/// Whether a run was finished without the metric for want of the feature network.
pub(crate) fn lacks_features(run: &RunRecord, metric: &str) -> bool {
    run.state == RunState::Completed
        && run.absent.get(metric).is_some_and(|why| why == eval::NO_FEATURES)
}

/// Finished runs of this sweep that lack the metric for that reason alone, and whose checkpoint of the
/// last step is there to be evaluated again. Another sweep's run is that sweep's business.
fn unscored(
    runs: &[RunRecord],
    metric: &str,
    sweep: &SweepDir,
    total_steps: &[u64],
) -> Result<BTreeSet<usize>, RunnerError> {
    let mut found = BTreeSet::new();
    for run in runs.iter().filter(|run| lacks_features(run, metric)) {
        let is_own = run.folder.parent() == Some(sweep.path());
        let checkpoint = track::newest_valid(&RunDir::new(run.folder.clone()))?.found;
        if is_own && checkpoint.is_some_and(|it| it.step == total_steps[run.index]) {
            found.insert(run.index);
        }
    }
    Ok(found)
}

/// A line for each fold with images of another, whatever the number of cells that see them.
fn shared_images(datasets: &[Arc<Dataset>]) -> Vec<String> {
    let mut lines = Vec::new();
    for dataset in datasets {
        let of = |shared: SharedImages| {
            format!("`{}`: {shared}; scores on them say too much", dataset.name())
        };
        for line in dataset.shared().into_iter().map(of) {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines
}

/// Distances between distributions scatter: below this many images they are rough.
const ENOUGH: usize = 100;

fn few_real_images(dataset: &Dataset) -> Option<String> {
    let counts = Domain::ALL.map(|domain| match has_reference(dataset, domain) {
        true => dataset.count(Fold::Ref, domain),
        false => dataset.count(Fold::Test, domain),
    });
    let few = counts.into_iter().filter(|count| (1..ENOUGH).contains(count)).min()?;
    Some(format!(
        "`{}` has {few} real images to compare translations with; fewer than {ENOUGH} make KID, gain and their like rough",
        dataset.name()
    ))
}

/// Each cell's images. Cells that see the same ones share them: a data set keeps files open.
fn open_each_once(
    plan: &Plan,
    store: &Store,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Arc<Dataset>>, RunnerError> {
    let mut opened: Vec<(&DataConfig, Arc<Dataset>)> = Vec::new();
    let mut datasets = Vec::new();
    for cell in &plan.cells {
        let config = &cell.config.data;
        let known = opened.iter().find(|(of, _)| *of == config).map(|(_, it)| Arc::clone(it));
        let dataset = match known {
            Some(dataset) => dataset,
            None => {
                let dataset = Arc::new(store.prepare(config, progress)?);
                opened.push((config, Arc::clone(&dataset)));
                dataset
            }
        };
        datasets.push(dataset);
    }
    Ok(datasets)
}

/// An identical run of this or another sweep, or a new folder in this one. Relative to the root.
fn folder_of(
    runs_root: &Path,
    sweep: &SweepDir,
    label: &str,
    seed: u64,
    key: &str,
) -> Result<String, RunnerError> {
    let own = sweep.run_dir(label, seed, key);
    let found = track::find_run(runs_root, key)?;
    let is_own = |run: &RunDir| run.path().parent() == Some(sweep.path());
    // Another sweep's run is used when it has a result; an unfinished one is that sweep's business.
    let has_result = |run: &RunDir| Ok::<_, RunnerError>(run.state()?.is_result());
    let run = match found {
        _ if own.run_json().exists() => own,
        Some(run) if is_own(&run) || has_result(&run)? => run,
        _ => own,
    };
    let relative = run.path().strip_prefix(runs_root).unwrap_or(run.path());
    Ok(relative.to_string_lossy().into_owned())
}

/// Content hashes of the weight files a configuration starts from, by leaf.
pub(crate) fn init_hashes(config: &RunConfig) -> Result<Vec<(String, String)>, RunnerError> {
    let hash = |(network, path): (Network, &Path)| {
        let bytes = std::fs::read(path)
            .map_err(|source| RunnerError::ReadWeights { path: path.into(), source })?;
        Ok((initial_weights::leaf(network), blake3::hash(&bytes).to_hex().to_string()))
    };
    initial_weights::in_use(config).map(hash).collect()
}

fn plan_record(
    plan: &Plan,
    command: &str,
    dataset: &Dataset,
    baseline: &RunConfig,
) -> Result<PlanRecord, RunnerError> {
    let axis = |axis: &Axis| AxisRecord {
        label: axis.label.clone().unwrap_or_else(|| axis.name.clone()),
        keys: axis.leaves.clone(),
        values: axis.values.clone(),
        scale: axis.scale.name().to_string(),
        when: axis.when.clone(),
    };
    let inactive = |cell: &spec::Cell| {
        let axes = plan.axes.iter().enumerate();
        axes.filter(|(_, axis)| cell.inactive.contains(&axis.name)).map(|(at, _)| at).collect()
    };
    let cell = |cell: &spec::Cell| CellRecord {
        label: cell.label.clone(),
        settings: cell.settings.clone(),
        baseline: cell.baseline,
        seeds: cell.seeds.clone(),
        note: cell.note.clone(),
        arm: cell.arm.clone(),
        origin: Some(match cell.origin {
            spec::CellOrigin::Design => CellOrigin::Design,
            spec::CellOrigin::Arm => CellOrigin::Arm,
            spec::CellOrigin::Point => CellOrigin::Point,
        }),
        inactive: inactive(cell),
        also: cell.also.iter().map(ToString::to_string).collect(),
    };
    Ok(PlanRecord {
        name: plan.name.clone(),
        question: plan.question.clone(),
        design: plan.design.name().to_string(),
        command: command.to_string(),
        metric: MetricRecord {
            name: plan.metric.name.clone(),
            minimize: plan.metric.goal == spec::Goal::Minimize,
            select: match baseline.eval.checkpoint {
                EvalCheckpoint::Last => "last".to_string(),
                EvalCheckpoint::Best => "best".to_string(),
            },
            secondary: plan.metric.secondary.clone(),
        },
        axes: plan.axes.iter().map(axis).collect(),
        cells: plan.cells.iter().map(cell).collect(),
        seeds: plan.seeds.clone(),
        dataset: dataset_record(dataset),
        preset: plan.preset.name().to_string(),
        departures: spec::difference(baseline, plan.preset),
        device: (plan.exec.devices == Devices::Cpu).then(|| "cpu".to_string()),
        samples: samples::choose(dataset, evaluate::fold(baseline.eval.fold), &plan.samples)?,
    })
}

pub(crate) fn dataset_record(dataset: &Dataset) -> DatasetRecord {
    let folds =
        [("train", Fold::Train), ("val", Fold::Val), ("ref", Fold::Ref), ("test", Fold::Test)];
    let counts = folds.map(|(name, fold)| {
        (name.to_string(), dataset.count(fold, Domain::A), dataset.count(fold, Domain::B))
    });
    DatasetRecord {
        name: dataset.name().to_string(),
        title: dataset.title().to_string(),
        credit: dataset.credit().to_string(),
        licence: dataset.licence().to_string(),
        fingerprint: dataset.fingerprint().to_string(),
        counts: counts.into_iter().filter(|(_, a, b)| a + b > 0).collect(),
        skipped: dataset.skipped().len(),
        left_out: dataset.skipped().iter().take(20).map(ToString::to_string).collect(),
        paired: dataset.paired(Fold::Test),
    }
}
