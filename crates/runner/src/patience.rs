//! Waiting for a disk: what is full or busy now may not be in a moment.

use std::thread::sleep;
use std::time::Duration;

use track::{FailureClass, TrackError};

use crate::error::RunnerError;

/// Between tries; some four seconds in all.
const WAITS: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_millis(1000),
    Duration::from_millis(2500),
];

/// Whether the same may succeed later: want of space or permission, an unreliable disk. A run that
/// a later attempt owns is gone for good.
pub(crate) fn may_pass(error: &RunnerError) -> bool {
    error.class() == FailureClass::Io
        && !matches!(error, RunnerError::Track(TrackError::Fenced { .. } | TrackError::Held { .. }))
}

/// Tries again after growing waits, as long as that makes sense.
pub(crate) fn patiently<T>(
    attempt: &mut dyn FnMut() -> Result<T, RunnerError>,
) -> Result<T, RunnerError> {
    for wait in WAITS {
        match attempt() {
            Err(error) if may_pass(&error) => sleep(wait),
            done => return done,
        }
    }
    attempt()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn full() -> RunnerError {
        RunnerError::Write { path: "x".into(), source: io::ErrorKind::StorageFull.into() }
    }

    #[test]
    fn a_full_disk_is_given_time_and_nothing_else() {
        let mut tries = 0;
        let done = patiently(&mut || {
            tries += 1;
            if tries < 3 { Err(full()) } else { Ok(tries) }
        });
        assert_eq!(done.expect("space again"), 3);

        let fenced = || TrackError::Fenced { path: "x".into(), attempt: 1, by: "y".into() };
        let mut tries = 0;
        let done: Result<(), _> = patiently(&mut || {
            tries += 1;
            Err(fenced().into())
        });
        assert!(matches!(done, Err(RunnerError::Track(TrackError::Fenced { .. }))));
        assert_eq!(tries, 1);
    }
}
