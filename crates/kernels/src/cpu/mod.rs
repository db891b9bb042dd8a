//! The passes themselves: plain slices in and out, images as `[image, row, column, channel]`.
//!
//! All work is shared out so that no sum depends on the number of threads.

#![expect(
    unsafe_code,
    reason = "vectors are read where windows lie, and threads write parts of one slice"
)]

pub(crate) mod adam;
pub(crate) mod border;
pub(crate) mod columns;
pub(crate) mod correlation;
mod grid;
mod kernels;
mod narrow;
pub(crate) mod norm;
mod outer;
mod panels;
mod points;
pub(crate) mod product;
mod shared;
mod winograd;

use pulp::Arch;

/// The widest vectors that this machine has.
fn vectors() -> Arch {
    #[cfg(test)]
    if let Some(chosen) = *chosen_vectors() {
        return chosen;
    }
    Arch::new()
}

/// What tests have chosen instead.
#[cfg(test)]
pub(crate) fn chosen_vectors() -> std::sync::MutexGuard<'static, Option<Arch>> {
    static CHOSEN: std::sync::Mutex<Option<Arch>> = std::sync::Mutex::new(None);
    CHOSEN.lock().expect("nobody panics with it")
}
