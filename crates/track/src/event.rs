//! `events.jsonl`: what happened to a run or a sweep, line by line. The source
//! of truth for where it stands.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::TrackError;
use crate::jsonl::{self, JsonLines};
use crate::record::{FailureClass, FlagRecord, Parameters};
use crate::time;

/// What happens to a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Opens every attempt.
    Started {
        attempt: u32,
        device: String,
        pid: u32,
        host: String,
        /// `CodeVersion` in words.
        code: String,
        argv: Vec<String>,
    },
    /// Follows `Started` where the attempt goes on from a checkpoint.
    Resumed {
        attempt: u32,
        from_step: u64,
        checkpoint: PathBuf,
    },
    /// The networks of this attempt are there.
    Built {
        #[serde(flatten)]
        parameters: Parameters,
    },
    Checkpoint {
        step: u64,
        path: PathBuf,
    },
    /// What is wrong with the translations, where anything is, and which metrics could not be had.
    Evaluated {
        step: u64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        flags: Vec<FlagRecord>,
        /// By metric (`eval/gain_ab`), why it is not there.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        absent: BTreeMap<String, String>,
    },
    /// A finished run is opened again, to be evaluated anew with what was not there before. Nothing is
    /// trained.
    Reopened {
        reason: String,
    },
    /// A checkpoint that could not be used when the attempt looked for one.
    CheckpointRejected {
        path: PathBuf,
        reason: String,
    },
    /// Something could not be recorded; training went on.
    RecordingDegraded {
        what: String,
        reason: String,
    },
    /// What could not be recorded since then has been.
    RecordingRestored {
        what: String,
    },
    /// Stopped on request.
    Interrupted {
        step: u64,
    },
    /// `active_s`: seconds of training over all attempts.
    Completed {
        step: u64,
        active_s: f64,
    },
    /// A loss, a weight or a score stopped being finite, or a guard of the configuration fired.
    Diverged {
        step: u64,
        reason: String,
    },
    Failed {
        class: FailureClass,
        reason: String,
    },
    /// Stopped by a limit of time. Written by the scheduler after the run's own last word.
    TimedOut {
        reason: String,
    },
    /// The process died without a last word. Written by the scheduler that saw it die.
    Lost {
        reason: String,
    },
    /// From a later version; it does not change where the run stands.
    #[serde(other)]
    Unknown,
}

/// What happens to a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum SweepEvent {
    Invoked {
        invocation: u32,
        argv: Vec<String>,
        host: String,
        pid: u32,
    },
    RunStarted {
        index: usize,
        key: String,
    },
    /// `state`: `RunState::name`; empty in logs of before it was written.
    RunEnded {
        index: usize,
        key: String,
        #[serde(default)]
        state: String,
    },
    /// A run that ended without a result waits for its `retry`th further try.
    Retrying {
        index: usize,
        key: String,
        retry: u32,
    },
    Interrupted,
    /// So many runs failed that no more were started.
    BreakerTripped {
        failed: usize,
    },
    Finished {
        completed: usize,
        failed: usize,
    },
    #[serde(other)]
    Unknown,
}

/// An event and when it was written, RFC 3339 UTC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stamped<E> {
    pub ts: String,
    #[serde(flatten)]
    pub event: E,
}

/// An open event log. One writer: whoever holds the folder's lock.
pub struct EventLog<E> {
    lines: JsonLines,
    event: PhantomData<fn(E)>,
}

pub type RunEvents = EventLog<Event>;
pub type SweepEvents = EventLog<SweepEvent>;

impl<E: Serialize + DeserializeOwned> EventLog<E> {
    /// Opens for appending, and cuts off the torn last line of a killed writer.
    pub fn open(path: &Path) -> Result<Self, TrackError> {
        Ok(EventLog { lines: JsonLines::open(path)?, event: PhantomData })
    }

    /// Adds one event; it is on the disk when this returns.
    pub fn append(&mut self, event: &E) -> Result<(), TrackError> {
        self.append_at(event, time::now_us())
    }

    /// The same, at a given time.
    pub fn append_at(&mut self, event: &E, ts_us: i64) -> Result<(), TrackError> {
        self.lines.append(&Stamped { ts: time::rfc3339(ts_us), event })
    }

    /// All events in order, and what was wrong with lines that are none. A
    /// missing log is an empty one.
    pub fn read(path: &Path) -> Result<(Vec<Stamped<E>>, Vec<String>), TrackError> {
        jsonl::read(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_as_documented() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        let mut log = RunEvents::open(&path).unwrap();
        let failed = Event::Failed { class: FailureClass::Oom, reason: "64 GiB".into() };
        log.append_at(&failed, 0).unwrap();
        let evaluated = |absent| Event::Evaluated { step: 7, flags: vec![], absent };
        log.append_at(&evaluated(BTreeMap::new()), 1_000_000).unwrap();
        let absent = BTreeMap::from([("eval/gain_ab".into(), "no partners".into())]);
        log.append_at(&evaluated(absent.clone()), 1_000_000).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "{\"ts\":\"1970-01-01T00:00:00.000000Z\",\"event\":\"failed\",\"class\":\"oom\",\"reason\":\"64 GiB\"}\n\
             {\"ts\":\"1970-01-01T00:00:01.000000Z\",\"event\":\"evaluated\",\"step\":7}\n\
             {\"ts\":\"1970-01-01T00:00:01.000000Z\",\"event\":\"evaluated\",\"step\":7,\
             \"absent\":{\"eval/gain_ab\":\"no partners\"}}\n"
        );
        let (events, bad) = RunEvents::read(&path).unwrap();
        assert_eq!((events[0].event.clone(), events.len(), bad.len()), (failed, 3, 0));
        assert_eq!(events[2].event, evaluated(absent));
    }

    #[test]
    fn a_run_that_ended_says_how() {
        let check = |rest: &str, expected: &str| {
            let line = format!(r#"{{"ts":"x","event":"run_ended","index":3,"key":"3f9c",{rest}}}"#);
            let found: Stamped<SweepEvent> = serde_json::from_str(&line).unwrap();
            let (key, state) = ("3f9c".into(), expected.into());
            assert_eq!(found.event, SweepEvent::RunEnded { index: 3, key, state }, "{line}");
        };
        check(r#""state":"diverged""#, "diverged");
        check(r#""exit":null"#, "");
    }

    #[test]
    fn an_event_of_a_later_version_is_kept_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        std::fs::write(&path, "{\"ts\":\"x\",\"event\":\"teleported\",\"to\":3}\n").unwrap();
        let (events, bad) = RunEvents::read(&path).unwrap();
        assert_eq!((events[0].event.clone(), bad.len()), (Event::Unknown, 0));
    }
}
