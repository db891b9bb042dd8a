//! `[executor]` through `read` and `read_site`.

use std::time::Duration;

use super::*;
use crate::{Plan, Rejected, read};

const SWEEP: &str = "schema = 1\n[sweep]\nname = \"test\"\nquestion = \"?\"\nseeds = [1, 2, 3]\n\
    [set]\ndata.path = \"images\"\n[axes]\nmodel.ngf = [8, 96]\n[sweep.baseline]\nmodel.ngf = 8\n";

fn source(text: &str) -> SourceText {
    SourceText { name: "test.toml".to_string(), text: text.to_string() }
}

fn plan(executor: &str) -> Result<Plan, Rejected> {
    let text = format!("{SWEEP}{executor}");
    read(source(&text), &[], &mut |_| Err("no such file".to_string()))
}

/// All errors with their remedies, and the text that each points at.
fn refused<T>(read: Result<T, Rejected>) -> String {
    let Err(rejected) = read else { panic!("accepted") };
    let text = &rejected.sources[0].text;
    let shown = rejected.errors().map(|it| {
        format!(
            "{} at {} {}\n",
            it.message,
            &text[it.span.clone()],
            it.help.as_deref().unwrap_or("")
        )
    });
    shown.collect()
}

#[test]
fn the_sweep_file_s_word_counts_key_by_key() {
    let site = "[executor.slurm]\npartition = \"gpu\"\ntime = \"60\"\ngrace = \"5m\"\n\
        setup = [\"module load cuda\"]\nextra = [\"--exclude=n1\"]\n";
    let sweep = "[executor.slurm]\ntime = \"1-00:00:00\"\ncpus = 4\nextra = []\n";
    let site = read_site(source(site)).unwrap();
    let slurm = plan(sweep).unwrap().executor.over(site).slurm();
    let Resources { partition, time, cpus, extra, .. } = slurm.resources_of(0);
    assert_eq!(partition.as_deref(), Some("gpu"));
    assert_eq!(time.map(|it| it.seconds()), Some(86_400));
    assert_eq!((cpus, extra), (Some(4), Some(vec![])));
    assert_eq!(slurm.grace, Duration::from_secs(300));
    assert_eq!(slurm.setup, ["module load cuda"]);
}

#[test]
fn what_nobody_wrote_has_a_default() {
    let slurm = plan("").unwrap().executor.slurm();
    assert_eq!(slurm.resources_of(0), Resources::default());
    assert_eq!((slurm.signal, slurm.requeue), (StopSignal::Usr2, Requeue::Slurm));
    assert_eq!((slurm.max_requeues, slurm.runs_per_task), (20, 1));
    assert_eq!((slurm.grace, slurm.max_parallel), (Duration::from_secs(120), None));
}

#[test]
fn a_run_is_of_the_first_class_that_holds() {
    let classes = "[executor.slurm]\nmem = \"8G\"\ncpus = 2\n\
        [[executor.slurm.classes]]\nwhen = \"model.ngf > 64 and seed == 3\"\nmem = \"64G\"\n\
        [[executor.slurm.classes]]\nwhen = \"model.ngf > 64\"\nmem = \"32G\"\n";
    let plan = plan(classes).unwrap();
    let slurm = plan.executor.slurm();
    let class = |ngf: u32, seed: u64| {
        let is_it = |cell: &&crate::Cell| cell.config.model.ngf as u64 == u64::from(ngf);
        let cell = plan.cells.iter().find(is_it).unwrap();
        slurm.class_of(&cell.config, seed, &cell.label)
    };
    assert_eq!([class(8, 3), class(96, 1), class(96, 3)], [0, 2, 1]);
    let mem = |class: usize| slurm.resources_of(class).mem.unwrap();
    assert_eq!([mem(0), mem(1), mem(2)], ["8G", "64G", "32G"]);
    assert_eq!(slurm.resources_of(1).cpus, Some(2), "the others keep the table's");
}

