//! The attempts of a run: who worked on it, from when to when, and how each came to its end.

use crate::event::{Event, Stamped};
use crate::record::{AttemptEnd, AttemptRecord};

/// In order. Times are the events': of an attempt that is still under way the last one there is.
pub(crate) fn attempts(events: &[Stamped<Event>]) -> Vec<AttemptRecord> {
    let mut attempts: Vec<AttemptRecord> = Vec::new();
    let mut between = false;
    for Stamped { ts, event } in events {
        if let Event::Started { attempt, device, host, .. } = event {
            attempts.push(AttemptRecord {
                number: *attempt,
                device: device.clone(),
                host: host.clone(),
                from: ts.clone(),
                to: ts.clone(),
                end: AttemptEnd::Open,
            });
            between = false;
            continue;
        }
        // What befalls a run between two attempts is none of the first's.
        between |= matches!(event, Event::Reopened { .. });
        let Some(attempt) = attempts.last_mut().filter(|_| !between) else { continue };
        let was_open = attempt.end == AttemptEnd::Open;
        if was_open {
            attempt.to = ts.clone();
        }
        // A scheduler adds its word to the run's own: out of time, after stopped.
        if let Some(end) = ending(event).filter(|end| was_open || *end == AttemptEnd::Failed) {
            attempt.end = end;
        }
    }
    attempts
}

fn ending(event: &Event) -> Option<AttemptEnd> {
    Some(match event {
        Event::Completed { .. } => AttemptEnd::Completed,
        Event::Diverged { .. } => AttemptEnd::Diverged,
        Event::Interrupted { .. } => AttemptEnd::Stopped,
        Event::Failed { .. } | Event::TimedOut { .. } | Event::Lost { .. } => AttemptEnd::Failed,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_ends_with_its_own_word_or_the_scheduler_s() {
        let started = |attempt| Event::Started {
            attempt,
            device: "cpu".into(),
            pid: 7,
            host: "box".into(),
            code: "c".into(),
            argv: vec![],
        };
        let out_of_time = || Event::TimedOut { reason: "an hour".into() };
        let all = [
            Event::Resumed { attempt: 1, from_step: 0, checkpoint: "none".into() },
            started(1),
            Event::Checkpoint { step: 10, path: "c".into() },
            Event::Interrupted { step: 10 },
            out_of_time(),
            started(2),
            Event::Completed { step: 20, active_s: 1.0 },
            Event::Reopened { reason: "to be scored".into() },
            // Of a process that died before it began.
            Event::Lost { reason: "killed".into() },
            started(3),
            Event::Checkpoint { step: 20, path: "c".into() },
        ];
        let stamped =
            all.into_iter().enumerate().map(|(at, event)| Stamped { ts: at.to_string(), event });
        let found = attempts(&stamped.collect::<Vec<_>>());
        let said: Vec<_> =
            found.iter().map(|it| (it.number, it.from.as_str(), it.to.as_str(), it.end)).collect();
        use AttemptEnd::{Completed, Failed, Open};
        assert_eq!(said, [(1, "1", "3", Failed), (2, "5", "6", Completed), (3, "9", "10", Open)]);
    }
}
