//! The way from the page to a run's folder, where both lie near each other.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::escape::esc;

/// `<code>lambda/lambda_cycle10-s1-039bedb4/samples/</code>`, linked where the page will lie in a known
/// folder, and the run's is there. What is only reached by way of the root is not near: another
/// machine, or another disk, would have it elsewhere.
pub(super) fn named(page: Option<&Path>, run: &Path, inside: &Path) -> String {
    let (sweep, name) = (run.parent().and_then(Path::file_name), run.file_name());
    let parts = sweep.into_iter().chain(name).map(|it| it.to_string_lossy().into_owned());
    let inside_parts = inside.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    });
    let said = parts.chain(inside_parts).collect::<Vec<_>>().join("/");
    let code = format!("<code>{}/</code>", esc(said));
    match page.and_then(|page| address(page, &run.join(inside))) {
        Some(address) => format!("<a href=\"{address}/\">{code}</a>"),
        None => code,
    }
}

/// A browser takes `..` for one name less of the address, whatever that name is a link to: both paths
/// stay as they are written, and are linked where that is the same folder.
fn address(page: &Path, folder: &Path) -> Option<String> {
    let (from, to) = (as_written(page)?, as_written(folder)?);
    relative(&from, &to)
}

/// Absolute and without `..`, as a browser shortens it; `None` where that is another folder, or none.
fn as_written(path: &Path) -> Option<PathBuf> {
    let mut written = PathBuf::new();
    for part in std::path::absolute(path).ok()?.components() {
        match part {
            Component::ParentDir => drop(written.pop()),
            part => written.push(part),
        }
    }
    let is_same = fs::canonicalize(&written).ok()? == fs::canonicalize(path).ok()?;
    is_same.then_some(written)
}

/// From one absolute folder to another, as an address: nothing in it is more than a name.
fn relative(from: &Path, to: &Path) -> Option<String> {
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b);
    let is_name = |part: &Component<'_>| matches!(part, Component::Normal(_));
    let shared: Vec<Component<'_>> = shared.map(|(part, _)| part).collect();
    if !shared.iter().any(is_name) {
        return None;
    }
    let up = from.components().skip(shared.len()).map(|_| "..".to_string());
    let down =
        to.components().skip(shared.len()).map(|part| part.as_os_str().to_str().map(encoded));
    let parts: Option<Vec<String>> = up.map(Some).chain(down).collect();
    // A dot in front: else a name with a colon would be taken for a protocol.
    Some(std::iter::once(".".to_string()).chain(parts?).collect::<Vec<_>>().join("/"))
}

fn encoded(name: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    name.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_is_linked() {
        let check = |from: &str, to: &str, expected: Option<&str>| {
            assert_eq!(
                relative(Path::new(from), Path::new(to)).as_deref(),
                expected,
                "{from} {to}"
            );
        };
        check("/home/a/reports/x", "/home/a/runs/x/r", Some("./../../runs/x/r"));
        check("/home/a", "/home/a/runs", Some("./runs"));
        check("/home/a", "/mnt/runs", None);
        check("/a/b", "/a/javascript:x\"'> é", Some("./../javascript%3Ax%22%27%3E%20%C3%A9"));
    }

    /// A store, or the reports, that lie elsewhere and are reached by a link: what a browser makes of the
    /// address must be the run's folder.
    #[cfg(unix)]
    #[test]
    fn an_address_is_read_as_text() {
        let dir = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(dir.path()).unwrap();
        for folder in ["disk/deep/reports/x", "disk/runs/x/r", "home/work"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let link = |to: &str, at: &str| {
            std::os::unix::fs::symlink(root.join(to), root.join(at)).unwrap();
        };
        link("disk/deep/reports", "home/work/reports");
        link("disk/runs", "home/work/runs");
        let check = |page: &str, run: &str, expected: Option<&str>| {
            let found = address(&root.join(page), &root.join(run));
            assert_eq!(found.as_deref(), expected, "{page} {run}");
        };
        check("home/work/reports/x", "home/work/runs/x/r", Some("./../../runs/x/r"));
        check("home/work/reports/x", "home/work/reports/../runs/x/r", None);
        check("home/work/reports/x", "home/work/reports/../../runs/x/r", None);
        check("home/work/../work/reports/x", "home/work/runs/x/r", Some("./../../runs/x/r"));
        check("home/work/reports/x", "home/work/runs/x/gone", None);
    }
}
