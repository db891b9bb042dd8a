//! Figures that have a row to themselves: the forest plot, the trade-off, the timeline, parallel
//! coordinates; and the failures by cause.

use std::collections::BTreeMap;
use std::fs;

use report::{Options, render};
use serde_json::json;
use track::{
    AttemptEnd, AttemptRecord, Event, FailureClass, Parameters, PlanEntry, RunDir, RunEvents,
    RunState, SweepRecord,
};

use crate::fixture::Fixture;
use crate::fixture::scores::{BETTER, EVEN, WORSE};
use crate::html;
use crate::scores::{SEVEN, check_in, section};

/// Of the figure with this id: its markup, and the words of its section.
fn figure(record: &SweepRecord, id: &str, of: &str) -> (String, String) {
    let page = html(record);
    let svg = page.split(&format!("aria-labelledby=\"{id}-t {id}-d\"")).nth(1).expect("a figure");
    let svg = svg.split("</svg>").next().expect("it ends").to_string();
    (svg, section(record, of))
}

#[test]
fn the_forest_has_every_cell_by_its_difference() {
    let fixture = Fixture::scored(&SEVEN);
    let (svg, said) = figure(&fixture.record, "forest-plot", "forest");
    assert!(svg.contains("<title") && svg.contains("<desc"), "it is read aloud");
    for (ink, points) in [(3, 3), (2, 4)] {
        let marks = svg.matches(&format!("<polygon class=\"trace s{ink} fill\"")).count();
        assert_eq!(marks, 1, "one mark of {points} points in colour {ink}: {svg}");
    }
    let seeds = svg.matches("<circle").count();
    assert_eq!(seeds, 3 * 7, "a dot a seed of every cell but the baseline");
    check_in(
        &said,
        &[
            "Better is to the right.",
            "lambda_cycle=1 7 +0.1231 +0.1147 +0.1315 better lambda_cycle=50 7 +0.0022 −0.0263 +0.0308 undecided \
             lambda_cycle=0 7 −0.1873 −0.1966 −0.1781 worse",
        ],
    );
    assert!(!said.contains("bar reaches past"), "{said}");
}

#[test]
fn the_forest_says_why_it_is_empty_and_what_is_still_open() {
    let mut fixture = Fixture::new(&[0, 1]);
    let said = section(&fixture.record, "forest");
    check_in(&said, &["So far: runs or their values are still to come", "none yet"]);
    fixture.record.plan.cells.iter_mut().for_each(|cell| cell.baseline = false);
    check_in(&section(&fixture.record, "forest"), &["The sweep declares no baseline"]);
    let mut fixture = Fixture::new(&[0]);
    fixture.record.runs.iter_mut().for_each(|run| run.rows.clear());
    check_in(&section(&fixture.record, "forest"), &["No cell has a value of a seed"]);
}

#[test]
fn of_many_cells_both_ends_are_drawn() {
    let fixture = Fixture::wide(70, &[0, 1]);
    let (svg, said) = figure(&fixture.record, "forest-plot", "forest");
    check_in(&said, &["60 of 69 cells are drawn, from both ends."]);
    assert_eq!(svg.matches("<circle").count(), 2 * 60);
    assert_eq!(
        said.matches(" lr=").count(),
        2 * 69 + 60 + 1,
        "words and data have all of them: {said}"
    );
}

#[test]
fn the_front_is_named_in_words() {
    let mut fixture = Fixture::scored(&SEVEN);
    for run in &mut fixture.record.runs {
        run.active_s = Some([300.0, 600.0, 420.0, 900.0][run.cell]);
    }
    let (svg, said) = figure(&fixture.record, "tradeoff-plot", "tradeoffs");
    check_in(
        &said,
        &[
            "from the cheapest: lambda_cycle=0 (0.3100 for 5.0 min); lambda_cycle=10 (0.4974 for 7.0 min); lambda_cycle=1 \
             (0.6205 for 10.0 min). Every other",
            "lambda_cycle=50 15.00 7 0.4996 0.4520 0.5472 no",
        ],
    );
    let front = svg.split("class=\"series s3\"").nth(1).and_then(|it| it.split("points=\"").nth(1));
    let front = front.and_then(|it| it.split('"').next()).expect("the front's line");
    assert_eq!(front.split_whitespace().count(), 3, "through the three of it: {front}");
    assert_eq!(
        svg.matches("<polyline fill=\"none\" class=\"trace").count(),
        4,
        "an interval a cell"
    );
    assert!(!said.contains("as the machine had time"), "{said}");
    // It overlaps a cheaper cell, but a third that costs no more is better for certain.
    assert!(!said.contains("do not settle"), "{said}");
    for run in fixture.record.runs.iter_mut().filter(|run| run.cell == 3) {
        run.active_s = Some(480.0);
    }
    let open = "The seeds do not settle whether lambda_cycle=50 is on the front: intervals of cells that cost no more overlap its own.";
    check_in(&section(&fixture.record, "tradeoffs"), &[open]);
    fixture.record.runs[0].active_s = Some(700.0);
    let of_machine = "took from 5.0 min to 11.7 min, as the machine had time for them";
    check_in(&section(&fixture.record, "tradeoffs"), &[of_machine]);
    fixture.record.runs.iter_mut().for_each(|run| run.device = Some(format!("cuda:{}", run.cell)));
    check_in(&section(&fixture.record, "tradeoffs"), &["Runs were on 4 devices"]);
    fixture.record.plan.metric.name = "eval/cycle_a".into();
    let said = section(&fixture.record, "tradeoffs");
    check_in(&said, &["no cell is a better bargain"]);
    assert!(!said.contains("Pareto"), "{said}");
    fixture.record.runs.iter_mut().for_each(|run| run.active_s = None);
    check_in(&section(&fixture.record, "tradeoffs"), &["No completed run has both"]);
}

