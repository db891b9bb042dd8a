//! What a run is judged by: the metric, the weights it is of, and an evaluation made anew.

use super::*;

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
