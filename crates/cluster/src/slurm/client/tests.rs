//! Against programs of the same names that say what they were given.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;

use super::*;
use crate::slurm::folders::write_program;

/// A folder with one stand-in, removed at the end.
struct Stand {
    folder: PathBuf,
    client: Client,
}

impl Stand {
    fn new(program: &str, script: &str) -> Stand {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cluster-client-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        write_program(&folder.join(program), &format!("#!/bin/bash\n{script}\n"));
        let env = [
            ("PATH", format!("{}:/usr/bin:/bin", folder.display())),
            ("SLURM_CONF", "/etc/here.conf".into()),
            ("SLURM_JOB_ID", "9".into()),
            ("SBATCH_PARTITION", "wrong".into()),
            ("SQUEUE_FORMAT", "%i".into()),
            ("CUDA_VISIBLE_DEVICES", "3".into()),
            ("LC_ALL", "POSIX".into()),
        ];
        let client = Client::new(env.map(|(key, value)| (key.into(), value.into())));
        Stand { folder, client }
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// `sbatch` as a script, and what its end is taken for.
fn reply(script: &str) -> (Reply, String) {
    let mut stand = Stand::new("sbatch", script);
    stand.client.limit = std::time::Duration::from_secs(1);
    let reply = stand.client.submit(Path::new("/a b/array.sbatch"), Some("afterany:3"));
    let said = match &reply {
        Reply::Taken(job) => job.to_string(),
        Reply::Refused(error) | Reply::Unknown(error) => error.to_string(),
    };
    (reply, said)
}

#[test]
fn a_job_s_number_is_read() {
    for answer in ["17", "17;cluster"] {
        assert!(matches!(reply(&format!("echo '{answer}'")).0, Reply::Taken(17)), "{answer}");
    }
}

#[test]
fn a_refusal_has_the_command_and_the_reason() {
    let script = "echo 'sbatch: error: invalid partition specified: connectome' >&2; exit 1";
    let (refused, said) = reply(script);
    assert!(matches!(refused, Reply::Refused(_)), "{said}");
    let expected = "`sbatch --parsable '--dependency=afterany:3' '/a b/array.sbatch'` failed";
    assert!(said.starts_with(expected), "{said}");
    assert!(said.ends_with("invalid partition specified: connectome"), "{said}");
}

/// The job may be in the queue all the same.
#[test]
fn what_is_no_answer_is_no_refusal() {
    let check = |script: &str, words: &str| {
        let (unknown, said) = reply(script);
        assert!(matches!(unknown, Reply::Unknown(_)), "{script}: {said}");
        assert!(said.contains(words), "{script}: {said}");
    };
    check("exec sleep 20", "said nothing for 4 s");
    check("kill -9 $$", "signal: 9");
    check("echo 'Submitted batch job 17'", "Submitted batch job 17");
    check("true", "no job's number");
    let timeout = "Batch job submission failed: Socket timed out on send/recv operation";
    check(&format!("echo 'sbatch: error: {timeout}' >&2; exit 1"), timeout);
    for lost in ["Header lengths are longer than data received", "Protocol authentication error"] {
        check(&format!("echo 'sbatch: error: {lost}' >&2; exit 1"), lost);
    }
    let away = "Unable to contact slurm controller (connect failure)";
    check(&format!("echo 'sbatch: error: {away}' >&2; exit 1"), away);
}

#[test]
fn a_script_is_checked_before_it_lies_anywhere() {
    let stand = Stand::new("sbatch", "[ \"$*\" = --test-only ] && grep -qx 'exec true'");
    stand.client.check("#!/bin/bash\nexec true\n").unwrap();
    assert!(stand.client.check("#!/bin/bash\n").is_err());
}

#[test]
fn the_environment_of_a_job_is_left_out() {
    let script = "echo \"$SLURM_CONF ${SLURM_JOB_ID-none} ${SBATCH_PARTITION-none} ${SQUEUE_FORMAT-none} ${CUDA_VISIBLE_DEVICES-none} $LC_ALL\" >&2; exit 1";
    let said = |program: &str| {
        let stand = Stand::new(program, script);
        let error = match program {
            "sbatch" => stand.client.check("").unwrap_err(),
            _ => stand.client.queue(&["a"]).unwrap_err(),
        };
        error.to_string()
    };
    assert!(said("squeue").ends_with("/etc/here.conf none none none none C"), "{}", said("squeue"));
    assert!(
        said("sbatch").ends_with("/etc/here.conf none none none none POSIX"),
        "{}",
        said("sbatch")
    );
}

#[test]
fn a_queue_is_asked_by_name() {
    let answer = "[ \"$*\" = '-h -a -t all --name=a.1,a.2 -o %j|%A|%F|%K|%T|%r|%S|%N' ] \
                  && echo 'a.2|5|5|0-3%2|PENDING|Priority|N/A|'";
    let found = Stand::new("squeue", answer).client.queue(&["a.1", "a.2"]).unwrap();
    assert!(found[0].is("a.2", 3) && !found[0].is("a.1", 3));
    let away = "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1";
    assert!(Stand::new("squeue", away).client.queue(&["a.1"]).is_err());
    // More names than one call takes.
    let names: Vec<String> = (0..2500).map(|n| format!("x{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let one_each = "echo 'a|5|5|0|PENDING|Priority|N/A|'";
    assert_eq!(Stand::new("squeue", one_each).client.queue(&names).unwrap().len(), 3);
    assert_eq!(Stand::new("squeue", "exit 1").client.queue(&[]).unwrap(), []);
}

#[test]
fn one_that_gives_way_is_known() {
    let check = |shown: &str, expected: Option<bool>| {
        let script = format!("[ \"$*\" = 'show job 12_3' ] && printf 'JobId=12 {shown}'");
        let found = Stand::new("scontrol", &script).client.is_preempted("12_3");
        assert_eq!(found.ok(), expected, "{shown}");
    };
    let told = "PreemptEligibleTime=2026-01-01T00:00:00 PreemptTime=2026-01-01T00:00:09";
    check(&format!("JobState=RUNNING Reason=None\\n{told}\\n"), Some(true));
    // Cancelled while it saved.
    check(&format!("JobState=COMPLETING Reason=None\\n{told}\\n"), Some(false));
    check(&format!("JobState=CANCELLED Reason=None\\n{told}\\n"), Some(false));
    let kept = "PreemptEligibleTime=2026-01-01T00:00:00 PreemptTime=None";
    check(&format!("JobState=RUNNING\\n{kept}\\n"), Some(false));
    check("JobState=RUNNING\\n", Some(false));
    check("\\n'; exit 1; echo '", None);
}

#[test]
fn accounting_that_is_off_is_asked_once() {
    let script =
        "echo x >> \"${0%/*}/asked\"; echo 'Slurm accounting storage is disabled' >&2; exit 1";
    let stand = Stand::new("sacct", script);
    for _ in 0..3 {
        assert!(matches!(stand.client.accounting(&[5]), Accounting::None(_)));
    }
    assert_eq!(fs::read_to_string(stand.folder.join("asked")).unwrap(), "x\n");
    let stand = Stand::new("sacct", "echo '5_1|TIMEOUT|0:0|n1|a'");
    let Accounting::Known(found) = stand.client.accounting(&[5]) else { panic!("known") };
    assert_eq!(found[0].words(), "TIMEOUT (0:0) on n1");
    let by_name = "[ \"$*\" = '-X -P -n -S now-3days --name a,b -o JobID,State,ExitCode,NodeList,JobName' ] \
                   && echo '5_1|FAILED|1:0|n1|a'";
    let stand = Stand::new("sacct", by_name);
    let Accounting::Known(found) = stand.client.accounting_by_name(&["a", "b"], 3) else {
        panic!("known")
    };
    assert!(found[0].is("a", 1));
}

#[test]
fn the_largest_array_is_asked_for() {
    let check = |config: &str, expected: Option<usize>| {
        let stand = Stand::new("scontrol", &format!("printf '{config}'"));
        assert_eq!(stand.client.max_array_size().ok(), expected, "{config}");
    };
    check("ClusterName = x\\nMaxArraySize            = 8\\n", Some(8));
    check("ClusterName = x\\n", Some(1001));
    check("MaxArraySize = many\\n", None);
}
