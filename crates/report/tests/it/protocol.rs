//! What the page says of the images that results are of, and of sweeps of several data sets.

use report::summary::summarise;
use serde_json::json;
use track::SweepRecord;

use crate::fixture::Fixture;
use crate::html;
use crate::scores::{SEVEN, check_in, section};

fn with_eval(fold: &str, checkpoint: &str) -> Fixture {
    let mut fixture = Fixture::scored(&SEVEN);
    for run in &mut fixture.record.runs {
        run.config = json!({
            "eval": { "fold": fold, "checkpoint": checkpoint, "best_by": "eval/kid_lite0_ab" },
        });
    }
    fixture
}

fn without(mut fixture: Fixture, fold: &str) -> SweepRecord {
    fixture.record.plan.dataset.counts.retain(|(name, _, _)| name != fold);
    fixture.record
}

#[test]
fn the_fold_of_the_results_is_named() {
    let said = |record: &SweepRecord| section(record, "method");
    let last = said(&with_eval("test", "last").record);
    check_in(
        &last,
        &[
            "val 79 A, 79 B (looked at while training; no weights are chosen by it)",
            "test 317 A, 317 B (the results; nothing was chosen by it)",
            "Final values are of the test fold",
            "The last update of a run is its result.",
        ],
    );
    assert!(!last.contains("Without a") && !last.contains("same ref images"), "{last}");

    let val = with_eval("val", "last");
    check_in(
        &said(&val.record),
        &[
            "val 79 A, 79 B (the results, and the looks while training)",
            "test 317 A, 317 B (not used)",
            "Final values are of the val fold",
        ],
    );
    let curves = section(&val.record, "curves");
    assert!(!curves.contains("which nothing was chosen by"), "{curves}");

    check_in(
        &said(&without(with_eval("test", "last"), "val")),
        &[
            "Without a val fold the looks on the way are at the test fold too",
            "(the results, and the looks while training)",
        ],
    );
    let no_reference =
        "Without a ref fold translations are compared with the real images of the test fold itself";
    check_in(&said(&without(with_eval("test", "last"), "ref")), &[no_reference]);
}

#[test]
fn a_choice_of_weights_is_said_with_what_it_costs() {
    let best = with_eval("test", "best");
    let said = section(&best.record, "method");
    check_in(
        &said,
        &[
            "(looked at while training; the weights of the result are chosen by it)",
            "did best by eval/kid_lite0_ab on the val fold",
            "The choice and the result are measured against the same ref images",
            "d_win and d_dead speak of the training",
        ],
    );
    let results = section(&best.record, "results");
    assert!(
        !results.contains("Discriminator accuracy"),
        "of generators that were not its opponents"
    );
    let last = with_eval("test", "last");
    assert!(section(&last.record, "results").contains("Discriminator accuracy"));
    assert!(!section(&last.record, "method").contains("d_win and d_dead speak"));
}

#[test]
fn flagged_runs_are_no_failed_runs() {
    let said = section(&Fixture::scored(&SEVEN).flagged(1, 2).record, "method");
    check_in(
        &said,
        &["It does not count as failed: its values stay in every figure, mean and test"],
    );
    let summary = summarise(&Fixture::scored(&SEVEN).flagged(1, 2).record, "eval/gain");
    assert_eq!((summary.cells[1].failed_in_values, summary.cells[1].values.len()), (0, 7));
}

#[test]
fn anchors_are_compared_where_the_images_are_the_same() {
    let fixture = Fixture::across(&SEVEN);
    let said = section(&fixture.record, "results");
    assert!(!said.contains("Anchors differ"), "{said}");
    check_in(
        &said,
        &[
            // The gain's anchors are the same on any data; those of other metrics are not.
            "identity anchor 0.0000",
            "identity anchor — — — —",
            "of anchors only those are shown that all of them share",
        ],
    );
    let mut odd = fixture;
    let run = odd.record.runs.iter_mut().find(|run| run.cell == 3).expect("a run of relief");
    let row = run.rows.iter_mut().find(|row| row.name == "anchor/mean/l1_ab");
    row.expect("every run records anchors").value *= 1.01;
    check_in(
        &section(&odd.record, "results"),
        &["Anchors differ between runs of the same images."],
    );

    // What only training sees does not make other images.
    let mut flipped = Fixture::scored(&SEVEN);
    for run in &mut flipped.record.runs {
        run.config = json!({ "data": { "flip": run.cell == 0, "crop_size": 32 } });
    }
    let said = section(&flipped.record, "results");
    assert!(
        said.contains("identity anchor 0.357") && !said.contains("that all of them share"),
        "{said}"
    );
    for run in &mut flipped.record.runs {
        run.config = json!({ "data": { "crop_size": 32 + run.cell } });
        run.rows
            .iter_mut()
            .filter(|row| row.name.contains("/kid"))
            .for_each(|row| row.value += run.cell as f64);
    }
    let said = section(&flipped.record, "results");
    assert!(!said.contains("identity anchor 0.357") && !said.contains("Anchors differ"), "{said}");
}

#[test]
fn a_gain_is_averaged_across_data_sets() {
    let fixture = Fixture::across(&SEVEN);
    let said = section(&fixture.record, "results");
    let table = said.split("Across data sets").nth(1).expect("the table is there");
    // The size follows from the data set, so the settings are those of λ alone.
    check_in(
        table,
        &["λ cycle 1 2 14 0.5", "λ cycle 10 2 14 0.3", "resamples seeds within each data set"],
    );
    assert!(!table.contains("data.crop_size") && !table.contains("So far"), "{table}");
    check_in(
        &html(&fixture.record),
        &["Blueprint: emoji and their line drawings and Relief: satellite and shaded relief"],
    );

    // Seven runs of two data sets have no middle half, and one data set nothing across.
    let few = section(&Fixture::across(&[0, 1, 2]).record, "results");
    check_in(&few, &["λ cycle 1 2 6 — —"]);
    assert!(!section(&Fixture::scored(&SEVEN).record, "results").contains("Across data sets"));

    let mut without_gain = fixture;
    let metric = &mut without_gain.record.plan.metric;
    (metric.name, metric.minimize) = ("eval/l1_ab".into(), true);
    let said = section(&without_gain.record, "results");
    check_in(
        &said,
        &["λ cycle 1 2 14 0.5", "no other metric here has a scale that data sets share"],
    );
    for run in &mut without_gain.record.runs {
        run.rows.retain(|row| !row.name.starts_with("eval/gain"));
    }
    check_in(
        &section(&without_gain.record, "results"),
        &["The gain alone has a scale that data sets share, and no run has one yet"],
    );
}
