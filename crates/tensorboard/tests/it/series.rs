use std::path::Path;

use tensorboard::{EventWriter, Moment};

use crate::reader::{Fields, events};

fn writer(logdir: &Path) -> EventWriter {
    EventWriter::create(logdir, "run", 12.5).unwrap()
}

/// Step, wall time and the one value of an event.
fn value(event: &Fields) -> (u64, f64, Fields) {
    let summary = event.message(5);
    (event.int(2), event.double(1), summary.message(1))
}

#[test]
fn a_file_begins_with_its_version() {
    let logdir = tempfile::tempdir().unwrap();
    let path = writer(logdir.path()).finish().unwrap();
    assert_eq!(path, logdir.path().join("run/events.out.tfevents.cyclelab"));
    let [event] = &events(&path)[..] else { panic!("one event") };
    assert_eq!((event.double(1), event.int(2)), (12.5, 0));
    assert_eq!(event.text(3), "brain.Event:2");
}

#[test]
fn scalars_come_back() {
    let logdir = tempfile::tempdir().unwrap();
    let mut writer = writer(logdir.path());
    let values = [0.0, -0.0, 0.1, 1e300, f64::NAN, f64::NEG_INFINITY, 1e-50];
    for (step, value) in (1..).zip(values) {
        let wall_time = 1e9 + step as f64 / 8.0;
        writer.scalar("train/λ", Moment { step, wall_time }, value).unwrap();
    }
    writer.scalar("", Moment { step: u64::MAX, wall_time: 0.0 }, 1.0).unwrap();
    let events = events(&writer.finish().unwrap());
    assert_eq!(events.len(), 1 + values.len() + 1);
    for ((step, value_written), event) in (1..).zip(values).zip(&events[1..]) {
        let (found_step, wall_time, found) = value(event);
        assert_eq!((found_step, wall_time), (step, 1e9 + step as f64 / 8.0));
        assert_eq!(found.text(1), "train/λ");
        let found = found.float(2).expect("also a 0 is written");
        assert_eq!(found.to_bits(), (value_written as f32).to_bits(), "{value_written}");
    }
    let (step, wall_time, found) = value(events.last().unwrap());
    assert_eq!((step, wall_time), (i64::MAX as u64, 0.0), "TensorBoard's steps have a sign");
    assert_eq!((found.text(1).as_str(), found.float(2)), ("", Some(1.0)));
}

#[test]
fn images_come_back() {
    let logdir = tempfile::tempdir().unwrap();
    let mut writer = writer(logdir.path());
    let png: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let at = Moment { step: 7, wall_time: 3.0 };
    writer.image_png("samples/a/1.png/fake", at, 640, 3, png.clone()).unwrap();
    writer.image_png("empty", at, u32::MAX, 0, vec![]).unwrap();
    let events = events(&writer.finish().unwrap());
    let (step, wall_time, found) = value(&events[1]);
    assert_eq!((step, wall_time, found.text(1).as_str()), (7, 3.0, "samples/a/1.png/fake"));
    assert!(!found.has(2) && !found.has(8), "an image and nothing else");
    let image = found.message(4);
    assert_eq!([image.int(1), image.int(2), image.int(3)], [3, 640, 3], "height, width, channels");
    assert_eq!(image.bytes(4), png);
    let image = value(&events[2]).2.message(4);
    assert_eq!([image.int(1), image.int(2)], [0, i32::MAX as u64]);
}
