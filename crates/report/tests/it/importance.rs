//! Which axes of a random design matter, and where that is not said.

use report::{Options, render};
use serde_json::{Value, json};
use track::{AxisRecord, CellOrigin, RunState, SweepRecord};

use crate::fixture::Fixture;
use crate::scores::{check_in, section};
use crate::{html, text_of};

/// What is said of it, from its heading on.
fn importance(record: &SweepRecord) -> String {
    let page = html(record);
    let found = page
        .split("<h3 id=\"importance\">Importance of the axes for ")
        .nth(1)
        .expect("its heading");
    text_of(found.split("</section>").next().expect("the section ends")).replace("&#39;", "'")
}

/// What `data.json` has of it.
fn data(record: &SweepRecord) -> Value {
    let text = render(record, &Options::default()).expect("the fixture renders").data;
    let all: Value = serde_json::from_str(&text).expect("it is JSON");
    all["importance"].clone()
}

/// Of an axis: share in percent, divergence, chance.
fn row(said: &str, axis: &str) -> [f64; 3] {
    let table = said.split("p after Holm").nth(1).expect("a table");
    let numbers = table.split(axis).nth(1).expect("a row an axis").replace("&lt; ", "");
    let mut numbers = numbers.split(' ').filter(|it| *it != "%");
    std::array::from_fn(|_| numbers.next().and_then(|it| it.parse().ok()).expect("a number"))
}

#[test]
fn a_random_design_says_what_its_best_cells_share() {
    let fixture = Fixture::drawn(40, &[0, 1]);
    let said = importance(&fixture.record);
    check_in(
        &said,
        &[
            "L1 A→B ↓",
            "Of 40 drawn cells the best 10 differ from all of them by more than luck in λ cycle (p = .003 after Holm).",
            "This is to narrow the space, not to claim: ",
            "PED-ANOVA (Watanabe, Bansal, Hutter 2023)",
        ],
    );
    assert!(!said.contains("So far"), "{said}");
    let [lambda, blocks, loss] = ["λ cycle ", "blocks ", "loss "].map(|axis| row(&said, axis));
    assert!(lambda[0] > 50.0 && lambda[2] < 0.01, "{lambda:?}");
    assert!(blocks[0] < lambda[0] && loss[0] < lambda[0], "{blocks:?} {loss:?}");
    assert!(
        blocks[2] > 0.05 && loss[2] > 0.05,
        "what changes nothing is luck: {blocks:?} {loss:?}"
    );
    assert!((lambda[0] + blocks[0] + loss[0] - 100.0).abs() <= 1.5, "{said}");
    assert!(!html(&fixture.record).contains("Main effects and interactions"));
}

#[test]
fn luck_is_called_luck() {
    let mut fixture = Fixture::drawn(30, &[0]);
    // Of no axis, and without a pattern.
    for (at, run) in fixture.record.runs.iter_mut().enumerate() {
        let value = ((at * 7919 + 13) % 101) as f64;
        run.rows.iter_mut().filter(|it| it.name == "eval/l1_ab").for_each(|it| it.value = value);
    }
    let said = importance(&fixture.record);
    check_in(
        &said,
        &["Of 30 drawn cells the best 8 differ from all of them in no axis by more than luck:"],
    );
    let chances = ["λ cycle ", "blocks ", "loss "].map(|axis| row(&said, axis)[2]);
    assert!(chances.iter().all(|it| *it > 0.05), "{chances:?}");
}

#[test]
fn of_few_cells_nothing_is_said_but_how_many() {
    let fixture = Fixture::drawn(19, &[0]);
    check_in(
        &importance(&fixture.record),
        &["Not computed: 19 of 19 drawn cells are finished, and of fewer than 20 "],
    );
    // The baseline was not drawn, and a cell that is under way is no result.
    let mut fixture = Fixture::drawn(20, &[0, 1]);
    check_in(&importance(&fixture.record), &["Of 20 drawn cells the best 5 "]);
    let run = fixture.record.runs.iter_mut().find(|run| run.cell == 3).expect("a run");
    run.state = RunState::Running;
    check_in(&importance(&fixture.record), &["Not computed: 19 of 20 drawn cells are finished"]);
    let mut fixture = Fixture::drawn(21, &[0, 1]);
    fixture.record.runs[3].state = RunState::Running;
    check_in(&importance(&fixture.record), &["Of 20 drawn cells the best 5 ", "So far: runs are"]);
}

#[test]
fn what_follows_the_objective_is_low_and_not_good() {
    let mut fixture = Fixture::drawn(30, &[0]);
    fixture.record.plan.metric.name = "eval/cycle_a".into();
    let said = importance(&fixture.record);
    check_in(&said, &["Of 30 drawn cells the lowest 8 differ", "the lowest quarter lie"]);
    assert!(!said.contains("best"), "{said}");
}

