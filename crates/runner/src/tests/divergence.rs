//! Runs that come to a bad end, by a guard or by numbers that are none.

use super::*;

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
