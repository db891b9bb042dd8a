//! Images that were made to harm, or look as if they were.

use std::io::{Cursor, Write};

use flate2::{Compression, Crc, write::ZlibEncoder};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use spec::draw::{Draw, Purpose};

use crate::decode::decode;

fn picture(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(x * 7) as u8, (y * 5) as u8, 99])).into()
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(content);
    let length = (content.len() as u32).to_be_bytes();
    [&length[..], kind, content, &crc.sum().to_be_bytes()].concat()
}

/// A grey PNG of any declared size; `more` stands before the pixels.
fn png(width: u32, height: u32, more: &[u8], pixels: &[u8]) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    let parts = [&chunk(b"IHDR", &header)[..], more, &chunk(b"IDAT", pixels), &chunk(b"IEND", b"")];
    [&b"\x89PNG\r\n\x1a\n"[..], &parts.concat()].concat()
}

/// A segment behind the marker that begins a JPEG.
fn with_segment(jpeg: &[u8], marker: u8, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, content, &jpeg[2..]].concat()
}

#[test]
fn declared_sizes_cost_nothing() {
    let check = |bytes: &[u8], expected: &str| {
        let reason = decode(bytes).unwrap_err();
        assert!(reason.contains(expected), "{reason} lacks {expected}");
    };
    let nothing = deflated(b"");
    check(&png(65_535, 65_535, b"", &nothing), "beyond the limits");
    check(&png(u32::MAX >> 1, 4, b"", &nothing), "beyond the limits");
    check(&png(16_384, 16_384, b"", &nothing), "beyond the limits");
    check(&png(1, 1, b"", &deflated(&[0, 0])), "1×1 px is too small");
    check(&encoded(&picture(1, 1), ImageFormat::Jpeg), "too small");
    let mut jpeg = encoded(&picture(16, 16), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|it| it == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    check(&jpeg, "65500×65500 px is beyond the limits");
    let mut bmp = encoded(&picture(16, 16), ImageFormat::Bmp);
    bmp[18..26].copy_from_slice(&[0xff, 0xff, 0, 0, 0xff, 0xff, 0, 0]);
    check(&bmp, "beyond the limits");
    let mut tiff = encoded(&picture(16, 16), ImageFormat::Tiff);
    let directory = u32::from_le_bytes(tiff[4..8].try_into().unwrap()) as usize + 2;
    for tag in tiff[directory..].chunks_exact_mut(12).take(2) {
        assert!(matches!(tag[..2], [0, 1] | [1, 1]), "width and height stand first");
        tag[8..12].copy_from_slice(&65_535_u32.to_le_bytes());
    }
    check(&tiff, "inconsistent sizes");
}

/// What is more than the pixels is not unpacked, or not kept.
#[test]
fn streams_that_swell_are_cut_off() {
    let rows = [0; 9 * 8];
    let expected = vec![0; 3 * 8 * 8];
    let bomb = deflated(&vec![0; 50 << 20]);
    assert!(bomb.len() < 200_000);
    if let Ok(image) = decode(&png(8, 8, b"", &bomb)) {
        assert_eq!(image.into_raw(), expected);
    }
    let comment = chunk(b"zTXt", &[&b"Comment\0\0"[..], &bomb].concat());
    assert_eq!(decode(&png(8, 8, &comment, &deflated(&rows))).unwrap().into_raw(), expected);
    let profile = chunk(b"iCCP", &[&b"profile\0\0"[..], &bomb].concat());
    assert_eq!(decode(&png(8, 8, &profile, &deflated(&rows))).unwrap().into_raw(), expected);

    let jpeg = encoded(&picture(16, 16), ImageFormat::Jpeg);
    let scan = jpeg.windows(2).rposition(|it| it == [0xff, 0xda]).unwrap();
    let many = [&jpeg[..jpeg.len() - 2], &jpeg[scan..jpeg.len() - 2].repeat(600), &[0xff, 0xd9]];
    let reason = decode(&many.concat()).unwrap_err();
    assert!(reason.contains("more than 500 scans"), "{reason}");
}

/// As in the reference: pixels as they are stored, and of an animation what stands still.
#[test]
fn turned_and_moving_pictures_are_their_stored_pixels() {
    let plain = encoded(&picture(20, 10), ImageFormat::Jpeg);
    // Orientation 6: turn clockwise to show.
    let exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let turned = decode(&with_segment(&plain, 0xe1, exif)).unwrap();
    assert_eq!(turned.dimensions(), (20, 10));
    assert_eq!(turned, decode(&plain).unwrap());

    let frame = |number: u32| {
        let words = [number, 8, 8, 0, 0].map(u32::to_be_bytes).concat();
        chunk(b"fcTL", &[&words[..], &[0, 1, 0, 10, 0, 0]].concat())
    };
    let row = |level: u8| [&[0][..], &[level; 8]].concat().repeat(8);
    let still = [chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]), frame(0)].concat();
    let second = [&1_u32.to_be_bytes()[..], &deflated(&row(200))].concat();
    let moving = png(8, 8, &still, &deflated(&row(100)));
    let end = moving.len() - chunk(b"IEND", b"").len();
    let rest = [frame(1), chunk(b"fdAT", &second)].concat();
    let moving = [&moving[..end], &rest, &moving[end..]].concat();
    assert_eq!(decode(&moving).unwrap().into_raw(), vec![100; 3 * 8 * 8]);
    let reason =
        decode(b"GIF89a\x08\0\x08\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\0\0\0\0\0").unwrap_err();
    assert!(reason.contains("not supported"), "{reason}");
}

/// A file that is wrong in one place is an image or has a reason; the program goes on.
#[test]
fn no_broken_byte_is_a_panic() {
    let formats = [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
        ImageFormat::WebP,
    ];
    let mut refused = 0;
    for (kind, format) in formats.into_iter().enumerate() {
        let whole = encoded(&picture(24, 20), format);
        for round in 0..400 {
            let mut draw = Draw::new(13, Purpose::AugmentA, kind as u64, round);
            let mut bytes = whole.clone();
            for _ in 0..=draw.below(3) {
                // Headers more often than pixels.
                let end = if draw.below(2) == 0 { 64.min(bytes.len()) } else { bytes.len() };
                bytes[draw.below(end as u64) as usize] = draw.below(256) as u8;
            }
            if draw.below(8) == 0 {
                bytes.truncate(draw.below(whole.len() as u64) as usize);
            }
            match decode(&bytes) {
                Ok(image) => assert!(image.width() >= 4 && image.as_raw().len() <= 512 << 20),
                Err(reason) => {
                    refused += 1;
                    assert!(!reason.is_empty() && !reason.contains("index out of"), "{reason}");
                }
            }
        }
    }
    assert!((200..1900).contains(&refused), "{refused} of 2000 refused");
}
