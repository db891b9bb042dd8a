//! What keeps a verdict back, and what failed runs count as.

use report::summary::{Comparison, Verdict, summarise};
use track::{FailureClass, RunState};

use crate::fixture::Fixture;
use crate::fixture::scores::{BASELINE, BETTER, EVEN, WORSE};
use crate::scores::{SEVEN, check_in, section};
use crate::{html, result_rows};

#[test]
fn failing_is_never_better_than_finishing() {
    let mut fixture = Fixture::scored(&SEVEN).failing(BETTER, 2);
    assert_eq!(summarise(&fixture.record, "eval/gain").failed_as, Some(0.0));
    let worst = fixture.record.runs.iter_mut().find(|run| run.cell == WORSE).expect("a run");
    worst.rows.iter_mut().filter(|row| row.name == "eval/gain").for_each(|row| row.value = -0.25);
    let summary = summarise(&fixture.record, "eval/gain");
    assert_eq!(summary.failed_as, Some(-0.25));
    let failed = summary.cells[BETTER].values.iter().filter(|(_, gain)| *gain == -0.25);
    assert_eq!(failed.count(), 3);
    assert_eq!(summarise(&fixture.record, "eval/l1_ab").failed_as, None);

    let words = "−0.2500, the lowest of any completed run, as failing is not better than finishing";
    check_in(
        &section(&fixture.record, "answer"),
        &[&format!("In the figures above each of them counts as {words}.")],
    );
    let results = section(&fixture.record, "results");
    check_in(&results, &["(3 as −0.2500)", &format!("diverged or failed counts as {words}.")]);
    let method = section(&fixture.record, "method");
    check_in(&method, &[&format!("It counts as a gain of {words}, in means")]);
}

#[test]
fn a_completed_run_without_a_value_keeps_the_verdict_back() {
    let fixture = Fixture::scored(&SEVEN).unmeasured(BETTER, 2);
    let summary = summarise(&fixture.record, "eval/gain");
    assert!(summary.has_ended() && !summary.is_final());
    assert_eq!((summary.cells[BETTER].unmeasured, summary.cells[EVEN].unmeasured), (2, 0));
    for cell in [BETTER, WORSE, EVEN] {
        let comparison = summary.cells[cell].comparison;
        assert!(matches!(comparison, Some(Comparison::SoFar(Some(_)))), "{comparison:?}");
    }
    let said = section(&fixture.record, "answer");
    check_in(
        &said,
        &[
            "Best so far on Gain ↑: lambda_cycle=1",
            "No verdict before every completed run has a value; 2 of 28 have none.",
            "Without a value of Gain: lambda_cycle=1 : 2 of 7 completed runs. The reason: the feature network's weights \
             were not there. cyclelab data fetch efficientnet-lite0 brings them. After that cyclelab sweep \
             experiments/lambda.toml scores these runs again.",
        ],
    );
    assert!(!said.contains("is better than") && !said.contains("p = "), "{said}");
    check_in(&result_rows(&html(&fixture.record))[BETTER], &["7/7 (2 without a value)", "so far"]);

    // A value that is not finite is an end, and a bad one.
    let mut odd = Fixture::scored(&SEVEN);
    let run = odd.record.runs.iter_mut().find(|run| run.cell == BETTER).expect("a run");
    run.rows.iter_mut().filter(|row| row.name == "eval/gain").for_each(|row| row.value = f64::NAN);
    let summary = summarise(&odd.record, "eval/gain");
    assert!(summary.is_final());
    assert_eq!((summary.cells[BETTER].failed_in_values, summary.cells[BETTER].unmeasured), (1, 0));
}

#[test]
fn what_the_machine_stopped_says_nothing_of_its_cell() {
    let fixture = Fixture::scored(&SEVEN).stopped(BETTER);
    let summary = summarise(&fixture.record, "eval/gain");
    let cell = &summary.cells[BETTER];
    assert_eq!((cell.runs.stopped, cell.runs.failed, cell.failed_in_values), (2, 0, 0));
    assert_eq!(cell.values.len(), 5, "they enter no mean");
    assert!(!summary.has_ended());
    assert!(summary.cells.iter().all(|cell| cell.verdict().is_none()));
    check_in(
        &section(&fixture.record, "answer"),
        &[
            "No verdict before every run has come to an end; 26 of 28 have.",
            "Stopped by the machine: lambda_cycle=1 : 2 of 7 (1 io, 1 timed out).",
            "That says nothing of their cells, so it counts as not done: cyclelab sweep experiments/lambda.toml goes on with \
             them.",
        ],
    );
    let page = html(&fixture.record);
    check_in(&page, &["<strong>Partial.</strong> 26 of 28 runs", "2 stopped"]);
    check_in(&result_rows(&page)[BETTER], &["5/7 2 "]);

    // What the run itself did counts against its cell, and ends it.
    for class in [FailureClass::Oom, FailureClass::Panic] {
        let mut fixture = Fixture::scored(&SEVEN);
        for run in fixture.record.runs.iter_mut().filter(|run| run.cell == BETTER) {
            run.state = RunState::Failed { class, reason: String::new() };
        }
        let summary = summarise(&fixture.record, "eval/gain");
        let verdict = summary.cells[BETTER].verdict();
        assert!(matches!(verdict, Some(Verdict::AllFailed { .. })), "{class:?}: {verdict:?}");
        assert!(!section(&fixture.record, "answer").contains("Stopped by the machine"));
    }
    assert_eq!(summary.baseline, Some(BASELINE));
}

#[test]
fn a_run_says_itself_why_it_has_no_value() {
    let mut fixture = Fixture::scored(&SEVEN);
    let why = "the untranslated inputs are only 1.00e-4 worse than the true partners";
    for run in &mut fixture.record.runs {
        run.rows.retain(|row| !row.name.starts_with("eval/gain"));
        run.absent.insert("eval/gain_ab".into(), why.into());
    }
    let said = section(&fixture.record, "answer");
    check_in(&said, &[&format!("Gain was never produced. The reason: {why}.")]);
    assert!(!said.contains("cyclelab data fetch"), "{said}");
    fixture.record.runs.iter_mut().for_each(|run| run.absent.clear());
    let said = section(&fixture.record, "answer");
    check_in(&said, &["Gain was never produced. Possible reasons: no real images apart"]);
}

#[test]
fn what_no_run_can_record_is_scored_apart() {
    let mut fixture = Fixture::scored(&SEVEN);
    fixture.record.plan.metric.secondary = vec!["eval/fid_ab".into(), "eval/lpips_ab".into()];
    check_in(
        &section(&fixture.record, "results"),
        &[
            "Not measured : FID A→B. Reason: no run records it, since its weights come with no package. cyclelab score \
             --real DIR --fake DIR --inception FILE computes it",
            "Not measured : LPIPS A→B. Reason: no run records it",
            "--lpips alexnet.pth --lpips alex.pth computes it",
        ],
    );
}
