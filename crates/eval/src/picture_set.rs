//! What has to hold for a set of pictures before anything is computed of it.

use crate::{EvalError, Picture};

/// The side that all pictures of all sets have, in pixels.
///
/// # Errors
/// `TooFewRows` for an empty set, `PictureSizes`, `NonFinitePixel`.
pub(crate) fn common_size(metric: &'static str, sets: &[&[Picture]]) -> Result<usize, EvalError> {
    let mut size = None;
    for set in sets {
        if set.is_empty() {
            return Err(EvalError::TooFewRows { metric, found: 0, wanted: 1 });
        }
        for (index, picture) in set.iter().enumerate() {
            let wanted = *size.get_or_insert(picture.size());
            if picture.size() != wanted {
                return Err(EvalError::PictureSizes { metric, found: picture.size(), wanted });
            }
            if !picture.values().iter().all(|v| v.is_finite()) {
                return Err(EvalError::NonFinitePixel { metric, index });
            }
        }
    }
    Ok(size.expect("at least one set, none of them empty"))
}

/// Sets whose members correspond, one to one.
///
/// # Errors
/// `Unpaired` if their lengths differ.
pub(crate) fn paired(metric: &'static str, left: usize, right: usize) -> Result<(), EvalError> {
    match left == right {
        true => Ok(()),
        false => Err(EvalError::Unpaired { metric, left, right }),
    }
}

/// `wanted` of `n` places, evenly spread; all of them where there are no more.
pub(crate) fn spread_over(n: usize, wanted: usize) -> impl Iterator<Item = usize> {
    let kept = wanted.min(n);
    (0..kept).map(move |i| i * n / kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(size: usize, value: f32) -> Picture {
        Picture::from_unit(size, vec![value; 3 * size * size])
    }

    #[test]
    fn one_size_or_a_reason() {
        let check = |sets: &[&[Picture]]| common_size("m", sets);
        assert_eq!(check(&[&[flat(2, 0.5)], &[flat(2, 0.1), flat(2, 0.2)]]), Ok(2));
        let empty = EvalError::TooFewRows { metric: "m", found: 0, wanted: 1 };
        assert_eq!(check(&[&[flat(2, 0.5)], &[]]), Err(empty));
        let sizes = EvalError::PictureSizes { metric: "m", found: 3, wanted: 2 };
        assert_eq!(check(&[&[flat(2, 0.5)], &[flat(3, 0.5)]]), Err(sizes));
        let broken = EvalError::NonFinitePixel { metric: "m", index: 1 };
        assert_eq!(check(&[&[flat(2, 0.5), flat(2, f32::NAN)]]), Err(broken));
    }

    #[test]
    fn spread_is_even_and_without_repeats() {
        assert_eq!(spread_over(10, 4).collect::<Vec<_>>(), [0, 2, 5, 7]);
        assert_eq!(spread_over(3, 9).collect::<Vec<_>>(), [0, 1, 2]);
    }
}
