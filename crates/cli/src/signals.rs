//! Requests to stop from outside.

use std::io::Read;
use std::sync::Arc;

use runner::Stop;
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

/// Who is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Each Ctrl-C makes the stop more urgent; the fourth ends the scheduler itself.
    Sweep,
    /// One signal or ten: the run saves, then ends. A cluster sends several at once. Only Ctrl-C, three
    /// times, ends it without saving.
    Run,
}

/// Listens to TERM, INT, USR1 and USR2.
/// (CONT, which some clusters send along, changes nothing.)
pub(crate) fn listen(
    stop: &Arc<Stop>,
    asked: Asked,
    announce: impl Fn(u8) + Send + 'static,
) -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGUSR1, SIGUSR2])?;
    let stop = Arc::clone(stop);
    std::thread::spawn(move || {
        let mut from_a_person = 0;
        for signal in signals.forever() {
            if signal == SIGINT {
                from_a_person += 1;
                stop.raise();
            } else {
                // TERM is also how a person cancels a job: that is no wish to go on.
                if signal == SIGUSR1 || signal == SIGUSR2 {
                    stop.out_of_time();
                }
                stop.hurry();
                stop.request();
            }
            announce(stop.level());
            let enough = match asked {
                Asked::Sweep => stop.level() > 3,
                Asked::Run => from_a_person > 2,
            };
            if enough {
                std::process::exit(128 + signal);
            }
        }
    });
    Ok(())
}

/// Stops when standard input closes, which is how a scheduler asks, and what its death does.
pub(crate) fn stop_with_stdin(stop: &Arc<Stop>) {
    let stop = Arc::clone(stop);
    std::thread::spawn(move || {
        let mut byte = [0];
        while std::io::stdin().read(&mut byte).is_ok_and(|n| n > 0) {}
        stop.request();
    });
}
