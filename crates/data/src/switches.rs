//! Every choice about the images is a switch of its own: what it changes in a training, and that it
//! leaves the rest, the held-out images above all, as it was.

use std::path::Path;

use spec::{DataConfig, EpochLength, RunConfig, SampleOrder};

use crate::{Batch, Dataset, Domain, Fold, RecipeBook, Store};

const SEED: u64 = 11;
const SIZE: usize = 16;

/// Mirrored, cropped, one pair a step, as the reference has it.
fn reference() -> DataConfig {
    let dataset = Some("synthetic".into());
    DataConfig { dataset, load_size: 18, crop_size: 16, ..RunConfig::reference().data }
}

fn prepare(cache: &Path, config: &DataConfig) -> Dataset {
    let store = Store::new(cache.into(), RecipeBook::new(&[]));
    store.prepare(config, &mut |_| {}).expect("the recipe is built in")
}

/// The reference's batches, the changed ones, and the same held-out images in both.
fn both(change: fn(&mut DataConfig)) -> [Vec<Batch>; 2] {
    let cache = tempfile::tempdir().expect("a temporary folder");
    let mut changed = reference();
    change(&mut changed);
    let [before, after] = [reference(), changed].map(|config| prepare(cache.path(), &config));
    for domain in Domain::ALL {
        let held_out = |of: &Dataset| of.held_out(Fold::Test, domain, 3).expect("an image");
        assert_eq!(held_out(&before), held_out(&after), "held-out images");
    }
    assert_eq!(before.fingerprint(), after.fingerprint());
    [before, after].map(|of| (1..=40).map(|step| of.batch(SEED, step).expect("a batch")).collect())
}

fn ids(batches: &[Batch], of: fn(&Batch) -> &Vec<String>) -> Vec<&String> {
    batches.iter().flat_map(of).collect()
}

fn mirrored(values: &[f32]) -> Vec<f32> {
    values.chunks(SIZE).flat_map(|row| row.iter().rev().copied()).collect()
}

#[test]
fn without_mirroring_the_mirrored_images_stand_as_they_are() {
    let [before, after] = both(|c| c.flip = false);
    let mut turned = 0;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((&before.ids_a, &before.ids_b), (&after.ids_a, &after.ids_b));
        for (before, after) in [(&before.a, &after.a), (&before.b, &after.b)] {
            turned += usize::from(before != after);
            assert!(before == after || *after == mirrored(before));
        }
    }
    assert!((25..55).contains(&turned), "{turned} of 80 were mirrored");
}

#[test]
fn without_room_to_crop_the_same_images_come_whole() {
    let [before, after] = both(|c| c.load_size = 16);
    assert_eq!(ids(&before, |it| &it.ids_a), ids(&after, |it| &it.ids_a));
    assert_eq!(ids(&before, |it| &it.ids_b), ids(&after, |it| &it.ids_b));
    assert!(before.iter().zip(&after).all(|(before, after)| before.a != after.a));
}

#[test]
fn the_order_changes_which_images_meet() {
    let [unaligned, serial] = both(|c| c.order = SampleOrder::Serial);
    assert_ne!(ids(&unaligned, |it| &it.ids_a), ids(&serial, |it| &it.ids_a));
    assert_ne!(ids(&unaligned, |it| &it.ids_b), ids(&serial, |it| &it.ids_b));
    let sorted = ids(&serial, |it| &it.ids_a);
    assert!(sorted.is_sorted(), "{sorted:?}");

    let [unaligned, uniform] = both(|c| c.order = SampleOrder::Uniform);
    assert_ne!(ids(&unaligned, |it| &it.ids_a), ids(&uniform, |it| &it.ids_a));
    assert_eq!(ids(&unaligned, |it| &it.ids_b), ids(&uniform, |it| &it.ids_b));
    assert!(unaligned.iter().zip(&uniform).all(|(one, other)| one.b == other.b));
}

/// Two pairs a step are the pairs of two steps: how many share an update is all that changes.
#[test]
fn the_batch_size_changes_how_many_come_together() {
    let [one, two] = both(|c| c.batch_size = 2);
    for (pair, both) in one.chunks(2).zip(&two) {
        assert_eq!([&pair[0].a[..], &pair[1].a].concat(), both.a);
        assert_eq!([&pair[0].b[..], &pair[1].b].concat(), both.b);
    }
}

#[test]
fn the_epoch_s_length_changes_where_epochs_end() {
    let steps = |epoch_length| {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for (name, count) in [("trainA", 2_u8), ("trainB", 5), ("testA", 1), ("testB", 1)] {
            let folder = dir.path().join(name);
            std::fs::create_dir_all(&folder).expect("a folder");
            for i in 0..count {
                let picture = crate::Image { size: SIZE, rgb: vec![i; 3 * SIZE * SIZE] };
                picture.to_png(&folder.join(format!("{i}.png"))).expect("a picture");
            }
        }
        let path = Some(dir.path().to_string_lossy().into_owned());
        let config = DataConfig { dataset: None, path, epoch_length, ..reference() };
        prepare(&dir.path().join("cache"), &config).steps_per_epoch()
    };
    assert_eq!((steps(EpochLength::Max), steps(EpochLength::Min)), (5, 2));
}
