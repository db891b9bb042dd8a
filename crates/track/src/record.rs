//! A sweep as a reader sees it: everything the report and the terminal show,
//! loaded from disk into plain values.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::identity::CodeVersion;
use crate::provenance::{Environment, Hardware};

/// One sweep folder, read whole.
#[derive(Debug, Clone)]
pub struct SweepRecord {
    pub dir: PathBuf,
    pub plan: PlanRecord,
    /// In plan order: seed-major, every cell once before the next seed.
    pub runs: Vec<RunRecord>,
}

/// What was asked: the header lines of `plan.jsonl`, written at every invocation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanRecord {
    pub name: String,
    pub question: String,
    /// `grid`, `one-at-a-time`, `leave-one-out`, `random` or `points`.
    pub design: String,
    /// As typed by the user, for the reproduce line.
    pub command: String,
    pub metric: MetricRecord,
    pub axes: Vec<AxisRecord>,
    pub cells: Vec<CellRecord>,
    pub seeds: Vec<u64>,
    pub dataset: DatasetRecord,
    pub preset: String,
    /// Leaves in which the baseline differs from the preset: leaf, the preset's value, its own.
    #[serde(default)]
    pub departures: Vec<(String, serde_json::Value, serde_json::Value)>,
    /// Ids of the fixed held-out inputs shown for every run, by domain ("a", "b").
    pub samples: Vec<(String, String)>,
    /// `cpu` where the file keeps to it, wherever the runs are trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// The metric declared before looking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricRecord {
    pub name: String,
    pub minimize: bool,
    /// `last`, or `best`: by the metric on the val fold.
    #[serde(default = "last")]
    pub select: String,
    pub secondary: Vec<String>,
}

fn last() -> String {
    "last".to_owned()
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AxisRecord {
    /// Shown on plots: the leaf's path unless the file gives a label.
    pub label: String,
    /// The leaves this axis sets; more than one for a zip.
    pub keys: Vec<String>,
    /// One row per position, one value per key.
    pub values: Vec<Vec<serde_json::Value>>,
    /// `linear`, `log` or `category`.
    pub scale: String,
    /// Where the axis varies only in some cells: the condition, as typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellRecord {
    /// Short and readable, unique within the sweep: `lambda_cycle=10`.
    pub label: String,
    /// The leaves that vary over the sweep, with this cell's values.
    pub settings: Vec<(String, serde_json::Value)>,
    pub baseline: bool,
    pub seeds: Vec<u64>,
    pub note: Option<String>,
    /// The named variant that it is, beside the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<String>,
    /// `None` in plans of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<CellOrigin>,
    /// Positions of the axes whose condition does not hold here. Plans without an origin do not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inactive: Vec<usize>,
    /// In what else it differs from the baseline, and why, in words: leaves that rules and derivations
    /// move along with its settings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
}

/// Who asked for a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CellOrigin {
    /// The axes: combined, or drawn from.
    Design,
    Arm,
    Point,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetRecord {
    pub name: String,
    pub title: String,
    pub credit: String,
    pub licence: String,
    pub fingerprint: String,
    /// (fold, images in A, images in B), for example ("train", 475, 475).
    pub counts: Vec<(String, usize, usize)>,
    /// Images left out under `on_bad_image = "skip"`.
    pub skipped: usize,
    /// The first of them, each with its reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Held-out inputs come with their true translation.
    pub paired: bool,
}

/// Where a run stands. Folded from its `events.jsonl` and its lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum RunState {
    /// No folder or no attempt yet.
    Planned,
    Running,
    Completed,
    /// A loss stopped being finite, or a guard fired: a result, not an error.
    Diverged {
        reason: String,
    },
    Failed {
        class: FailureClass,
        reason: String,
    },
    /// Stopped by a limit of time; resumable.
    #[serde(rename = "timed_out")]
    TimedOut {
        reason: String,
    },
    /// Stopped on request, with a checkpoint to go on from.
    Interrupted,
    /// The process is gone without a last word; resumable.
    Lost {
        reason: String,
    },
}

