//! Whole runs on tiny networks and drawn images.

use std::path::{Path, PathBuf};

use data::{RecipeBook, Store};
use spec::SourceText;
use track::{FailureClass, RunRecord, RunState, SourceTree, Split, SweepDir};

use crate::run::{Invocation, Request, run};
use crate::{
    ComputeDevice, Outcome, PreparedSweep, RunnerError, SavedRun, Stop, TrainEvent, prepare,
};

mod divergence;
mod judging;
mod resuming;
mod weight_files;

/// Two λ × two seeds of the smallest networks there are.
const TINY: &str = r#"
    [sweep]
    name = "tiny"
    question = "does it run?"
    seeds = [1, 2]
    [set]
    data.dataset = "synthetic"
    data.load_size = 18
    data.crop_size = 16
    model.ngf = 4
    model.ndf = 4
    model.n_blocks = 1
    model.n_layers = 1
    pool.size = 3
    optim.lr_g = 2e-3
    train.steps = 12
    train.steps_decay = 4
    train.log_every = 5
    train.checkpoint_every = 0
    [axes]
    loss.lambda_cycle = [0.0, 10.0]
"#;

struct Lab {
    dir: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        Lab { dir: tempfile::tempdir().expect("a temporary folder") }
    }

    fn store(&self) -> Store {
        Store::new(self.dir.path().join("cache"), RecipeBook::new(&[]))
    }

    fn runs_root(&self) -> PathBuf {
        self.dir.path().join("runs")
    }

    /// Reads the plan and writes it where `run` looks for it.
    fn plan(&self, toml: &str) -> PreparedSweep {
        let source = SourceText { name: "tiny.toml".into(), text: toml.into() };
        let plan = spec::read(source, &[], &mut |_| Err("no base files".into()));
        let plan = plan.unwrap_or_else(|rejected| panic!("{:?}", rejected.diagnostics));
        let prepared = prepare(plan, &self.runs_root(), &self.store(), "test", &mut |_| {});
        let prepared = prepared.unwrap_or_else(|error| panic!("{}", error.chain()));
        let sweep =
            SweepDir::create_or_open(&self.runs_root(), &prepared.plan.name).expect("a folder");
        sweep.write_plan(&prepared.record, &prepared.entries).expect("a plan");
        prepared
    }

    fn run(&self, index: usize, stop_after: Option<u64>) -> Result<Outcome, RunnerError> {
        self.run_and_stop(index, &mut |event| match event {
            // Steps are announced by time; checkpoints and starts are exact.
            TrainEvent::Started { from_step, .. } => stop_after == Some(*from_step),
            _ => false,
        })
    }

    /// Stops where `stops_at` says so.
    fn run_and_stop(
        &self,
        index: usize,
        stops_at: &mut dyn FnMut(&TrainEvent) -> bool,
    ) -> Result<Outcome, RunnerError> {
        self.run_as(index, &invocation(), false, stops_at)
    }

    fn run_as(
        &self,
        index: usize,
        invocation: &Invocation,
        fresh: bool,
        stops_at: &mut dyn FnMut(&TrainEvent) -> bool,
    ) -> Result<Outcome, RunnerError> {
        let stop = Stop::default();
        let request = Request {
            sweep_dir: &self.runs_root().join("tiny"),
            plan: None,
            index,
            store: &self.store(),
            device: ComputeDevice::Cpu,
            invocation,
            stop: &stop,
            fresh,
            allow_changed: false,
        };
        run(&request, &mut |event| {
            if stops_at(&event) {
                stop.raise();
            }
        })
    }

    fn record(&self, index: usize) -> RunRecord {
        let sweep = track::read_sweep(&self.runs_root(), "tiny").expect("a sweep");
        sweep.runs.into_iter().nth(index).expect("a run")
    }
}

fn invocation() -> Invocation {
    Invocation {
        argv: vec!["test".into()],
        env: vec![],
        code: track::CodeVersion { commit: None, dirty: false, version: "0.0.0".into() },
        versions: [].into(),
        source: SourceTree::default(),
    }
}

/// What must repeat bit for bit: everything but clocks.
fn numbers(record: &RunRecord) -> Vec<(u64, String, u64, u32)> {
    let timed = |name: &str| name.starts_with("perf/") || name.starts_with("sys/");
    let rows = record.rows.iter().filter(|row| !timed(&row.name));
    rows.map(|row| (row.step, row.name.clone(), row.value.to_bits(), row.count)).collect()
}