#[test]
fn other_designs_keep_their_refusal() {
    for design in ["one-at-a-time", "leave-one-out", "points"] {
        let mut fixture = Fixture::drawn(30, &[0]);
        fixture.record.plan.design = design.into();
        let said = section(&fixture.record, "effects");
        check_in(&said, &[&format!("Not computed: the design is {design}, not a grid")]);
        assert!(!said.contains("Importance of the axes"), "{design}");
    }
    let grid = section(&Fixture::two_by_two(&[0, 1, 2]).record, "effects");
    check_in(&grid, &["Main effects and interactions", "share of the variation, η²"]);
    assert!(!grid.contains("Importance of the axes"));
    let mut one = Fixture::drawn(30, &[0]);
    one.record.plan.axes.truncate(1);
    assert!(!section(&one.record, "effects").contains("Importance of the axes"));
}

/// Sets the primary metric's last value of every run.
fn score(record: &mut SweepRecord, of: impl Fn(usize) -> f64) {
    for run in &mut record.runs {
        let value = of(run.cell);
        run.rows.iter_mut().filter(|it| it.name == "eval/l1_ab").for_each(|it| it.value = value);
    }
}

#[test]
fn an_idle_axis_of_many_levels_is_not_named() {
    let mut had_the_largest_share = 0;
    for shift in [0, 2, 9, 17] {
        let mut fixture = Fixture::drawn(24, &[0]);
        let record = &mut fixture.record;
        for (at, cell) in record.plan.cells.iter_mut().enumerate() {
            let level = (at * at * 7 + at * (3 + shift) + at * at * at % 11) % 8;
            cell.settings[2].1 = json!(format!("idle-{level}"));
        }
        let lambda = |cell: usize| record.plan.cells[cell].settings[0].1.as_f64().expect("λ");
        let values: Vec<f64> = (0..record.plan.cells.len())
            .map(|cell| {
                let off = (lambda(cell) / 10.0).log10().abs();
                off + 0.6 * ((cell * 7919 + shift * 131) % 101) as f64 / 101.0
            })
            .collect();
        score(record, |cell| values[cell]);
        let (said, data) = (importance(record), data(record));
        let axes = data["axes"].as_array().expect("axes");
        let names = ["λ cycle", "blocks", "loss"];
        let sentence = said.split("This is to narrow").next().expect("a sentence");
        for (axis, name) in axes.iter().zip(names) {
            let p = axis["adjusted_p"].as_f64().expect("a p");
            assert!(p >= axis["p"].as_f64().expect("a p"));
            assert_eq!(sentence.contains(&format!("{name} (p = ")), p <= 0.05, "{said}");
        }
        let share = |at: usize| axes[at]["share"].as_f64().expect("a share");
        let idle_p = axes[2]["adjusted_p"].as_f64().expect("a p");
        let leads = share(2) > share(0) && idle_p > 0.05;
        let speaks = axes[0]["adjusted_p"].as_f64() <= Some(0.05);
        had_the_largest_share += usize::from(leads && speaks);
    }
    assert!(had_the_largest_share > 0, "else the largest share would do");
}

#[test]
fn arms_and_points_were_not_drawn() {
    let mut fixture = Fixture::drawn(21, &[0]);
    fixture.record.plan.cells[5].origin = Some(CellOrigin::Arm);
    check_in(&importance(&fixture.record), &["Of 20 drawn cells the best 5 "]);
    fixture.record.plan.cells[6].origin = Some(CellOrigin::Point);
    check_in(&importance(&fixture.record), &["Not computed: 19 of 19 drawn cells"]);
}

#[test]
fn a_plan_without_origins_says_what_that_leaves_open() {
    let mut fixture = Fixture::drawn(21, &[0]);
    const OPEN: &str = "does not say which cells were drawn: points of the sweep file, if it has some, are among them";
    assert!(!importance(&fixture.record).contains(OPEN));
    fixture.record.plan.cells.iter_mut().for_each(|cell| cell.origin = None);
    fixture.record.plan.cells[5].arm = Some("without".into());
    check_in(&importance(&fixture.record), &["Of 20 drawn cells the best 5 ", OPEN]);
    assert_eq!(data(&fixture.record)["origin_known"], false);
}

