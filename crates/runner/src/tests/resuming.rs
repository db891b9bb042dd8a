//! Runs that were stopped, killed or opened again end with the bits of those that were left alone.

use super::*;

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
    check("train.precision = \"bf16\"");
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
