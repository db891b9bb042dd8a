//! What a network saw in each image of one set.

use nalgebra::DMatrix;

use crate::EvalError;
use crate::picture_set::spread_over;

/// Feature vectors of one set of images, one row an image, all finite.
///
/// # Shapes
/// `n × d`, row-major, float64; any scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    dimensions: usize,
    values: Vec<f64>,
}

impl Features {
    /// From one vector an image.
    ///
    /// # Errors
    /// `NoRows`, `NoDimensions`, `Ragged`, `NonFinite`.
    pub fn from_rows<T, R>(rows: &[R]) -> Result<Self, EvalError>
    where
        T: Copy + Into<f64>,
        R: AsRef<[T]>,
    {
        let wanted = rows.first().ok_or(EvalError::NoRows)?.as_ref().len();
        let mut values = Vec::with_capacity(rows.len() * wanted);
        for (row, found) in rows.iter().map(|row| row.as_ref()).enumerate() {
            if found.len() != wanted {
                return Err(EvalError::Ragged { row, found: found.len(), wanted });
            }
            values.extend(found.iter().map(|&v| v.into()));
        }
        Features::checked(wanted, values)
    }

    /// From all vectors end to end, as a tensor `[n, d]` gives them.
    ///
    /// # Errors
    /// As `from_rows`; `Ragged` if the last vector is cut short.
    pub fn from_flat<T: Copy + Into<f64>>(
        dimensions: usize,
        values: &[T],
    ) -> Result<Self, EvalError> {
        Features::checked(dimensions, values.iter().map(|&v| v.into()).collect())
    }

    fn checked(dimensions: usize, values: Vec<f64>) -> Result<Self, EvalError> {
        if dimensions == 0 {
            return Err(EvalError::NoDimensions);
        }
        if values.is_empty() {
            return Err(EvalError::NoRows);
        }
        let (row, found) = (values.len() / dimensions, values.len() % dimensions);
        if found != 0 {
            return Err(EvalError::Ragged { row, found, wanted: dimensions });
        }
        if let Some(i) = values.iter().position(|v| !v.is_finite()) {
            return Err(EvalError::NonFinite { row: i / dimensions, column: i % dimensions });
        }
        Ok(Features { dimensions, values })
    }

    /// Number of images; at least 1.
    pub fn n(&self) -> usize {
        self.values.len() / self.dimensions
    }

    /// Length of each vector; at least 1.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// # Panics
    /// If there is no such row.
    pub fn row(&self, index: usize) -> &[f64] {
        &self.values[index * self.dimensions..][..self.dimensions]
    }

    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.dimensions)
    }

    /// Puts the images of another set behind these.
    ///
    /// # Errors
    /// `Dimensions` if the vectors have another length.
    pub fn append(&mut self, other: &Features) -> Result<(), EvalError> {
        self.comparable(other)?;
        self.values.extend_from_slice(&other.values);
        Ok(())
    }

    /// The rows with these indices, in this order.
    ///
    /// # Errors
    /// `NoRows` for no index.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn subset(&self, indices: &[usize]) -> Result<Self, EvalError> {
        let values: Vec<f64> = indices.iter().flat_map(|&i| self.row(i)).copied().collect();
        match values.is_empty() {
            true => Err(EvalError::NoRows),
            false => Ok(Features { dimensions: self.dimensions, values }),
        }
    }

    /// At most `n` rows (but one), evenly spread over the set: for metrics that compare sets of equal size.
    pub fn thinned(&self, n: usize) -> Self {
        let kept: Vec<usize> = spread_over(self.n(), n.max(1)).collect();
        self.subset(&kept).expect("at least one row is kept")
    }

    /// Every value divided by the root mean square over all values of `reference`.
    ///
    /// The kernel of KID takes x·y/d + 1: with values of another size than 1 it is nearly constant or nearly a pure cube.
    /// One divisor for all dimensions: a divisor for each would blow up those in which the reference hardly varies.
    ///
    /// # Errors
    /// `Dimensions`; `NoSpread` if the reference is 0 everywhere.
    pub fn scaled_by(&self, reference: &Features) -> Result<Self, EvalError> {
        self.comparable(reference)?;
        let rms = reference.root_mean_square();
        if rms == 0.0 {
            return Err(EvalError::NoSpread {
                metric: "scaling",
                what: "the reference's features",
            });
        }
        let values = self.values.iter().map(|v| v / rms).collect();
        Features::checked(self.dimensions, values)
    }

    /// Over all values of all images.
    pub fn root_mean_square(&self) -> f64 {
        let sum: f64 = self.values.iter().map(|v| v * v).sum();
        (sum / self.values.len() as f64).sqrt()
    }

    /// # Errors
    /// `Dimensions`.
    pub(crate) fn comparable(&self, other: &Features) -> Result<(), EvalError> {
        let (found, wanted) = (other.dimensions, self.dimensions);
        match found == wanted {
            true => Ok(()),
            false => Err(EvalError::Dimensions { found, wanted }),
        }
    }

    /// # Errors
    /// `TooFewRows` if there are fewer than `wanted` images.
    pub(crate) fn at_least(&self, wanted: usize, metric: &'static str) -> Result<(), EvalError> {
        match self.n() >= wanted {
            true => Ok(()),
            false => Err(EvalError::TooFewRows { metric, found: self.n(), wanted }),
        }
    }

    pub(crate) fn matrix(&self) -> DMatrix<f64> {
        DMatrix::from_row_slice(self.n(), self.dimensions, &self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[[f64; 2]]) -> Features {
        Features::from_rows(rows).expect("finite")
    }

    #[test]
    fn wrong_rows_are_named() {
        let check = |rows: &[Vec<f64>], expected| {
            assert_eq!(Features::from_rows(rows), Err(expected));
        };
        check(&[], EvalError::NoRows);
        check(&[vec![]], EvalError::NoDimensions);
        let ragged = EvalError::Ragged { row: 1, found: 1, wanted: 2 };
        check(&[vec![1.0, 2.0], vec![3.0]], ragged);
        let broken = EvalError::NonFinite { row: 1, column: 0 };
        check(&[vec![1.0, 2.0], vec![f64::NAN, 3.0]], broken);
        let cut = EvalError::Ragged { row: 1, found: 1, wanted: 2 };
        assert_eq!(Features::from_flat(2, &[1.0f32, 2.0, 3.0]), Err(cut));
    }

    #[test]
    fn append_and_subset_keep_rows_whole() {
        let mut all = of(&[[1.0, 2.0]]);
        all.append(&of(&[[3.0, 4.0], [5.0, 6.0]])).expect("two dimensions");
        assert_eq!(all.n(), 3);
        assert_eq!(all.subset(&[2, 0]), Ok(of(&[[5.0, 6.0], [1.0, 2.0]])));
        assert_eq!(all.subset(&[]), Err(EvalError::NoRows));
        assert_eq!(all.thinned(2), of(&[[1.0, 2.0], [3.0, 4.0]]));
        let wide = Features::from_rows(&[[1.0f32, 2.0, 3.0]]).expect("finite");
        assert_eq!(all.append(&wide), Err(EvalError::Dimensions { found: 3, wanted: 2 }));
    }

    #[test]
    fn scaling_divides_by_the_references_root_mean_square() {
        let reference = of(&[[3.0, 3.0], [-3.0, 3.0]]);
        assert_eq!(of(&[[6.0, 1.5]]).scaled_by(&reference), Ok(of(&[[2.0, 0.5]])));
        let dead = of(&[[0.0, 0.0]]);
        assert!(matches!(reference.scaled_by(&dead), Err(EvalError::NoSpread { .. })));
    }
}
