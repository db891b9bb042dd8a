//! The report comes after all that is in the queue, once, and also where nothing is left to send.

use super::{calls, cluster, submit};
use crate::lab::{Lab, tiny};

#[test]
fn it_waits_for_all_and_replaces_an_older_one() {
    let lab = Lab::new();
    cluster(&lab);
    lab.write("tiny.toml", &tiny(10));
    assert_eq!(submit(&lab, &[]).code, Some(0));
    let report = "2|2|N/A|PENDING|Dependency|N/A|\n";
    lab.write("queue", &format!("1|1|0,2|PENDING|Priority|N/A|\n{report}"));
    let rest = submit(&lab, &["--resume"]);
    assert_eq!(rest.code, Some(0), "{}", rest.stderr);
    assert!(rest.stdout.contains("job 3: runs 1,3"), "{}", rest.stdout);
    assert!(calls(&lab)[3].contains("--dependency=afterany:1:3 "), "{:?}", calls(&lab));
    let cancelled = || std::fs::read_to_string(lab.path("cancelled")).unwrap_or_default();
    assert_eq!(cancelled(), "2\n");
    assert!(rest.stderr.contains("job 2, the older report, is cancelled"), "{}", rest.stderr);

    // Nothing is missing now, and nothing is sent.
    let report = "4|4|N/A|PENDING|Dependency|N/A|\n";
    let arrays = "1|1|0,2|PENDING|Priority|N/A|\n3|3|1,3|PENDING|Priority|N/A|\n";
    lab.write("queue", &format!("{arrays}{report}"));
    let none = submit(&lab, &["--resume"]);
    assert_eq!(none.code, Some(0), "{}", none.stderr);
    assert!(none.stderr.contains("job 4 writes the report"), "{}", none.stderr);
    assert_eq!(calls(&lab).len(), 4);

    // Its job was cancelled: another waits for both.
    lab.write("queue", arrays);
    let again = submit(&lab, &["--resume"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert!(again.stdout.contains("job 5: the report"), "{}", again.stdout);
    assert!(calls(&lab)[4].contains("--dependency=afterany:1:3 "), "{:?}", calls(&lab));
    assert_eq!(cancelled(), "2\n");
}

#[test]
fn nothing_to_send_still_gives_a_plan_and_a_report() {
    let lab = Lab::new();
    cluster(&lab);
    lab.write("tiny.toml", &tiny(10));
    lab.succeed(&["sweep", "tiny.toml", "--no-report"]);
    // Fewer runs, and all of them are there.
    let toml = tiny(10).replace("seeds = [1, 2]", "seeds = [2]");
    lab.write("tiny.toml", &toml);
    let said = submit(&lab, &["--no-report"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("the plan is written"), "{}", said.stderr);
    assert_eq!(lab.states("tiny"), ["completed"; 2]);
    assert!(!lab.path("reports").exists());
    for executor in ["slurm", "hq"] {
        let said = submit(&lab, &["--executor", executor]);
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        assert!(said.stderr.contains("the report is written"), "{}", said.stderr);
        assert_eq!(said.stdout.trim(), "reports/tiny/index.html");
        std::fs::remove_dir_all(lab.path("reports")).expect("a report");
    }
    assert!(calls(&lab).is_empty());
}
