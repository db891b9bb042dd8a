//! Which axes of a random design matter, and where that is not said; and the figures of such a design.

use track::{RunState, SweepRecord};

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
    text_of(found.split("</section>").next().expect("the section ends"))
}

/// Of an axis: share in percent, divergence, chance.
fn row(said: &str, axis: &str) -> [f64; 3] {
    let table = said.split("as large by chance, p").nth(1).expect("a table");
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
            "Of 40 drawn cells the best 10 differ from all of them by more than luck in λ cycle.",
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
        &[
            "Not computed: 19 of 19 drawn cells are completed and with a value, and of fewer than 20 ",
        ],
    );
    // The baseline was not drawn, and a cell that is under way is no result.
    let mut fixture = Fixture::drawn(20, &[0, 1]);
    check_in(&importance(&fixture.record), &["Of 20 drawn cells the best 5 "]);
    let run = fixture.record.runs.iter_mut().find(|run| run.cell == 3).expect("a run");
    run.state = RunState::Running;
    check_in(&importance(&fixture.record), &["Not computed: 19 of 20 drawn cells are completed"]);
    let mut fixture = Fixture::drawn(21, &[0, 1]);
    fixture.record.runs[3].state = RunState::Running;
    check_in(&importance(&fixture.record), &["Of 20 drawn cells the best 5 ", "So far: runs are"]);
    fixture.record.plan.cells[5].arm = Some("without".into());
    check_in(&importance(&fixture.record), &["Not computed: 19 of 20 drawn cells"]);
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
