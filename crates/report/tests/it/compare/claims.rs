//! What is claimed of several sweeps: agreement, contradiction, means over data sets, orders.

use report::compare;
use serde_json::{Value, json};
use track::SweepRecord;

use super::{answer, check_answer, compared, data, on, set_gain};
use crate::fixture::Fixture;
use crate::fixture::scores::{BASELINE, BETTER, EVEN, WORSE};
use crate::scores::SEVEN;
use crate::text_of;

#[test]
fn sweeps_that_say_the_same_agree() {
    let both = [on("blueprint", &SEVEN), on("relief", &SEVEN)];
    check_answer(
        &both,
        &[
            "The sweeps agree on 2 of the 3 settings they share; for 1 setting none says anything.",
            "lambda_cycle=0 : worse in blueprint and relief (",
            "lambda_cycle=1 : better in blueprint and relief (",
            "lambda_cycle=50 : undecided in blueprint and relief (",
            "the 4 settings that all of them have stand in the same order in blueprint and relief . Kendall's τ is 1.00.",
        ],
    );
    let found = data(&both);
    let agreements: Vec<&Value> =
        found["settings"].as_array().expect("a list").iter().map(|it| &it["agreement"]).collect();
    assert_eq!(json!(agreements), json!(["agree", "agree", null, "silent"]));
    assert_eq!(found["reference"], BASELINE);
    assert_eq!(
        found["differing"],
        json!([
            { "leaf": "data.dataset", "values": ["blueprint", "relief"] },
        ])
    );
}

#[test]
fn opposite_verdicts_are_a_contradiction_and_silence_is_none() {
    let (blueprint, mut relief) = (on("blueprint", &SEVEN), on("relief", &SEVEN));
    for run in &mut relief.runs {
        run.cell = [BETTER, WORSE, BASELINE, EVEN][run.cell];
    }
    let both = [blueprint, relief];
    check_answer(
        &both,
        &[
            "The sweeps contradict each other on 2 of the 3 settings they share",
            "lambda_cycle=0 : the sweeps contradict each other: worse in blueprint , better in relief (",
            "the order of the settings differs in",
            "lambda_cycle=0 is above lambda_cycle=1 in relief , below it in blueprint",
            "no setting is shown to differ from the baseline",
        ],
    );
    assert!(!answer(&both).contains("agree on"), "{}", answer(&both));

    let [blueprint, mut relief] = both;
    set_gain(&mut relief, WORSE, &[0.4, 0.6, 0.45, 0.55, 0.52, 0.47, 0.58]);
    set_gain(&mut relief, BETTER, &[0.6, 0.4, 0.55, 0.45, 0.52, 0.47, 0.51]);
    check_answer(
        &[blueprint, relief],
        &[
            "Nothing is shown in more than one sweep , and nothing contradicts; for 2 settings some show",
            "lambda_cycle=0 : worse in blueprint , undecided in relief (",
        ],
    );
}

#[test]
fn nothing_is_judged_before_a_sweep_is_final() {
    let mut relief = Fixture::scored(&SEVEN).stopped(EVEN).record;
    relief.plan.name = "relief".into();
    relief.plan.dataset.fingerprint = "b3:relief".into();
    let both = [on("blueprint", &SEVEN), relief];
    check_answer(
        &both,
        &[
            "No agreement is told before every run has an end and a value. relief is still under way.",
            "lambda_cycle=1 : better in blueprint , none yet in relief (",
            "nothing is claimed before every run has an end",
        ],
    );
    let (page, said) = (compared(&both).html, answer(&both));
    assert!(page.contains("<strong>Partial.</strong> <em>relief</em>: 26 of 28 runs"), "{page}");
    assert!(!said.contains("agree on") && !said.contains("order of the settings"), "{said}");
    let cell = &data(&both)["settings"][BETTER]["cells"][1];
    assert!(cell["difference"]["mean"].is_f64() && cell["difference"]["p"].is_null(), "{cell}");
}

