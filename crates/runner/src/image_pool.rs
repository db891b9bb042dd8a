//! The history of generated images shown to a discriminator (paper §4, after
//! Shrivastava et al. 2017; upstream's util/image_pool.py).

use burn::tensor::Tensor;
use spec::PoolConfig;
use spec::draw::{Draw, Purpose};

/// Up to `size` generated images of one domain.
///
/// Until it is full, an image is stored and returned. Once full, with
/// `swap_probability` a uniformly chosen stored image is returned and replaced
/// by the new one; otherwise the new one is returned and not stored.
#[derive(Debug)]
pub(crate) struct ImagePool {
    config: PoolConfig,
    purpose: Purpose,
    /// Each `[1, 3, height, width]`, off the tape.
    images: Vec<Tensor<4>>,
}

impl ImagePool {
    /// `purpose` tells this pool's draws from the other's.
    pub(crate) fn new(config: PoolConfig, purpose: Purpose) -> Self {
        ImagePool { config, purpose, images: Vec::new() }
    }

    /// Images to show in place of `fakes`, in their order.
    ///
    /// The draws belong to (`seed`, `query`, image in the batch): a full pool draws the decision,
    /// then the slot.
    ///
    /// # Shapes
    /// - `fakes`: `[batch, 3, height, width]`, off the tape
    /// - returns: the same shape
    pub(crate) fn query(&mut self, fakes: Tensor<4>, seed: u64, query: u64) -> Tensor<4> {
        if self.config.size == 0 {
            return fakes;
        }
        let batch = fakes.dims()[0];
        let shown: Vec<Tensor<4>> = (0..batch)
            .map(|i| {
                let fake = fakes.clone().narrow(0, i, 1);
                self.exchange(fake, &mut Draw::new(seed, self.purpose, query, i as u64))
            })
            .collect();
        Tensor::cat(shown, 0)
    }

    fn exchange(&mut self, fake: Tensor<4>, draw: &mut impl Chance) -> Tensor<4> {
        if self.images.len() < self.config.size as usize {
            self.images.push(fake.clone());
            return fake;
        }
        // Upstream swaps when u > 0.5; written for any probability.
        if draw.unit() > 1.0 - self.config.swap_probability {
            let slot = draw.below(self.images.len() as u64) as usize;
            std::mem::replace(&mut self.images[slot], fake)
        } else {
            fake
        }
    }

    pub(crate) fn images(&self) -> &[Tensor<4>] {
        &self.images
    }

    /// Puts back what a checkpoint kept.
    pub(crate) fn restore(&mut self, images: Vec<Tensor<4>>) {
        self.images = images;
    }
}

/// What a full pool draws, in upstream's order: whether to swap, then which slot.
trait Chance {
    /// In [0, 1).
    fn unit(&mut self) -> f64;
    /// In `0..n`.
    fn below(&mut self, n: u64) -> u64;
}

impl Chance for Draw {
    fn unit(&mut self) -> f64 {
        Draw::unit(self)
    }

