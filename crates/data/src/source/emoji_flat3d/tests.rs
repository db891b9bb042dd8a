use std::io::Cursor;

use super::*;

#[test]
fn shared_emoji_are_read_from_a_package() {
    let mut webp = Cursor::new(Vec::new());
    image::RgbaImage::from_pixel(8, 8, image::Rgba([10, 20, 30, 255]))
        .write_to(&mut webp, image::ImageFormat::WebP)
        .unwrap();
    let mut builder =
        tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    // A face, a flag, a name unknown to Twemoji, a name that is no emoji, a file elsewhere.
    for name in [
        "assets/1f600",
        "assets/2764-fe0f",
        "assets/1f1e9-1f1ea",
        "assets/41",
        "assets/logo",
        "x/1f601",
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(webp.get_ref().len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder
            .append_data(&mut header, format!("package/{name}.webp"), webp.get_ref().as_slice())
            .unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.tgz");
    std::fs::write(&path, builder.into_inner().unwrap().finish().unwrap()).unwrap();

    let source = EmojiFlat3d::open(&path, &FoldBuckets::default()).unwrap();
    assert_eq!(source.files.keys().collect::<Vec<_>>(), ["1f600", "2764"]);
    for (index, entry) in source.entries.iter().enumerate() {
        let rgb = source.picture(index, 16).unwrap().rgb;
        let is_solid = rgb.chunks(3).all(|pixel| pixel == [10, 20, 30]);
        assert_eq!(is_solid, entry.domain == Domain::B, "{entry:?}");
    }

    std::fs::write(&path, "no gzip").unwrap();
    assert!(matches!(
        EmojiFlat3d::open(&path, &FoldBuckets::default()),
        Err(DataError::BadPackage { .. })
    ));
}

type Tar = tar::Builder<flate2::write::GzEncoder<Vec<u8>>>;

fn packed(fill: impl FnOnce(&mut Tar)) -> Vec<u8> {
    let mut tar =
        tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    add(&mut tar, "package/assets/1f600.webp", tar::EntryType::Regular, 4, b"webp");
    fill(&mut tar);
    tar.into_inner().unwrap().finish().unwrap()
}

fn add(tar: &mut Tar, name: &str, kind: tar::EntryType, size: u64, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    tar.append(&header, content).unwrap();
}

fn opened(bytes: &[u8]) -> Result<EmojiFlat3d, DataError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.tgz");
    std::fs::write(&path, bytes).unwrap();
    let source = EmojiFlat3d::open(&path, &FoldBuckets::default());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is unpacked");
    source
}

fn refused(bytes: &[u8], expected: &str) {
    let error = opened(bytes).err().expect("refused").to_string();
    assert!(error.contains(expected), "{error} lacks {expected}");
}

#[test]
fn only_plain_files_of_their_own_folder_are_read() {
    use tar::EntryType::*;
    let sound = packed(|tar| {
        for kind in [Symlink, Link, Char, Block, Fifo, Directory] {
            add(tar, "package/assets/1f601.webp", kind, 0, b"");
        }
        for name in ["../package/assets/1f602.webp", "/package/assets/1f603.webp"] {
            add(tar, name, Regular, 4, b"webp");
        }
    });
    assert_eq!(opened(&sound).unwrap().files.keys().collect::<Vec<_>>(), ["1f600"]);
}

#[test]
fn what_lies_about_itself_is_refused() {
    let regular = tar::EntryType::Regular;
    let again = |tar: &mut Tar| add(tar, "package/assets/1f600.webp", regular, 4, b"webp");
    refused(&packed(again), "1f600.webp twice");
    let large = vec![0; (4 << 20) + 1];
    let swollen =
        |tar: &mut Tar| add(tar, "package/assets/1f601.webp", regular, large.len() as u64, &large);
    refused(&packed(swollen), "1f601.webp: more than 4 MiB");
    let promised = |tar: &mut Tar| add(tar, "package/assets/1f601.webp", regular, 1 << 32, b"");
    refused(&packed(promised), "is not the package it should be");
    // Large where nothing is looked for: the stream ends at its limit, inside the file.
    let bomb = |tar: &mut Tar| {
        let zeros = std::io::Read::take(std::io::repeat(0), 257 << 20);
        let mut header = tar::Header::new_gnu();
        header.set_size(257 << 20);
        header.set_cksum();
        tar.append_data(&mut header, "package/readme", zeros).unwrap();
        again(tar);
    };
    refused(&packed(bomb), "is not the package it should be");
    let whole = packed(|_| ());
    refused(&whole[..whole.len() / 2], "is not the package it should be");
}

/// A file of holes alone, which would be eight gigabytes of zeros.
#[test]
fn holes_are_not_filled() {
    let sparse = packed(|tar| {
        let mut header = tar::Header::new_gnu();
        let name = b"package/assets/1f601.webp";
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.set_entry_type(tar::EntryType::GNUSparse);
        header.set_size(0);
        let sparse = header.as_gnu_mut().unwrap();
        sparse.set_real_size(8 << 30);
        sparse.sparse[0].set_offset(8 << 30);
        sparse.sparse[0].set_length(0);
        header.set_cksum();
        tar.append(&header, &b""[..]).unwrap();
    });
    assert_eq!(opened(&sparse).unwrap().files.keys().collect::<Vec<_>>(), ["1f600"]);
}