#[test]
fn a_cell_with_a_diverged_run_is_behind_all_others() {
    let mut fixture = Fixture::drawn(20, &[0, 1, 2]);
    let record = &mut fixture.record;
    // Where blocks are many, the run that survives has by far the best value.
    let blocks = |record: &SweepRecord, cell: usize| {
        record.plan.cells[cell].settings[1].1.as_i64().expect("blocks")
    };
    let lost: Vec<usize> = (1..=20).filter(|&cell| blocks(record, cell) >= 8).collect();
    assert!((2..=10).contains(&lost.len()), "{lost:?}");
    for run in record.runs.iter_mut().filter(|run| lost.contains(&run.cell)) {
        let survives = run.cell != lost[0] && run.seed == 0;
        if !survives {
            run.state = RunState::Diverged { reason: "NaN".into() };
        }
    }
    score(record, |cell| if lost.contains(&cell) { 0.0 } else { 1.0 + cell as f64 });
    let said = importance(record);
    let words =
        format!("{} cells with a run that failed, or gave no finite value, are", lost.len());
    check_in(&said, &["Of 20 drawn cells the best 5 differ", &words]);
    let data = data(record);
    assert_eq!(
        (&data["among_cells"], &data["cells_without_value"]),
        (&json!(20), &json!(lost.len()))
    );
    // The five best are the first that lost nothing: had the survivors' cells been among them, blocks
    // would stand out.
    assert!(data["axes"][1]["p"].as_f64() > Some(0.05), "{data}");
    for run in record.runs.iter_mut().filter(|run| run.cell > 4) {
        run.state = RunState::Diverged { reason: "NaN".into() };
    }
    check_in(
        &importance(record),
        &["Not computed: of 20 drawn cells only ", "less than a quarter"],
    );
}

#[test]
fn a_conditional_axis_is_judged_where_it_varies() {
    let mut fixture = Fixture::drawn(60, &[0]);
    let record = &mut fixture.record;
    let values: Vec<Vec<Value>> = [0.5, 1.0, 2.0].map(|it| vec![json!(it)]).to_vec();
    record.plan.axes.push(AxisRecord {
        label: "slope".into(),
        keys: vec!["loss.slope".into()],
        values,
        scale: "category".into(),
        when: Some("loss.gan_mode == 'lsgan'".into()),
    });
    for (at, cell) in record.plan.cells.iter_mut().enumerate() {
        let holds = cell.settings[2].1 == json!("lsgan");
        let slope = if holds { [0.5, 1.0, 2.0][at % 3] } else { 1.0 };
        cell.settings.push(("loss.slope".into(), json!(slope)));
        if !holds {
            cell.inactive = vec![3];
        }
    }
    // The condition decides, the slope does nothing.
    let is_lsgan = |at: usize| record.plan.cells[at].settings[2].1 == json!("lsgan");
    let active = (1..=60).filter(|&at| is_lsgan(at)).count();
    let scores: Vec<f64> = (0..=60)
        .map(|at| ((at * 7919 + 13) % 101) as f64 + if is_lsgan(at) { 1000.0 } else { 0.0 })
        .collect();
    score(record, |cell| scores[cell]);
    let (said, found) = (importance(record), data(record));
    check_in(&said, &[&format!("slope ({active} cells where loss.gan_mode == 'lsgan') —")]);
    assert_eq!(found["axes"][3]["among_cells"], active);
    assert!(found["axes"][3]["share"].is_null() && found["axes"][3]["p"].as_f64() > Some(0.05));
    let shares =
        found["axes"].as_array().expect("axes").iter().filter_map(|it| it["share"].as_f64());
    assert!((shares.sum::<f64>() - 1.0).abs() < 1e-9);

    record.plan.cells.iter_mut().skip(20).for_each(|cell| cell.inactive = vec![3]);
    check_in(
        &importance(record),
        &["slope not computed: conditional, and varies in ", " finished cells, fewer than 20"],
    );
    record.plan.cells.iter_mut().for_each(|cell| cell.origin = None);
    check_in(
        &importance(record),
        &["slope not computed: conditional, and the plan does not say where"],
    );
}

#[test]
fn only_failed_runs_of_cells_that_count_are_counted() {
    let mut fixture = Fixture::drawn(21, &[0, 1]);
    let record = &mut fixture.record;
    record.plan.metric.name = "eval/gain".into();
    record.plan.metric.minimize = false;
    for run in &mut record.runs {
        let value = 0.2 + ((run.cell * 7919) % 101) as f64 / 500.0;
        let own: Vec<_> = run.rows.iter().filter(|it| it.name == "eval/l1_ab").cloned().collect();
        run.rows.extend(own.into_iter().map(|it| track::MetricRow {
            name: "eval/gain".into(),
            value,
            ..it
        }));
    }
    // Of the baseline, of a point, and of a drawn cell.
    record.plan.cells[2].origin = Some(CellOrigin::Point);
    for run in record.runs.iter_mut().filter(|run| run.cell <= 2 && run.seed == 0) {
        run.state = RunState::Diverged { reason: "NaN".into() };
    }
    assert_eq!(data(record)["failed_runs"], 1);
    check_in(&importance(record), &[" 1 failed run is in with what they count as."]);
}
