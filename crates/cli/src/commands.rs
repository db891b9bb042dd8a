//! One file per command; each is handed its arguments and returns its exit code.

mod check;
mod data;
mod diff;
mod export;
mod fsck;
mod gc;
mod plan;
mod presets;
mod reindex;
mod report;
mod reproduce;
mod rm;
mod run;
mod schema;
mod score;
mod store;
mod sweep;
mod translate;

pub(crate) use check::check;
pub(crate) use data::data;
pub(crate) use diff::diff;
pub(crate) use export::export;
pub(crate) use fsck::fsck;
pub(crate) use gc::gc;
pub(crate) use plan::plan;
pub(crate) use presets::presets;
pub(crate) use reindex::reindex;
pub(crate) use report::report;
pub(crate) use reproduce::reproduce;
pub(crate) use rm::rm;
pub(crate) use run::{device, run};
pub(crate) use schema::schema;
pub(crate) use score::score;
pub(crate) use store::{find, ls, show, status};
pub(crate) use sweep::sweep;
pub(crate) use translate::translate;
