//! Names that lead elsewhere, look like options, or mean something to a shell.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::{Lab, Said, files_below, tiny};
use crate::older_stores::store_of_an_older_release;

/// No folder's name on every system.
const BAD_NAMES: [&str; 20] = [
    "",
    ".",
    "..",
    "../x",
    "/abs",
    "a/b",
    "a\\b",
    "a\0b",
    "a\nb",
    "-rf",
    ".hidden",
    "é",
    "a b",
    "$(touch x)",
    "x.",
    "CON",
    "nul.txt",
    "Aux",
    "com1",
    "LPT9.tar.gz",
];

fn everything(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let read = |path: PathBuf| (path.clone(), std::fs::read(path).expect("a file"));
    files_below(folder, "").into_iter().map(read).collect()
}

#[test]
fn a_sweep_with_such_a_name_makes_nothing() {
    let lab = Lab::new();
    let long = ["x".repeat(65), "x".repeat(300)];
    for name in BAD_NAMES.into_iter().chain(long.iter().map(String::as_str)) {
        let quoted = serde_json::to_string(name).expect("a string");
        lab.write("evil.toml", &tiny(5).replace("\"tiny\"", &quoted));
        for command in ["check", "plan", "sweep"] {
            let said = lab.say(&[command, "evil.toml"]);
            assert_eq!(said.code, Some(2), "{command} {name:?}: {}", said.stderr);
            assert!(said.stderr.contains("evil.toml:3:8"), "{name:?}: {}", said.stderr);
        }
        let left: Vec<_> = everything(&lab.path("")).into_keys().collect();
        assert_eq!(left, [lab.path("evil.toml")], "{name:?}");
    }
    for name in ["console", "nullable", "com10", "2-x_y.z", "a..b", &"x".repeat(64)] {
        lab.write("good.toml", &tiny(5).replace("\"tiny\"", &format!("{name:?}")));
        lab.succeed(&["check", "good.toml"]);
    }
}

/// Wherever a sweep or a run is named: an error in words, and nothing read or moved elsewhere.
#[test]
fn addresses_lead_nowhere_else() {
    let lab = Lab::new();
    store_of_an_older_release(&lab);
    // A sweep, but not one of this store.
    std::fs::create_dir(lab.path("elsewhere")).expect("a folder");
    let (from, to) = (lab.path("runs/tiny"), lab.path("elsewhere/x"));
    let copied = Command::new("cp").arg("-r").args([from, to]).status();
    assert!(copied.expect("cp").success());
    let before = everything(&lab.path(""));
    let long = "x".repeat(300);
    let names = BAD_NAMES.into_iter().filter(|name| !name.contains('\0'));
    for name in names.chain(["../elsewhere/x", "tiny/../../elsewhere/x", "\u{1b}[31m", &long]) {
        let run = format!("{name}/0");
        for args in [
            &["ls", name][..],
            &["status", name],
            &["report", name],
            &["show", name, "0"],
            &["show", &run],
            &["diff", &run, "tiny/0"],
            &["rm", &run],
            &["rm", "--dry-run", &run],
        ] {
            let said = lab.say(args);
            assert!(matches!(said.code, Some(1 | 2)), "{args:?}: {:?}\n{}", said.code, said.stderr);
            assert!(said.stderr.starts_with("error: "), "{args:?}: {}", said.stderr);
            assert!(!said.stderr.contains('\u{1b}'), "{args:?}: {}", said.stderr);
        }
        assert_eq!(everything(&lab.path("")), before, "{name:?}");
    }
    for run in ["", "-1", "99", "1e3", "..", "\u{202e}", "9e5ffa34947a06690"] {
        let said = lab.say(&["show", "tiny", run]);
        assert!(matches!(said.code, Some(1 | 2)), "{run:?}: {}", said.stdout);
        assert!(!said.stderr.contains('\u{202e}'), "{run:?}: {}", said.stderr);
    }
}

#[test]
fn an_argument_that_is_no_text_is_an_error_in_words() {
    let lab = Lab::new();
    let name = OsStr::from_bytes(b"\xff.toml");
    std::fs::write(lab.path("").join(name), tiny(5)).expect("a file");
    let said = Said::from(lab.command(&["sweep"]).arg(name).output().expect("it starts"));
    assert!(matches!(said.code, Some(0..=2)), "{:?}: {}", said.code, said.stderr);
    assert!(!said.stderr.contains("panicked"), "{}", said.stderr);
}

