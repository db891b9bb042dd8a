//! Whole runs on tiny networks and drawn images.

use std::path::{Path, PathBuf};

use data::{RecipeBook, Store};
use spec::SourceText;
use track::{FailureClass, RunRecord, RunState, SourceTree, Split, SweepDir};

use crate::run::{Invocation, Request, run};
use crate::{
    ComputeDevice, Outcome, PreparedSweep, RunnerError, SavedRun, Stop, TrainEvent, prepare,
};

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

/// Interrupted inside a log window, after every single step, with a pool that is full on the way.
#[test]
fn interrupted_at_every_step_equals_uninterrupted_bit_for_bit() {
    let straight = Lab::new();
    straight.plan(TINY);
    straight.run(1, None).expect("trains");

    let broken = Lab::new();
    broken.plan(TINY);
    for from in 0..15 {
        let outcome = broken.run(1, Some(from));
        assert!(
            matches!(outcome, Ok(Outcome::Interrupted { step }) if step == from + 1),
            "{outcome:?}"
        );
        assert_eq!(broken.record(1).state, RunState::Interrupted);
    }
    assert!(matches!(broken.run(1, None), Ok(Outcome::Completed { step: 16, .. })));
    let (straight, broken) = (straight.record(1), broken.record(1));
    assert_eq!(broken.attempts, 16);
    assert_eq!(numbers(&straight), numbers(&broken));
    assert_eq!(weights(&straight), weights(&broken));
}

/// The same with everything in it that draws or has a state of its own.
#[test]
fn every_other_mechanism_resumes_bit_for_bit() {
    let check = |leaves: &str| {
        let toml = TINY.replace("[axes]", &format!("{leaves}\n[axes]"));
        let straight = Lab::new();
        straight.plan(&toml);
        straight.run(1, None).unwrap_or_else(|error| panic!("{leaves}: {}", error.chain()));
        let broken = Lab::new();
        broken.plan(&toml);
        for from in [0, 1] {
            let outcome = broken.run(1, Some(from));
            assert!(matches!(outcome, Ok(Outcome::Interrupted { .. })), "{leaves}: {outcome:?}");
        }
        broken.run(1, None).unwrap_or_else(|error| panic!("{leaves}: {}", error.chain()));
        let (straight, broken) = (straight.record(1), broken.record(1));
        assert_eq!(numbers(&straight), numbers(&broken), "{leaves}");
        assert_eq!(weights(&straight), weights(&broken), "{leaves}");
    };
    check("loss.gan_mode = \"wgan-gp\"\n model.norm = \"instance-affine\"\n optim.d_steps = 2");
    check(
        "loss.gan_mode = \"hinge\"\n model.norm = \"batch\"\n model.dropout = 0.5\n data.batch_size = 2",
    );
    check(
        "data.order = \"uniform\"\n model.discriminator = \"image\"\n optim.update_order = \"d-then-g\"",
    );
}

/// In the middle of an evaluation, and again before it could be made up for.
#[test]
fn an_evaluation_that_was_stopped_is_made_up_for_and_counted_once() {
    let toml =
        TINY.replace("train.checkpoint_every = 0", "train.checkpoint_every = 4\n eval.every = 8");
    let straight = Lab::new();
    straight.plan(&toml);
    straight.run(1, None).expect("trains");
    let broken = Lab::new();
    broken.plan(&toml);
    for (at, evaluation) in [(8, 1), (8, 1), (16, 2)] {
        let (mut begun, mut last) = (0, u64::MAX);
        let outcome = broken.run_and_stop(1, &mut |event| match *event {
            TrainEvent::Evaluating { done, total } => {
                begun += u32::from(done <= last);
                // The next one may be of a larger fold.
                last = if done == total { u64::MAX } else { done };
                begun == evaluation && done < total
            }
            _ => false,
        });
        assert!(matches!(outcome, Ok(Outcome::Interrupted { step }) if step == at), "{outcome:?}");
    }
    broken.run(1, None).expect("goes on");
    let (straight, broken) = (straight.record(1), broken.record(1));
    let evaluated: Vec<u64> = broken.series("eval/cycle_a").map(|(step, _)| step).collect();
    assert_eq!(evaluated, [8, 16]);
    assert_eq!(numbers(&straight), numbers(&broken));
    assert_eq!(weights(&straight), weights(&broken));
    assert_eq!(straight.samples, broken.samples);
}

