//! The part of the page that each run has: what it was asked, what came of it, and how it went.

mod links;

use serde_json::{Value, json};
use track::{
    CheckpointRecord, CodeVersion, Environment, FailureClass, Hardware, ProvenanceRecord,
    RunRecord, RunState, SweepRecord,
};

use crate::fixture::Fixture;
use crate::scores::check_in;
use crate::{html, text_of};

/// Where the page has a run, by its key.
fn anchor(index: usize) -> String {
    format!("run-{:08x}", 0x3af1_c000 + index)
}

/// What the page says of one run, as HTML.
fn part(page: &str, index: usize) -> &str {
    let id = format!("<details class=\"run\" id=\"{}\">", anchor(index));
    let found = page.split(&id).nth(1).unwrap_or_else(|| panic!("run {index} has no part"));
    found
        .split("<details class=\"run\"")
        .next()
        .and_then(|it| it.split("</section>").next())
        .expect("it ends")
}

fn said(record: &SweepRecord, index: usize) -> String {
    text_of(part(&html(record), index)).replace("&#39;", "'")
}

/// As a store of today has it: configurations, who set them, provenance, checkpoints, events and a log.
fn recorded(seeds: &[u64]) -> Fixture {
    let mut fixture = Fixture::new(seeds);
    let lambdas = [0.0, 1.0, 10.0, 50.0];
    for run in &mut fixture.record.runs {
        run.config = json!({
            "data": { "flip": true, "path": null },
            "loss": { "lambda_cycle": lambdas[run.cell], "gan_mode": "lsgan" },
            "optim": { "lr_g": 0.0005 },
        });
        let origins = [
            ("data.flip", "preset reference"),
            ("data.path", "[set]"),
            ("loss.gan_mode", "preset reference"),
            ("loss.lambda_cycle", "axis λ cycle"),
            ("optim.lr_g", if run.cell == 3 { "[[rules]] 1: λ is large" } else { "[set]" }),
        ];
        run.origins = origins.map(|(leaf, origin)| (leaf.into(), origin.into())).into();
        if run.state != RunState::Planned {
            begun(run);
        }
    }
    fixture
}

fn begun(run: &mut RunRecord) {
    let commit = Some("4be81c02d9a7e1f08c6d5b4a39281706f5e4d3c2".to_string());
    run.program = Some(CodeVersion { commit, dirty: true, version: "0.1.0".into() });
    run.provenance = vec![ProvenanceRecord {
        attempt: 1,
        hardware: Some(Hardware {
            host: "node-7".into(),
            os: "Linux 6.1".into(),
            cpu: "A processor".into(),
            cores: 8,
            memory_mib: Some(32_768),
            device: "cuda:0".into(),
        }),
        environment: Some(Environment {
            argv: vec!["cyclelab".into(), "run".into(), "--index".into(), run.index.to_string()],
            env: [("RAYON_NUM_THREADS".into(), "3".into()), ("TZ".into(), "UTC".into())].into(),
            versions: [("burn".into(), "0.22.1".into())].into(),
        }),
        changes: Some(1234),
    }];
    run.checkpoints = vec![
        CheckpointRecord { step: 600, bytes: None, files: 0, wrong: Some("no state.json".into()) },
        CheckpointRecord { step: 1200, bytes: Some(8_800_000), files: 11, wrong: None },
    ];
    run.timeline =
        vec![("2026-03-01T10:00:00.250000Z".into(), "attempt 1 begins on cuda:0".into())];
    run.log_tail = vec!["step 1190 of 1200".into(), "done".into()];
}

#[test]
fn what_a_run_was_asked_is_set_against_the_baseline() {
    let mut fixture = recorded(&[0, 1]);
    let page = html(&fixture.record);
    let other = text_of(part(&page, 5));
    check_in(
        &other,
        &[
            "1 leaf differs from the baseline ( run 6 , of the same seed).",
            "loss.lambda_cycle 1 ≠ 10 axis λ cycle All leaves: 5",
            "data.path none the same [set]",
        ],
    );
    let row = "<tr class=\"differs\"><th scope=\"row\">loss.lambda_cycle</th>";
    assert_eq!(part(&page, 5).matches(row).count(), 2, "what differs, and among all");
    // A leaf that somebody else set to the same value is told, and counts as no difference.
    check_in(
        &text_of(part(&page, 3)),
        &[
            "1 leaf differs",
            "optim.lr_g 0.0005 the same [[rules]] 1: λ is large (the baseline: [set]) All leaves",
        ],
    );
    check_in(&text_of(part(&page, 2)), &["This is the baseline. All leaves: 5"]);

    // A run of an earlier version has a leaf less, which is the baseline's; the plan is today's.
    fixture.record.runs[5].config["data"] = json!({ "flip": true });
    check_in(
        &said(&fixture.record, 5),
        &[
            "1 leaf differs from the baseline",
            "1 leaf is recorded in one of the two runs only, which is no difference",
            "data.path not recorded none [set] loss.lambda_cycle 1 ≠ 10",
        ],
    );
    fixture.record.runs[5].origins.clear();
    check_in(&said(&fixture.record, 5), &["Who set its leaves is not recorded."]);
    fixture.record.runs[5].config = Value::Null;
    check_in(&said(&fixture.record, 5), &["Its configuration is not recorded. Curves"]);
    fixture.record.plan.cells.iter_mut().for_each(|cell| cell.baseline = false);
    check_in(
        &said(&fixture.record, 1),
        &["1 leaf differs from the first cell ( run 0 , of the same seed)."],
    );
}

