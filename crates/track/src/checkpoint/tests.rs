use serde_json::json;

use super::*;
use crate::fixture::Store;

const KEY: &str = "0000000000112233";
const WEIGHTS: &str = "gen_ab.safetensors";

/// A run, and the claim that its checkpoints are written under.
struct Owned {
    store: Store,
    claim: Claim,
}

impl Owned {
    fn new() -> Self {
        let store = Store::new();
        let claim = store.run.claim().unwrap();
        Owned { store, claim }
    }

    fn run(&self) -> &RunDir {
        &self.store.run
    }

    fn begin(&self, step: u64) -> CheckpointDir {
        let checkpoint = CheckpointDir::begin(self.run(), &self.claim, KEY, step, 100).unwrap();
        fs::write(checkpoint.file(WEIGHTS), format!("weights {step}")).unwrap();
        fs::write(checkpoint.file("pool.bin"), b"").unwrap();
        checkpoint
    }

    fn commit(&self, step: u64, keep: usize) -> PathBuf {
        self.begin(step).commit(&self.claim, &state(step), keep).unwrap()
    }

    /// The newest step that a resume would take, after `rejected` others.
    fn newest(&self, rejected: usize, context: &str) -> Option<u64> {
        let restore = newest(self.run(), Some(KEY), Ok).unwrap();
        assert_eq!(restore.rejected.len(), rejected, "{context}: {:?}", restore.rejected);
        restore.found.map(|found| found.step)
    }

    fn steps(&self) -> Vec<u64> {
        newest_first(self.run()).unwrap().into_iter().map(|(step, _)| step).collect()
    }

    fn names(&self) -> Vec<String> {
        let entries = entries(&self.run().checkpoints()).unwrap();
        let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut names: Vec<String> = entries.iter().map(name).collect();
        names.sort();
        names
    }
}

fn state(step: u64) -> Value {
    json!({ "step": step, "lr": 0.1 })
}

fn replace_folder(from: &Path, to: &Path) {
    fs::remove_dir_all(to).unwrap();
    fs::create_dir(to).unwrap();
    for from in entries(from).unwrap() {
        fs::copy(&from, to.join(from.file_name().unwrap())).unwrap();
    }
}

#[test]
fn committed_restored_and_pruned() {
    let owned = Owned::new();
    assert_eq!(owned.newest(0, "none"), None);
    let unfinished = owned.begin(9);
    assert_eq!(owned.newest(0, "unfinished"), None);
    assert_eq!(owned.names(), [".tmp-a01-00000009"]);

    for step in [10, 20, 30] {
        let path = owned.commit(step, 2);
        assert_eq!(path, owned.run().checkpoint(step));
        let Restore { found, rejected } = newest_valid(owned.run()).unwrap();
        assert_eq!(found, Some(Checkpoint { step, path, state: state(step) }));
        assert_eq!(rejected, []);
    }
    assert_eq!(owned.steps(), [30, 20]);
    assert_eq!(owned.commit(30, 2), owned.run().checkpoint(30));
    keep_newest(owned.run(), 1).unwrap();
    drop(unfinished);
    assert_eq!(owned.names(), ["step-00000030"]);
}

#[test]
fn one_byte_changed_anywhere_falls_back_to_the_older() {
    let owned = Owned::new();
    owned.commit(10, 2);
    let newest = owned.commit(20, 2);
    for name in [WEIGHTS, STATE, MANIFEST] {
        let path = newest.join(name);
        let good = fs::read(&path).unwrap();
        for index in 0..good.len() {
            for mask in [0x01, 0x20, 0x80] {
                let mut bad = good.clone();
                bad[index] ^= mask;
                fs::write(&path, bad).unwrap();
                let at = format!("{name} byte {index} mask {mask:#x}");
                assert_eq!(owned.newest(1, &at), Some(10), "{at}");
            }
        }
        fs::write(&path, good).unwrap();
    }
    assert_eq!(owned.newest(0, "put back"), Some(20));
}

#[test]
fn a_file_cut_at_any_byte_falls_back_to_the_older() {
    let owned = Owned::new();
    owned.commit(10, 2);
    let newest = owned.commit(20, 2);
    for name in [WEIGHTS, STATE, MANIFEST] {
        let path = newest.join(name);
        let good = fs::read(&path).unwrap();
        for length in 0..good.len() {
            fs::write(&path, &good[..length]).unwrap();
            let at = format!("{name} cut at {length}");
            assert_eq!(owned.newest(1, &at), Some(10), "{at}");
        }
        fs::write(&path, good).unwrap();
    }
    assert_eq!(owned.newest(0, "put back"), Some(20));
}