/// Also where every evaluation is stopped in its middle, the last between its two folds.
#[test]
fn the_best_weights_are_the_result_however_often_the_run_is_interrupted() {
    let toml = TINY
        .replace(
            "[set]",
            "[sweep.metric]\n name = \"eval/swd_ref_ab\"\n select = \"best\"\n [set]\n eval.every = 4",
        )
        .replace("optim.lr_g = 2e-3", "optim.lr_g = 2e-2");
    let straight = Lab::new();
    straight.plan(&toml);
    straight.run(1, None).expect("trains");
    let broken = Lab::new();
    broken.plan(&toml);
    for (at, look) in [(4, 1), (8, 2), (16, 3), (16, 2)] {
        let (mut begun, mut last) = (0, u64::MAX);
        let outcome = broken.run_and_stop(1, &mut |event| match *event {
            TrainEvent::Evaluating { done, total } => {
                begun += u32::from(done <= last);
                last = if done == total { u64::MAX } else { done };
                begun == look && done < total
            }
            _ => false,
        });
        assert!(matches!(outcome, Ok(Outcome::Interrupted { step }) if step == at), "{outcome:?}");
    }
    broken.run(1, None).expect("goes on");
    let looks: Vec<(u64, f64)> = straight
        .record(1)
        .rows
        .iter()
        .filter(|row| row.split == Split::Val && row.name == "eval/swd_ref_ab")
        .map(|row| (row.step, row.value))
        .collect();
    assert_eq!(looks.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [4, 8, 12, 16]);
    let best = looks.iter().min_by(|a, b| a.1.total_cmp(&b.1)).expect("four looks").0;
    for lab in [&straight, &broken] {
        let record = lab.record(1);
        assert_eq!(record.last("eval/best_step"), Some(best as f64));
        // The discriminators are of the last step.
        let judged = |split| {
            let mut rows = record.rows.iter().filter(|row| row.split == split);
            rows.any(|row| row.name == "eval/d_accuracy_b")
        };
        assert!(judged(Split::Val) && !judged(Split::Eval));
        let saved = SavedRun::open(&track::RunDir::new(record.folder.clone())).expect("a run");
        assert_eq!(saved.step_of(model::Network::GenAb), best);
        assert_eq!(saved.step_of(model::Network::DiscA), 16);
    }
    assert_eq!(numbers(&straight.record(1)), numbers(&broken.record(1)));
    assert_eq!(weights(&straight.record(1)), weights(&broken.record(1)));
}

#[test]
fn the_best_weights_need_a_fold_to_be_chosen_by() {
    let lab = Lab::new();
    let folder = lab.dir.path().join("images");
    for name in ["trainA", "trainB", "testA", "testB"] {
        std::fs::create_dir_all(folder.join(name)).expect("a folder");
        for i in 0..2 {
            let picture = data::Image { size: 16, rgb: vec![90 + i; 16 * 16 * 3] };
            picture.to_png(&folder.join(name).join(format!("{i}.png"))).expect("a picture");
        }
    }
    let toml = TINY
        .replace("[set]", "[sweep.metric]\n name = \"eval/swd_ref_ab\"\n select = \"best\"\n [set]\n eval.every = 4")
        .replace("data.dataset = \"synthetic\"", &format!("data.path = {folder:?}"));
    let source = SourceText { name: "own.toml".into(), text: toml };
    let plan = spec::read(source, &[], &mut |_| Err("none".into())).expect("well formed");
    let refused = prepare(plan, &lab.runs_root(), &lab.store(), "test", &mut |_| {}).map(|_| ());
    let error = refused.expect_err("no val fold").to_string();
    assert!(error.contains("eval/swd_ref_ab") && error.contains("Val fold"), "{error}");
}

