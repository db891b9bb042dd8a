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

#[test]
fn a_job_s_number_is_read() {
    let check = |answer: &str, expected: Option<u64>| {
        let stand = Stand::new("sbatch", &format!("echo '{answer}'"));
        let found = stand.client.submit(Path::new("/x"), None);
        assert_eq!(found.as_ref().ok(), expected.as_ref(), "{answer}: {found:?}");
    };
    check("17", Some(17));
    check("17;cluster", Some(17));
    check("Submitted batch job 17", None);
    check("", None);
}

#[test]
fn a_refusal_has_the_command_and_the_reason() {
    let stand =
        Stand::new("sbatch", "echo 'sbatch: error: invalid partition specified: gpo' >&2; exit 1");
    let error =
        stand.client.submit(Path::new("/a b/array.sbatch"), Some("afterany:3")).unwrap_err();
    let expected = "`sbatch --parsable '--dependency=afterany:3' '/a b/array.sbatch'` failed";
    let said = error.to_string();
    assert!(said.starts_with(expected), "{said}");
    assert!(said.ends_with("invalid partition specified: gpo"), "{said}");
}

#[test]
fn the_environment_of_a_job_is_left_out() {
    let script = "echo \"$SLURM_CONF ${SLURM_JOB_ID-none} ${SBATCH_PARTITION-none} ${SQUEUE_FORMAT-none} $LC_ALL\" >&2; exit 1";
    let said = |program: &str| {
        let stand = Stand::new(program, script);
        let error = match program {
            "sbatch" => stand.client.check(Path::new("/x")).unwrap_err(),
            _ => stand.client.queue(&[1]).unwrap_err(),
        };
        error.to_string()
    };
    assert!(said("squeue").ends_with("/etc/here.conf none none none C"), "{}", said("squeue"));
    assert!(said("sbatch").ends_with("/etc/here.conf none none none POSIX"), "{}", said("sbatch"));
}

#[test]
fn a_queue_that_has_forgotten_a_job_is_empty() {
    let script = "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1";
    assert_eq!(Stand::new("squeue", script).client.queue(&[5]).unwrap(), []);
    let other = "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1";
    assert!(Stand::new("squeue", other).client.queue(&[5]).is_err());
    let answer = "[ \"$*\" = '-h -j 5,6 -o %A|%F|%K|%T|%r|%S|%N' ] && echo '5|5|0-3%2|PENDING|Priority|N/A|'";
    let found = Stand::new("squeue", answer).client.queue(&[5, 6]).unwrap();
    assert!(found[0].is(5, 3));
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
    let stand = Stand::new("sacct", "echo '5_1|TIMEOUT|0:0|n1'");
    let Accounting::Known(found) = stand.client.accounting(&[5]) else { panic!("known") };
    assert_eq!(found[0].words(), "TIMEOUT (0:0) on n1");
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
