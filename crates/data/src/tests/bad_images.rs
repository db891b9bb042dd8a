//! Images that cannot be used, and configurations that cannot be read.

use super::*;

#[test]
fn bad_images_stop_or_are_skipped_as_asked() {
    let (cache, folder) = (tempfile::tempdir().unwrap(), folder());
    fs::write(folder.path().join("trainA/empty.png"), "").unwrap();
    fs::write(folder.path().join("trainB/text.png"), "hello").unwrap();
    let strict = of_folder(folder.path());
    let lenient = DataConfig { on_bad_image: OnBadImage::Skip, ..strict.clone() };
    let refused = || {
        let error = prepare(cache.path(), &strict).err().unwrap();
        assert!(matches!(&error, DataError::BadImages { images } if images.len() == 2), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("trainA/empty.png: the file is empty")
                && text.contains("trainB/text.png"),
            "{text}"
        );
    };
    refused();
    let data = prepare(cache.path(), &lenient).unwrap();
    assert_eq!(data.skipped().len(), 2);
    assert_eq!(data.count(Fold::Train, Domain::A), 3);
    refused();
    // Skipping a file is as if it were not there.
    let clean = self::folder();
    assert_eq!(
        prepare(cache.path(), &of_folder(clean.path())).unwrap().fingerprint(),
        data.fingerprint()
    );
    for name in ["b0.png", "b1.jpg"] {
        fs::write(folder.path().join("trainB").join(name), "").unwrap();
    }
    let error = prepare(cache.path(), &lenient).err().unwrap().to_string();
    assert!(error.contains("trainB` holds no image"), "{error}");
}

/// Leaving out most of the images is no way to go on.
#[test]
fn more_bad_images_than_good_ones_stop_in_any_case() {
    let (cache, folder) = (tempfile::tempdir().unwrap(), folder());
    let lenient = DataConfig { on_bad_image: OnBadImage::Skip, ..of_folder(folder.path()) };
    for name in ["x1.png", "x2.png", "x3.png"] {
        fs::write(folder.path().join("trainA").join(name), "").unwrap();
    }
    assert_eq!(prepare(cache.path(), &lenient).unwrap().skipped().len(), 3, "half of them");
    fs::write(folder.path().join("trainA/x4.png"), "").unwrap();
    let error = prepare(cache.path(), &lenient).err().unwrap();
    assert!(matches!(&error, DataError::MostlyBad { of: 7, images, .. } if images.len() == 4));
    let text = error.to_string();
    assert!(text.contains("4 of 7 images of") && text.contains("trainA` cannot be used"), "{text}");
    assert!(text.contains("trainA/x4.png: the file is empty"), "{text}");
    for name in ["x1.png", "x2.png", "x3.png", "x4.png"] {
        fs::remove_file(folder.path().join("trainA").join(name)).unwrap();
    }
    // Held-out images count by themselves.
    fs::write(folder.path().join("testA/x1.png"), "").unwrap();
    fs::write(folder.path().join("testA/x2.png"), "").unwrap();
    let text = prepare(cache.path(), &lenient).err().unwrap().to_string();
    assert!(text.contains("2 of 3 images of") && text.contains("testA`"), "{text}");
}

/// A name is shown, and does nothing.
#[test]
fn names_in_messages_are_written_out() {
    let path = "\u{1b}[2Ja\nerror: b\r\u{202e}gnp.é🦓".to_string();
    let image = SkippedImage { path, reason: "cut".into() };
    assert_eq!(image.to_string(), "\\u{1b}[2Ja\\nerror: b\\r\\u{202e}gnp.é🦓: cut");
}

#[test]
fn a_long_list_of_bad_images_is_cut() {
    let images =
        (0..13).map(|i| SkippedImage { path: format!("{i}.png"), reason: "cut".into() }).collect();
    let text = DataError::BadImages { images }.to_string();
    assert!(
        text.starts_with("13 of the images") && text.ends_with("  9.png: cut\n  … and 3 more"),
        "{text}"
    );
}

#[test]
fn configurations_that_cannot_be_read_are_refused() {
    let cache = tempfile::tempdir().unwrap();
    let check = |config: DataConfig, expected: &str| {
        let error = prepare(cache.path(), &config).err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(DataConfig { load_size: 8, crop_size: 12, ..of_recipe("synthetic") }, "crop_size is 12");
    check(DataConfig { crop_size: 0, ..of_recipe("synthetic") }, "crop_size is 0");
    check(DataConfig { load_size: 16_385, ..of_recipe("synthetic") }, "at most 16384 px a side");
    check(config(), "exactly one");
    check(DataConfig { path: Some("x".into()), ..of_recipe("synthetic") }, "exactly one");
    check(of_recipe("blueprnt"), "did you mean `blueprint`?");
    let file = cache.path().join("file");
    fs::write(&file, "").unwrap();
    let broken =
        Store::new(file, RecipeBook::new(&[])).prepare(&of_recipe("synthetic"), &mut |_| ());
    assert!(matches!(broken, Err(DataError::Write { .. })), "{:?}", broken.err());
}
