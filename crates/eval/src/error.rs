//! Why a metric has no value.

/// What keeps a metric from being computed. The metric is then absent, not zero.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EvalError {
    #[error("there are no feature vectors")]
    NoRows,
    #[error("feature vectors need at least one dimension")]
    NoDimensions,
    #[error("feature vector {row} has {found} values where the first has {wanted}")]
    Ragged { row: usize, found: usize, wanted: usize },
    #[error("feature {column} of vector {row} is not a finite number")]
    NonFinite { row: usize, column: usize },
    #[error("feature vectors of {found} dimensions cannot be compared with {wanted}")]
    Dimensions { found: usize, wanted: usize },
    #[error("{metric} needs at least {wanted} images in each set; here are {found}")]
    TooFewRows { metric: &'static str, found: usize, wanted: usize },
    #[error("{metric} compares images in pairs; here are {left} and {right}")]
    Unpaired { metric: &'static str, left: usize, right: usize },
    #[error("{metric} is undefined: {what} do not differ at all")]
    NoSpread { metric: &'static str, what: &'static str },
    #[error("{metric} needs pictures of one size; here are {found} px and {wanted} px")]
    PictureSizes { metric: &'static str, found: usize, wanted: usize },
    #[error("{metric} needs pictures of at least {wanted} px; these have {found} px")]
    PictureTooSmall { metric: &'static str, found: usize, wanted: usize },
    #[error("{metric} needs finite pixels; picture {index} has one that is not")]
    NonFinitePixel { metric: &'static str, index: usize },
    #[error("the singular values behind {metric} did not converge")]
    NoConvergence { metric: &'static str },
}