/// By what would have to change before another attempt. The scheduler tries some classes again:
/// `[exec] retries`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// The configuration cannot be carried out. Never tried again by itself.
    Config,
    /// The images or weight files. Never tried again by itself.
    Data,
    /// The disk was full, or access was denied.
    Io,
    /// Memory of the device or of the machine.
    Oom,
    /// A bug.
    Panic,
    /// The process ended in a way that fits none of the others.
    Exit,
}

impl FailureClass {
    /// As serialised.
    pub fn name(self) -> &'static str {
        match self {
            FailureClass::Config => "config",
            FailureClass::Data => "data",
            FailureClass::Io => "io",
            FailureClass::Oom => "oom",
            FailureClass::Panic => "panic",
            FailureClass::Exit => "exit",
        }
    }

    /// Whether it says something of what was asked. What takes too much memory or makes the program
    /// panic does so wherever it is tried; a full disk, a missing device, an unreadable file or a
    /// killed process are found by any run that comes upon them.
    pub fn is_of_the_run(self) -> bool {
        matches!(self, FailureClass::Oom | FailureClass::Panic)
    }
}

/// One run of the plan, with all it has recorded so far.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// Position in the plan: what `cyclelab run --index` takes.
    pub index: usize,
    /// 16 hex digits.
    pub key: String,
    /// The run's folder; it may not exist yet, and may belong to another sweep that asked the same.
    pub folder: PathBuf,
    /// Index into `PlanRecord::cells`.
    pub cell: usize,
    pub seed: u64,
    /// The resolved `RunConfig`: its own where it has begun, else the plan's.
    pub config: serde_json::Value,
    /// Who set each leaf of it, in words: as this sweep's plan has it, which may have come to the run by
    /// another way than the sweep that asked first. Empty where only the status was read, or nothing
    /// says.
    pub origins: BTreeMap<String, String>,
    /// The images it began with; `None` before that.
    pub dataset: Option<DatasetRecord>,
    pub state: RunState,
    pub attempts: u32,
    /// Seconds of training, evaluation excluded, over all attempts.
    pub active_s: Option<f64>,
    /// RFC 3339, of the first attempt.
    pub started_at: Option<String>,
    /// `cpu`, `cuda:0`, …
    pub device: Option<String>,
    /// Commit the program was built from, `-dirty` appended where the tree was changed.
    pub code: Option<String>,
    /// The program that began it; `code` is the last attempt's.
    pub program: Option<CodeVersion>,
    /// Of each attempt that left a note of it. Empty where only the status was read.
    pub provenance: Vec<ProvenanceRecord>,
    /// Those that are there, oldest first, by their manifests. Empty where only the status was read.
    pub checkpoints: Vec<CheckpointRecord>,
    /// Rows of the effective view: superseded rows are gone, order is (step, split, name).
    pub rows: Vec<MetricRow>,
    pub samples: Vec<SampleRecord>,
    /// Files that could not be read, by path and reason.
    pub damaged: Vec<(PathBuf, String)>,
    /// What could not be recorded while the run went on, in words.
    pub trouble: Vec<String>,
    /// What the last evaluation says is wrong with the translations.
    pub flags: Vec<FlagRecord>,
    /// Metrics that the last evaluation could not have, by name, and why.
    pub absent: BTreeMap<String, String>,
    /// Each process that worked on it, in order.
    pub history: Vec<AttemptRecord>,
    /// How large its networks are; `None` before they were built, and for runs of versions that did not
    /// record it.
    pub parameters: Option<Parameters>,
    /// What happened, in words, with the time it was written (RFC 3339).
    pub timeline: Vec<(String, String)>,
    /// The last lines that the newest attempt's process wrote. Empty where only the status was read.
    pub log_tail: Vec<String>,
}