fn weights(record: &RunRecord) -> Vec<Vec<u8>> {
    let checkpoint = newest(&record.folder);
    ["gen_ab", "gen_ba", "disc_a", "disc_b", "optim_gen_ab", "optim_disc_b", "pool_a", "pool_b"]
        .map(|name| std::fs::read(checkpoint.join(format!("{name}.safetensors"))).expect(name))
        .to_vec()
}

fn newest(folder: &Path) -> PathBuf {
    let run = track::RunDir::new(folder.to_path_buf());
    track::newest_valid(&run).expect("readable").found.expect("a checkpoint").path
}

#[test]
fn a_run_leaves_rows_samples_and_a_final_checkpoint() {
    let lab = Lab::new();
    lab.plan(TINY);
    assert!(matches!(lab.run(1, None), Ok(Outcome::Completed { step: 16, .. })));
    let record = lab.record(1);
    assert_eq!(record.state, RunState::Completed);
    let cycle: Vec<u64> = record.series("loss/cycle_a").map(|(step, _)| step).collect();
    assert_eq!(cycle, [5, 10, 15, 16]);
    for name in ["loss/gan_g_ab", "loss/d_b", "weighted/cycle_b", "optim/lr_g", "perf/step_s"] {
        assert!(record.last(name).is_some_and(f64::is_finite), "{name}");
    }
    for name in ["eval/l1_ab", "eval/psnr_ba", "eval/ssim_ab", "eval/cycle_a", "eval/idt_b"] {
        assert!(record.last(name).is_some_and(f64::is_finite), "{name}");
    }
    assert!(record.rows.iter().any(|row| row.split == Split::Sys));
    assert!(!record.samples.is_empty());
    for sample in &record.samples {
        assert!(record.folder.join(&sample.path).is_file(), "{sample:?}");
    }
    let of_kind = |kind| record.samples.iter().filter(|sample| sample.kind == kind).count();
    assert_eq!(of_kind(track::SampleKind::Idt), of_kind(track::SampleKind::Real));
    let weighted = record.last("weighted/cycle_a").expect("logged");
    assert_eq!(weighted, 10.0 * record.last("loss/cycle_a").expect("logged"));
    assert!(matches!(lab.run(1, None), Ok(Outcome::AlreadyDone)));
}

#[test]
fn a_term_that_is_off_leaves_no_rows() {
    let lab = Lab::new();
    lab.plan(TINY);
    lab.run(0, None).expect("λ = 0 trains");
    let record = lab.record(0);
    let names: Vec<&str> = record.rows.iter().map(|row| row.name.as_str()).collect();
    assert!(!names.contains(&"loss/cycle_a") && !names.contains(&"weighted/cycle_b"));
    // λ = 0 does not silently switch off the identity terms, as upstream's does.
    assert!(names.contains(&"loss/idt_a"));
}

#[test]
fn without_the_adversarial_terms_there_are_no_discriminators() {
    let lab = Lab::new();
    lab.plan(&TINY.replace("pool.size = 3", "loss.gan = false"));
    lab.run(1, None).expect("cycle and identity alone train");
    let record = lab.record(1);
    assert!(record.rows.iter().all(|row| !row.name.contains("gan_g") && !row.name.contains("/d_")));
    assert!(!newest(&record.folder).join("disc_a.safetensors").exists());
}

#[test]
fn the_same_run_twice_gives_the_same_bits() {
    let (one, two) = (Lab::new(), Lab::new());
    for lab in [&one, &two] {
        lab.plan(TINY);
        lab.run(1, None).expect("trains");
    }
    assert_eq!(numbers(&one.record(1)), numbers(&two.record(1)));
    assert_eq!(weights(&one.record(1)), weights(&two.record(1)));
}

#[test]
fn another_seed_gives_other_numbers_under_the_same_point() {
    let lab = Lab::new();
    let prepared = lab.plan(TINY);
    let (one, two) = (&prepared.entries[1], &prepared.entries[3]);
    assert_eq!((one.cell, two.cell), (1, 1));
    assert_eq!(one.point_id, two.point_id);
    assert_ne!(one.key, two.key);
    lab.run(1, None).expect("trains");
    lab.run(3, None).expect("trains");
    assert_ne!(numbers(&lab.record(1)), numbers(&lab.record(3)));
}

