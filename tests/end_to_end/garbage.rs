//! What `gc` takes and what it leaves.

use std::fs;
use std::path::{Path, PathBuf};

use crate::lab::{Lab, files_below, run_folder, tiny};

fn swept() -> Lab {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(10));
    lab.succeed(&["sweep", "tiny.toml", "--no-report"]);
    lab
}

/// All files of the store but locks, which only looking may touch.
fn files(lab: &Lab) -> Vec<PathBuf> {
    let mut files = files_below(&lab.path("runs"), "");
    files.retain(|path| !path.ends_with(".lock"));
    files
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a new folder");
    for file in files_below(from, "") {
        fs::copy(&file, to.join(file.file_name().expect("a name"))).expect("readable");
    }
}

#[test]
fn leftovers_and_older_checkpoints_go_and_nothing_else() {
    let lab = swept();
    let said = lab.succeed(&["gc"]).stdout;
    assert_eq!(said, "nothing to delete\n");
    let sound = files(&lab);

    let run = run_folder(&lab, "tiny", 0);
    fs::write(run.join("metrics/.tmp-half"), vec![0; 2048]).expect("writable");
    let checkpoints = run.join("checkpoints");
    copy(&checkpoints.join("step-00000010"), &checkpoints.join("step-00000005"));
    let spoilt = files(&lab);

    let said = lab.succeed(&["gc", "--dry-run"]).stdout;
    for part in [
        "would delete 1 leftover of killed processes, 2.0 KiB:\n",
        "metrics/.tmp-half  2.0 KiB\n",
        "would delete 1 older checkpoint of finished runs, ",
        "checkpoints/step-00000005  ",
        "nothing was deleted\n",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(files(&lab), spoilt);

    let said = lab.succeed(&["gc"]).stdout;
    assert!(said.contains("deleted 1 older checkpoint") && said.contains("\nfreed "), "{said}");
    assert_eq!(files(&lab), sound);
    assert_eq!(lab.succeed(&["gc"]).stdout, "nothing to delete\n");
    lab.succeed(&["fsck"]);
}

#[test]
fn the_trash_goes_only_when_asked() {
    let lab = swept();
    lab.succeed(&["rm", "tiny/0"]);
    let trash = lab.path("runs/.trash");
    let there = || fs::read_dir(&trash).expect("the trash").count();
    for args in
        [&["gc"][..], &["gc", "--trash", "--older-than", "30d"], &["gc", "--trash", "--dry-run"]]
    {
        lab.succeed(args);
        assert_eq!(there(), 1, "{args:?}");
    }
    assert_eq!(lab.say(&["gc", "--older-than", "30d"]).code, Some(2), "without --trash");
    assert_eq!(lab.say(&["gc", "--trash", "--older-than", "soon"]).code, Some(2));
    let said = lab.succeed(&["gc", "--trash"]).stdout;
    assert!(said.contains("deleted 1 run in the trash, "), "{said}");
    assert_eq!(there(), 0);
    assert_eq!(lab.states("tiny"), ["planned", "completed", "completed", "completed"]);
}

#[test]
fn runs_that_no_plan_mentions_are_for_a_person_to_decide() {
    let lab = swept();
    let orphan = run_folder(&lab, "tiny", 3);
    lab.write("tiny.toml", &tiny(10).replace("seeds = [1, 2]", "seeds = [1]"));
    lab.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let said = lab.succeed(&["gc", "--trash"]).stdout;
    let name = orphan.file_name().expect("a name").to_string_lossy();
    let hint = said.lines().find(|line| line.contains(&*name)).expect("the orphan");
    assert!(hint.starts_with("  cyclelab rm ") && orphan.is_dir(), "{said}");

    let said = lab.succeed(&["fsck"]).stdout;
    assert!(said.contains(&format!("{name}: no plan mentions this run")), "{said}");
    let address = hint.split_whitespace().nth(2).expect("an address");
    lab.succeed(&["rm", address]);
    assert!(!orphan.exists());
    assert!(!lab.succeed(&["gc"]).stdout.contains(&*name));
}
