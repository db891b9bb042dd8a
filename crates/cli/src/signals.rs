//! Requests to stop from outside.

use std::io::Read;
use std::sync::Arc;

use runner::Stop;
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

/// Every TERM, INT, USR1 or USR2 raises the stop by one; the third ends the process at once.
/// (CONT, which some clusters send along, changes nothing.)
pub(crate) fn listen(
    stop: &Arc<Stop>,
    announce: impl Fn(u8) + Send + 'static,
) -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGUSR1, SIGUSR2])?;
    let stop = Arc::clone(stop);
    std::thread::spawn(move || {
        for signal in signals.forever() {
            stop.raise();
            announce(stop.level());
            if stop.level() >= 3 {
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
        stop.raise();
    });
}
