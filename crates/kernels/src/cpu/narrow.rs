//! [`product`](super::product) and [`outer`](super::outer) for up to four columns: pictures have three
//! channels, a map of verdicts has one. Vectors run along the windows here, where columns would fill a
//! fraction of one.

mod outer;
mod product;

use pulp::Simd;

use super::panels::WeightOrder;

pub(crate) use product::NarrowProduct;

/// The most columns that this way is taken for.
pub(crate) const MOST_COLUMNS: usize = 4;

/// A matrix of weights column by column, `[columns, depth]`.
#[derive(Debug)]
pub(crate) struct Lines {
    pub values: Vec<f32>,
    pub depth: usize,
    pub columns: usize,
}

impl Lines {
    pub(crate) fn pack(weight: &[f32], order: &WeightOrder) -> Self {
        let mut values = Vec::with_capacity(order.columns * order.depth());
        for column in 0..order.columns {
            for &tap in &order.taps {
                let first = column * order.column_step + tap;
                let of = |channel| weight[first + channel * order.channel_step];
                values.extend((0..order.channels).map(of));
            }
        }
        Lines { values, depth: order.depth(), columns: order.columns }
    }

    pub(crate) fn unpack(&self, order: &WeightOrder, weight: &mut [f32]) {
        let mut values = self.values.iter();
        for column in 0..order.columns {
            for &tap in &order.taps {
                let first = column * order.column_step + tap;
                for (channel, value) in (0..order.channels).zip(&mut values) {
                    weight[first + channel * order.channel_step] = *value;
                }
            }
        }
    }
}

/// # Safety
/// `values` has a whole vector from `at` on.
#[inline(always)]
unsafe fn whole_vector<S: Simd>(values: &[f32], at: usize) -> S::f32s {
    // SAFETY: the caller's promise.
    unsafe { values.as_ptr().add(at).cast::<S::f32s>().read_unaligned() }
}