/// Everything is called what a shell would do something with.
pub(crate) struct Trap {
    pub(crate) lab: Lab,
    pub(crate) folder: PathBuf,
}

pub(crate) const FILE: &str = "it's \"$(touch y)\" `touch y`;touch y.toml";
pub(crate) const RUNS: &str = "r u'n\"s$(touch z)";
pub(crate) const REPORTS: &str = "re ports;touch z";

impl Trap {
    pub(crate) fn new() -> Trap {
        let lab = Lab::new();
        let folder = lab.path("a b$(touch x)'");
        std::fs::create_dir(&folder).expect("a folder");
        let one_run = tiny(5).replace("seeds = [1, 2]", "seeds = [1]");
        std::fs::write(folder.join(FILE), one_run).expect("a file");
        std::fs::create_dir(lab.path("bin")).expect("a folder");
        symlink(env!("CARGO_BIN_EXE_cyclelab"), lab.path("bin/cyclelab")).expect("a link");
        Trap { lab, folder }
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let args = [args, &["--runs", RUNS, "--reports", REPORTS]].concat();
        let mut command = self.lab.command(&args);
        command.current_dir(&self.folder);
        command
    }

    pub(crate) fn say(&self, args: &[&str]) -> Said {
        Said::from(self.command(args).output().expect("the program starts"))
    }

    /// What was printed to be typed.
    fn type_in(&self, line: &str) -> Said {
        let path = std::env::var("PATH").expect("a PATH");
        let path = format!("{}:{path}", self.lab.path("bin").display());
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(&self.folder).env("PATH", path);
        shell.env("CYCLELAB_CACHE", self.lab.path("cache"));
        Said::from(shell.output().expect("a shell"))
    }

    pub(crate) fn expect_nothing_was_run(&self) {
        let left = files_below(&self.lab.path(""), "");
        let touched: Vec<_> = left
            .iter()
            .filter(|path| {
                path.file_name().is_some_and(|it| ["x", "y", "z"].map(OsStr::new).contains(&it))
            })
            .collect();
        assert!(touched.is_empty(), "{touched:?}");
    }
}

fn unescaped(html: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    entities.into_iter().fold(html.to_string(), |text, (from, to)| text.replace(from, to))
}

#[test]
fn a_path_is_only_a_path() {
    let trap = Trap::new();
    let swept = trap.say(&["sweep", FILE]);
    assert_eq!(swept.code, Some(0), "{}", swept.stderr);
    assert_eq!(swept.stdout.trim_end(), format!("{REPORTS}/tiny/index.html"));
    let ls = trap.say(&["ls", "tiny", "--json"]);
    let runs: serde_json::Value = serde_json::from_str(&ls.stdout).expect("JSON");
    let states: Vec<_> =
        runs.as_array().expect("runs").iter().map(|it| &it["state"]["state"]).collect();
    assert_eq!(states, ["completed", "completed"]);
    assert_eq!(trap.say(&["report", "tiny"]).code, Some(0));
    trap.expect_nothing_was_run();

    let page = trap.folder.join(REPORTS).join("tiny/index.html");
    let page = std::fs::read_to_string(page).expect("the report");
    let command = page.split("<dt>Reproduce</dt><dd><code>").nth(1).expect("the line");
    let command = unescaped(command.split("</code>").next().expect("its end"));
    let again = trap.type_in(&command);
    assert_eq!(again.code, Some(0), "{command}\n{}", again.stderr);
    assert!(again.stderr.contains("nothing to train"), "{command}\n{}", again.stderr);
    trap.expect_nothing_was_run();

    let planned = trap.say(&["plan", FILE, "--set", "train.steps=6", "--no-estimate"]).stdout;
    let start = planned.lines().find_map(|line| line.strip_prefix("Start with: "));
    let begun = trap.type_in(&format!("{} --no-report --runs other", start.expect("the line")));
    assert_eq!(begun.code, Some(0), "{planned}\n{}", begun.stderr);
    trap.expect_nothing_was_run();

    let folder = runs[0]["folder"].as_str().expect("a folder");
    let removed = trap.say(&["rm", folder]);
    assert_eq!(removed.code, Some(0), "{}", removed.stderr);
    assert!(!trap.folder.join(folder).exists(), "{folder}");
    let back =
        removed.stdout.lines().find(|line| line.starts_with("  test ! -e ")).expect("the way back");
    assert_eq!(trap.type_in(back).code, Some(0), "{back}");
    assert!(trap.folder.join(folder).join("run.json").is_file(), "{back}");
    trap.expect_nothing_was_run();
}
