//! Scripts as they are, and what bash and `sbatch` make of them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use spec::{SourceText, read_site};

use super::*;
use crate::slurm::arrays::lay_out;
use crate::slurm::folders::{FOLDERS, random, write_program};

fn slurm(table: &str) -> Slurm {
    let text = format!("[executor.slurm]\n{table}");
    read_site(SourceText { name: "site.toml".into(), text }).unwrap().slurm()
}

fn command(program: &str, sweep_dir: &str) -> RunCommand {
    let arguments = vec!["--cache".into(), "/cache".into()];
    let plan = "3f9c".to_string();
    RunCommand { program: program.into(), sweep_dir: sweep_dir.into(), plan, arguments }
}

fn script(slurm: &Slurm, runs: usize, folder: &str, command: &RunCommand) -> String {
    let runs: Vec<(usize, usize)> = (0..runs).map(|index| (index, 0)).collect();
    let plans = lay_out(&runs, slurm.runs_per_task, 1001, slurm.max_parallel);
    let job_name = "lambda";
    ArrayScript { job_name, folder, slurm, plan: &plans[0], command }.text().unwrap()
}

const GOLDEN: &str = r##"#!/bin/bash
#SBATCH --job-name=lambda
#SBATCH --array=0-5%3
#SBATCH --output="/data/my runs/lambda/.exec/1/slurm_%A_%a.log"
# Else a task that is requeued empties its log.
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR2@120
#SBATCH --partition=gpu
#SBATCH --time=08:00:00
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --constraint="a100|h100"
#SBATCH --exclude=badnode3
set -eu
export RAYON_NUM_THREADS=8
set +u
module load cuda/12.4
set -u
exec /opt/cyclelab run --sweep-dir '/data/my runs/lambda' --plan 3f9c --cache /cache --requeue slurm --index $((SLURM_ARRAY_TASK_ID + 0))
"##;

#[test]
fn an_array_s_script() {
    let table = "partition = \"gpu\"\ntime = \"08:00:00\"\ngres = \"gpu:1\"\ncpus = 8\nmem = \"32G\"\n\
        constraint = \"a100|h100\"\nmax_parallel = 3\nsetup = [\"module load cuda/12.4\"]\n\
        extra = [\"--exclude=badnode3\"]\n";
    let command = command("/opt/cyclelab", "/data/my runs/lambda");
    let text = script(&slurm(table), 6, "/data/my runs/lambda/.exec/1", &command);
    assert_eq!(text, GOLDEN);
}

#[test]
fn a_run_that_puts_itself_back_and_one_that_does_not() {
    let text = |table: &str| script(&slurm(table), 2, "/d", &command("/c", "/d"));
    let itself = text("requeue = \"self\"\nmax_requeues = 3\nsignal = \"USR1\"\ngrace = \"2m\"\n");
    assert!(itself.contains("#SBATCH --requeue\n#SBATCH --signal=B:USR1@120\n"), "{itself}");
    assert!(itself.contains(" --requeue self --max-requeues 3 --index "), "{itself}");
    let never = text("requeue = \"never\"\n");
    assert!(never.contains("#SBATCH --no-requeue\n") && !never.contains(" --requeue"), "{never}");
}

#[test]
fn several_runs_a_task_are_listed() {
    let text = script(&slurm("runs_per_task = 2\n"), 5, "/d", &command("/c", "/d"));
    let lines = "runs=(\n    0,1 2,3 4\n)\n";
    assert!(text.contains("#SBATCH --array=0-2\n"), "{text}");
    assert!(text.contains(&format!("{lines}exec /c run ")), "{text}");
    assert!(text.ends_with(" --index \"${runs[SLURM_ARRAY_TASK_ID]}\"\n"), "{text}");
}

#[test]
fn the_report_takes_no_gpu() {
    let slurm = slurm("partition = \"cpu\"\ngres = \"gpu:1\"\nmem = \"64G\"\ncpus = 8\n");
    let command = ["/opt/cycle lab", "report", "lambda"].map(String::from);
    let text = ReportScript { job_name: "r", folder: "/d", slurm: &slurm, command: &command };
    let expected = "#!/bin/bash\n#SBATCH --job-name=r\n#SBATCH --output=/d/report_%j.log\n\
        #SBATCH --open-mode=append\n#SBATCH --partition=cpu\n#SBATCH --cpus-per-task=1\nset -eu\n\
        exec '/opt/cycle lab' report lambda\n";
    assert_eq!(text.text().unwrap(), expected);
}