#[test]
fn networks_of_different_sizes_have_a_front_of_their_own() {
    let mut fixture = Fixture::scored(&SEVEN);
    let sized = |fixture: &mut Fixture, millions: [u64; 4]| {
        for run in &mut fixture.record.runs {
            let generators = millions[run.cell] * 1_000_000;
            run.parameters = Some(Parameters { generators, discriminators: 1 });
        }
    };
    sized(&mut fixture, [8, 8, 8, 8]);
    assert!(!html(&fixture.record).contains("size-plot"), "there is nothing to trade");
    sized(&mut fixture, [8, 11, 8, 14]);
    let (_, said) = figure(&fixture.record, "size-plot", "tradeoffs");
    check_in(
        &said,
        &[
            "lambda_cycle=10 (0.4974 for 8.000 M parameters); lambda_cycle=1 (0.6205 for 11.000 M parameters). Every",
            "cell million parameters seeds mean",
        ],
    );
}

/// Events as runs write them, read back by the store.
fn with_events(fixture: &mut Fixture, index: usize, events: &[(i64, Event)]) {
    let folder = format!("events-{index}");
    let run = RunDir::new(fixture.dir.path().join(&folder));
    fs::create_dir_all(fixture.dir.path().join(&folder)).expect("the folder can be made");
    let mut log = RunEvents::open(&run.events()).expect("a new log");
    for (minute, event) in events {
        log.append_at(event, 1_772_359_200_000_000 + minute * 60_000_000).expect("it is written");
    }
    let record = &fixture.record.runs[index];
    let entry = PlanEntry {
        index,
        point_id: String::new(),
        key: record.key.clone(),
        cell: record.cell,
        seed: record.seed,
        label: String::new(),
        folder,
        config: json!({}),
        origins: BTreeMap::new(),
    };
    let read = track::read_run_status(fixture.dir.path(), &entry);
    assert!(!read.history.is_empty(), "the store reads its events");
    fixture.record.runs[index].history = read.history;
}

fn begins(attempt: u32, device: &str) -> Event {
    Event::Started {
        attempt,
        device: device.into(),
        pid: 7,
        host: "node (a, code b)".into(),
        code: "4be81c02".into(),
        argv: vec![],
    }
}

#[test]
fn the_timeline_has_attempts_and_idle_time() {
    let mut fixture = Fixture::scored(&[0]);
    let done = || Event::Completed { step: 9, active_s: 1.0 };
    let lost = || Event::Lost { reason: "killed by signal 9".into() };
    let resumed = Event::Resumed { attempt: 2, from_step: 4, checkpoint: "c".into() };
    with_events(&mut fixture, 0, &[(0, begins(1, "cuda:0")), (10, done())]);
    let again = [(12, begins(1, "cuda:0")), (15, lost()), (20, begins(2, "cuda:0")), (20, resumed)];
    with_events(&mut fixture, 1, &[&again[..], &[(30, done())]].concat());
    with_events(&mut fixture, 2, &[(0, begins(1, "cuda:1")), (30, done())]);
    with_events(&mut fixture, 3, &[(5, begins(1, "cuda:1")), (15, Event::Interrupted { step: 3 })]);
    let (svg, said) = figure(&fixture.record, "timeline-plot", "timeline");
    check_in(
        &said,
        &[
            "4 of 4 runs in 5 attempts on 2 devices; 1 run was begun more than once; 1 attempt ended without a result. \
             Between their first and last work the devices stood idle for 12 % of the time.",
            "minutes since 2026-03-01 10:00:00 UTC",
            "cuda:0 2 3 1 0.00 30.00 23.00 7.00 cuda:1 2 2 0 0.00 30.00 30.00 0.00",
        ],
    );
    let of =
        |words: &str| svg.lines().filter(|it| it.contains("<rect") && it.contains(words)).count();
    assert_eq!((of("trace s1 fill"), of("trace s6 fill")), (2, 1), "came to an end: {svg}");
    assert_eq!(
        (of("trace s1\""), of("trace s6\"")),
        (4, 1),
        "every attempt has its outline: {svg}"
    );
}

