//! One cluster, for one test.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::lab::{Lab, Said, available};
use crate::victim::{signal, start};

pub(super) struct Cluster {
    /// Not in the lab, whose name may be anything.
    folder: tempfile::TempDir,
    /// Where the jobs leave their logs.
    lab: PathBuf,
    /// Ends the cluster once its input is closed, also when this process is killed.
    holder: Child,
    deadline: Instant,
}

/// One task of an array, or a job that is none.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) state: String,
    pub(super) node: String,
}

impl Task {
    pub(super) fn is_over(&self) -> bool {
        let over = ["COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED"];
        over.contains(&self.state.as_str())
    }
}

pub(super) fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/slurm/cluster.sh")
}

impl Cluster {
    /// `None`, said aloud, where no Slurm can be started. `limit`: of the whole test.
    pub(super) fn start(lab: &Lab, limit: Duration, settings: &[(&str, &str)]) -> Option<Cluster> {
        let mut probe = Command::new(script());
        probe.arg("check").env("LAB", lab.path("."));
        if !available("Slurm (munge, slurmctld, slurmd, and root to start them)", probe) {
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let complaints = File::create(folder.path().join("hold.log")).expect("a writable folder");
        let mut hold = Command::new(script());
        hold.arg("hold").env("LAB", folder.path()).envs(settings.iter().copied());
        hold.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(complaints);
        // A group of its own: what ends the tests lets it tidy up.
        let mut holder = hold.process_group(0).spawn().expect("bash is there");
        let output = holder.stdout.take().expect("a pipe");
        let mut cluster =
            Cluster { folder, lab: lab.path("."), holder, deadline: Instant::now() + limit };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).expect("text");
        assert!(line.starts_with("slurm is up"), "{line}");
        cluster.deadline = Instant::now() + limit;
        Some(cluster)
    }

    pub(super) fn conf(&self) -> PathBuf {
        self.folder.path().join("slurm.conf")
    }

    /// A command of the program, as a user of this cluster types it.
    pub(super) fn run(&self, mut command: Command) -> Said {
        // Of a cluster on which these tests run themselves.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["SLURM_", "SBATCH_", "SQUEUE_"].iter().any(|it| text.starts_with(it)) {
                command.env_remove(&name);
            }
        }
        command.env("SLURM_CONF", self.conf());
        start(command).wait()
    }

    /// One of Slurm's own programs, which succeeds.
    pub(super) fn tell(&self, words: &[&str]) -> String {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env("LC_ALL", "C").stdin(Stdio::null());
        let said = self.run(command);
        assert_eq!(said.code, Some(0), "{words:?}: {}", said.stderr);
        said.stdout.trim().to_string()
    }

    /// Also of jobs that are over. By Slurm's name for a task: `17_3`, or `17`.
    pub(super) fn tasks(&self, jobs: &[String]) -> BTreeMap<String, Task> {
        let jobs = jobs.join(",");
        let lines = self.tell(&["squeue", "-h", "-r", "-t", "all", "-j", &jobs, "-o", "%i|%T|%N"]);
        let task = |line: &str| {
            let cells: Vec<&str> = line.split('|').collect();
            let [id, state, node] = cells[..] else { panic!("squeue: {line}") };
            (id.to_string(), Task { state: state.to_string(), node: node.to_string() })
        };
        lines.lines().map(task).collect()
    }

    pub(super) fn task(&self, id: &str) -> Task {
        let mut tasks = self.tasks(&[id.to_string()]);
        tasks.remove(id).unwrap_or_else(|| panic!("squeue knows no {id}: {tasks:?}"))
    }

    /// All that is in the queue, whoever sent it.
    pub(super) fn queue(&self) -> Vec<String> {
        let lines = self.tell(&["squeue", "-h", "-r", "-o", "%i"]);
        lines.lines().map(str::to_string).collect()
    }

    /// Of a field that `scontrol show job` prints, as in `Restarts=1`.
    pub(super) fn field(&self, job: &str, name: &str) -> String {
        let shown = self.tell(&["scontrol", "show", "job", job]);
        let fields = shown.split_whitespace().filter_map(|it| it.split_once('='));
        let mut values = fields.filter(|(field, _)| *field == name);
        values.next().unwrap_or_else(|| panic!("no {name}: {shown}")).1.to_string()
    }

    pub(super) fn until_over(&self, jobs: &[String]) -> BTreeMap<String, Task> {
        let mut tasks = BTreeMap::new();
        self.until("the jobs end", || {
            tasks = self.tasks(jobs);
            !tasks.is_empty() && tasks.values().all(Task::is_over)
        });
        tasks
    }

    /// What takes longer than the test may take fails, and shows what Slurm and the jobs said.
    pub(super) fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        while !is_so() {
            assert!(Instant::now() < self.deadline, "the test's time is over, and not yet: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The daemon of a node is gone at once, and so is whoever watches these trainers, which stand
    /// still: they are there yet, and nobody can reach them.
    pub(super) fn lose_node(&self, node: &str, trainers: &[u32]) {
        let file = self.folder.path().join(format!("slurmd.{node}.pid"));
        let daemon = std::fs::read_to_string(file).expect("the daemon's number");
        signal(daemon.trim().parse().expect("a number"), "KILL");
        for trainer in trainers {
            self.unwatch(*trainer);
            signal(*trainer, "STOP");
        }
    }

    /// Slurm's process that watches a trainer dies. Were the trainer stopped at that moment, the
    /// kernel would hang up on it.
    pub(super) fn unwatch(&self, trainer: u32) {
        let watcher = parent(trainer);
        signal(trainer, "CONT");
        signal(watcher, "KILL");
        // Its first thread may be dead while another is the parent yet.
        self.until("the watcher dies", || is_gone(watcher) && parent(trainer) != watcher);
    }

    fn print_logs(&self) {
        let mut tail = Command::new("find");
        tail.arg(self.folder.path()).arg(&self.lab);
        tail.args(["-name", "*.log", "-size", "+0", "-exec", "tail", "-v", "-n", "25", "{}", "+"]);
        let mut queue = Command::new("squeue");
        queue.args(["-r", "-t", "all"]).env("SLURM_CONF", self.conf());
        for command in [&mut tail, &mut queue] {
            match command.stdin(Stdio::null()).output() {
                Ok(output) => eprintln!("{}", String::from_utf8_lossy(&output.stdout)),
                Err(error) => eprintln!("{command:?}: {error}"),
            }
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.print_logs();
        }
        drop(self.holder.stdin.take());
        if let Err(error) = self.holder.wait() {
            eprintln!("the cluster may be left over: {error}");
        }
    }
}

/// Of a batch job that replaced its shell: the process by which Slurm watches it.
fn parent(pid: u32) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:")).expect("a parent");
    line.trim().parse().expect("a number")
}

/// Gone, or dead and not yet collected by whoever inherited it.
pub(super) fn is_gone(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
}