#[test]
fn the_mean_over_data_sets_is_the_interquartile_one() {
    let (mut blueprint, mut relief) = (on("blueprint", &SEVEN), on("relief", &SEVEN));
    let steps: Vec<f64> = (1..=7).map(|k| f64::from(k) / 10.0).collect();
    let above: Vec<f64> = steps.iter().map(|it| it + 1.0).collect();
    set_gain(&mut blueprint, BASELINE, &[0.0; 7]);
    set_gain(&mut blueprint, BETTER, &steps);
    set_gain(&mut relief, BASELINE, &[1.0; 7]);
    set_gain(&mut relief, BETTER, &above);
    let both = [blueprint, relief];
    let found = data(&both);
    let pooled = &found["across"][BETTER];
    let near = |value: &Value, expected: f64| {
        assert!((value.as_f64().expect("a mean") - expected).abs() < 1e-12, "{pooled}");
    };
    // Of 14 values 3 are cut from either end.
    near(&pooled["value"]["mean"], (0.4 + 0.5 + 0.6 + 0.7 + 1.1 + 1.2 + 1.3 + 1.4) / 8.0);
    near(&pooled["difference"]["mean"], (0.2 + 0.3 + 0.3 + 0.4 + 0.4 + 0.5 + 0.5 + 0.6) / 8.0);
    assert_eq!((&pooled["claim"], &pooled["value"]["data_sets"]), (&json!("better"), &json!(2)));
    assert!(found["no_across_because"].is_null());
    // All 14 pairs on one side, of 3 settings.
    near(&pooled["p"], 2.0 / 16384.0);
    near(&pooled["adjusted_p"], 6.0 / 16384.0);
    let reference = &found["across"][BASELINE];
    assert!(reference["p"].is_null() && reference["adjusted_p"].is_null(), "{reference}");
    check_answer(
        &both,
        &[
            "Over the 2 data sets together (interquartile mean",
            "lambda_cycle=1 is better: +0.400 [",
            ", adjusted p &lt; .001",
        ],
    );
}

/// One run against all others: the interquartile mean does not see it, the test does.
#[test]
fn the_interquartile_interval_alone_claims_nothing() {
    let (mut blueprint, mut relief) = (on("blueprint", &SEVEN), on("relief", &SEVEN));
    for record in [&mut blueprint, &mut relief] {
        set_gain(record, BASELINE, &[0.0; 7]);
    }
    set_gain(&mut blueprint, BETTER, &[0.1, 0.11, 0.09, 0.1, 0.11, 0.09, -0.6]);
    set_gain(&mut relief, BETTER, &[0.1, 0.11, 0.09, 0.1, 0.11, 0.09, 0.1]);
    let found = data(&[blueprint, relief]);
    let pooled = &found["across"][BETTER];
    let number = |value: &Value| value.as_f64().expect("a number");
    assert!(number(&pooled["difference"]["interval"][0]) > 0.0, "{pooled}");
    assert!(number(&pooled["adjusted_p"]) > 0.05, "{pooled}");
    assert_eq!(pooled["claim"], "undecided", "{pooled}");
}

/// Seeds of one data set have no more say than those of another because there are more of them.
#[test]
fn each_data_set_weighs_the_same_in_the_test() {
    let (mut blueprint, mut relief) = (on("blueprint", &SEVEN), on("relief", &[0]));
    set_gain(&mut blueprint, BASELINE, &[0.0; 7]);
    set_gain(&mut relief, BASELINE, &[0.0]);
    set_gain(&mut blueprint, BETTER, &[0.1; 7]);
    set_gain(&mut relief, BETTER, &[-0.2]);
    let found = data(&[blueprint, relief]);
    let pooled = &found["across"][BETTER];
    // Means of 0.1 and -0.2: no pattern has a sum nearer to 0. By runs there are seven against one.
    assert_eq!(pooled["p"], 1.0, "{pooled}");
    assert_eq!(pooled["claim"], "too few seeds to tell");
    assert!(pooled["difference"]["interval"].is_null(), "{pooled}");
}

