//! What happened to a run, in words: its events, and the last lines of its log.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::event::{Event, Stamped};
use crate::layout::RunDir;
use crate::record::{FlagRecord, Parameters};

/// Lines of a log that are shown with a run.
const TAIL_LINES: usize = 20;
/// Of what is read for them: a log may be long, and one line as well.
const TAIL_BYTES: u64 = 16 << 10;

/// One line an event, with its time. Of what repeats while all is well, the last: a long run saves
/// and evaluates hundreds of times.
pub(crate) fn in_words(events: &[Stamped<Event>]) -> Vec<(String, String)> {
    let events: Vec<&Stamped<Event>> =
        events.iter().filter(|it| !matches!(it.event, Event::Evaluated { .. })).collect();
    let saved = |it: &Stamped<Event>| matches!(it.event, Event::Checkpoint { .. });
    let repeats = |i: usize| saved(events[i]) && events.get(i + 1).is_some_and(|it| saved(it));
    let line = |i: usize| Some((events[i].ts.clone(), words(&events[i].event)?));
    (0..events.len()).filter(|&i| !repeats(i)).filter_map(line).collect()
}

fn words(event: &Event) -> Option<String> {
    Some(match event {
        Event::Started { attempt, device, pid, host, code, .. } => {
            format!("attempt {attempt} begins on {device} (process {pid} on {host}, code {code})")
        }
        Event::Built { parameters: Parameters { generators, discriminators } } => {
            format!(
                "{generators} parameters in the generators, {discriminators} in the discriminators"
            )
        }
        Event::Resumed { from_step, .. } => format!("goes on from step {from_step}"),
        Event::Checkpoint { step, .. } => format!("checkpoint at step {step}"),
        Event::CheckpointRejected { path, reason } => {
            format!("checkpoint {} is not used: {reason}", path.display())
        }
        Event::Evaluated { step, flags, .. } => {
            let flags: Vec<&str> = flags.iter().map(|it| it.flag.as_str()).collect();
            match flags.is_empty() {
                true => format!("evaluated at step {step}"),
                false => format!("evaluated at step {step}: {}", flags.join(", ")),
            }
        }
        Event::Reopened { reason } => format!("opened again: {reason}"),
        Event::RecordingDegraded { what, reason } => format!("{what} not recorded: {reason}"),
        Event::RecordingRestored { what } => format!("{what} recorded again"),
        Event::Interrupted { step } => format!("stopped and saved at step {step}"),
        Event::Completed { step, .. } => format!("completed at step {step}"),
        Event::Diverged { step, reason } => format!("diverged at step {step}: {reason}"),
        Event::Failed { class, reason } => format!("failed ({}): {reason}", class.name()),
        Event::TimedOut { reason } => format!("out of time: {reason}"),
        Event::Lost { reason } => format!("lost: {reason}"),
        Event::Unknown => return None,
    })
}

/// What could not be recorded, and whether it has been since.
pub(crate) fn trouble(events: &[Stamped<Event>]) -> Vec<String> {
    let of_recording = |it: &&Stamped<Event>| {
        matches!(it.event, Event::RecordingDegraded { .. } | Event::RecordingRestored { .. })
    };
    events.iter().filter(of_recording).filter_map(|it| words(&it.event)).collect()
}

/// What the last evaluation found wrong, and what it could not measure and why.
pub(crate) fn verdict(events: &[Stamped<Event>]) -> (Vec<FlagRecord>, BTreeMap<String, String>) {
    let of_evaluation = |it: &Stamped<Event>| match &it.event {
        Event::Evaluated { flags, absent, .. } => Some((flags.clone(), absent.clone())),
        _ => None,
    };
    events.iter().rev().find_map(of_evaluation).unwrap_or_default()
}

impl RunDir {
    /// The last lines that the newest attempt's process wrote, fit for a terminal.
    /// A log that cannot be read has none: it is a help, not a record.
    pub fn log_tail(&self, attempt: u32) -> Vec<String> {
        tail(&self.log(attempt)).unwrap_or_default()
    }
}

fn tail(path: &Path) -> std::io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines: Vec<String> =
        text.lines().map(plain).filter(|line| !line.trim().is_empty()).collect();
    lines.drain(..lines.len().saturating_sub(TAIL_LINES));
    Ok(lines)
}

/// Without control characters: colours and cursor movements are not for readers of a record.
fn plain(line: &str) -> String {
    let mut plain = String::new();
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match c {
            // A terminal's sequence ends with its first letter.
            '\u{1b}' => drop(characters.find(char::is_ascii_alphabetic)),
            '\t' => plain.push(' '),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_of_a_log_without_its_colours() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::new(dir.path().to_owned());
        assert_eq!(run.log_tail(1), [""; 0]);
        std::fs::create_dir_all(run.log(1).parent().unwrap()).unwrap();
        let long: String = (0..3000).map(|i| format!("line {i}\n")).collect();
        std::fs::write(run.log(1), format!("{long}\n\u{1b}[1;31merror\u{1b}[0m:\tbad\u{7}\r\n"))
            .unwrap();
        let tail = run.log_tail(1);
        assert_eq!(tail.len(), TAIL_LINES);
        assert_eq!((tail[0].as_str(), tail[19].as_str()), ("line 2981", "error: bad"));
    }

    fn evaluated(step: u64) -> Event {
        Event::Evaluated { step, flags: vec![], absent: BTreeMap::new() }
    }

    #[test]
    fn the_last_evaluation_speaks_for_the_run() {
        let blind = |step, why: &str| Event::Evaluated {
            step,
            flags: vec![],
            absent: BTreeMap::from([("eval/gain_ab".into(), why.into())]),
        };
        let check = |events: Vec<Event>, expected: Option<&str>| {
            let events: Vec<_> =
                events.into_iter().map(|event| Stamped { ts: "t".into(), event }).collect();
            let (_, absent) = verdict(&events);
            assert_eq!(absent.get("eval/gain_ab").map(String::as_str), expected);
        };
        check(vec![], None);
        check(
            vec![blind(1, "no weights"), blind(2, "anchors too close"), Event::Unknown],
            Some("anchors too close"),
        );
        check(vec![blind(1, "no weights"), evaluated(2)], None);
    }

    #[test]
    fn trouble_is_told_in_order() {
        let events = [
            evaluated(7),
            Event::RecordingDegraded { what: "samples".into(), reason: "disk full".into() },
            Event::Unknown,
            Event::RecordingRestored { what: "samples".into() },
        ];
        let events = events.map(|event| Stamped { ts: "t".into(), event });
        assert_eq!(trouble(&events), ["samples not recorded: disk full", "samples recorded again"]);
    }

    #[test]
    fn what_repeats_is_told_once() {
        let checkpoint = |step| Event::Checkpoint { step, path: "c".into() };
        let events = [
            checkpoint(1),
            evaluated(2),
            checkpoint(2),
            Event::Interrupted { step: 2 },
            Event::Unknown,
            checkpoint(3),
        ];
        let events = events.map(|event| Stamped { ts: "t".into(), event });
        let words = in_words(&events).into_iter().map(|(_, words)| words).collect::<Vec<_>>();
        let [two, three] = [2, 3].map(|step| format!("checkpoint at step {step}"));
        assert_eq!(words, [two.as_str(), "stopped and saved at step 2", &three]);
    }
}