    fn below(&mut self, n: u64) -> u64 {
        Draw::below(self, n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    /// A 1×1 image of one value.
    fn image(value: f32) -> Tensor<4> {
        Tensor::full([1, 3, 1, 1], value, &Device::flex())
    }

    fn value(image: &Tensor<4>) -> f32 {
        image.to_data().as_slice::<f32>().expect("float32")[0]
    }

    fn pool(size: u32, swap_probability: f64) -> ImagePool {
        ImagePool::new(PoolConfig { size, swap_probability }, Purpose::PoolB)
    }

    #[test]
    fn size_0_returns_the_input() {
        let mut pool = pool(0, 0.5);
        let shown: Vec<f32> = (0..9).map(|i| value(&pool.query(image(i as f32), 1, i))).collect();
        assert_eq!(shown, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        assert!(pool.images().is_empty());
    }

    #[test]
    fn a_filling_pool_stores_and_returns() {
        let mut pool = pool(5, 1.0);
        for i in 0..5 {
            assert_eq!(value(&pool.query(image(i as f32), 1, i)), i as f32);
        }
        assert_eq!(pool.images().len(), 5);
    }

    #[test]
    fn a_full_pool_follows_its_draws() {
        let mut pool = pool(3, 0.5);
        let mut expected = Vec::new();
        for query in 0..200_u64 {
            let fake = query as f32;
            let shown = value(&pool.query(image(fake), 7, query));
            if expected.len() < 3 {
                expected.push(fake);
                assert_eq!(shown, fake);
                continue;
            }
            let mut draw = Draw::new(7, Purpose::PoolB, query, 0);
            let swap = draw.unit() > 0.5;
            let slot = if swap { Some(draw.below(3) as usize) } else { None };
            let due = slot.map_or(fake, |slot| std::mem::replace(&mut expected[slot], fake));
            assert_eq!(shown, due, "query {query}");
        }
        let kept: Vec<f32> = pool.images().iter().map(value).collect();
        assert_eq!(kept, expected);
    }

    /// Draws from a list, each pair once.
    struct Script(std::vec::IntoIter<(f64, Option<u64>)>, Option<u64>);

    impl Chance for Script {
        fn unit(&mut self) -> f64 {
            let (unit, slot) = self.0.next().expect("a pair for each query of a full pool");
            self.1 = slot;
            unit
        }

        fn below(&mut self, n: u64) -> u64 {
            let slot = self.1.take().expect("the reference draws a slot here, too");
            assert!(slot < n);
            slot
        }
    }

    /// Upstream's pool with the same draws returns and keeps the same images.
    #[test]
    fn traces_are_the_reference_s() {
        #[derive(serde::Deserialize)]
        struct Trace {
            size: u32,
            swap_probability: f64,
            draws: Vec<(f64, Option<u64>)>,
            inputs: Vec<f32>,
            outputs: Vec<f32>,
            kept: Vec<f32>,
        }
        let traces = crate::reference::cases::<Trace>("pool.json");
        let sizes: Vec<u32> = traces.iter().map(|trace| trace.size).collect();
        assert_eq!(sizes, [0, 1, 50, 50]);
        for trace in traces {
            let mut pool = pool(trace.size, trace.swap_probability);
            let mut script = Script(trace.draws.into_iter(), None);
            let mut shown = Vec::new();
            for &input in &trace.inputs {
                let output = match trace.size {
                    0 => pool.query(image(input), 0, 0),
                    _ => pool.exchange(image(input), &mut script),
                };
                assert_eq!(script.1, None, "a slot is drawn where the reference draws one");
                shown.push(value(&output));
            }
            assert_eq!(shown, trace.outputs, "size {}", trace.size);
            assert_eq!(pool.images().iter().map(value).collect::<Vec<_>>(), trace.kept);
            assert_eq!(script.0.next(), None, "every draw was used");
        }
    }

    #[test]
    fn swaps_as_often_as_asked() {
        let swapped = |probability| {
            let mut pool = pool(1, probability);
            (0..400).filter(|&i| value(&pool.query(image(i as f32), 3, i)) != i as f32).count()
        };
        assert_eq!(swapped(0.0), 0);
        assert_eq!(swapped(1.0), 399);
        let half = swapped(0.5);
        assert!((150..250).contains(&half), "{half}");
    }

    #[test]
    fn a_batch_keeps_its_order() {
        let mut pool = pool(4, 0.5);
        let batch = Tensor::cat(vec![image(1.0), image(2.0)], 0);
        let shown = pool.query(batch, 1, 0);
        assert_eq!(shown.dims(), [2, 3, 1, 1]);
        assert_eq!(value(&shown.clone().narrow(0, 0, 1)), 1.0);
        assert_eq!(value(&shown.narrow(0, 1, 1)), 2.0);
    }
}