#[test]
fn what_is_not_as_it_was_committed_is_named_and_replaced() {
    let check = |spoil: &dyn Fn(&Owned, &Path), reason: &str| {
        let owned = Owned::new();
        owned.commit(10, 2);
        let path = owned.commit(20, 2);
        spoil(&owned, &path);
        let Restore { found, rejected } = newest(owned.run(), Some(KEY), Ok).unwrap();
        assert!(rejected[0].1.contains(reason), "{rejected:?}");
        assert_eq!(found.unwrap().step, 10);
        let checked = check_checkpoints(owned.run(), KEY);
        assert_eq!(checked[0], rejected[0].clone().map_reason());
        assert_eq!(checked[1], (owned.run().checkpoint(10), Ok(10)));
        // A new one at the damaged step takes its place.
        owned.commit(20, 2);
        assert_eq!(owned.newest(0, reason), Some(20));
    };
    check(&|_, path| fs::remove_file(path.join("pool.bin")).unwrap(), "pool.bin: ");
    check(&|_, path| fs::write(path.join("pool.bin"), b"x").unwrap(), "pool.bin: 1 bytes of 0");
    check(&|_, path| fs::remove_file(path.join(MANIFEST)).unwrap(), MANIFEST);
    check(&|_, path| fs::write(path.join("gen_ba.bin"), b"").unwrap(), "gen_ba.bin: not in");
    check(&|_, path| fs::create_dir(path.join("more")).unwrap(), "more: not in");
    check(
        &|_, path| {
            fs::remove_file(path.join("pool.bin")).unwrap();
            fs::create_dir(path.join("pool.bin")).unwrap();
        },
        "pool.bin: not a file",
    );
    check(
        &|_, path| {
            fs::remove_dir_all(path).unwrap();
            fs::write(path, b"a file of that name").unwrap();
        },
        MANIFEST,
    );
    check(&|owned, path| replace_folder(&owned.run().checkpoint(10), path), "of step 10");
    check(
        &|_, path| {
            let other = Owned::new();
            let twin = CheckpointDir::begin(other.run(), &other.claim, "other", 20, 0).unwrap();
            replace_folder(&twin.commit(&other.claim, &state(20), 2).unwrap(), path);
        },
        &format!("of run other, not {KEY}"),
    );
}

trait MapReason {
    fn map_reason(self) -> (PathBuf, Result<u64, String>);
}

impl MapReason for (PathBuf, String) {
    fn map_reason(self) -> (PathBuf, Result<u64, String>) {
        (self.0, Err(self.1))
    }
}

#[test]
fn files_that_desktops_and_network_file_systems_leave_do_no_harm() {
    let owned = Owned::new();
    let path = owned.commit(10, 2);
    for name in [".DS_Store", ".nfs000000000123"] {
        fs::write(path.join(name), b"x").unwrap();
    }
    assert_eq!(owned.newest(0, "dotted"), Some(10));
}

#[test]
fn a_checkpoint_of_before_the_key_was_written_is_still_good() {
    let store = Store::new();
    let path = store.run.checkpoint(10);
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join(WEIGHTS), "weights 10").unwrap();
    fs::write(path.join(STATE), "{\n  \"step\": 10\n}\n").unwrap();
    let manifest = concat!(
        r#"{"format":1,"step":10,"files":[{"name":"gen_ab.safetensors","size":10,"blake3":"#,
        r#""c7aa7f9977eeebd4b071745180c4b206ab26423a0add0303b21274a361b87783"},"#,
        r#"{"name":"state.json","size":17,"blake3":"#,
        r#""b229f76e8f4dc714a4db42374bec42e87b161a7203a2c53b55fc1ec7d01dbaca"}]}"#
    );
    fs::write(path.join(MANIFEST), manifest).unwrap();
    let Restore { found, rejected } = restore(&store.run, KEY, |_| Ok(())).unwrap();
    assert_eq!(rejected, []);
    assert_eq!(found.unwrap().0.state, json!({ "step": 10 }));
}

#[test]
fn one_that_does_not_load_is_set_aside_for_the_next_older() {
    let owned = Owned::new();
    for step in [10, 20, 30] {
        owned.commit(step, 3);
    }
    fs::write(owned.run().checkpoint(30).join(WEIGHTS), b"").unwrap();
    let mut tried = vec![];
    let restore = restore(owned.run(), KEY, |checkpoint| {
        tried.push(checkpoint.step);
        if checkpoint.step == 10 { Ok("loaded") } else { Err("of another shape".to_owned()) }
    });
    let Restore { found, rejected } = restore.unwrap();
    assert_eq!(found.map(|(found, loaded)| (found.step, loaded)), Some((10, "loaded")));
    assert_eq!(tried, [20, 10]);
    let reasons: Vec<_> = rejected.iter().map(|(path, reason)| (path, reason.as_str())).collect();
    let [third, second] = [30, 20].map(|step| owned.run().checkpoint(step));
    assert_eq!(reasons[0].0, &third);
    assert_eq!(reasons[1], (&second, "of another shape"));

    // Later resumes do not see them, whatever has become of them.
    let names = ["step-00000010", "step-00000020.rejected", "step-00000030.rejected"];
    assert_eq!(owned.names(), names);
    let aside = names[1..].iter().map(|name| owned.run().checkpoints().join(name));
    assert_eq!(checkpoints_set_aside(owned.run()).unwrap(), aside.collect::<Vec<_>>());
    // The same step, damaged once more: the last one is kept.
    owned.commit(20, 3);
    fs::write(owned.run().checkpoint(20).join("new"), b"").unwrap();
    super::restore(owned.run(), KEY, |_| Ok(())).unwrap();
    assert_eq!(owned.names(), names);
    assert!(owned.run().checkpoints().join("step-00000020.rejected/new").is_file());
}

