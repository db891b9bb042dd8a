//! What n seeds can and cannot show.
//!
//! Numbers in, estimates and words out: an arm against the baseline, paired by
//! seed ([`PairedDifferences`], [`Contrast`]), all arms together ([`judge`]),
//! what was worth asking beforehand ([`SeedPower`]), which settings of a random
//! design the best have in common ([`Importance`]), and what may be said
//! ([`Verdict`]). What the data cannot give is absent, never zero.
//!
//! The unit is the run: nothing here looks at single images. Everything
//! random is drawn from a seed, so a report repeats its own digits.
//!
//! Nothing here reads files, prints or knows where the numbers came from.

mod error;
mod interval;

mod sample;

mod differences;

mod bootstrap_t;
mod contrast;
mod sign_flip;

mod holm;
mod verdict;

mod power;

mod factorial;
mod interquartile;
mod ped_anova;
mod proportion;

mod resample;
mod words;

mod fisher_f;
mod incomplete_beta;
mod normal;
mod students_t;

pub use contrast::{Contrast, Goal};
pub use differences::{Outcome, Pair, PairedDifferences, Side};
pub use error::StatsError;
pub use factorial::{AnovaRow, Factor, Factorial, Grid, GridRun, LevelMean, Observation, Source};
pub use holm::holm;
pub use interquartile::{Interquartile, MIN_RUNS, Pool};
pub use interval::{Interval, Level};
pub use ped_anova::{Drawn, Importance, Parameter, ParameterShare};
pub use power::SeedPower;
pub use proportion::Proportion;
pub use resample::Resampling;
pub use sample::Sample;
pub use sign_flip::{Basis, SignFlip, smallest_sign_flip_p};
pub use verdict::{Judgement, MIN_SEEDS, Verdict, Why, judge};