/// Its values are those of the run that the sentence names.
#[test]
fn a_run_is_set_against_the_baseline_of_its_seed() {
    let mut fixture = recorded(&[0, 1]);
    // Runs 2 and 6 are the baseline's.
    fixture.record.runs[6].config["optim"]["lr_g"] = json!(0.25);
    fixture.record.runs[6].origins.insert("optim.lr_g".into(), "preset slow".into());
    check_in(
        &said(&fixture.record, 5),
        &[
            "2 leaves differ from the baseline ( run 6 , of the same seed).",
            "optim.lr_g 0.0005 ≠ 0.25 [set] (the baseline: preset slow)",
        ],
    );
    check_in(&said(&fixture.record, 1), &["1 leaf differs from the baseline ( run 2 , of"]);
    check_in(&said(&fixture.record, 6), &["This is the baseline."]);
    fixture.record.runs[6].config = Value::Null;
    check_in(
        &said(&fixture.record, 5),
        &["1 leaf differs from the baseline ( run 2 , of seed 0: of this seed none is recorded)."],
    );
}

/// A level more gives runs another index, and no other address; runs of one key have one each.
#[test]
fn a_run_is_found_by_its_key() {
    let mut fixture = Fixture::new(&[0, 1]);
    let link = "<a href=\"#run-3af1c005\" aria-label=\"Run 5\">5</a>";
    check_in(&html(&fixture.record), &[link, "<details class=\"run\" id=\"run-3af1c005\">"]);
    fixture.record.runs[5].index = 9;
    check_in(&html(&fixture.record), &[&link.replace('5', "9").replace("c009", "c005")]);
    let keys = ["3af1c00155120000", "3af1c00155120001", "7\"> <b>", "7b", "7b"];
    for (run, key) in fixture.record.runs.iter_mut().zip(keys) {
        run.key = key.into();
    }
    let page = html(&fixture.record);
    for id in ["3af1c00155120000", "3af1c00155120001", "7b-2", "7b-3", "7b-4"] {
        check_in(&page, &[&format!("href=\"#run-{id}\""), &format!("id=\"run-{id}\"")]);
    }
}

