//! Whether outputs are copies of training images.

use crate::distances::{nearest_in, quantile};
use crate::{EvalError, Features};

const NAME: &str = "memorisation";
/// Below this many real distances their first percentile is hardly more than the smallest.
const SMALLEST: usize = 20;

/// Share of outputs nearer to a training image than real, unseen images almost ever are, in [0, 1].
///
/// Almost ever: the first percentile of the distances from `unseen` (the target domain's test fold) to their nearest
/// training image. So unseen images themselves score about 0.01.
///
/// # Errors
/// `Dimensions`; `TooFewRows` below 20 unseen images.
pub fn memorised_share(
    outputs: &Features,
    training: &Features,
    unseen: &Features,
) -> Result<f64, EvalError> {
    training.comparable(outputs)?;
    training.comparable(unseen)?;
    unseen.at_least(SMALLEST, NAME)?;
    let limit = quantile(nearest_in(unseen, training), 0.01);
    let near = nearest_in(outputs, training).into_iter().filter(|&distance| distance < limit);
    Ok(near.count() as f64 / outputs.n() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lcg;

    #[test]
    fn copies_count_and_new_images_do_not() {
        let (training, unseen) = (lcg::features(80, 6, 1), lcg::features(100, 6, 2));
        let share = |x: &Features| memorised_share(x, &training, &unseen).expect("enough");
        assert_eq!(share(&training), 1.0);
        assert!((share(&unseen) - 0.01).abs() < 1e-12, "{}", share(&unseen));
        let mut half = training.subset(&(0..50).collect::<Vec<_>>()).expect("rows");
        half.append(&unseen.thinned(50)).expect("six dimensions");
        assert!((0.5..0.53).contains(&share(&half)), "{}", share(&half));
    }

    #[test]
    fn wants_enough_unseen_images() {
        let found = memorised_share(
            &lcg::features(5, 2, 1),
            &lcg::features(5, 2, 2),
            &lcg::features(19, 2, 3),
        );
        assert_eq!(found, Err(EvalError::TooFewRows { metric: NAME, found: 19, wanted: 20 }));
    }
}
