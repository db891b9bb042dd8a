//! Any bytes as `events.jsonl` of a run and of a sweep, and as `plan.jsonl`: lines that are none are
//! named, an event that is added is read back whatever stood before it, and a plan leads nowhere
//! out of its folder.

#![no_main]
// The modules as they stand in `track`, without Parquet, which would take minutes to instrument.
#![allow(dead_code)]

#[path = "../crates/track/src/durable.rs"]
mod durable;
#[path = "../crates/track/src/error.rs"]
mod error;
#[path = "../crates/track/src/event.rs"]
mod event;
#[path = "../crates/track/src/identity.rs"]
mod identity;
#[path = "../crates/track/src/jsonl.rs"]
mod jsonl;
#[path = "../crates/track/src/layout.rs"]
mod layout;
#[path = "../crates/track/src/plan.rs"]
mod plan;
#[path = "../crates/track/src/record.rs"]
mod record;
#[path = "../crates/track/src/time.rs"]
mod time;

mod schema {
    pub(crate) const SCHEMA_REV: u32 = 1;
}

use std::fs;
use std::path::{Component, Path};
use std::sync::LazyLock;

use event::{Event, RunEvents, SweepEvents};
use libfuzzer_sys::fuzz_target;

static SWEEP: LazyLock<layout::SweepDir> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let temp = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let sweep = layout::SweepDir::new(&temp, &format!("fuzz-events-{}", std::process::id()));
    let sweep = sweep.expect("letters and digits");
    fs::create_dir_all(sweep.path()).expect("a writable folder");
    sweep
});

fuzz_target!(|data: &[u8]| {
    let path = SWEEP.events();
    fs::write(&path, data).expect("a writable file");
    let (_, bad) = SweepEvents::read(&path).expect("bytes are no reason not to read");
    assert!(bad.iter().all(|reason| reason.starts_with("line ")), "{bad:?}");

    let (before, bad) = RunEvents::read(&path).expect("bytes are no reason not to read");
    let event = Event::Evaluated { step: 7, flags: vec![] };
    let mut log = RunEvents::open(&path).expect("nor not to open");
    log.append(&event).expect("a writable file");
    let (after, bad_after) = RunEvents::read(&path).expect("nor not to read again");
    let (last, others) = after.split_last().expect("one was added");
    assert_eq!((&last.event, others, bad_after), (&event, &before[..], bad));

    fs::write(SWEEP.plan(), data).expect("a writable file");
    if let Ok((_, runs)) = SWEEP.read_plan() {
        for run in runs {
            let plain = |part| matches!(part, Component::Normal(_));
            assert!(Path::new(&run.folder).components().all(plain), "{}", run.folder);
        }
    }
});