#[test]
fn a_timeline_of_nothing_says_so() {
    let mut fixture = Fixture::new(&[0]);
    check_in(&section(&fixture.record, "timeline"), &["No run has recorded when it began."]);
    // Of a damaged record: a time that is none.
    fixture.record.runs[0].history = vec![AttemptRecord {
        number: 1,
        device: "cpu".into(),
        host: "box".into(),
        from: "yesterday".into(),
        to: "2026-03-01T10:00:00Z".into(),
        end: AttemptEnd::Completed,
    }];
    check_in(&section(&fixture.record, "timeline"), &["No run has recorded when it began."]);
}

#[test]
fn failures_are_grouped_by_cause() {
    let mut fixture = Fixture::scored(&SEVEN).failing(BETTER, 2).stopped(EVEN);
    let worst = fixture.record.runs.iter_mut().filter(|run| run.cell == WORSE);
    for (at, run) in worst.enumerate().take(2) {
        let reason = format!("loss/gan_g_ab is NaN at step {at}1\nbacktrace");
        run.state = RunState::Diverged { reason };
    }
    fixture.record.runs[3].state =
        RunState::Failed { class: FailureClass::Config, reason: "\n  no such norm\n".into() };
    let said = section(&fixture.record, "runs");
    let said = said.split("What went wrong").next().and_then(|it| it.split("Failures").nth(1));
    let said = said.expect("the causes come before the runs").to_string();
    check_in(
        &said,
        &[
            "diverged loss/gan_g_ab is NaN at step 01 (and alike) 4 0 , 1 , 4 , 5 a result; it is not tried again",
            "config no such norm 1 3 correct the sweep file, then cyclelab sweep experiments/lambda.toml",
            "oom 64 GiB 1 9 free memory",
            "timed out 2 h are over 1 7 cyclelab sweep experiments/lambda.toml goes on from the last checkpoint",
        ],
    );
    assert!(!said.contains("backtrace"), "first lines alone");
    check_in(&section(&Fixture::scored(&[0]).record, "runs"), &["No run has failed or diverged."]);
}

#[test]
fn parallel_coordinates_from_three_axes_on() {
    let two = html(&Fixture::grid(&[0, 1]).record);
    assert!(!two.contains("parallel-plot") && !two.contains("All axes at once"));
    let fixture = Fixture::three_axes(&[0, 1]);
    let (svg, said) = figure(&fixture.record, "parallel-plot", "effects");
    let cells = fixture.record.plan.cells.len();
    let lines = svg.matches("opacity=\"0.8\" class=\"series").count();
    assert_eq!(lines, cells - 1, "a line a cell, the baseline's stronger: {svg}");
    for ink in [3, 1, 4, 2] {
        assert!(svg.contains(&format!("class=\"series s{ink}\"")), "a quarter in colour {ink}");
    }
    assert_eq!(svg.matches("class=\"lead\"").count(), 1, "the baseline's line");
    check_in(
        &said,
        &[
            "All axes at once best quarter second third worst quarter baseline A line a cell",
            "the thick dark line before all others is the baseline",
        ],
    );
    let mut without = Fixture::three_axes(&[0]);
    without.record.plan.cells.iter_mut().for_each(|cell| cell.baseline = false);
    let said = section(&without.record, "effects");
    assert!(!said.contains("baseline A line") && !said.contains("thick dark line"), "{said}");

    let mut empty = Fixture::three_axes(&[0]);
    empty.record.runs.iter_mut().for_each(|run| run.rows.retain(|row| row.name != "eval/l1_ab"));
    check_in(&section(&empty.record, "effects"), &["All axes at once No cell has a value yet."]);
    // An axis of one level is none.
    let mut flat = Fixture::three_axes(&[0]);
    for cell in &mut flat.record.plan.cells {
        cell.settings[2].1 = json!("lsgan");
    }
    assert!(!html(&flat.record).contains("parallel-plot"));
}

#[test]
fn settings_that_do_not_vary_have_no_column() {
    let mut fixture = Fixture::scored(&[0]);
    for (at, cell) in fixture.record.plan.cells.iter_mut().enumerate() {
        cell.settings.push(("train.steps".into(), json!(1200)));
        cell.settings.push(("optim.lr".into(), json!(at)));
    }
    let rendered = render(&fixture.record, &Options::default()).expect("it renders");
    let head = |name: &str| rendered.html.contains(&format!("data-sortable>{name}</th>"));
    assert!(head("optim.lr") && !head("train.steps"));
}
