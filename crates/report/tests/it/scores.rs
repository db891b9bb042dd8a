//! What the page says of scored sweeps: verdicts and silence, failures, flags, anchors, what is
//! absent, and a grid taken apart.

use report::summary::{Comparison, Verdict, summarise};
use track::{RunState, Split, SweepRecord};

use crate::fixture::Fixture;
use crate::fixture::scores::{BASELINE, BETTER, EVEN, WORSE};
use crate::{html, result_rows, text_of};

pub(crate) fn section(record: &SweepRecord, id: &str) -> String {
    let page = html(record);
    let found = page.split(&format!("<section id=\"{id}\"")).nth(1).expect("the section is there");
    let found = found.split("</section>").next().expect("it ends");
    text_of(&format!("<section{found}")).replace("&#39;", "'")
}

pub(crate) fn check_in(text: &str, expected: &[&str]) {
    for part in expected {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

pub(crate) const SEVEN: [u64; 7] = [0, 1, 2, 3, 4, 5, 6];

#[test]
fn a_real_effect_is_said_with_what_it_rests_on() {
    let fixture = Fixture::scored(&SEVEN);
    let summary = summarise(&fixture.record, "eval/gain");
    assert_eq!(summary.cells[BETTER].verdict(), Some(Verdict::Better));
    assert_eq!(summary.cells[WORSE].verdict(), Some(Verdict::Worse));
    assert!(matches!(summary.cells[EVEN].verdict(), Some(Verdict::Undecided { .. })));
    assert_eq!((summary.cells[BASELINE].comparison, summary.best), (None, Some(BETTER)));
    let said = section(&fixture.record, "answer");
    check_in(
        &said,
        &[
            "lambda_cycle=1 is better than the baseline lambda_cycle=10 on Gain ↑: 0.6205 against \
             0.4974; 1 other is worse; 1 cell is undecided.",
            "(mean paired difference, 95 % t interval, 7 seeds); p = .047 by the exact sign-flip test, after Holm over 3 \
             comparisons.",
            "lambda_cycle=50 : Undecided: ",
            "neither an effect nor its absence is shown.",
            "Fewest seeds paired with the baseline: 7. What they can show: 7 seeds: the smallest p is .016",
        ],
    );
    let rows = result_rows(&html(&fixture.record));
    check_in(&rows[BETTER], &["better .016 .047 +", " 1.00 ", "★ best"]);
    check_in(&rows[WORSE], &["worse .016 .047 −", " 0.00 "]);
    check_in(&rows[EVEN], &["undecided"]);
}

#[test]
fn three_seeds_carry_no_verdict() {
    let fixture = Fixture::scored(&[0, 1, 2]);
    let summary = summarise(&fixture.record, "eval/gain");
    for cell in [BETTER, WORSE, EVEN] {
        let verdict = summary.cells[cell].verdict();
        assert!(
            matches!(verdict, Some(Verdict::TooFewSeeds { n: 3, needed: Some(7) })),
            "{verdict:?}"
        );
    }
    let said = section(&fixture.record, "answer");
    check_in(
        &said,
        &[
            "Too few seeds for a verdict on Gain ↑: what follows illustrates, it does not test. Best mean on",
            "a claim among 3 comparisons needs 7 seeds, here are 3.",
            "no exact test can reach p ≤ .05 (the smallest p is .25)",
        ],
    );
    assert!(!said.contains("Better") && !said.contains("is better than"), "{said}");
}

#[test]
fn a_sweep_under_way_has_figures_and_no_verdict() {
    let mut fixture = Fixture::scored(&SEVEN);
    let last = fixture.record.runs.last_mut().expect("a run");
    last.state = RunState::Running;
    last.rows.retain(|row| row.split != Split::Eval);
    let summary = summarise(&fixture.record, "eval/gain");
    assert!(matches!(summary.cells[BETTER].comparison, Some(Comparison::SoFar(Some(_)))));
    let said = section(&fixture.record, "answer");
    check_in(
        &said,
        &[
            "Best so far on Gain ↑: lambda_cycle=1",
            "No verdict before every run has come to an end; 27 of 28 have.",
            "against the baseline so far, over 7 seeds.",
            "What the plan can show: 7 seeds",
        ],
    );
    assert!(!said.contains("Better") && !said.contains("p = "), "{said}");
    let row = &result_rows(&html(&fixture.record))[BETTER];
    assert!(row.contains("so far — — — —") && !row.contains(".016"), "{row}");
}

#[test]
fn failed_runs_count_and_are_named() {
    let fixture = Fixture::scored(&SEVEN).failing(BETTER, 2);
    let summary = summarise(&fixture.record, "eval/gain");
    let cell = &summary.cells[BETTER];
    assert_eq!((cell.values.len(), cell.failed_in_values), (7, 3));
    assert_eq!(cell.values.iter().filter(|(_, gain)| *gain == 0.0).count(), 3);
    assert!(!matches!(cell.verdict(), Some(Verdict::Better)), "{:?}", cell.verdict());
    assert_ne!(summary.best, Some(BETTER));
    let said = section(&fixture.record, "answer");
    check_in(
        &said,
        &[
            "Failed runs: lambda_cycle=1 : 3 of 7 diverged or failed (43 %, Wilson 95 % interval 16 % to \
             75 %). In the figures above each of them counts as 0",
            "failed runs: 3 of 7, of the baseline 0 of 7.",
        ],
    );
    check_in(
        &result_rows(&html(&fixture.record))[BETTER],
        &["4/7 2 diverged, 1 failed", "(3 as 0)"],
    );

    // No value stands for a failed run's L1: nothing is decided of what is left.
    let mut by_l1 = fixture;
    (by_l1.record.plan.metric.name, by_l1.record.plan.metric.minimize) =
        ("eval/l1_ab".into(), true);
    let summary = summarise(&by_l1.record, "eval/l1_ab");
    assert_eq!(summary.cells[BETTER].values.len(), 4);
    check_in(
        &section(&by_l1.record, "answer"),
        &[
            "3 seeds are out because a failed run has no value in this metric",
            "was selected by surviving",
        ],
    );
}

#[test]
fn flags_are_counted_by_run_and_by_cell() {
    let fixture = Fixture::scored(&SEVEN).flagged(BETTER, 4);
    let summary = summarise(&fixture.record, "eval/gain");
    assert_eq!((summary.cells[BETTER].runs.flagged, summary.cells[EVEN].runs.flagged), (4, 0));
    assert_ne!(summary.best, Some(BETTER), "a cell whose runs mislead is not named best");
    check_in(
        &section(&fixture.record, "answer"),
        &[
            "No cell is shown to be better than the baseline lambda_cycle=10 on Gain",
            "but the numbers of the arm mislead: 0.6 such flags a run, against 0.0.",
            "Flagged as misleading: lambda_cycle=1 : 4 of 7 completed runs (collapse A→B in 4).",
        ],
    );
    let page = html(&fixture.record);
    check_in(&result_rows(&page)[BETTER], &["collapse A→B 4/7 blur B→A 7/7"]);
    check_in(&section(&fixture.record, "runs"), &["Vendi ratio 0.131, below 0.5"]);
    assert!(!html(&Fixture::scored(&SEVEN).record).contains("flagged runs"), "no empty column");
}

/// A loss of a cell whose numbers flatter it stands; against such a baseline nobody loses.
#[test]
fn only_a_win_by_misleading_runs_is_doubted() {
    let verdict = |fixture: Fixture, cell: usize| {
        summarise(&fixture.record, "eval/gain").cells[cell].verdict().expect("it is final").words()
    };
    let scored = || Fixture::scored(&SEVEN);
    assert_eq!(verdict(scored().flagged(WORSE, 7), WORSE), "worse");
    assert_eq!(verdict(scored().flagged(BASELINE, 7), WORSE), "undecided: misleading runs");
    assert_eq!(verdict(scored().flagged(BASELINE, 7).flagged(WORSE, 7), WORSE), "worse");
    assert_eq!(verdict(scored().flagged(BASELINE, 7), BETTER), "better");
    assert_eq!(verdict(scored().flagged(BETTER, 1), BETTER), "better", "one of seven");
    assert_eq!(
        verdict(scored().flagged(BETTER, 0), BETTER),
        "better",
        "blur alone misleads nobody"
    );
}

#[test]
fn what_a_cell_changes_beside_its_settings_is_said() {
    let mut fixture = Fixture::scored(&SEVEN);
    assert!(!section(&fixture.record, "results").contains("differs from the baseline also"));
    fixture.record.plan.cells[BETTER].also = vec!["optim.lr_d = 1e-4 ([[rules]] 1: slower)".into()];
    check_in(
        &section(&fixture.record, "results"),
        &[
            "lambda_cycle=1 : differs from the baseline also in optim.lr_d = 1e-4 ([[rules]] 1: slower)",
        ],
    );
}

#[test]
fn cells_below_doing_nothing_are_named() {
    let mut fixture = Fixture::scored(&SEVEN);
    assert!(!section(&fixture.record, "answer").contains("doing nothing"));
    for run in fixture.record.runs.iter_mut().filter(|run| run.cell == WORSE) {
        run.rows.iter_mut().filter(|row| row.name == "eval/gain").for_each(|row| row.value -= 1.0);
    }
    check_in(
        &section(&fixture.record, "answer"),
        &[
            "Worse than doing nothing: lambda_cycle=0 : −0.6",
            "Inputs handed back untouched have 0.0",
        ],
    );
}

#[test]
fn cells_that_equal_the_baseline_in_every_run_are_called_so() {
    let mut fixture = Fixture::scored(&[1, 2, 3]);
    for run in &mut fixture.record.runs {
        let value = 0.5 + run.seed as f64 / 10.0;
        run.rows.iter_mut().filter(|row| row.name == "eval/gain").for_each(|row| row.value = value);
    }
    check_in(
        &section(&fixture.record, "answer"),
        &["No run differs.", "Identical over 3 seeds; every run has the very value"],
    );
}

#[test]
fn anchors_stand_beneath_what_they_measure() {
    let mut fixture = Fixture::scored(&SEVEN);
    let said = section(&fixture.record, "results");
    check_in(
        &said,
        &[
            "identity anchor 0.0000",
            "oracle anchor 1.0000",
            "mean image anchor −1.5200",
            "mean image anchor 0.900 0.010 — 0.077",
            "Against an image that ignores its input: L1 A→B ↓ 0.0",
            "mean image 0.077 (",
            "images ±0.009",
            "Standard error over images: how far one run's value would move with other test images",
        ],
    );
    assert!(!said.contains("Anchors differ"));
    let odd = fixture.record.runs[3].rows.iter_mut().find(|row| row.name == "anchor/mean/l1_ab");
    odd.expect("every run records anchors").value *= 1.01;
    check_in(
        &section(&fixture.record, "results"),
        &["Anchors differ between runs of the same images.", "anchor/mean/l1_ab"],
    );
}

#[test]
fn absent_features_are_said_with_their_remedy() {
    let fixture = Fixture::scored(&SEVEN).without_features();
    check_in(
        &section(&fixture.record, "answer"),
        &[
            "Gain was never produced. The reason: the feature network's weights were not there. cyclelab data fetch \
           efficientnet-lite0 brings them",
        ],
    );
    let said = section(&fixture.record, "results");
    check_in(
        &said,
        &[
            "Not measured : Gain, KID Lite0 A→B, Vendi ratio A→B, Retrieval@1 A→B. Reason: the feature network's weights \
           were not there. cyclelab data fetch efficientnet-lite0",
        ],
    );
    check_in(&said, &["L1 A→B ↓ PSNR A→B ↑"]);
    let all = section(&Fixture::scored(&SEVEN).record, "results");
    assert!(!all.contains("Not measured"), "{all}");
}

#[test]
fn a_grid_is_taken_apart() {
    let fixture = Fixture::two_by_two(&SEVEN);
    let said = section(&fixture.record, "effects");
    check_in(
        &said,
        &[
            "Main effects and interactions on Gain ↑",
            "λ cycle × up-sampling",
            "residual (seeds within cells)",
            "1, 18 &lt; .001",
        ],
    );
    // The factors alone explain nearly everything, and their interaction something.
    let shares: Vec<f64> = ["λ cycle ", "up-sampling ", "λ cycle × up-sampling "]
        .iter()
        .map(|name| {
            let table = said.split("source share").nth(1).expect("the table is there");
            let after = table.split(name).nth(1).expect("a row each");
            after.split_whitespace().next().expect("a share").parse().expect("a number")
        })
        .collect();
    assert!(shares[0] > shares[1] && shares[1] > shares[2] && shares[2] > 0.01, "{shares:?}");

    let mut holed = Fixture::two_by_two(&SEVEN);
    holed.record.runs[5].rows.retain(|row| row.name != "eval/gain");
    check_in(
        &section(&holed.record, "effects"),
        &[
            "Not computed: the grid is not balanced, 1 run without a value (λ cycle = 1, up-sampling = nearest, seed 1).",
        ],
    );
    let mut other = Fixture::two_by_two(&SEVEN);
    other.record.plan.design = "one-at-a-time".into();
    check_in(
        &section(&other.record, "effects"),
        &["Not computed: the design is one-at-a-time, not a grid"],
    );
    assert!(!section(&Fixture::scored(&SEVEN).record, "effects").contains("Main effects"));
}

#[test]
fn curves_are_of_the_val_fold_and_tables_never() {
    let mut fixture = Fixture::scored(&SEVEN);
    check_in(
        &section(&fixture.record, "curves"),
        &["measured on the val fold while training went on"],
    );
    let before = result_rows(&html(&fixture.record));
    for run in &mut fixture.record.runs {
        run.rows.iter_mut().filter(|row| row.split == Split::Val).for_each(|row| row.value = 77.0);
    }
    assert_eq!(result_rows(&html(&fixture.record)), before);
    assert!(section(&fixture.record, "curves").contains("77.0"));
    let old = section(&Fixture::new(&[0, 1]).record, "curves");
    check_in(
        &old,
        &["L1 A→B", "there is no val fold, so these looks on the way are at the test fold"],
    );
}

#[test]
fn a_cycle_error_is_never_without_its_gap() {
    let said = section(&Fixture::scored(&SEVEN).record, "results");
    check_in(&said, &["Cycle L1 A ↓ Steganography gap A ↓", "A small cycle error is no merit"]);
}

#[test]
fn the_method_names_its_protocol() {
    let said = section(&Fixture::scored(&SEVEN).record, "method");
    check_in(
        &said,
        &[
            "ref 238 A, 238 B (the target domain that translations are compared with",
            "every cell but the baseline, 3 comparisons on the primary metric",
            "two-sample jackknife",
            "It counts as a gain of 0, no better than doing nothing,",
            "KID Lite0 A→B ( eval/kid_lite0_ab ), KID Lite0 B→A",
        ],
    );
    assert!(!said.contains("_se_") && !said.contains("no description"), "{said}");
}

fn lead(fixture: &Fixture) -> String {
    let page = html(&fixture.record);
    let lead = page.split("<p class=\"lead\">").nth(1).expect("a lead");
    text_of(lead.split("</p>").next().expect("it ends"))
}

#[test]
fn flags_are_told_once() {
    let mut fixture = Fixture::scored(&SEVEN);
    fixture.record.plan.metric.name = "eval/cycle_a".into();
    for run in &mut fixture.record.runs {
        let own = 0.01 * run.cell as f64 + 0.0001 * run.seed as f64;
        run.rows
            .iter_mut()
            .filter(|row| row.name == "eval/cycle_a")
            .for_each(|row| row.value += own);
    }
    let cells = fixture.record.plan.cells.len();
    fixture = fixture.flagged(cells - 1, 1);
    let some = "with runs flagged as misleading , see below";
    assert!(lead(&fixture).contains(some), "{}", lead(&fixture));
    for cell in 0..cells {
        fixture = fixture.flagged(cell, SEVEN.len());
    }
    assert_eq!(lead(&fixture).matches("flagged").count(), 1, "{}", lead(&fixture));
}

/// Nobody reads as far as the reservations who has found an answer.
#[test]
fn what_holds_of_the_whole_sweep_is_said_with_the_answer() {
    let mut fixture = Fixture::scored(&SEVEN);
    let cells = fixture.record.plan.cells.len();
    assert!(!lead(&fixture).contains("But"), "{}", lead(&fixture));
    for cell in 0..cells {
        fixture = fixture.flagged(cell, SEVEN.len());
    }
    let all = format!("But all {} completed runs are flagged as misleading.", cells * SEVEN.len());
    assert!(lead(&fixture).ends_with(&all), "{}", lead(&fixture));
    for row in fixture.record.runs.iter_mut().flat_map(|run| &mut run.rows) {
        if row.name == "eval/gain" {
            row.value -= 2.0;
        }
    }
    let both = "misleading, and no cell does better than handing the inputs back.";
    assert!(lead(&fixture).ends_with(both), "{}", lead(&fixture));
    fixture.record.runs[0].state = RunState::Running;
    assert!(!lead(&fixture).contains("But"), "before the end: {}", lead(&fixture));
}
