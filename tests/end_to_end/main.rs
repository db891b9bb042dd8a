//! The built program from outside: what a user types, sees and finds on disk.
//!
//! Tests that need Python packages or a browser say aloud why they skip
//! where those are absent; `.ci/run` installs them.

mod checking;
mod data_sets;
mod housekeeping;
mod lab;
mod other_programs;
mod stopping;
mod sweeping;
mod translating;
