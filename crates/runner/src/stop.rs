//! A request to stop, raised from a signal handler or another thread.

use std::sync::atomic::{AtomicU8, Ordering};

/// 0: go on; 1: finish the step, save, end; 2 and more: end now.
#[derive(Debug, Default)]
pub struct Stop(AtomicU8);

impl Stop {
    /// One more request: each makes the stop more urgent.
    pub fn raise(&self) {
        // A handful of signals; saturation is not reached by a person.
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub fn requested(&self) -> bool {
        self.level() > 0
    }

    pub fn level(&self) -> u8 {
        self.0.load(Ordering::SeqCst)
    }
}