/// Also where that is stopped twice: its rows are there once, and nothing is trained.
#[test]
fn a_finished_run_is_evaluated_again_when_it_is_opened_again() {
    let toml = TINY.replace("[set]", "[set]\n eval.every = 8");
    let lab = Lab::new();
    lab.plan(&toml);
    lab.run(1, None).expect("trains");
    let straight = lab.record(1);
    let run = track::RunDir::new(straight.folder.clone());
    let reason = "the network is here".to_string();
    let mut events = track::RunEvents::open(&run.events()).expect("a file");
    events.append(&track::Event::Reopened { reason }).expect("writable");
    assert_eq!(lab.record(1).state, RunState::Interrupted);
    for _ in 0..2 {
        let stopped = lab.run_and_stop(
            1,
            &mut |event| matches!(event, TrainEvent::Evaluating { done, total } if done < total),
        );
        assert!(matches!(stopped, Ok(Outcome::Interrupted { step: 16 })), "{stopped:?}");
    }
    let ended = lab.run(1, None);
    assert!(matches!(ended, Ok(Outcome::Completed { step: 16, .. })), "{ended:?}");
    let again = lab.record(1);
    assert_eq!((&again.state, again.attempts), (&RunState::Completed, 4));
    assert_eq!(numbers(&straight), numbers(&again));
    assert_eq!(weights(&straight), weights(&again));
    assert_eq!(straight.flags, again.flags);
    assert!(matches!(lab.run(1, None), Ok(Outcome::AlreadyDone)));
}

#[test]
fn checkpoints_that_cannot_be_used_are_no_reason_to_begin_anew() {
    let lab = Lab::new();
    lab.plan(TINY);
    lab.run(1, Some(0)).expect("stops after a step");
    let damaged = newest(&lab.record(1).folder).join("gen_ab.safetensors");
    std::fs::write(&damaged, "nonsense").expect("writable");
    let error = lab.run(1, None).expect_err("nothing to go on from");
    let RunnerError::NothingToRestore { rejected } = &error else { panic!("{error}") };
    assert!(rejected[0].contains("gen_ab.safetensors"), "{rejected:?}");
    let record = lab.record(1);
    assert!(matches!(record.state, RunState::Failed { class: FailureClass::Data, .. }));
    assert!(record.timeline.iter().any(|(_, words)| words.contains("is not used")));

    lab.run_as(1, &invocation(), true, &mut |_| false).expect("begins anew when told so");
    let straight = Lab::new();
    straight.plan(TINY);
    straight.run(1, None).expect("trains");
    assert_eq!(numbers(&lab.record(1)), numbers(&straight.record(1)));
}

#[test]
fn a_checkpoint_of_another_shape_is_passed_over() {
    let lab = Lab::new();
    lab.plan(TINY);
    lab.run(1, Some(0)).expect("stops after a step");
    lab.run(1, Some(1)).expect("stops after another");
    // Whole and proven by its manifest, and of wider networks.
    let wide = Lab::new();
    wide.plan(&TINY.replace("model.ngf = 4", "model.ngf = 8"));
    wide.run(1, Some(0)).expect("stops after a step");
    wide.run(1, Some(1)).expect("stops after another");
    let (newest, other) = (newest(&lab.record(1).folder), newest(&wide.record(1).folder));
    for name in ["gen_ab.safetensors", "MANIFEST.json"] {
        std::fs::copy(other.join(name), newest.join(name)).expect("writable");
    }
    lab.run(1, None).expect("goes on from the older one");
    let straight = Lab::new();
    straight.plan(TINY);
    straight.run(1, None).expect("trains");
    assert_eq!(numbers(&lab.record(1)), numbers(&straight.record(1)));
}