#[test]
fn where_none_can_be_used_all_stay_in_place() {
    let owned = Owned::new();
    owned.commit(10, 2);
    owned.commit(20, 2);
    let failed = restore(owned.run(), KEY, |_| Err::<(), _>("no".to_owned())).unwrap();
    assert_eq!((failed.found, failed.rejected.len()), (None, 2));
    assert_eq!(owned.steps(), [20, 10]);
    set_aside_checkpoints(owned.run()).unwrap();
    assert_eq!(owned.steps(), [0; 0]);
    assert_eq!(checkpoints_set_aside(owned.run()).unwrap().len(), 2);
}

#[test]
fn damaged_ones_do_not_push_out_good_ones() {
    let owned = Owned::new();
    for step in [10, 20, 80, 90] {
        owned.commit(step, 9);
    }
    for step in [80, 90] {
        fs::remove_file(owned.run().checkpoint(step).join(WEIGHTS)).unwrap();
    }
    owned.commit(30, 2);
    assert_eq!(owned.steps(), [90, 80, 30, 20]);
    keep_newest(owned.run(), 1).unwrap();
    assert_eq!(owned.steps(), [90, 80, 30]);
    fs::remove_file(owned.run().checkpoint(30).join(WEIGHTS)).unwrap();
    keep_newest(owned.run(), 0).unwrap();
    assert_eq!(owned.steps(), [0; 0]);
}

#[test]
fn space_is_asked_for_first() {
    let owned = Owned::new();
    let bytes = u64::MAX / 4;
    let refused = CheckpointDir::begin(owned.run(), &owned.claim, KEY, 10, bytes);
    let error = refused.err().unwrap();
    let TrackError::NoSpace { path, needed, free } = &error else { panic!("{error:?}") };
    assert_eq!((path, *needed), (&owned.run().checkpoints(), 2 * bytes));
    assert!(0 < *free && *free < bytes, "{free}");
    assert_eq!(owned.names(), [""; 0]);

    let check = |needed: u64, free: u64, expected: &str| {
        let path = "run/checkpoints".into();
        assert_eq!(TrackError::NoSpace { path, needed, free }.to_string(), expected);
    };
    check(
        12_345_678,
        4_000_000,
        "`run/checkpoints` needs 12.3 MB for a checkpoint, and 4.0 MB are free",
    );
    check(2_500_000_000, 0, "`run/checkpoints` needs 2.5 GB for a checkpoint, and 0.0 MB are free");
}

#[test]
fn what_was_taken_over_commits_nothing() {
    let owned = Owned::new();
    owned.commit(10, 2);
    let checkpoint = owned.begin(20);
    let later = fs::read(owned.run().leases().join("0001.json")).unwrap();
    fs::write(owned.run().leases().join("0002.json"), later).unwrap();
    let fenced = checkpoint.commit(&owned.claim, &state(20), 2);
    assert!(matches!(fenced, Err(TrackError::Fenced { attempt: 1, .. })), "{fenced:?}");
    assert_eq!(owned.names(), ["step-00000010"]);
    let fenced = CheckpointDir::begin(owned.run(), &owned.claim, KEY, 30, 0).err();
    assert!(matches!(fenced, Some(TrackError::Fenced { .. })), "{fenced:?}");
}

#[test]
fn a_commit_that_fails_leaves_nothing_behind() {
    let owned = Owned::new();
    owned.commit(10, 2);
    let checkpoint = owned.begin(20);
    fs::create_dir(checkpoint.file(STATE)).unwrap();
    let failed = checkpoint.commit(&owned.claim, &state(20), 2);
    assert!(matches!(failed, Err(TrackError::Write { .. })), "{failed:?}");
    assert_eq!(owned.names(), ["step-00000010"]);
}

/// What a reader is shown: the weights are not read, so a changed byte in them is not found.
#[test]
fn a_list_rests_on_the_manifests_alone() {
    let owned = Owned::new();
    assert_eq!(list(owned.run(), KEY).unwrap(), []);
    let whole = owned.commit(10, 3);
    let cut = owned.commit(20, 3);
    let list = || list(owned.run(), KEY).unwrap();
    let steps: Vec<u64> = list().iter().map(|it| it.step).collect();
    assert_eq!(steps, [10, 20], "oldest first");
    fs::write(whole.join(WEIGHTS), "WEIGHTS 10").unwrap();
    fs::write(cut.join(WEIGHTS), "weigh").unwrap();
    let [ten, twenty] = &list()[..] else { panic!("two") };
    let state = fs::metadata(whole.join(STATE)).unwrap().len();
    assert_eq!((ten.bytes, ten.files, &ten.wrong), (Some(10 + state), 3, &None));
    assert_eq!((twenty.bytes, twenty.files), (None, 0));
    assert_eq!(twenty.wrong.as_deref(), Some("gen_ab.safetensors: 5 bytes of 10"));
    assert!(verify(&whole, Some(KEY), 10).is_err(), "which reads them");
}
