//! Disks that are full, and folders that cannot be written to.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::lab::{Said, available};
use crate::remains::{Remains, changed, snapshot};
use crate::victim::{Trial, Victim, start};

/// In a mount namespace of its own, which takes its mounts along when it ends.
const NAMESPACE: [&str; 5] = ["--user", "--map-root-user", "--mount", "sh", "-euc"];

fn namespaces_are_there() -> bool {
    let mut probe = Command::new("unshare");
    probe.args(NAMESPACE).arg("mount -t tmpfs tmpfs /mnt");
    available("unshare, allowed to mount,", probe)
}

/// The script, with the trial's command as its arguments.
fn in_namespace(trial: &Trial<'_>, script: &str) -> Command {
    let run = trial.command();
    let mut command = Command::new("unshare");
    command.args(NAMESPACE).args([script, "sh"]).arg(run.get_program()).args(run.get_args());
    command.current_dir(run.get_current_dir().expect("commands run in their lab"));
    command.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(std::process::Stdio::null());
    command
}

/// Starts the command where so many KiB are free, then once more with all the space it wants.
const FULL: &str = "
    mkdir full-$LEFT
    mount -t tmpfs -o size=4m tmpfs full-$LEFT
    cp -r runs/. full-$LEFT
    free=$(df --output=avail full-$LEFT | tail -n 1)
    dd if=/dev/zero of=full-$LEFT/ballast bs=1k count=$((free - LEFT)) status=none
    set +e
    \"$@\"
    echo $? > first-$LEFT
    rm full-$LEFT/ballast
    cp -r full-$LEFT starved-$LEFT
    \"$@\" 2> then-$LEFT
    echo $? > second-$LEFT
    cp -r full-$LEFT fed-$LEFT";

#[test]
fn a_full_disk_costs_nothing_that_was_saved() {
    if !namespaces_are_there() {
        return;
    }
    let victim = Victim::plan();
    let reference = victim.trial("reference", 1);
    reference.complete().expect("nothing disturbs it");
    let reference = Remains::of(&reference);
    // Not even the run's description; no checkpoint; one, and not two.
    let starved = |left: u32| {
        let trial = victim.trial_in(&format!("full-{left}"), 1);
        let mut command = in_namespace(&trial, FULL);
        command.env("LEFT", left.to_string());
        expect_patience_and_truth(&victim, &reference, left, &start(command).wait());
    };
    std::thread::scope(|scope| {
        [12, 150, 900].map(|left| scope.spawn(move || starved(left))).map(drop)
    });
}

fn expect_patience_and_truth(victim: &Victim, reference: &Remains, left: u32, said: &Said) {
    let read = |name: &str| {
        let path = victim.lab.path(&format!("{name}-{left}"));
        std::fs::read_to_string(path).expect("the script wrote it").trim().to_string()
    };
    let at = format!("{left} KiB free: {}", said.stderr);
    assert_eq!(read("first"), "74", "{at}");
    let told = ["No space left on device", " are free"].map(|it| said.stderr.contains(it));
    assert!(told.contains(&true), "{at}");
    assert!(said.stderr.contains(&format!("full-{left}/victim")), "the path: {at}");
    let starved = victim.trial_in(&format!("starved-{left}"), 1);
    let state = starved.state();
    let told = state["state"] == "failed" && state["class"] == "io";
    // The last word itself may have found no space.
    assert!(told || state["state"] == "lost" || state["state"] == "planned", "{state}: {at}");
    let newest = starved.checkpoints().last().copied();
    reference.expect_beginning(&starved.record(), newest.unwrap_or(0)).expect(&at);

    assert_eq!(read("second"), "0", "{left} KiB free: {}", read("then"));
    let fed = victim.trial_in(&format!("fed-{left}"), 1);
    let resumed = fed.events().into_iter().rfind(|it| it["event"] == "resumed");
    assert_eq!(resumed.and_then(|it| it["from_step"].as_u64()), newest, "what was saved is used");
    let difference = reference.difference(&Remains::of(&fed));
    assert!(difference.is_none(), "{difference:?}: {at}");
}

#[test]
fn what_cannot_be_written_is_said_before_training() {
    let victim = Victim::plan();
    let trial = victim.trial("closed", 1);
    let before = snapshot(&trial.sweep_dir());
    let refused = |said: Said, reason: &str| {
        assert_eq!(said.code, Some(74), "{}", said.stderr);
        assert!(said.stderr.contains(reason), "{}", said.stderr);
        assert!(said.stderr.contains("closed/victim/"), "the path: {}", said.stderr);
        assert!(!said.stderr.contains("from step"), "it trained: {}", said.stderr);
        assert_eq!(changed(&trial.sweep_dir(), &before), [""; 0]);
        assert_eq!(trial.state()["state"], "planned");
    };
    if namespaces_are_there() {
        let script = "mount --bind closed closed; mount -o remount,bind,ro closed; exec \"$@\"";
        let said = start(in_namespace(&trial, script)).wait();
        refused(said, "Read-only file system");
    }
    std::fs::set_permissions(trial.sweep_dir(), std::fs::Permissions::from_mode(0o555))
        .expect("our own folder");
    let said = start(as_nobody_in_particular(&trial)).wait();
    std::fs::set_permissions(trial.sweep_dir(), std::fs::Permissions::from_mode(0o755))
        .expect("our own folder");
    refused(said, "Permission denied");
}

/// No mode keeps root out, so root becomes somebody else, who can reach the program and the images.
fn as_nobody_in_particular(trial: &Trial<'_>) -> Command {
    let run = trial.command();
    let id = Command::new("id").arg("-u").output().expect("id is part of every system");
    if id.stdout != b"0\n" {
        return run;
    }
    let program = trial.lab.path("cyclelab");
    std::fs::copy(run.get_program(), &program).expect("a copy");
    let open = ["-R", "a+rwX", "cache", "."];
    let status = Command::new("chmod").args(&open[..3]).current_dir(trial.lab.path("")).status();
    assert!(status.expect("chmod is part of every system").success());
    std::fs::set_permissions(trial.lab.path(""), std::fs::Permissions::from_mode(0o755))
        .expect("our own folder");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(program);
    command.args(run.get_args()).current_dir(trial.lab.path(""));
    command.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}