#[test]
fn a_run_that_other_code_began_is_refused() {
    let lab = Lab::new();
    lab.plan(TINY);
    lab.run(1, Some(0)).expect("stops after a step");
    let events = std::fs::read(lab.record(1).folder.join("events.jsonl")).expect("its events");
    let code = track::CodeVersion { version: "0.0.1".into(), ..invocation().code };
    let newer = Invocation { code, ..invocation() };
    let error = lab.run_as(1, &newer, false, &mut |_| false).expect_err("half and half");
    assert!(matches!(error, RunnerError::CodeChanged { .. }), "{error}");
    assert!(error.chain().contains("0.0.0") && error.chain().contains("0.0.1"), "{error}");
    let after = std::fs::read(lab.record(1).folder.join("events.jsonl")).expect("its events");
    assert_eq!(events, after, "nothing has changed");
}

#[test]
fn a_guard_ends_the_run_at_the_same_step_however_often_it_is_interrupted() {
    let toml = TINY
        .replace("train.log_every = 5", "train.log_every = 3")
        .replace("[axes]", "guards.output_std_below = 0.99\n guards.output_std_steps = 7\n [axes]");
    let straight = Lab::new();
    straight.plan(&toml);
    let outcome = straight.run(1, None).expect("a result");
    let Outcome::Diverged { step: 10, reason } = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("output/std_"), "{reason}");
    let record = straight.record(1);
    assert!(record.last("output/std_a").is_some_and(|std| std > 0.0 && std < 1.0));
    assert!(record.last("output/std_b").is_some());
    assert!(!record.samples.is_empty(), "what it made is kept");
    assert!(newest(&record.folder).ends_with("step-00000010"));

    let broken = Lab::new();
    broken.plan(&toml);
    for from in [0, 1, 2] {
        broken.run(1, Some(from)).expect("stops after a step");
    }
    let again = broken.run(1, None).expect("a result");
    assert_eq!(again, Outcome::Diverged { step: 10, reason: reason.clone() });
    assert_eq!(numbers(&record), numbers(&broken.record(1)));

    // Killed between its last checkpoint and its last word.
    let events = record.folder.join("events.jsonl");
    let text = std::fs::read_to_string(&events).expect("its events");
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains("\"diverged\"")).collect();
    std::fs::write(&events, lines.join("\n") + "\n").expect("writable");
    let once_more = straight.run(1, None).expect("the same result");
    assert_eq!(once_more, Outcome::Diverged { step: 10, reason });
    assert_eq!(numbers(&record), numbers(&straight.record(1)));
}

/// A gradient that overflows leaves finite losses for one more step: no checkpoint may be taken then.
#[test]
fn weights_that_are_no_numbers_are_never_saved() {
    let lab = Lab::new();
    lab.plan(
        &TINY
            .replace("optim.lr_g = 2e-3", "optim.lr_g = 1e38")
            .replace("train.checkpoint_every = 0", "train.checkpoint_every = 1"),
    );
    let outcome = lab.run(1, None).expect("a result");
    assert!(matches!(outcome, Outcome::Diverged { .. }), "{outcome:?}");
    let run = track::RunDir::new(lab.record(1).folder);
    if let Some(found) = track::newest_valid(&run).expect("readable").found {
        for network in ["gen_ab", "gen_ba", "disc_a", "disc_b"] {
            let path = found.path.join(format!("{network}.safetensors"));
            for tensor in crate::weight_file::read(&path).expect("weights").values() {
                assert!(tensor.as_slice::<f32>().expect("float32").iter().all(|v| v.is_finite()));
            }
        }
    }
}

