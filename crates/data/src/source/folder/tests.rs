use super::*;
use crate::fixture::tree;
use crate::fold::Domain;

fn listed(root: &Path) -> Vec<(Fold, Domain, String)> {
    let folder = Folder::list(root).unwrap();
    folder.entries.into_iter().map(|entry| (entry.fold, entry.domain, entry.id)).collect()
}

#[test]
fn both_customs_are_read_the_same() {
    let check = |paths: &[&str]| {
        let expected = [
            (Fold::Train, Domain::A, "n/2".to_string()),
            (Fold::Train, Domain::A, "x".to_string()),
            (Fold::Train, Domain::B, "y".to_string()),
            (Fold::Val, Domain::B, "v".to_string()),
            (Fold::Ref, Domain::A, "r".to_string()),
            (Fold::Ref, Domain::B, "s".to_string()),
            (Fold::Test, Domain::A, "z".to_string()),
        ];
        assert_eq!(listed(tree(paths).path()), expected);
    };
    let held_out = ["valB/v.png", "refA/r.png", "refB/s.png", "testA/z.tif"];
    let training = ["trainA/x.png", "trainA/n/2.JPG", "trainA/notes.txt", "trainB/y.webp"];
    check(&[training, held_out].concat());
    let held_out = ["val/B/v.png", "ref/A/r.png", "ref/B/s.png", "test/A/z.tif"];
    let training = ["train/A/x.png", "train/A/n/2.JPG", "train/B/y.webp", "other/q.png"];
    check(&[training, held_out].concat());
}

#[test]
fn what_is_missing_is_named_with_what_was_found() {
    let check = |paths: &[&str], expected: &[&str]| {
        let dir = tree(paths);
        let error = Folder::list(dir.path()).err().unwrap().to_string();
        for part in expected {
            assert!(error.contains(part), "{error} lacks {part}");
        }
    };
    check(
        &["TrainA/x.png", "trainB/x.png"],
        &["`trainA` nor `train/A`", "found: TrainA", "mean `TrainA`"],
    );
    check(&["trainA/x.png", "horses/x.png"], &["`trainB`", "found: horses, trainA"]);
    check(&["x.png"], &["it holds no folders"]);
    check(&["trainA/x.png", "trainB/x.gif"], &["trainB", "1 files, but none ends in"]);
    let error = Folder::list(Path::new("/no/such/folder")).err().unwrap().to_string();
    assert_eq!(error, "`/no/such/folder` is not a folder");
}

#[cfg(unix)]
#[test]
fn links_that_loop_and_pipes_do_not_hang() {
    let dir = tree(&["trainA/x.png", "trainB/y.png"]);
    std::os::unix::fs::symlink(dir.path(), dir.path().join("trainA/loop")).unwrap();
    std::os::unix::fs::symlink("nowhere", dir.path().join("trainA/dangling.png")).unwrap();
    let pipe = dir.path().join("trainA/pipe.png");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let ids: Vec<String> = listed(dir.path()).into_iter().map(|(_, _, id)| id).collect();
    assert_eq!(ids, ["dangling", "loop/trainB/y", "pipe", "x", "y"]);
    let (files, _) = files_below(&dir.path().join("trainA")).unwrap();
    let read = |i: usize| files[i].read(&dir.path().join("trainA")).unwrap_err();
    assert!(read(0).contains("cannot be read"), "{}", read(0));
    assert_eq!((files[2].path.as_str(), read(2).as_str()), ("pipe.png", NO_FILE));
}

/// Between listing and reading.
#[cfg(unix)]
#[test]
fn files_that_change_under_our_hands_are_reported() {
    let dir = tree(&["gone.png", "grows.png", "pipe.png"]);
    let (files, _) = files_below(dir.path()).unwrap();
    fs::remove_file(dir.path().join("gone.png")).unwrap();
    let grown = fs::File::options().write(true).open(dir.path().join("grows.png")).unwrap();
    grown.set_len(20 * MAX_FILE_BYTES).unwrap();
    let pipe = dir.path().join("pipe.png");
    fs::remove_file(&pipe).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let faults: Vec<_> = files.iter().map(|it| it.read(dir.path()).unwrap_err()).collect();
    for (fault, expected) in faults.iter().zip(["cannot be read", "512 MiB", NO_FILE]) {
        assert!(fault.contains(expected), "{faults:?}");
    }
}

#[cfg(unix)]
#[test]
fn names_that_are_no_text_are_named_and_told_apart() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tree(&["\u{fffd}.png", "é🦓\n.png"]);
    for name in [&b"\xff.png"[..], b"\xfe.png"] {
        fs::write(dir.path().join(std::ffi::OsStr::from_bytes(name)), "content").unwrap();
    }
    fs::create_dir(dir.path().join(std::ffi::OsStr::from_bytes(b"\xfd"))).unwrap();
    fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"\xfd/x.png")), "in").unwrap();
    let (files, _) = files_below(dir.path()).unwrap();
    let read: Vec<_> = files.iter().map(|file| file.read(dir.path())).collect();
    assert_eq!(read.iter().filter(|it| **it == Err(NO_TEXT.to_string())).count(), 3, "{read:?}");
    assert_eq!(read.iter().filter(|it| **it == Ok(Vec::new())).count(), 2, "{read:?}");
}

#[test]
fn a_hundred_thousand_files_are_listed() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..100_000 {
        fs::File::create(dir.path().join(format!("{i:06}.png"))).unwrap();
    }
    let (files, others) = files_below(dir.path()).unwrap();
    assert_eq!((files.len(), others), (100_000, 0));
    assert_eq!(files[99_999].path, "099999.png");
}

#[test]
fn a_walk_has_an_end() {
    let dir = tree(&["a/1.png", "a/2.txt", "b.png"]);
    assert!(at_most(4, dir.path()).is_ok());
    let error = at_most(3, dir.path()).err().unwrap().to_string();
    assert!(error.contains("more than 3 files and folders"), "{error}");
    let deep = tree(&[&format!("{}x.png", "d/".repeat(MAX_DEPTH))]);
    assert_eq!(files_below(deep.path()).unwrap().0.len(), 1);
    let deeper = tree(&[&format!("{}x.png", "d/".repeat(MAX_DEPTH + 1))]);
    let error = files_below(deeper.path()).err().unwrap().to_string();
    assert!(error.contains("more than 16 folders deep"), "{error}");
}

#[test]
fn the_stamp_follows_every_change() {
    let dir = tree(&["trainA/x.png", "trainB/y.png"]);
    let stamp = || Folder::list(dir.path()).unwrap().stamp();
    let before = stamp();
    assert_eq!(stamp(), before);
    fs::write(dir.path().join("trainA/x.png"), "more").unwrap();
    let written = stamp();
    assert_ne!(written, before);
    fs::rename(dir.path().join("trainA/x.png"), dir.path().join("trainA/z.png")).unwrap();
    assert_ne!(stamp(), written);
}
