//! From a configuration to batches: the store, its cache and its sources together.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Cursor, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use image::{ImageFormat, Rgb, RgbImage};
use spec::{DataConfig, Direction, OnBadImage, RunConfig, SampleOrder};
use tempfile::TempDir;

use super::*;

mod archives;
mod bad_images;

fn config() -> DataConfig {
    DataConfig { load_size: 10, crop_size: 8, ..RunConfig::reference().data }
}

fn of_recipe(name: &str) -> DataConfig {
    DataConfig { dataset: Some(name.to_string()), ..config() }
}

fn of_folder(path: &Path) -> DataConfig {
    DataConfig { path: Some(path.display().to_string()), ..config() }
}

fn store(cache: &Path) -> Store {
    Store::new(cache.to_path_buf(), RecipeBook::new(&[]))
}

fn prepare(cache: &Path, config: &DataConfig) -> Result<Dataset, DataError> {
    store(cache).prepare(config, &mut |_| ())
}

fn png(level: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_pixel(12, 9, Rgb([level, level, level]))
        .write_to(&mut bytes, ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

/// Images of one flat level each: A has 10, 11, 12; B has 200, 201; testA has 50.
fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, level) in [
        ("trainA/a0.png", 10),
        ("trainA/a1.png", 11),
        ("trainA/sub/a2.png", 12),
        ("trainB/b0.png", 200),
        ("trainB/b1.jpg", 201), // a PNG by content
        ("testA/t0.png", 50),
    ] {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, png(level)).unwrap();
    }
    dir
}

fn level(value: f32) -> u8 {
    Image::from_unit_chw(&[value; 3], 1).rgb[0]
}

#[test]
fn a_folder_becomes_batches() {
    let (cache, folder) = (tempfile::tempdir().unwrap(), folder());
    let config =
        DataConfig { batch_size: 2, order: SampleOrder::Serial, ..of_folder(folder.path()) };
    let data = prepare(cache.path(), &config).unwrap();
    assert_eq!((data.count(Fold::Train, Domain::A), data.count(Fold::Train, Domain::B)), (3, 2));
    assert_eq!((data.count(Fold::Test, Domain::A), data.count(Fold::Test, Domain::B)), (1, 0));
    assert_eq!(data.id(Fold::Train, Domain::A, 2), "sub/a2");
    assert_eq!(data.steps_per_epoch(), 2);
    assert!(!data.paired(Fold::Test));

    let check = |step, epoch, a: &[u8], b: &[u8], ids_b: &[&str]| {
        let batch = data.batch(7, step).unwrap();
        assert_eq!((batch.n, batch.size, batch.epoch), (a.len(), 8, epoch));
        assert_eq!(batch.ids_b, ids_b);
        let levels = |values: &[f32]| -> Vec<u8> {
            assert_eq!(values.len(), a.len() * 3 * 8 * 8);
            values.chunks(3 * 8 * 8).map(|image| level(image[77])).collect()
        };
        assert_eq!((levels(&batch.a), levels(&batch.b)), (a.to_vec(), b.to_vec()), "step {step}");
    };
    check(1, 1, &[10, 11], &[200, 201], &["b0", "b1"]);
    check(2, 1, &[12], &[200], &["b0"]);
    check(3, 2, &[10, 11], &[200, 201], &["b0", "b1"]);

    let image = data.held_out(Fold::Test, Domain::A, 0).unwrap();
    assert_eq!((image.size, image.rgb), (8, vec![50; 3 * 8 * 8]));
}

/// What a gain is measured with: read, of the right level, and a part of what the data set is.
#[test]
fn a_folder_may_set_reference_images_apart() {
    let (cache, folder) = (tempfile::tempdir().unwrap(), folder());
    let without = prepare(cache.path(), &of_folder(folder.path())).unwrap();
    assert_eq!((without.count(Fold::Ref, Domain::A), without.count(Fold::Ref, Domain::B)), (0, 0));
    for (name, level) in [("refA/r0.png", 60), ("refB/r1.png", 210), ("refB/r2.png", 211)] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, png(level)).unwrap();
    }
    let with = prepare(cache.path(), &of_folder(folder.path())).unwrap();
    let count = |fold, domain| with.count(fold, domain);
    assert_eq!((count(Fold::Ref, Domain::A), count(Fold::Ref, Domain::B)), (1, 2));
    assert_eq!((count(Fold::Train, Domain::A), count(Fold::Test, Domain::A)), (3, 1));
    assert_eq!(with.held_out(Fold::Ref, Domain::B, 1).unwrap().rgb, vec![211; 3 * 8 * 8]);
    assert_ne!(with.fingerprint(), without.fingerprint());
}

