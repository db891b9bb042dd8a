use std::path::Path;

use tensorboard::{EventWriter, Experiment, HParam, Moment, Outcome, Session};

/// A PNG of two pixels, red and blue.
const RED_AND_BLUE: &str = "89504e470d0a1a0a0000000d49484452000000020000000108020000007b40e8dd00\
                            00000f49444154789c63f8cfc0c0c0f01f00070001ff7e08b1d00000000049454e44\
                            ae426082";

const START: f64 = 1_700_000_000.0;

fn red_and_blue() -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&RED_AND_BLUE[at..at + 2], 16).expect("hex digits");
    (0..RED_AND_BLUE.len()).step_by(2).map(digit).collect()
}

fn session(lambda_cycle: f64, gan_mode: &str) -> Session {
    let hparams = [
        ("loss.lambda_cycle", HParam::Number(lambda_cycle)),
        ("loss.gan_mode", HParam::Text(gan_mode.into())),
        ("data.flip", HParam::Bool(true)),
    ];
    let hparams = hparams.map(|(name, value)| (name.to_string(), value)).to_vec();
    Session { hparams, started: START, ended: Some((START + 60.5, Outcome::Success)) }
}

fn written(logdir: &Path) -> Vec<u8> {
    let sessions = [session(0.0, "lsgan"), session(10.0, "vanilla")];
    let experiment = Experiment::of(&sessions, &["eval/eval/l1_ab".into()]);
    let at = |step, seconds| Moment { step, wall_time: START + seconds };
    let mut writer = EventWriter::create(logdir, "lambda_cycle10-s1", START).unwrap();
    writer.hparams(&experiment, &sessions[1]).unwrap();
    writer.scalar("train/loss/cycle_a", at(5, 1.0), 0.5).unwrap();
    writer.scalar("train/loss/cycle_a", at(10, 2.0), 0.0).unwrap();
    writer.scalar("train/loss/cycle_a", at(15, 3.0), f64::NAN).unwrap();
    writer.scalar("eval/eval/l1_ab", at(15, 4.0), 0.1).unwrap();
    writer.image_png("samples/a/00007/fake", at(15, 4.0), 2, 1, red_and_blue()).unwrap();
    std::fs::read(writer.finish().unwrap()).unwrap()
}

/// Its messages and its RecordWriter, version 2.21.0, by `tests/readers/tensorboard_files.py write`.
#[test]
fn the_bytes_are_tensorboard_s() {
    let logdir = tempfile::tempdir().unwrap();
    let found = written(logdir.path());
    let expected = include_bytes!("written_by_tensorboard");
    let first = found.iter().zip(expected).position(|(found, expected)| found != expected);
    assert_eq!((first, found.len()), (None, expected.len()), "first byte that differs, length");
}

#[test]
fn writing_twice_gives_the_same_file() {
    let logdir = tempfile::tempdir().unwrap();
    let first = written(logdir.path());
    assert_eq!(written(logdir.path()), first);
    let run = logdir.path().join("lambda_cycle10-s1");
    assert_eq!(std::fs::read_dir(run).unwrap().count(), 1, "the second replaces the first");
}
