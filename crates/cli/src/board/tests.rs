use std::path::PathBuf;

use cluster::Standing;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::json;
use track::{CellRecord, DatasetRecord, FailureClass, MetricRecord, MetricRow, PlanRecord, Split};

use super::*;

const STEPS: u64 = 400;

/// λ = 0 is done, λ = 10 in training at step 100, λ = 50 out of memory.
fn record() -> SweepRecord {
    let labels = ["lambda_cycle=0", "lambda_cycle=10", "lambda_cycle=50"];
    let cell = |label: &&str| CellRecord {
        label: label.to_string(),
        settings: Vec::new(),
        baseline: false,
        seeds: vec![1],
        note: None,
        arm: None,
        origin: None,
        inactive: Vec::new(),
        also: Vec::new(),
    };
    let plan = PlanRecord {
        name: "lambda".into(),
        question: "How much\u{1b}[31m cycle consistency?".into(),
        design: "grid".into(),
        command: String::new(),
        metric: MetricRecord {
            name: "eval/gain".into(),
            minimize: false,
            select: "last".into(),
            secondary: Vec::new(),
        },
        axes: Vec::new(),
        cells: labels.iter().map(cell).collect(),
        seeds: vec![1],
        dataset: dataset(),
        preset: "reference".into(),
        device: None,
        departures: Vec::new(),
        samples: Vec::new(),
    };
    let oom = RunState::Failed { class: FailureClass::Oom, reason: "2 GiB were missing".into() };
    let runs =
        vec![run(0, RunState::Completed, STEPS), run(1, RunState::Running, 100), run(2, oom, 0)];
    SweepRecord { dir: PathBuf::new(), plan, runs }
}

fn dataset() -> DatasetRecord {
    DatasetRecord {
        name: String::new(),
        title: String::new(),
        credit: String::new(),
        licence: String::new(),
        fingerprint: String::new(),
        counts: Vec::new(),
        skipped: 0,
        left_out: Vec::new(),
        paired: true,
    }
}

fn run(index: usize, state: RunState, steps: u64) -> RunRecord {
    let mut config = spec::RunConfig::reference();
    config.train.steps = Some(STEPS / 2);
    config.train.steps_decay = Some(STEPS / 2);
    let row = |step: u64, split, name: &str, value| MetricRow {
        step,
        epoch: step as f32 / 100.0,
        images: step,
        split,
        name: name.into(),
        value,
        count: 1,
        min: None,
        max: None,
        elapsed_s: step as f64 * 0.5,
        ts_us: step as i64,
        attempt: 1,
        seq: step,
    };
    let rows = (1..=steps / 50).flat_map(|at| {
        let step = at * 50;
        [
            row(step, Split::Train, "loss/cycle_a", 1.0 / at as f64),
            // By turns: no window alone has the mean.
            row(step, Split::Train, "perf/step_s", if at % 2 == 0 { 0.6 } else { 0.4 }),
            row(step, Split::Sys, "sys/cpu_percent", 87.0),
            row(step, Split::Sys, "sys/memory_gb", 3.5),
            row(step, Split::Val, "eval/gain", at as f64 / 10.0),
        ]
    });
    // The result, on another fold: no point of the curve.
    let result = (steps == STEPS).then(|| row(STEPS, Split::Eval, "eval/gain", 77.25));
    RunRecord {
        index,
        key: format!("{index:016}"),
        folder: PathBuf::new(),
        cell: index,
        seed: 1,
        config: json!(config),
        origins: Default::default(),
        program: None,
        provenance: Vec::new(),
        checkpoints: Vec::new(),
        dataset: None,
        state,
        attempts: 1,
        active_s: None,
        started_at: None,
        device: Some("cpu".into()),
        code: None,
        rows: rows.chain(result).collect(),
        samples: Vec::new(),
        damaged: Vec::new(),
        trouble: Vec::new(),
        flags: Vec::new(),
        absent: Default::default(),
        history: Vec::new(),
        parameters: None,
        timeline: Vec::new(),
        log_tail: vec![format!("words of run {index}")],
    }
}

