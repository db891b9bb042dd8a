//! One file per command; each is handed its arguments and returns its exit code.

mod check;
mod data;
mod plan;
mod report;
mod run;
mod store;
mod sweep;

pub(crate) use check::check;
pub(crate) use data::data;
pub(crate) use plan::plan;
pub(crate) use report::report;
pub(crate) use run::run;
pub(crate) use store::{ls, show, status};
pub(crate) use sweep::sweep;