/// A folder whose held-out images were trained on, and two of whose references are test images.
#[test]
fn images_in_two_folds_are_found() {
    let (cache, folder) = (tempfile::tempdir().unwrap(), folder());
    let shared = |config: &DataConfig| {
        let found = prepare(cache.path(), config).unwrap().shared();
        found.iter().map(ToString::to_string).collect::<Vec<String>>()
    };
    assert!(shared(&of_folder(folder.path())).is_empty());
    for (name, level) in [
        ("testA/x.png", 11),
        ("testA/y.png", 12),
        ("testA/z\n.png", 12),
        ("testB/of-a.png", 10), // the other domain's is another matter
        ("refB/r.png", 10),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, png(level)).unwrap();
    }
    let config = of_folder(folder.path());
    let expected = [
        "3 of 4 images A of test are among those of train, such as x",
        "1 of 1 images B of test is among those of ref, such as of-a",
    ];
    assert_eq!(shared(&config), expected);
    fs::remove_file(folder.path().join("testA/x.png")).unwrap();
    fs::remove_file(folder.path().join("testA/y.png")).unwrap();
    // Domains are those of the networks, and names are made fit for a terminal.
    let swapped = [
        "1 of 1 images A of test is among those of ref, such as of-a",
        "1 of 2 images B of test is among those of train, such as z\\n",
    ];
    assert_eq!(shared(&DataConfig { direction: Direction::Ba, ..config }), swapped);
}

#[test]
fn drawn_data_sets_share_no_image() {
    let cache = tempfile::tempdir().unwrap();
    for recipe in RecipeBook::new(&[]).list().into_iter().filter(Recipe::is_embedded) {
        let data = prepare(cache.path(), &of_recipe(&recipe.name)).unwrap();
        assert!(data.count(Fold::Ref, Domain::B) > 0, "{}", recipe.name);
        assert_eq!(data.shared(), [], "{}", recipe.name);
    }
}

#[test]
fn direction_ba_swaps_the_domains_and_nothing_else() {
    let (cache, folder) = (tempfile::tempdir().unwrap(), folder());
    let ab = prepare(cache.path(), &of_folder(folder.path())).unwrap();
    let ba =
        prepare(cache.path(), &DataConfig { direction: Direction::Ba, ..of_folder(folder.path()) })
            .unwrap();
    assert_eq!(ab.fingerprint(), ba.fingerprint());
    assert_eq!(ba.count(Fold::Train, Domain::A), 2);
    assert_eq!(ba.id(Fold::Test, Domain::B, 0), "t0");
    assert_eq!(
        ba.held_out(Fold::Test, Domain::B, 0).unwrap(),
        ab.held_out(Fold::Test, Domain::A, 0).unwrap()
    );
    assert!(level(ba.batch(0, 1).unwrap().a[0]) >= 200);
}

#[test]
fn a_batch_is_a_pure_function_of_seed_and_step() {
    let cache = tempfile::tempdir().unwrap();
    let data = prepare(cache.path(), &of_recipe("synthetic")).unwrap();
    let forward: Vec<Batch> = (1..=80).map(|step| data.batch(5, step).unwrap()).collect();
    let again = prepare(cache.path(), &of_recipe("synthetic")).unwrap();
    for step in (1..=80).rev() {
        assert_eq!(again.batch(5, step).unwrap(), forward[step as usize - 1], "step {step}");
    }
    assert_ne!(data.batch(6, 1).unwrap(), forward[0]);
    let epoch = data.steps_per_epoch();
    let of_a: BTreeSet<&String> =
        forward[..epoch as usize].iter().map(|batch| &batch.ids_a[0]).collect();
    assert_eq!(of_a.len(), data.count(Fold::Train, Domain::A), "an epoch shows every A image");
}

#[test]
fn embedded_recipes_have_disjoint_training_sets_and_pairs() {
    let cache = tempfile::tempdir().unwrap();
    for name in ["blueprint", "synthetic"] {
        let data = prepare(cache.path(), &of_recipe(name)).unwrap();
        let ids = |fold, domain| -> BTreeSet<&str> {
            (0..data.count(fold, domain)).map(|index| data.id(fold, domain, index)).collect()
        };
        let mut seen = BTreeSet::new();
        for fold in Fold::ALL {
            let (a, b) = (ids(fold, Domain::A), ids(fold, Domain::B));
            assert!(!a.is_empty() && !b.is_empty(), "{name} {fold:?}");
            assert_eq!(data.paired(fold), fold != Fold::Train);
            assert!(
                if fold == Fold::Train { a.is_disjoint(&b) } else { a == b },
                "{name} {fold:?}"
            );
            let both: BTreeSet<&str> = a.union(&b).copied().collect();
            assert!(seen.is_disjoint(&both), "{name} {fold:?}");
            seen.extend(both);
        }
        assert!(
            !data.credit().is_empty() && !data.licence().is_empty() && !data.title().is_empty()
        );
    }
}