fn drawn(board: &mut Board, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    terminal.draw(|frame| board.draw(frame, "")).expect("it is drawn");
    let buffer = terminal.backend().buffer();
    let line = |y: u16| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..height).map(|y| line(y) + "\n").collect()
}

fn expect(screen: &str, words: &[&str]) {
    for words in words {
        assert!(screen.contains(words), "`{words}` not in\n{screen}");
    }
}

#[test]
fn what_a_sweep_is_at_is_drawn() {
    let screen = drawn(&mut Board::new(record()), 140, 30);
    // 400 of 400, 100 of 400, and a failed run's 400 steps, which nobody will do: 75 %.
    expect(&screen, &["lambda  How much\\u001b[31m cycle", "2/3 runs", "1 running", "1 failed"]);
    // 300 steps of half a second by one run.
    expect(&screen, &["about 2 min 30 s left", "CPU 87 %, 3.5 GB"]);
    expect(&screen, &["lambda_cycle=0", "completed", "100 %", "77.25"]);
    assert_eq!(screen.matches("77.25").count(), 1, "{screen}");
    expect(&screen, &["running", "25 %", "500 ms", "failed"]);
    expect(
        &screen,
        &["lambda_cycle=10 seed 1 on cpu", "words of run 1", "eval/gain on val by step"],
    );
}

#[test]
fn keys_choose_a_run_and_a_metric_which_newer_numbers_leave() {
    let mut board = Board::new(record());
    for to in [Move::Down, Move::Down, Move::Down, Move::NextMetric] {
        board.go(to);
    }
    let screen = drawn(&mut board, 140, 30);
    expect(&screen, &["words of run 2", "2 GiB were missing", "loss/cycle_a by step"]);
    board.renew(record());
    assert_eq!(drawn(&mut board, 140, 30), screen);
    for to in [Move::LastMetric, Move::Up, Move::Up] {
        board.go(to);
    }
    expect(&drawn(&mut board, 140, 30), &["words of run 0", "eval/gain on val by step"]);
    board.go(Move::Home);
    expect(&drawn(&mut board, 140, 30), &["words of run 1"]);
}

#[test]
fn small_terminals_and_sweeps_without_a_number_are_drawn_too() {
    for (width, height) in [(80, 24), (40, 10), (20, 4), (1, 1)] {
        drawn(&mut Board::new(record()), width, height);
    }
    expect(&drawn(&mut Board::new(record()), 80, 24), &["eval/gain on val by step", "running"]);
    expect(&drawn(&mut Board::new(record()), 60, 20), &["lambda_cycle=10 ", "running"]);
    let mut empty = record();
    empty.runs.clear();
    let screen = drawn(&mut Board::new(empty), 140, 30);
    expect(&screen, &["0/0 runs", "No metric has been recorded at two steps yet."]);
}

/// The folder's word is the newer one where it says that the run works or has its result.
#[test]
fn what_a_cluster_says_is_drawn_where_it_says_more() {
    let mut board = Board::new(record());
    let requeued = Standing::Requeued { reason: "Begin\u{1b}[31mTime".into() };
    let words = [Standing::Unsent, Standing::Starting, requeued];
    let told = |words: [Standing; 3]| {
        let run = |(index, it)| (index, EngineRun::told(it, &format!("12_{index}")));
        words.into_iter().enumerate().map(run).collect()
    };
    board.hear(told(words));
    board.go(Move::Down);
    let screen = drawn(&mut board, 140, 30);
    expect(&screen, &["completed", "running", "requeued: Begin\\u001b[31mTime (12_2)"]);
    assert!(!screen.contains("unsent") && !screen.contains("starting"), "{screen}");
    board.hear(told([Standing::Ended, Standing::Stalled, Standing::Failed]));
    expect(&drawn(&mut board, 140, 30), &["completed", "stalled?"]);
}
