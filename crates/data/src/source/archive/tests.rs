//! Archives that are sound are in `crate::tests`.

use std::fs;
use std::io::{Cursor, Write};

use super::*;
use crate::source::open;

type Zip = zip::ZipWriter<Cursor<Vec<u8>>>;

fn written(fill: impl FnOnce(&mut Zip)) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut image = Cursor::new(Vec::new());
    image::RgbImage::new(8, 8).write_to(&mut image, image::ImageFormat::Png).unwrap();
    for name in ["set/trainA/a0.png", "set/trainA/a1.png", "set/trainB/b0.png"] {
        add(&mut zip, name, image.get_ref());
    }
    fill(&mut zip);
    zip.finish().unwrap().into_inner()
}

fn add(zip: &mut Zip, name: &str, content: &[u8]) {
    zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(content).unwrap();
}

fn opened(bytes: &[u8]) -> Result<Box<dyn Source>, DataError> {
    let recipe = "name = \"set\"\ntitle = \"\"\nkind = \"archive\"\nsource = \"https://x\"\n\
                  version = \"1\"\nlicence = \"\"\ncredit = \"\"\npairs = \"none\"";
    let recipe = Recipe::parse(Path::new("set.toml"), recipe).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("set.zip");
    fs::write(&path, bytes).unwrap();
    let source = open(&recipe, Some(&path));
    let beside: Vec<_> = fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(beside.len(), 1, "nothing is unpacked: {beside:?}");
    source
}

fn refused(bytes: &[u8], expected: &str) {
    let error = opened(bytes).err().expect("refused").to_string();
    assert!(error.contains(expected), "{error} lacks {expected}");
}

/// In the list at the end, and in front of the file itself.
fn renamed(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
    }
    bytes
}

/// The size once unpacked, as the list at the end has it, of every file.
fn claiming(mut bytes: Vec<u8>, size: u32) -> Vec<u8> {
    for at in 0..bytes.len() - 28 {
        if bytes[at..].starts_with(b"PK\x01\x02") {
            bytes[at + 24..at + 28].copy_from_slice(&size.to_le_bytes());
        }
    }
    bytes
}

#[test]
fn what_lies_about_itself_is_refused() {
    let sound = written(|_| ());
    assert_eq!(opened(&sound).unwrap().entries().len(), 3);
    refused(&renamed(sound.clone(), b"trainA/a1", b"trainA/a0"), "holds a name twice");
    let wrapped = written(|zip| add(zip, "trainA/a0.png", b""));
    refused(&wrapped, "holds `trainA/a0.png` twice");
    let shared = written(|zip| {
        zip.shallow_copy_file("set/trainA/a0.png", "set/trainA/again.png").unwrap();
    });
    refused(&shared, "its files overlap");
    refused(&claiming(sound.clone(), u32::MAX - 1), "would unpack from 0 to 12287 MiB");
    for part in [1, 8, 15] {
        refused(&sound[..sound.len() * part / 16], "is not the package it should be");
    }
}

#[test]
fn each_image_is_read_by_itself_and_only_so_far() {
    let swollen = written(|zip| {
        add(zip, "set/trainB/swollen.png", &vec![0; 65 << 20]);
        add(zip, "set/trainB/nested.png", &written(|_| ()));
    });
    let check = |bytes: &[u8], expected: &[&str]| {
        let source = opened(bytes).unwrap();
        let reasons = (0..source.entries().len()).filter_map(|i| source.picture(i, 8).err());
        let reasons: Vec<String> = reasons.collect();
        assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
        for (reason, expected) in reasons.iter().zip(expected) {
            assert!(reason.contains(expected), "{reason} lacks {expected}");
        }
    };
    check(&swollen, &["not a PNG", "64 MiB is too large"]);
    // Smaller than it is: read no further than it said, or told apart.
    let source = opened(&claiming(swollen, 1000)).unwrap();
    let reasons: Vec<_> = (0..5).filter_map(|i| source.picture(i, 8).err()).collect();
    assert!(reasons.len() >= 2, "{reasons:?}");
}

/// Never written anywhere, and no image of the set.
#[test]
fn links_and_paths_that_lead_out_are_passed_over() {
    let zip = written(|zip| {
        for name in
            ["set/trainA/../../out.png", "/trainA/x.png", "C:/trainA/x.png", "set/trainA/\\x.png"]
        {
            add(zip, name, b"");
        }
        let options = zip::write::SimpleFileOptions::default();
        zip.add_symlink("set/trainA/link.png", "/etc/passwd", options).unwrap();
        zip.add_symlink("set/trainB/folder", "/", options).unwrap();
        add(zip, "set/trainB/folder/x.txt", b"");
    });
    assert_eq!(opened(&zip).unwrap().entries().len(), 3);
}

#[test]
fn images_are_placed_by_their_folder() {
    let check = |name: &str, expected: Option<(Fold, Domain, &str)>| {
        assert_eq!(place(name).filter(|_| is_safe(name)), expected, "{name}");
    };
    check("horse2zebra/trainA/n1.jpg", Some((Fold::Train, Domain::A, "n1.jpg")));
    check("trainB/x/n1.JPG", Some((Fold::Train, Domain::B, "x/n1.JPG")));
    check("set/test/B/n1.png", Some((Fold::Test, Domain::B, "n1.png")));
    check("set/refA/n1.png", Some((Fold::Ref, Domain::A, "n1.png")));
    check("ref/B/n1.png", Some((Fold::Ref, Domain::B, "n1.png")));
    check("set/trainA/notes.txt", None);
    check("__MACOSX/trainA/._n1.jpg", None);
    check("a/b/trainA/n1.jpg", None);
    check("set/trainA/../../n1.jpg", None);
    check("/trainA/n1.jpg", None);
    check("C:/trainA/n1.jpg", None);
    check("c:trainA/n1.jpg", None);
    check("set\\trainA/n1.jpg", None);
    check("trainA/n\n1.jpg", None);
    check("set/trainAB/n1.jpg", None);
}
