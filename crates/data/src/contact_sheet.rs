//! Many images at a glance: a column of A beside a column of B.

use image::{Rgb, RgbImage, imageops};

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::fold::{Domain, Fold};
use crate::square_image::Image;

const GAP_PX: u32 = 6;
/// Smaller images are enlarged by a whole factor to at least this side, pixels kept crisp.
const MIN_CELL_PX: u32 = 96;

impl Dataset {
    /// Up to `rows` images of each domain, spread evenly over the fold, on white.
    ///
    /// Where both domains have as many held-out images, those side by side have
    /// the same index: the pair, for paired data.
    ///
    /// # Errors
    /// `Read`, if the prepared files went away.
    pub fn contact_sheet(&self, fold: Fold, rows: usize) -> Result<RgbImage, DataError> {
        let rows = rows
            .min(Domain::ALL.map(|domain| self.count(fold, domain)).into_iter().max().unwrap_or(0));
        let mut columns = Vec::new();
        for domain in Domain::ALL {
            let count = self.count(fold, domain);
            let spread = (0..rows.min(count)).map(|row| row * count / rows.min(count));
            columns.push(
                spread
                    .map(|index| self.stored(fold, domain, index))
                    .collect::<Result<Vec<Image>, _>>()?,
            );
        }
        Ok(lay_out(&columns, rows))
    }
}

fn lay_out(columns: &[Vec<Image>], rows: usize) -> RgbImage {
    let size = columns.iter().flatten().map(|image| image.size as u32).max().unwrap_or(0);
    let cell = size * MIN_CELL_PX.div_ceil(size.max(1)).max(1);
    let place = |i: usize| GAP_PX + i as u32 * (cell + GAP_PX);
    let mut sheet = RgbImage::from_pixel(place(columns.len()), place(rows), Rgb([255; 3]));
    for (x, column) in columns.iter().enumerate() {
        for (y, image) in column.iter().enumerate() {
            let side = image.size as u32;
            let image = RgbImage::from_raw(side, side, image.rgb.clone())
                .expect("an image has three bytes a pixel");
            let image = imageops::resize(&image, cell, cell, imageops::FilterType::Nearest);
            imageops::replace(&mut sheet, &image, i64::from(place(x)), i64::from(place(y)));
        }
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_apart_and_missing_ones_stay_white() {
        let image = |level| Image { size: 40, rgb: vec![level; 40 * 40 * 3] };
        let sheet = lay_out(&[vec![image(10), image(20)], vec![image(30)]], 2);
        assert_eq!(sheet.dimensions(), (258, 258));
        let at = |x, y| sheet.get_pixel(x, y).0[0];
        assert_eq!(
            [at(0, 0), at(6, 6), at(125, 125), at(128, 6), at(132, 6)],
            [255, 10, 10, 255, 30]
        );
        assert_eq!([at(6, 132), at(132, 132)], [20, 255]);
        assert_eq!(lay_out(&[vec![], vec![]], 0).dimensions(), (18, 6));
    }
}