#[test]
fn what_cannot_be_averaged_says_why() {
    let check = |records: &[SweepRecord], why: &str| {
        let found = data(records);
        assert_eq!(found["across"], json!([]), "{why}");
        let said = found["no_across_because"].as_str().unwrap_or_default();
        assert!(said.contains(why), "`{why}` not in `{said}`");
        assert!(answer(records).contains("Nothing is claimed over all data sets."));
    };
    let mut again = on("blueprint", &SEVEN);
    again.plan.name = "again".into();
    check(&[on("blueprint", &SEVEN), again], "Some sweeps have the same images");
    check(
        &[on("blueprint", &SEVEN), Fixture::across(&SEVEN).record],
        "across has several data sets by itself",
    );
    let judged_by_l1 = |images: &str| {
        let mut record = on(images, &SEVEN);
        record.plan.metric.name = "eval/l1_ab".into();
        record.plan.metric.minimize = true;
        record
    };
    check(
        &[judged_by_l1("blueprint"), judged_by_l1("relief")],
        "has no scale that data sets share",
    );
    let mut best = on("relief", &SEVEN);
    best.plan.metric.select = "best".into();
    check(&[on("blueprint", &SEVEN), best], "others the best on the validation fold");
    let mut validated = on("relief", &SEVEN);
    validated.runs.iter_mut().for_each(|run| run.config["eval"] = json!({ "fold": "val" }));
    check(&[on("blueprint", &SEVEN), validated], "some score another fold than others");

    let undeclared = [judged_by_l1("blueprint"), judged_by_l1("relief")];
    let found = compare(&undeclared, Some("eval/gain")).expect("both have it");
    let data_of: Value = serde_json::from_str(&found.data).expect("it is JSON");
    assert_eq!(data_of["across"][BETTER]["claim"], "not judged");
    let said = text_of(&found.html);
    let why =
        "together nothing is claimed: blueprint and relief were declared to be judged by another";
    assert!(said.contains(why), "`{why}` not in {said}");
    assert!(!said.contains("nothing is claimed before every run"), "{said}");

    let few = [on("blueprint", &[0, 1, 2, 3]), on("relief", &[0, 1, 2, 3])];
    assert_eq!(data(&few)["across"][WORSE]["claim"], "too few seeds to tell");
}

/// A run that two sweeps asked for was trained once.
#[test]
fn shared_runs_confirm_nothing() {
    let (blueprint, mut again) = (on("blueprint", &SEVEN), on("blueprint", &SEVEN));
    again.plan.name = "again".into();
    for run in again.runs.iter_mut().filter(|run| run.cell != WORSE || run.seed > 0) {
        run.key = format!("again{}", run.index);
    }
    let both = [blueprint, again];
    check_answer(
        &both,
        &[
            "The sweeps agree on 1 of the 3 settings they share",
            "for 1 setting the sweeps share runs, which confirm nothing.",
            "They share runs, which are one observation.",
        ],
    );
    assert_eq!(data(&both)["settings"][WORSE]["agreement"], "shared runs");
    check_answer(
        &both,
        &["No order of the settings is compared. blueprint and again share runs, which are in"],
    );

    let [blueprint, again] = both;
    let agreement = |sweeps: [&SweepRecord; 3]| {
        let found = data(&sweeps.map(SweepRecord::clone));
        (
            found["settings"][WORSE]["agreement"].clone(),
            found["settings"][BETTER]["agreement"].clone(),
        )
    };
    let relief = on("relief", &SEVEN);
    let shared = (json!("shared runs"), json!("agree"));
    assert_eq!(agreement([&blueprint, &again, &relief]), shared);
    assert_eq!(agreement([&relief, &blueprint, &again]), shared, "whatever comes first");
    check_answer(
        &[relief.clone(), blueprint.clone(), again.clone()],
        &["blueprint and again share runs, which are one observation."],
    );

    let mut mirrored = relief;
    for run in &mut mirrored.runs {
        run.cell = [BETTER, WORSE, BASELINE, EVEN][run.cell];
    }
    let contradict = json!("contradict each other");
    for sweeps in [[&mirrored, &blueprint, &again], [&blueprint, &again, &mirrored]] {
        assert_eq!(agreement(sweeps).0, contradict, "the third has runs of its own");
    }
}

/// The same runs are in the same order as themselves.
#[test]
fn the_order_is_that_of_sweeps_without_shared_runs() {
    let [blueprint, relief, maps] = ["blueprint", "relief", "maps"].map(|it| on(it, &SEVEN));
    let mut again = blueprint.clone();
    again.plan.name = "again".into();
    let said = answer(&[blueprint.clone(), again.clone(), relief.clone()]);
    assert!(!said.contains("same order in") && !said.contains("Kendall"), "{said}");
    check_answer(
        &[blueprint, again, relief, maps],
        &[
            "stand in the same order in relief and maps . Kendall's τ is 1.00.",
            "blueprint and again share runs, which are in the same order as themselves, and are left out of this.",
        ],
    );
}