/// Where and from what an attempt was computed, as far as it is noted.
#[derive(Debug, Clone, PartialEq)]
pub struct ProvenanceRecord {
    pub attempt: u32,
    pub hardware: Option<Hardware>,
    pub environment: Option<Environment>,
    /// Bytes of the uncommitted changes where the command was typed.
    pub changes: Option<u64>,
}

/// A checkpoint as far as its manifest alone tells: the weights are not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRecord {
    pub step: u64,
    /// As the manifest has it; `None` where that cannot be used.
    pub bytes: Option<u64>,
    pub files: usize,
    /// Why it cannot be used.
    pub wrong: Option<String>,
}

/// One process that worked on a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// From 1.
    pub number: u32,
    pub device: String,
    pub host: String,
    /// RFC 3339.
    pub from: String,
    /// Of its last event: of one that is under way later ones may come.
    pub to: String,
    pub end: AttemptEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptEnd {
    Completed,
    Diverged,
    Failed,
    /// Stopped on request.
    Stopped,
    /// Still under way, or gone without a word.
    Open,
}

/// Trained values of both generators together, and of both discriminators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    pub generators: u64,
    pub discriminators: u64,
}

/// Something that is wrong with what a run makes, by its numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagRecord {
    /// `ab` or `ba`.
    pub direction: String,
    /// `collapse`, `identity`, `blur`, …
    pub flag: String,
    /// The run's numbers of quality would mislead; otherwise it is a warning.
    pub fails: bool,
    /// Names the value and its threshold.
    pub reason: String,
}

/// One row of the long-form log.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricRow {
    /// Updates of the generators so far, counted from 1.
    pub step: u64,
    /// Fractional epoch.
    pub epoch: f32,
    /// Images seen so far, per domain.
    pub images: u64,
    pub split: Split,
    pub name: String,
    /// The window's mean; NaN and infinities as they are.
    pub value: f64,
    /// Steps in the window.
    pub count: u32,
    pub min: Option<f64>,
    pub max: Option<f64>,
    /// Training seconds so far.
    pub elapsed_s: f64,
    /// Microseconds since the Unix epoch, UTC.
    pub ts_us: i64,
    pub attempt: u32,
    pub seq: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    Train,
    /// While training goes on, on the fold that checkpoints are chosen by.
    Val,
    /// The result, on the fold that nothing is chosen by.
    Eval,
    Sys,
}

/// One sample image on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleRecord {
    pub step: u64,
    /// Domain of the input: `a` or `b`.
    pub domain: String,
    /// Id of the held-out input.
    pub id: String,
    pub kind: SampleKind,
    /// Relative to the run's folder.
    pub path: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SampleKind {
    /// The held-out input.
    Real,
    /// Its translation.
    Fake,
    /// The translation taken back.
    Rec,
    /// The input given to the generator of its own domain, which should leave it alone. Stores of
    /// earlier versions have none.
    Idt,
    /// The true translation, where the data set knows it.
    Truth,
}

impl SampleKind {
    /// As in a file's name and in the list of samples.
    pub fn as_str(self) -> &'static str {
        match self {
            SampleKind::Real => "real",
            SampleKind::Fake => "fake",
            SampleKind::Rec => "rec",
            SampleKind::Idt => "idt",
            SampleKind::Truth => "truth",
        }
    }
}

impl RunRecord {
    /// The values of one metric over steps, in order.
    pub fn series<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (u64, f64)> + 'a {
        self.rows.iter().filter(move |row| row.name == name).map(|row| (row.step, row.value))
    }

    /// The last recorded value of a metric, those on the validation fold aside; `None` where it was
    /// never recorded.
    pub fn last(&self, name: &str) -> Option<f64> {
        let is_result = |row: &&MetricRow| row.name == name && row.split != Split::Val;
        self.rows.iter().rev().find(is_result).map(|row| row.value)
    }
}
