use burn::tensor::Device;

use super::*;
use crate::folded_conv::tests::{EPS, by_hand, expect_near, named, values};
use crate::folded_conv::{ConvShape, WeightTaker};

fn images(values: Vec<f32>, shape: [usize; 4]) -> Tensor<4> {
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

/// `before` is the padding above and to the left that TensorFlow's rule gives.
#[track_caller]
fn check(kernel: usize, stride: usize, [height, width]: [usize; 2], before: [usize; 2]) {
    let weight = [6, 1, kernel, kernel];
    let shape = ConvShape { weight, stride: 1, padding: [kernel / 2; 2], groups: 6 };
    let device = Device::flex();
    let tensors = named(shape);
    let mut taker = WeightTaker::new(tensors.clone(), &device);
    let conv = taker.conv_norm("c", "n", EPS, shape);
    let conv = taker.finish(conv).expect("all tensors are there");
    let input = [3, 6, height, width];
    let x = values(9, input.iter().product());
    // Not zero in the gaps any more.
    let strip = ImageStrip::new(images(x.clone(), input)).map(|strip| strip.add_scalar(1.0));
    let found = strip.depthwise(&conv, stride).apart().permute([2, 0, 1, 3]);
    let out = [height.div_ceil(stride), width.div_ceil(stride)];
    assert_eq!(found.dims(), [3, 6, out[0], out[1]]);
    let x: Vec<f32> = x.iter().map(|value| value + 1.0).collect();
    let strided = ConvShape { stride, ..shape };
    expect_near(found, &by_hand(&x, input, &tensors, strided, (before, out)));
}

#[test]
fn depthwise_convolutions_are_those_of_each_image_alone() {
    check(3, 1, [8, 8], [1, 1]);
    check(5, 1, [4, 3], [2, 2]);
    // Of an even side TensorFlow pads less above and to the left.
    check(3, 2, [8, 8], [0, 0]);
    check(3, 2, [8, 9], [0, 1]);
    check(5, 2, [8, 8], [1, 1]);
    check(5, 2, [7, 10], [2, 1]);
    // Smaller than the kernel.
    check(5, 2, [1, 2], [2, 1]);
    check(3, 2, [2, 1], [0, 1]);
}

#[test]
fn means_leave_the_gaps_out() {
    let strip = ImageStrip::new(images((0..8).map(|i| i as f32).collect(), [2, 2, 1, 2]));
    let means = strip.map(|strip| strip.add_scalar(10.0)).mean_of_places();
    assert_eq!(means.dims(), [2, 2]);
    let means = means.into_data().try_into_vec::<f32>().expect("float32");
    assert_eq!(means, [10.5, 12.5, 14.5, 16.5]);
}
