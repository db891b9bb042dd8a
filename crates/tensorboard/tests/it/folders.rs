use std::path::{Path, PathBuf};

use tensorboard::{EventWriter, Moment, TensorboardError};

fn names(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("readable").path()).collect()
}

#[test]
fn a_run_s_name_is_its_folder() {
    let logdir = tempfile::tempdir().unwrap();
    let at =
        |name: &str| EventWriter::create(logdir.path(), name, 0.0).and_then(EventWriter::finish);
    for good in ["lambda_cycle10-s1-851d9918", "sweep/run", "λ = 10"] {
        let folder = at(good).unwrap().parent().expect("a folder").to_path_buf();
        assert_eq!(folder, logdir.path().join(good));
    }
    for bad in ["", "..", "a/../../b", "/tmp", "./a"] {
        let error = at(bad).unwrap_err();
        assert!(matches!(&error, TensorboardError::RunName { name } if name == bad), "{error}");
    }
}

/// TensorBoard takes every file with `tfevents` in its name, whole or not.
#[test]
fn a_file_is_there_once_it_is_whole() {
    let logdir = tempfile::tempdir().unwrap();
    let run = logdir.path().join("run");
    let began = || {
        let mut writer = EventWriter::create(logdir.path(), "run", 0.0).unwrap();
        writer.scalar("a", Moment { step: 1, wall_time: 1.0 }, 1.0).unwrap();
        writer
    };
    let writer = began();
    let [beside] = &names(&run)[..] else { panic!("one file") };
    assert!(!beside.to_string_lossy().contains("tfevents"), "{}", beside.display());
    drop(writer);
    assert!(names(&run).is_empty(), "a writer that is dropped leaves no file");

    let path = began().finish().unwrap();
    assert_eq!(names(&run), std::slice::from_ref(&path));
    let whole = std::fs::read(&path).unwrap();
    drop(began());
    assert_eq!(std::fs::read(&path).unwrap(), whole, "the earlier file stays");
}

#[test]
fn what_is_in_the_way_is_named() {
    let logdir = tempfile::tempdir().unwrap();
    std::fs::write(logdir.path().join("run"), "a file").unwrap();
    let error = EventWriter::create(logdir.path(), "run", 0.0).err().expect("no folder");
    let TensorboardError::CreateDir { path, .. } = error else { panic!("{error}") };
    assert_eq!(path, logdir.path().join("run"));

    let blocked = logdir.path().join("other/events.out.tfevents.cyclelab");
    std::fs::create_dir_all(blocked.join("full")).unwrap();
    let writer = EventWriter::create(logdir.path(), "other", 0.0).unwrap();
    let TensorboardError::Write { path, .. } = writer.finish().unwrap_err() else { panic!() };
    assert_eq!(path, blocked);
}
