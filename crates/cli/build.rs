//! Which code this program is: commit, whether the sources differ from it, compiler and backend.

use std::path::Path;
use std::process::Command;

const ROOT: &str = "../..";
/// What the program is made of; edits elsewhere do not make it another one.
const SOURCES: [&str; 3] = ["crates", "Cargo.toml", "Cargo.lock"];

fn main() {
    for path in
        SOURCES.map(|it| format!("{ROOT}/{it}")).iter().chain([&format!("{ROOT}/.git/logs/HEAD")])
    {
        if Path::new(path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let commit = git(&["rev-parse", "HEAD"]).unwrap_or_default();
    let changes = git(&[&["status", "--porcelain", "--"], &SOURCES[..]].concat());
    println!("cargo::rustc-env=CYCLELAB_COMMIT={commit}");
    println!("cargo::rustc-env=CYCLELAB_DIRTY={}", changes.is_some_and(|it| !it.is_empty()));
    println!("cargo::rustc-env=CYCLELAB_RUSTC={}", rustc().unwrap_or_default());
    println!("cargo::rustc-env=CYCLELAB_BURN={}", locked("burn").unwrap_or_default());
}

/// Git's answer, or nothing: a source archive has no repository.
fn git(args: &[&str]) -> Option<String> {
    said(Command::new("git").current_dir(ROOT).args(args))
}

fn rustc() -> Option<String> {
    said(Command::new(std::env::var_os("RUSTC")?).arg("--version"))
}

fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|it| it.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// The version of a package in `Cargo.lock`.
fn locked(package: &str) -> Option<String> {
    let lock = std::fs::read_to_string(format!("{ROOT}/Cargo.lock")).ok()?;
    let entry =
        lock.split("[[package]]").find(|it| it.contains(&format!("name = \"{package}\"\n")))?;
    let version = entry.lines().find_map(|line| line.strip_prefix("version = "))?;
    Some(version.trim_matches('"').to_string())
}