#[test]
fn what_cannot_be_written_is_said() {
    let refused = |folder: &str| {
        let plans = lay_out(&[(0, 0)], 1, 8, None);
        let (slurm, command) = (slurm(""), command("/c", "/d"));
        let script = ArrayScript {
            job_name: "x",
            folder,
            slurm: &slurm,
            plan: &plans[0],
            command: &command,
        };
        script.text().unwrap_err().to_string()
    };
    assert!(refused("/a\nb").contains("the line ends there"));
    assert!(refused("/a\\b").contains("no backslash"));
    assert!(refused(&format!("/{}", "a".repeat(5000))).contains("too long"));
}

/// `sbatch`'s own way of taking an option apart, as 22.05 does it: what ends a word is looked for
/// first, so that a backslash saves no space; quotes are taken away, and a backslash keeps a quote.
fn as_sbatch(line: &str) -> String {
    let mut word = String::new();
    let mut quote = None;
    let mut letters = line.chars();
    while let Some(c) = letters.next() {
        match (c, quote) {
            (c, None) if c.is_ascii_whitespace() || c == '#' => break,
            ('\\', _) => match letters.next() {
                Some(c) if quote.is_none() && c.is_ascii_whitespace() => break,
                next => word.extend(next),
            },
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (c, _) => word.push(c),
        }
    }
    word
}

/// A folder of this name with a program that says what it was given; bash runs the script in it.
#[test]
fn any_folder_survives_sbatch_and_bash() {
    let names = FOLDERS.iter().map(ToString::to_string).chain((0..25).map(random));
    for name in names.filter(|name| !name.contains('\0')) {
        let lab = Lab::new(&name);
        let program =
            lab.write("cyclelab", "#!/bin/bash\nprintf '%s\\n' \"$@\" > \"${0%/*}/given\"\n");
        let folder = lab.inner.to_str().unwrap();
        let command = command(&program, folder);
        let text = script(&slurm("max_parallel = 2\n"), 6, folder, &command);
        let log = text
            .lines()
            .find_map(|line| line.strip_prefix("#SBATCH ").filter(|it| it.starts_with("--output")));
        let path = as_sbatch(log.unwrap()).replace("%%", "\0");
        let expected = format!("--output={}/slurm_%A_%a.log", folder.replace('%', "\0"));
        assert_eq!(path, expected, "{text}");

        let path = lab.write("array.sbatch", &text);
        let bash = |arguments: &[&str]| {
            let done = Command::new("bash")
                .args(arguments)
                .arg("--")
                .arg(&path)
                .env("SLURM_ARRAY_TASK_ID", "4")
                .current_dir(&lab.outer)
                .output()
                .unwrap();
            assert!(done.status.success(), "{}\n{text}", String::from_utf8_lossy(&done.stderr));
        };
        bash(&["-n"]);
        bash(&[]);
        let given = fs::read_to_string(lab.inner.join("given")).unwrap();
        assert_eq!(
            given,
            format!(
                "run\n--sweep-dir\n{folder}\n--plan\n3f9c\n--cache\n/cache\n--requeue\nslurm\n--index\n4\n"
            )
        );
        assert!(!lab.outer.join("x").exists(), "a part of the name was run: {name}");
    }
}

struct Lab {
    outer: PathBuf,
    inner: PathBuf,
}

impl Lab {
    fn new(name: &str) -> Lab {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let outer = format!("cluster-script-{}-{number}", std::process::id());
        let outer = std::env::temp_dir().join(outer);
        let inner = outer.join("runs").join(name.replace('/', "-"));
        fs::create_dir_all(&inner).unwrap();
        Lab { outer, inner }
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.inner.join(name);
        write_program(&path, text);
        path.to_str().unwrap().to_string()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.outer));
    }
}