#[test]
fn a_fingerprint_is_the_contents_alone() {
    let (cache, other_cache, one, other) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), folder(), folder());
    let fingerprint = |cache: &TempDir, config: &DataConfig| {
        let data = prepare(cache.path(), config).unwrap();
        data.fingerprint().to_string()
    };
    let before = fingerprint(&cache, &of_folder(one.path()));
    assert_eq!(before.len(), 32);
    assert_eq!(fingerprint(&cache, &of_folder(other.path())), before, "another path");
    assert_eq!(fingerprint(&other_cache, &of_folder(one.path())), before, "another cache");
    let larger = DataConfig { load_size: 12, crop_size: 12, ..of_folder(one.path()) };
    assert_eq!(fingerprint(&cache, &larger), before, "another size");
    assert_eq!(fingerprint(&cache, &of_folder(one.path())), before, "the first size again");

    fs::write(one.path().join("testA/t0.png"), png(51)).unwrap();
    let changed = fingerprint(&cache, &of_folder(one.path()));
    assert_ne!(changed, before, "an image changed");
    assert_eq!(fingerprint(&cache, &of_folder(other.path())), before, "the other folder did not");
    fs::rename(one.path().join("testA/t0.png"), one.path().join("testA/t1.png")).unwrap();
    assert_ne!(fingerprint(&cache, &of_folder(one.path())), changed, "an image was renamed");
}

#[test]
fn what_was_prepared_is_not_made_again_unless_damaged() {
    let cache = tempfile::tempdir().unwrap();
    let config = of_recipe("synthetic");
    let prepare = |expect_work: bool| {
        let mut calls = 0;
        let data = store(cache.path()).prepare(&config, &mut |_| calls += 1).unwrap();
        assert_eq!(calls > 0, expect_work);
        data.batch(0, 1).unwrap()
    };
    let first = prepare(true);
    assert_eq!(prepare(false), first);

    let home = fs::read_dir(cache.path().join("prepared")).unwrap().next().unwrap().unwrap().path();
    let damage = |name: &str, change: &dyn Fn(&Path)| {
        change(&home.join(name));
        assert_eq!(prepare(true), first, "{name} was not restored");
        assert_eq!(prepare(false), first);
    };
    let cut =
        |path: &Path| fs::File::options().write(true).open(path).unwrap().set_len(100).unwrap();
    damage("10px-train.u8", &cut);
    damage("8px-held-out.u8", &cut);
    damage("8px-held-out.u8", &|path| fs::remove_file(path).unwrap());
    damage("index.json", &cut);
    damage("index.json", &|path| {
        let text = fs::read_to_string(path).unwrap().replacen("\"format\":2", "\"format\":999", 1);
        fs::write(path, text).unwrap();
    });
    fs::write(cache.path().join("recipes/synthetic.json"), "{").unwrap();
    assert_eq!(prepare(true), first);
    let left: Vec<_> = fs::read_dir(cache.path().join("prepared")).unwrap().collect();
    assert_eq!(left.len(), 1, "scratch folders stay behind: {left:?}");
}

#[test]
fn two_at_once_prepare_the_same() {
    let cache = tempfile::tempdir().unwrap();
    let batches: Vec<Batch> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    prepare(cache.path(), &of_recipe("synthetic")).unwrap().batch(0, 1).unwrap()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(batches.iter().all(|batch| *batch == batches[0]));
}

#[test]
fn a_contact_sheet_shows_the_pairs() {
    let cache = tempfile::tempdir().unwrap();
    let data = prepare(cache.path(), &of_recipe("synthetic")).unwrap();
    let sheet = data.contact_sheet(Fold::Test, 4).unwrap();
    // 8 px enlarged twelvefold, with gaps of 6 px.
    assert_eq!(sheet.dimensions(), (6 + 2 * 102, 6 + 4 * 102));
    let (day, night) = (sheet.get_pixel(7, 7).0, sheet.get_pixel(109, 7).0);
    assert!(day[0] > 200 && night[0] < 100, "{day:?} {night:?}");
}

#[test]
fn packages_from_the_registries() {
    if std::env::var_os("CYCLELAB_NETWORK_TESTS").is_none() {
        eprintln!("skipped: downloads 47 MB; set CYCLELAB_NETWORK_TESTS=1 to run it");
        return;
    }
    let cache = tempfile::tempdir().unwrap();
    for (name, least) in [("relief", 100), ("emoji-flat3d", 400)] {
        let data = prepare(cache.path(), &of_recipe(name)).unwrap();
        for domain in Domain::ALL {
            assert!(data.count(Fold::Train, domain) > least, "{name} {domain:?}");
        }
    }
}