#[test]
fn what_is_recorded_of_a_run_is_told_and_nothing_else() {
    let mut fixture = recorded(&[0, 1]);
    let told = said(&fixture.record, 5);
    check_in(
        &told,
        &[
            "1200 steps; 5.2 min of training; 1 attempt.",
            "Seed 1 in the sample grid",
            "2026-03-01T10:00:00 attempt 1 begins on cuda:0",
            "Last lines of the log of attempt 1: step 1190 of 1200 done",
            "600 not known cannot be used: no state.json 1200 8.8 MB 11 files, as listed",
            "for this page no weights were read",
            "program cyclelab 0.1.0, commit 4be81c02d9a7e1f08c6d5b4a39281706f5e4d3c2, with changes that are not in it",
            "host node-7 system Linux 6.1 processor A processor, 8 cores memory 32.0 GiB device cuda:0 threads 3 \
             built with burn 0.22.1 environment TZ=UTC command cyclelab run --index 5 typed in a repository with 1.2 kB of \
             changes to tracked files",
            "key 3af1c00555120000",
        ],
    );
    // Its folder is another sweep's.
    check_in(&told, &["trained for sweep ", ", which asked the same before"]);
    fixture.record.dir = fixture.dir.path().to_path_buf();
    let page = html(&fixture.record);
    assert!(!page.contains("trained for"));
    let curves = part(&page, 5).matches("<svg class=\"plot\"").count();
    assert_eq!(curves, 4, "the metric it is judged by, and its losses by kind");
    check_in(
        part(&page, 5),
        &["<title id=\"run-3af1c005-curve-0-t\">L1 A→B\u{a0}↓, run 5</title>"],
    );

    // Of the changes no more is kept than 1 MiB; and both files of an attempt may be damaged.
    let noted = &mut fixture.record.runs[5].provenance[0];
    noted.changes = Some(1 << 20);
    check_in(
        &said(&fixture.record, 5),
        &["a repository with 1 MiB or more of changes to tracked files"],
    );
    let noted = &mut fixture.record.runs[5].provenance[0];
    (noted.hardware, noted.environment, noted.changes) = (None, None, Some(0));
    let told = said(&fixture.record, 5);
    check_in(
        &told,
        &["a folder without changes to tracked files, or in no", "missing machine, environment"],
    );
    assert!(!told.contains("No attempt noted"), "{told}");

    // One to come has its configuration, and what it cannot have is not asked for.
    let to_come = text_of(part(&page, 7));
    check_in(&to_come, &["pending not begun It has not begun: its configuration is all there is."]);
    check_in(&to_come, &["loss.lambda_cycle 50 ≠ 10"]);
    assert!(!to_come.contains("Provenance") && !to_come.contains("Timeline"), "{to_come}");

    // One of an earlier store.
    let run = &mut fixture.record.runs[5];
    (run.program, run.dataset) = (None, None);
    run.provenance.clear();
    run.checkpoints.clear();
    run.timeline.clear();
    run.log_tail.clear();
    run.samples.clear();
    run.rows.clear();
    let told = said(&fixture.record, 5);
    check_in(
        &told,
        &[
            "no step recorded",
            "No metric was recorded more than once.",
            "It has saved no sample.",
            "No event is recorded.",
            "log is empty, or was not kept.",
            "Checkpoints There is none.",
            "No attempt noted where it was computed.",
            "code, last attempt 4be81c02d9a7e1f08c6d5b4a39281706f5e4d3c2 key",
        ],
    );
    assert!(!told.contains("host") && !told.contains("threads"), "{told}");
}

#[test]
fn what_went_wrong_comes_first_and_is_told_once() {
    let mut fixture = recorded(&[0, 1]);
    fixture.record.runs[6].state =
        RunState::Failed { class: FailureClass::Oom, reason: "64 GiB".into() };
    fixture.record.runs[6].log_tail = vec!["allocating 64 GiB".into()];
    fixture.record.runs[2].trouble = vec!["samples not recorded: disk full".into()];
    let page = html(&fixture.record);
    let order: Vec<&str> = page.split("class=\"run\" id=\"run-3af1c00").skip(1).collect();
    let order: Vec<&str> = order.iter().filter_map(|it| it.split('"').next()).collect();
    assert_eq!(order, ["2", "4", "6", "0", "1", "3", "5", "7"]);
    let (wrong, rest) = page.split_once("<h3>Run by run</h3>").expect("the others follow");
    let wrong = text_of(wrong.split("What went wrong, run by run").nth(1).expect("its heading"));
    check_in(
        &wrong,
        &[
            "Run 2: lambda_cycle=10, seed 0 completed , with gaps in its records",
            "Run 4: lambda_cycle=0, seed 1 diverged : loss/gan_g_ab is NaN at step 640",
            "Run 6: lambda_cycle=10, seed 1 failed : 64 GiB",
        ],
    );
    assert_eq!(page.matches("allocating 64 GiB").count(), 1);
    check_in(&text_of(rest), &["checkpoints and provenance: 5 other runs"]);
    assert!(!html(&Fixture::scored(&[0]).record).contains("What went wrong"));
}

const HOSTILE: &str = "\"'></script><script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}";

#[test]
fn every_text_of_a_run_is_inert() {
    let mut fixture = recorded(&[0]);
    for run in &mut fixture.record.runs {
        run.config = json!({ HOSTILE: HOSTILE, "loss": { "lambda_cycle": [HOSTILE, run.cell] } });
        run.origins =
            [(HOSTILE.into(), HOSTILE.into()), ("loss.lambda_cycle".into(), HOSTILE.into())].into();
        run.program = Some(CodeVersion {
            commit: Some(HOSTILE.into()),
            dirty: false,
            version: HOSTILE.into(),
        });
        run.dataset = Some(fixture.record.plan.dataset.clone());
        let data = run.dataset.as_mut().expect("it was just set");
        (data.name, data.fingerprint) = (HOSTILE.into(), HOSTILE.into());
        let noted = &mut run.provenance[0];
        let hardware = noted.hardware.as_mut().expect("it is noted");
        for text in [&mut hardware.host, &mut hardware.os, &mut hardware.cpu, &mut hardware.device]
        {
            *text = HOSTILE.into();
        }
        noted.environment = Some(Environment {
            argv: vec![HOSTILE.into()],
            env: [(HOSTILE.into(), HOSTILE.into())].into(),
            versions: [(HOSTILE.into(), HOSTILE.into())].into(),
        });
        run.checkpoints[0].wrong = Some(HOSTILE.into());
        run.timeline = vec![(HOSTILE.into(), HOSTILE.into())];
        run.log_tail = vec![HOSTILE.into()];
    }
    fixture.record.plan.cells[1].label = HOSTILE.into();
    let page = html(&fixture.record);
    for live in ["<script>alert", "<img src=x", "\"'>", "\u{202e}"] {
        assert!(!page.contains(live), "{live}");
    }
    let own = part(&page, 1).matches("&lt;script&gt;alert(1)").count();
    assert!(own > 12, "the text is there, as text: {own}");
}

