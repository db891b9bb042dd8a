//! A request to stop, raised from a signal handler or another thread.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

/// 0: go on; 1: finish the step, save, end; 2: the same by force; 3 and more: end now.
#[derive(Debug, Default)]
pub struct Stop {
    level: AtomicU8,
    hurried: AtomicBool,
    out_of_time: AtomicBool,
}

impl Stop {
    /// One more request: each makes the stop more urgent.
    pub fn raise(&self) {
        let more = |level: u8| Some(level.saturating_add(1));
        self.level
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, more)
            .expect("there is always a next value");
    }

    /// A request that is none the more urgent for being repeated: a cluster sends several at once.
    pub fn request(&self) {
        self.level.fetch_max(1, Ordering::SeqCst);
    }

    /// Whoever asks waits less long than a person: a cluster kills some time after SIGTERM.
    pub fn hurry(&self) {
        self.hurried.store(true, Ordering::SeqCst);
    }

    /// A cluster says that the process's time is nearly up: there is more to do, at another time.
    pub fn out_of_time(&self) {
        self.out_of_time.store(true, Ordering::SeqCst);
    }

    pub fn is_out_of_time(&self) -> bool {
        self.out_of_time.load(Ordering::SeqCst)
    }

    pub fn requested(&self) -> bool {
        self.level() > 0
    }

    pub fn level(&self) -> u8 {
        self.level.load(Ordering::SeqCst)
    }

    /// How long runs may take to save before they are ended by force.
    pub fn grace(&self) -> Duration {
        Duration::from_secs(if self.hurried.load(Ordering::SeqCst) { 20 } else { 60 })
    }
}