#[test]
fn an_executor_is_no_part_of_a_run() {
    let keys = |executor: &str| {
        let plan = plan(executor).unwrap();
        let key = |cell: &crate::Cell| crate::point_id(&cell.config, 1, "f", &[]);
        plan.cells.iter().map(|cell| key(cell).as_str().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(keys(""), keys("[executor.slurm]\ncpus = 64\n[executor.hq]\ncpus = 2\n"));
}

#[test]
fn time_limits_are_slurm_s() {
    let check = |text: &str, seconds: Option<u64>| {
        assert_eq!(TimeLimit::parse(text).map(|it| it.seconds()), seconds, "{text}");
    };
    check("90", Some(5400));
    check("90:30", Some(5430));
    check("08:00:00", Some(28_800));
    check("1-0", Some(86_400));
    check("1-2:30", Some(95_400));
    check("1-00:00:01", Some(86_401));
    check("0", None);
    check("", None);
    check("1-", None);
    check("-5", None);
    check("1:2:3:4", None);
    check("+5", None);
    check("2h", None);
    check("999999999", None);
}

#[test]
fn mistakes_are_named_where_they_stand() {
    let check = |line: &str, expected: &[&str]| {
        let shown = refused(plan(&format!("[executor.slurm]\n{line}\n")));
        for piece in expected {
            assert!(shown.contains(piece), "{line}\n{shown}lacks {piece}");
        }
    };
    check("partion = \"gpu\"", &["unknown key `partion` in [executor.slurm]", "`partition`"]);
    check("time = \"8 hours\"", &["at \"8 hours\"", "08:00:00"]);
    check("time = 90", &["`time` in [executor.slurm]"]);
    check("mem = \"32 GB\"", &["\"32G\""]);
    check("cpus = 0", &["from 1 to"]);
    check("partition = \" \"", &["`partition` is empty"]);
    check("gres = \"a\\nb\"", &["one line"]);
    check("signal = \"USR3\"", &["unknown signal", "`USR1`"]);
    check("requeue = \"always\"", &["unknown requeue", "`never`, `slurm` or `self`"]);
    check("grace = \"2d\"", &["at most \"65535s\""]);
    check("setup = \"module load\"", &["an array of strings"]);
    check("setup = [\"a\\nb\"]", &["is not one line", "one string a line"]);
    check("extra = [\"exclude=n1\"]", &["is no option of sbatch", "at \"exclude=n1\""]);
    for own in [
        "--array=0-3",
        "--arr=0-3",
        "-a0-3",
        "-o",
        "--output=x",
        "--wrap=ls",
        "--no-req",
        "-Jx",
        "--job-name=x",
        "--clusters=b",
        "-M",
        "--cluster=b",
    ] {
        check(&format!("extra = [{own:?}]"), &["is set by submit"]);
    }
    check("nodes = 2", &["one process on one node"]);
    let class = "[[executor.slurm.classes]]\n";
    check(&format!("{class}cpus = 1"), &["needs `when`"]);
    check(&format!("{class}when = \"model.ngf > x\""), &["at x "]);
    check(&format!("{class}when = \"seed > 1\"\ngrace = \"1m\""), &["the same for all classes"]);
    let shown = refused(plan("[executor.hq]\ncrash_limit = \"never\"\n[executor.pbs]\n"));
    assert!(shown.contains("\"unlimited\"") && shown.contains("unknown key `pbs`"), "{shown}");
}

#[test]
fn options_that_only_look_like_ours_are_taken() {
    let options = "[\"--exclude=n1\", \"-x n1\", \"--error=e\", \"--wait-all-nodes=1\"]";
    let slurm = plan(&format!("[executor.slurm]\nextra = {options}\n")).unwrap().executor.slurm();
    assert_eq!(slurm.resources.extra.unwrap().len(), 4);
}

#[test]
fn a_site_s_file_has_nothing_else() {
    let shown = refused(read_site(source("[set]\ntrain.steps = 3\n[executer]\n")));
    assert!(shown.contains("[executor] alone"), "{shown}");
    assert!(shown.contains("did you mean `executor`?"), "{shown}");
    assert!(refused(read_site(source("[executor"))).contains("not TOML"));
    assert!(read_site(source("")).is_ok());
}
