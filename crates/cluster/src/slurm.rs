//! Slurm: the scripts that are sent, the programs that are asked, what they answer.

mod accounting;
mod arrays;
mod client;
mod queue;
mod script;

pub use accounting::{Accounted, parse_sacct};
pub use arrays::{Array, ArrayPlan, Runs, lay_out};
pub use client::{Accounting, Client};
pub use queue::{Queued, parse_squeue};
pub use script::{ArrayScript, ReportScript};

#[cfg(test)]
pub(crate) mod folders;