#[test]
fn a_run_that_diverges_does_so_at_the_same_step_however_often_it_is_interrupted() {
    let toml = TINY.replace("optim.lr_g = 2e-3", "optim.lr_g = 1e38");
    let straight = Lab::new();
    straight.plan(&toml);
    let outcome = straight.run(1, None).expect("a result");
    let Outcome::Diverged { step, .. } = outcome else { panic!("{outcome:?}") };
    let broken = Lab::new();
    broken.plan(&toml);
    let mut attempts = (0..step).map(Some).chain([None]);
    let diverges = |from| {
        let ended = broken.run(1, from).expect("stops, or a result");
        matches!(ended, Outcome::Diverged { .. }).then_some(ended)
    };
    assert_eq!(attempts.find_map(diverges), Some(outcome));
    assert_eq!(numbers(&straight.record(1)), numbers(&broken.record(1)));
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
fn a_loss_that_is_no_number_is_a_result() {
    let lab = Lab::new();
    // Weights of 1e30 overflow float32 at the first forward pass.
    lab.plan(&TINY.replace(
        "model.ngf = 4",
        "model.ngf = 4\n model.init_gain = 1e30\n model.norm = \"none\"",
    ));
    let outcome = lab.run(1, None).expect("no error");
    assert!(matches!(outcome, Outcome::Diverged { .. }), "{outcome:?}");
    let record = lab.record(1);
    assert!(
        matches!(&record.state, RunState::Diverged { reason } if reason.contains("loss/")),
        "{:?}",
        record.state
    );
    assert!(record.rows.iter().any(|row| !row.value.is_finite()), "the row that shows it is kept");
    assert!(matches!(lab.run(1, None), Ok(Outcome::AlreadyDone)));
}

#[test]
fn a_run_that_is_told_to_goes_on_without_numbers_and_resumes() {
    let toml = TINY.replace(
        "model.ngf = 4",
        "model.ngf = 4\n model.init_gain = 1e30\n model.norm = \"none\"\n guards.non_finite = \"continue\"",
    );
    let [straight, broken] = [Lab::new(), Lab::new()];
    straight.plan(&toml);
    broken.plan(&toml);
    assert!(matches!(straight.run(1, None), Ok(Outcome::Completed { .. })));
    for from in [0, 1, 2] {
        assert!(matches!(broken.run(1, Some(from)), Ok(Outcome::Interrupted { .. })));
    }
    assert!(matches!(broken.run(1, None), Ok(Outcome::Completed { .. })));
    let record = straight.record(1);
    assert!(record.last("loss/d_a").is_some_and(|loss| !loss.is_finite()));
    assert_eq!(numbers(&record), numbers(&broken.record(1)));
}

#[test]
fn a_damaged_checkpoint_is_passed_over() {
    let lab = Lab::new();
    lab.plan(TINY);
    lab.run(1, Some(0)).expect("stops after a step");
    lab.run(1, Some(1)).expect("stops after another");
    let damaged = newest(&lab.record(1).folder).join("gen_ab.safetensors");
    std::fs::write(&damaged, "nonsense").expect("writable");
    lab.run(1, None).expect("goes on from the older one");

    let straight = Lab::new();
    straight.plan(TINY);
    straight.run(1, None).expect("trains");
    assert_eq!(numbers(&lab.record(1)), numbers(&straight.record(1)));
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
fn a_metric_that_cannot_be_is_refused_before_anything_trains() {
    let lab = Lab::new();
    let toml = TINY.replace("[set]", "[sweep.metric]\n name = \"eval/l1_ab\"\n [set]");
    let toml = toml.replace("[set]", "[set]\n eval.fold = \"val\"");
    lab.plan(&toml);
    let folder = lab.dir.path().join("images");
    for name in ["trainA", "trainB"] {
        std::fs::create_dir_all(folder.join(name)).expect("a folder");
        let picture = data::Image { size: 16, rgb: vec![90; 16 * 16 * 3] };
        picture.to_png(&folder.join(name).join("one.png")).expect("a picture");
    }
    let toml = toml.replace("data.dataset = \"synthetic\"", &format!("data.path = {folder:?}"));
    let prepared = |text: String| {
        let source = SourceText { name: "own.toml".into(), text };
        let plan = spec::read(source, &[], &mut |_| Err("none".into())).expect("well formed");
        prepare(plan, &lab.runs_root(), &lab.store(), "test", &mut |_| {})
    };
    let refused = prepared(toml.clone()).map(|_| ());
    let error = refused.expect_err("no held-out images").to_string();
    assert!(error.contains("eval/l1_ab") && error.contains("held-out"), "{error}");

    // What the file does not name gives way, and says so.
    let chosen = prepared(toml.replace("name = \"eval/l1_ab\"", "")).expect("it trains");
    assert_eq!(chosen.record.metric.name, "loss/cycle_a");
    let note = chosen.metric_note.expect("a note");
    assert!(note.contains("names no metric") && note.contains("held-out"), "{note}");
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

#[test]
fn weight_files_are_tried_before_anything_is_made() {
    let lab = Lab::new();
    let prepared = |leaves: String| {
        let toml = TINY.replace("[axes]", &format!("{leaves}\n[axes]"));
        let toml = toml
            .replace("model.ngf = 4", "")
            .replace("loss.lambda_cycle = [0.0, 10.0]", "model.ngf = [2, 3, 4]");
        let source = SourceText { name: "own.toml".into(), text: toml };
        let plan = spec::read(source, &[], &mut |_| Err("none".into()));
        let plan = plan.unwrap_or_else(|rejected| panic!("{:?}", rejected.diagnostics));
        prepare(plan, &lab.runs_root(), &lab.store(), "test", &mut |_| {})
    };
    // One block, ngf 2.
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/reference/vectors/zipped.pth");
    let leaves = format!("init.gen_ab = {file:?}\ninit.gen_ba = {file:?}\ninit.disc_a = {file:?}");
    let refused = prepared(leaves).map(|_| ());
    let Err(RunnerError::InitialWeights { findings }) = refused else { panic!("{refused:?}") };
    let (of_disc, of_gen): (Vec<_>, Vec<_>) = findings.iter().partition(|it| it.contains("disc_a"));
    assert_eq!(of_disc.len(), 1, "the same for every ngf: {findings:?}");
    assert!(of_disc[0].starts_with("init.disc_a of every cell: "), "{findings:?}");
    assert!(of_disc[0].contains("looks like a residual generator"), "{findings:?}");
    for (finding, ngf) in of_gen.iter().zip([3, 4]) {
        let place = format!("init.gen_ab, init.gen_ba of cell `ngf={ngf}`: ");
        assert!(finding.starts_with(&place), "{findings:?}");
        assert!(finding.contains("… and ") && finding.lines().count() == 5, "{finding}");
    }
    assert_eq!(of_gen.len(), 2, "{findings:?}");
    assert!(!lab.runs_root().exists() && !lab.dir.path().join("cache").exists());

    // Without adversarial terms nothing is loaded into a discriminator: nor is it another run.
    let without = prepared("loss.gan = false".into()).expect("sound");
    let with = prepared("loss.gan = false\ninit.disc_b = \"absent.pth\"".into()).expect("sound");
    assert_eq!(without.init_notes, [] as [String; 0]);
    let note = &with.init_notes[0];
    assert!(note.contains("loss.gan = false") && note.contains("init.disc_b"), "{note}");
    let keys =
        |entries: &[track::PlanEntry]| entries.iter().map(|it| it.key.clone()).collect::<Vec<_>>();
    assert_eq!(keys(&with.entries), keys(&without.entries));
}

#[test]
fn exported_weights_of_another_network_are_used_and_named() {
    let lab = Lab::new();
    let trained = lab.plan(&TINY.replace("train.steps = 12", "train.steps = 1"));
    lab.run(1, None).expect("trains");
    let run = track::RunDir::new(lab.runs_root().join(&trained.entries[1].folder));
    let out = lab.dir.path().join("exported");
    crate::export(&crate::SavedRun::open(&run).expect("a run"), &out).expect("exported");
    let notes = |file: &str, leaves: &str| {
        let init = format!("init.gen_ab = {:?}\n{leaves}\n[axes]", out.join(file));
        let source = SourceText { name: "own.toml".into(), text: TINY.replace("[axes]", &init) };
        let plan = spec::read(source, &[], &mut |_| Err("none".into())).expect("well formed");
        let prepared = prepare(plan, &lab.runs_root(), &lab.store(), "test", &mut |_| {});
        prepared.unwrap_or_else(|error| panic!("{}", error.chain())).init_notes
    };
    assert!(notes("gen_ab.safetensors", "").is_empty());
    let [note] = &notes("gen_ba.safetensors", "model.padding = \"replicate\"")[..] else {
        panic!("one note");
    };
    assert!(note.contains("is gen_ba and was trained with padding reflect"), "{note}");
}
