//! The built program from outside: what a user types, sees and finds on disk.
//!
//! Tests that need Python packages or a browser say aloud why they skip
//! where those are absent; `.ci/run` installs them.

mod benching;
mod chance;
mod checking;
mod data_sets;
mod exporting;
mod faults;
mod fsck;
mod garbage;
mod hostile_images;
mod hostile_names;
mod hostile_text;
mod hostile_weights;
mod housekeeping;
mod lab;
mod looking;
mod older_stores;
mod other_programs;
mod power_loss;
mod remains;
mod reproducing;
mod scoring;
mod slurm;
mod stopping;
mod submitting;
mod sweeping;
mod synced_disk;
mod system_calls;
mod torture;
mod translating;
mod victim;
