//! Whether each output is recognised as the partner of its own input.

use crate::picture_set::paired;
use crate::{EvalError, Features};

const NAME: &str = "retrieval";
/// Cosines closer than this are equal: it is above the rounding of a sum over some thousand features, below any
/// difference between images.
const TIE: f64 = 1e-12;

/// How well the outputs find their partners. Chance depends on the number of partners n, so it is carried along.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retrieval {
    /// Share of outputs whose most similar partner is their own, in [0, 1]; by chance 1/n.
    pub at_1: f64,
    /// Mean of 1 / rank of the own partner, in (0, 1]; by chance (1 + 1/2 + … + 1/n) / n.
    pub mrr: f64,
    /// Number of partners to choose from.
    pub n: usize,
}

/// Ranks all partners by cosine similarity to each output; row `i` of `partners` is the right one for row `i`.
///
/// Partners that are equally similar share their ranks: each counts with its mean over all orders of the tie. Outputs
/// that are all alike, or features that are all alike, score chance. A vector of zeros is similar to none (cosine 0).
///
/// # Errors
/// `Dimensions`, `Unpaired`; `TooFewRows` below 2 images.
pub fn retrieval(outputs: &Features, partners: &Features) -> Result<Retrieval, EvalError> {
    outputs.comparable(partners)?;
    paired(NAME, outputs.n(), partners.n())?;
    outputs.at_least(2, NAME)?;
    let n = outputs.n();
    let cosines = unit_rows(outputs).matrix() * unit_rows(partners).matrix().transpose();
    let (mut first, mut reciprocal) = (0.0, 0.0);
    for i in 0..n {
        let own = cosines[(i, i)];
        let row = cosines.row(i);
        let better = row.iter().filter(|&&cosine| cosine > own + TIE).count();
        let tied = row.iter().filter(|&&cosine| (cosine - own).abs() <= TIE).count();
        if better == 0 {
            first += 1.0 / tied as f64;
        }
        let ranks = better + 1..=better + tied;
        reciprocal += ranks.map(|rank| 1.0 / rank as f64).sum::<f64>() / tied as f64;
    }
    Ok(Retrieval { at_1: first / n as f64, mrr: reciprocal / n as f64, n })
}

fn unit_rows(features: &Features) -> Features {
    let unit = |row: &[f64]| {
        // Squares of huge features would overflow, of tiny ones vanish.
        let largest = row.iter().fold(0.0f64, |largest, v| largest.max(v.abs()));
        let scaled: Vec<f64> =
            row.iter().map(|v| if largest > 0.0 { v / largest } else { 0.0 }).collect();
        let norm = scaled.iter().map(|v| v * v).sum::<f64>().sqrt();
        scaled.into_iter().map(move |v| if norm > 0.0 { v / norm } else { 0.0 })
    };
    let values: Vec<f64> = features.rows().flat_map(unit).collect();
    Features::from_flat(features.dimensions(), &values).expect("norms are at least 1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lcg;

    fn check(outputs: &Features, partners: &Features, at_1: f64, mrr: f64) {
        let found = retrieval(outputs, partners).expect("paired");
        assert!((found.at_1 - at_1).abs() < 1e-12, "{found:?}");
        assert!((found.mrr - mrr).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn the_partners_themselves_are_found() {
        let x = lcg::features(30, 6, 1);
        check(&x, &x, 1.0, 1.0);
        // Cosine: length does not count.
        check(&x.scaled_by(&x).expect("not zero"), &x, 1.0, 1.0);
    }

    #[test]
    fn by_hand() {
        let partners = Features::from_rows(&[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]).expect("finite");
        // The first finds its own, the second has two better ones, the third one better one.
        let outputs = Features::from_rows(&[[1.0, 0.0], [1.0, 0.0], [1.0, 0.1]]).expect("finite");
        check(&outputs, &partners, 1.0 / 3.0, (1.0 + 1.0 / 3.0 + 1.0 / 2.0) / 3.0);
    }

    #[test]
    fn what_does_not_differ_scores_chance() {
        let n = 8;
        let harmonic: f64 = (1..=n).map(|rank| 1.0 / rank as f64).sum();
        let (chance, mrr) = (1.0 / n as f64, harmonic / n as f64);
        let varied = lcg::features(n, 6, 1);
        let constant = varied.subset(&vec![0; n]).expect("rows");
        let dead = Features::from_flat(6, &vec![0.0; 6 * n]).expect("finite");
        check(&varied, &constant, chance, mrr);
        check(&constant, &varied, chance, mrr);
        check(&constant, &constant, chance, mrr);
        check(&dead, &varied, chance, mrr);
        check(&varied, &dead, chance, mrr);
    }

    #[test]
    fn wants_pairs() {
        let found = retrieval(&lcg::features(3, 2, 1), &lcg::features(4, 2, 1));
        assert_eq!(found, Err(EvalError::Unpaired { metric: NAME, left: 3, right: 4 }));
    }
}
