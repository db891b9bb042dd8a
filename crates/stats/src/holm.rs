//! Several arms against one baseline: p values that allow for the number of
//! chances there were.

/// Holm's step-down adjusted p values, in input order.
///
/// Reject where the adjusted p is at most alpha: then the probability of any
/// false rejection in the family is at most alpha, whatever the dependence
/// between the contrasts (they share their baseline).
///
/// A `None` is a contrast that was planned and has no p yet. It stays in the
/// family, as if its p were 1: looking early earns no milder correction.
///
/// # Panics
/// If a p is outside [0, 1].
///
/// # Source
/// Holm 1979, Scandinavian Journal of Statistics 6, 65–70.
pub fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> =
        p.iter().enumerate().filter_map(|(at, p)| p.map(|p| (at, p))).collect();
    assert!(order.iter().all(|(_, p)| (0.0..=1.0).contains(p)), "a p value lies in [0, 1]: {p:?}");
    order.sort_by(|a, b| a.1.total_cmp(&b.1));

    let mut adjusted = vec![None; p.len()];
    let mut so_far = 0.0_f64;
    for (rank, (at, p_value)) in order.into_iter().enumerate() {
        so_far = so_far.max(p_value * (p.len() - rank) as f64).min(1.0);
        adjusted[at] = Some(so_far);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(p: &[Option<f64>], expected: &[Option<f64>]) {
        let found = holm(p);
        let equal = found.len() == expected.len()
            && found.iter().zip(expected).all(|(found, expected)| match (found, expected) {
                (Some(a), Some(b)) => (a - b).abs() < 1e-14,
                (a, b) => a == b,
            });
        assert!(equal, "{p:?}: {found:?}, expected {expected:?}");
    }

    /// statsmodels, `tests/reference/stats.py`.
    #[test]
    fn adjusted_p_matches_statsmodels() {
        let p = [0.01, 0.04, 0.03, 0.005, 0.5, 0.03].map(Some);
        check(&p, &[0.05, 0.12, 0.12, 0.03, 0.5, 0.12].map(Some));
    }

    #[test]
    fn the_family_is_what_was_planned() {
        check(&[], &[]);
        check(&[Some(0.02)], &[Some(0.02)]);
        check(&[None, Some(0.02), None], &[None, Some(0.06), None]);
        check(&[Some(0.6), Some(0.9)], &[Some(1.0), Some(1.0)]);
    }

    #[test]
    #[should_panic = "a p value lies in [0, 1]"]
    fn a_p_that_is_none_is_our_mistake() {
        holm(&[Some(f64::NAN)]);
    }
}
