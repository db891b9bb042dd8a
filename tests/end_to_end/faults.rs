//! What may happen to a run besides death (see `torture`): each with the exit code, the state and
//! the remains that are promised.

mod disk;
mod ends;
mod inputs;
mod owners;
mod pauses;
mod signals;

/// A run that only a signal ends within minutes, and a checkpoint every few dozen milliseconds.
const ENDLESS: [&str; 5] = [
    "train.steps=20000",
    "train.checkpoint_every=20",
    "train.log_every=5",
    "train.sample_every=0",
    "eval.every=0",
];