#[test]
fn training_lowers_the_cycle_loss() {
    let lab = Lab::new();
    lab.plan(&TINY.replace("train.steps = 12", "train.steps = 120"));
    lab.run(1, None).expect("trains");
    let losses: Vec<f64> = lab.record(1).series("loss/cycle_a").map(|(_, value)| value).collect();
    let (first, last) = (losses[0], losses[losses.len() - 1]);
    assert!(last < 0.8 * first, "cycle loss from {first} to {last}");
}

#[test]
fn images_that_changed_since_the_plan_are_refused() {
    let lab = Lab::new();
    let mut prepared = lab.plan(TINY);
    prepared.entries[1].point_id = "another".into();
    let sweep = SweepDir::new(&lab.runs_root(), "tiny").expect("a name");
    sweep.write_plan(&prepared.record, &prepared.entries).expect("a plan");
    let error = lab.run(1, None).expect_err("not what was planned");
    assert!(matches!(error, RunnerError::InputsChanged { .. }), "{error}");
    assert!(matches!(lab.record(1).state, RunState::Failed { .. }));
}

#[test]
fn two_processes_do_not_train_one_run() {
    let lab = Lab::new();
    let prepared = lab.plan(TINY);
    let run = track::RunDir::new(lab.runs_root().join(&prepared.entries[1].folder));
    let _held = run.lock().expect("free");
    let error = lab.run(1, None).expect_err("held");
    assert!(error.to_string().contains("held"), "{error}");
}

#[test]
fn a_new_value_leaves_the_old_runs_their_keys() {
    let lab = Lab::new();
    let before = lab.plan(TINY);
    lab.run(0, None).expect("trains");
    let after = lab.plan(&TINY.replace("[0.0, 10.0]", "[0.0, 3.0, 10.0]"));
    let keys =
        |it: &PreparedSweep| it.entries.iter().map(|entry| entry.key.clone()).collect::<Vec<_>>();
    assert!(keys(&before).iter().all(|key| keys(&after).contains(key)));
    assert_eq!(after.to_do().count(), 5);
}

#[test]
fn every_switch_trains() {
    let unswitched = {
        let lab = Lab::new();
        lab.plan(&TINY.replace("train.steps = 12", "train.steps = 3"));
        lab.run(1, None).expect("trains");
        std::fs::read(newest(&lab.record(1).folder).join("gen_ab.safetensors")).expect("kept")
    };
    for setting in [
        "model.upsample = \"nearest\"",
        "model.upsample = \"bilinear\"",
        "model.padding = \"zero\"",
        "model.padding = \"replicate\"",
        "model.norm = \"none\"",
        "model.dropout = 0.5",
        "model.discriminator = \"pixel\"",
        "loss.gan_mode = \"vanilla\"",
        "loss.cycle = \"forward\"",
        "loss.cycle = \"backward\"",
        "loss.cycle_norm = \"l2\"",
        "loss.lambda_identity = 0.0",
        "optim.update_order = \"d-then-g\"",
        "optim.d_steps = 2",
        "optim.schedule = \"linear-paper\"",
        "pool.size = 0",
        "data.batch_size = 3",
        "data.order = \"serial\"",
        "data.direction = \"ba\"",
        "data.epoch_length = \"min\"",
        "train.precision = \"bf16\"",
    ] {
        let lab = Lab::new();
        let toml =
            TINY.replace("pool.size = 3", setting).replace("train.steps = 12", "train.steps = 3");
        lab.plan(&toml);
        let outcome = lab.run(1, None);
        assert!(matches!(outcome, Ok(Outcome::Completed { .. })), "{setting}: {outcome:?}");
        let weights_of =
            |lab: &Lab| std::fs::read(newest(&lab.record(1).folder).join("gen_ab.safetensors"));
        // A shorter epoch shows only at its end, which three steps do not reach.
        if !setting.contains("epoch_length") {
            assert_ne!(weights_of(&lab).expect("kept"), unswitched, "{setting} changes nothing");
        }
        if setting.contains("dropout") {
            // The only draw that comes from the device: seeded a step, it repeats.
            let again = Lab::new();
            again.plan(&toml);
            again.run(1, None).expect("trains");
            assert_eq!(weights_of(&lab).expect("kept"), weights_of(&again).expect("kept"));
        }
    }
}