/// Past 64 runs what all share is told once, and a run adds little.
#[test]
fn of_many_runs_each_part_holds_what_is_its_own() {
    let many = |seeds: u64| {
        let seeds: Vec<u64> = (0..seeds).collect();
        let mut fixture = Fixture::wide(10, &seeds);
        fixture.record.dir = fixture.dir.path().to_path_buf();
        for run in &mut fixture.record.runs {
            let leaves = (0..60).map(|at| (format!("leaf_{at}"), json!(at)));
            run.config = json!({ "all": leaves.collect::<serde_json::Map<_, _>>(), "optim": { "lr": run.cell } });
            run.origins = [("optim.lr".into(), "axis learning rate".into())].into();
            begun(run);
            run.log_tail = vec!["x".repeat(80); 20];
        }
        fixture
    };
    let few = many(6);
    assert_eq!(
        html(&few.record).matches("id=\"run-3af1c007-leaves\"").count(),
        1,
        "60 runs in full"
    );
    let [fewer, more] = [many(7), many(8)].map(|it| html(&it.record));
    let each = (more.len() - fewer.len()) / 10;
    assert!(each < 8_000, "{each} bytes a run make {} of 500", 500 * each);
    assert!(
        !more.contains("run-3af1c007-curve") && !more.contains("run-3af1c007-leaves"),
        "no curves, no leaf twice"
    );
    assert_eq!(more.matches(">all.leaf_7</th>").count(), 1);
    assert_eq!(more.matches("node-7").count(), 1);
    let told = text_of(part(&more, 17));
    check_in(
        &told,
        &[
            "optim.lr 7 ≠ 1 axis learning rate All others are as in the baseline .",
            "The rest is as in all runs . command cyclelab run --index 17 key",
        ],
    );
    check_in(
        &text_of(&more),
        &[
            "There are more than 64 runs",
            "cyclelab show rates RUN",
            "Provenance that all runs share: 11",
            "All leaves of the baseline: 61",
        ],
    );
}

/// Both are still to be done, and one of them has begun.
#[test]
fn an_interrupted_run_is_told_from_one_to_come() {
    let mut fixture = recorded(&[0, 1]);
    let (stopped, to_come) = (5, 7);
    fixture.record.runs[stopped].state = RunState::Interrupted;
    fixture.record.runs[stopped].rows.retain(|row| row.step <= 640);
    check_in(&said(&fixture.record, stopped), &["interrupted at step 640, resumes"]);
    check_in(&said(&fixture.record, to_come), &["pending not begun"]);
    let page = html(&fixture.record);
    let table =
        page.split("<section id=\"runs\">").nth(1).and_then(|it| it.split("</table>").next());
    let rows = text_of(table.expect("the table of runs"));
    check_in(&rows, &["pending not begun", "interrupted at step 640, resumes"]);
    check_in(&text_of(&page), &["1 interrupted 1 pending"]);
    // Before its first step, and a cell of which nothing else is there.
    fixture.record.runs[stopped].rows.clear();
    check_in(&said(&fixture.record, stopped), &["interrupted before its first step, resumes"]);
    let cell = fixture.record.runs[stopped].cell;
    fixture.record.runs.iter_mut().filter(|run| run.cell == cell).for_each(|run| {
        run.state = RunState::Interrupted;
    });
    fixture.record.runs.iter_mut().filter(|run| run.cell == 3).for_each(|run| {
        run.state = RunState::Planned;
        run.rows.clear();
    });
    let rows = crate::result_rows(&html(&fixture.record));
    assert!(rows[cell].contains("interrupted, resumes"), "{}", rows[cell]);
    assert!(rows[3].contains("pending, not begun"), "{}", rows[3]);
}
