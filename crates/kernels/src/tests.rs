//! Every kernel against its reference in double precision, forwards and backwards.

use std::sync::Mutex;

use burn::tensor::{Device, Distribution, Tensor, TensorData};

use pulp::Arch;

use super::*;

type Op = Box<dyn Fn([Tensor<4>; 2], Tensor<1>, bool) -> FeatureMaps + Sync>;

/// The result and the gradients of x, weight and bias, of the sum of the result times noise. The
/// kernels take float32, the reference the same values as float64.
fn everything(
    op: &Op,
    x: &Tensor<4>,
    weight: &Tensor<4>,
    bias: &Tensor<1>,
    fused: bool,
) -> Vec<Vec<f64>> {
    let precision = if fused { DType::F32 } else { DType::F64 };
    let x = x.clone().cast(precision).require_grad();
    let weight = weight.clone().cast(precision).require_grad();
    let bias = bias.clone().cast(precision).require_grad();
    let y = op([x.clone(), weight.clone()], bias.clone(), fused).tensor();
    let n = y.shape().num_elements() as i64;
    let noise = (0..n).map(|i| (f64::from(i as u32) * 12.9898).sin() as f32).collect::<Vec<_>>();
    let noise = Tensor::<1>::from_floats(noise.as_slice(), &y.device()).cast(precision);
    let noise = noise.reshape(y.shape());
    let grads = (y.clone() * noise).sum().backward();
    let values = |it: TensorData| it.convert::<f64>().try_to_vec::<f64>().expect("float64");
    vec![
        values(y.into_data()),
        values(x.grad(&grads).expect("x is on the tape").into_data()),
        values(weight.grad(&grads).expect("weight is on the tape").into_data()),
        values(bias.grad(&grads).expect("bias is on the tape").into_data()),
    ]
}

fn noise<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), device)
}

/// To a few roundings of float32, relative to the largest value.
fn assert_same(name: &str, op: Op, x: [usize; 4], weight: [usize; 4], bias: usize) {
    let device = Device::flex().autodiff();
    device.seed(3);
    let (x, weight, bias) = (noise(x, &device), noise(weight, &device), noise([bias], &device));
    let ours = everything(&op, &x, &weight, &bias, true);
    let theirs = everything(&op, &x, &weight, &bias, false);
    for (what, (ours, theirs)) in
        ["result", "x", "weight", "bias"].into_iter().zip(ours.iter().zip(&theirs))
    {
        assert_eq!(ours.len(), theirs.len(), "{name}: {what}");
        let largest = theirs.iter().fold(1e-3_f64, |most, it| most.max(it.abs()));
        for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
            // Not `>`: what is no number is not the same.
            let same = (a - b).abs() <= 3e-6 * largest;
            assert!(same, "{name}: {what} {i} is {a}, not {b}; the largest is {largest}");
        }
    }
}

fn conv_op(conv: Conv) -> Op {
    Box::new(move |[x, weight], bias, fused| match fused {
        true => FeatureMaps::new(x).conv(weight, Some(bias), conv),
        false => reference::conv(FeatureMaps::new(x), weight, Some(bias), conv),
    })
}

#[test]
fn convolutions_are_the_references() {
    // Kernel, stride, padding, border, channels in and out, height, width.
    let cases = [
        (7, 1, 3, Border::Reflect, 3, 16, 9, 12),
        (7, 1, 3, Border::Reflect, 33, 3, 8, 8),
        (3, 1, 1, Border::Reflect, 40, 70, 5, 7),
        (3, 1, 1, Border::Edge, 5, 6, 4, 4),
        // With fewer products.
        (3, 1, 1, Border::Reflect, 32, 64, 6, 8),
        (3, 1, 1, Border::Zero, 64, 32, 4, 2),
        (3, 1, 1, Border::Edge, 96, 32, 2, 4),
        (3, 2, 1, Border::Zero, 16, 33, 8, 6),
        (3, 2, 1, Border::Zero, 16, 33, 7, 9),
        (4, 2, 1, Border::Zero, 3, 64, 12, 10),
        (4, 1, 1, Border::Zero, 64, 1, 6, 5),
        (1, 1, 0, Border::Zero, 12, 20, 3, 5),
    ];
    for (k, stride, padding, border, channels, out, height, width) in cases {
        for activation in [Activation::Identity, Activation::LeakyRelu(0.2), Activation::Relu] {
            let conv = Conv { stride, padding, border, activation };
            let name = format!("{k}×{k}, {conv:?}, {channels} → {out}");
            let (x, weight) = ([2, height, width, channels], [out, channels, k, k]);
            assert_same(&name, conv_op(conv), x, weight, out);
        }
    }
}

#[test]
fn transposed_convolutions_are_the_references() {
    for (k, stride, padding, padding_out, channels, out, height, width) in
        [(3, 2, 1, 1, 40, 20, 5, 6), (4, 2, 1, 0, 7, 3, 4, 5), (4, 2, 1, 0, 3, 70, 1, 1)]
    {
        for activation in [Activation::Identity, Activation::Relu] {
            let conv = Conv { stride, padding, border: Border::Zero, activation };
            let op: Op = Box::new(move |[x, weight], bias, fused| {
                let x = FeatureMaps::new(x);
                match fused {
                    true => x.conv_transpose(weight, Some(bias), conv, padding_out),
                    false => reference::conv_transpose(x, weight, Some(bias), conv, padding_out),
                }
            });
            let name = format!("{k}×{k}, {conv:?}, {channels} → {out}");
            let (x, weight) = ([2, height, width, channels], [channels, out, k, k]);
            assert_same(&name, op, x, weight, out);
        }
    }
}

#[test]
fn norms_are_the_references() {
    let leaky = Activation::LeakyRelu(0.2);
    for (channels, activation) in
        [(70, Activation::Relu), (16, leaky), (5, Activation::Identity), (128, Activation::Relu)]
    {
        let norm = InstanceNorm { epsilon: 1e-5, activation };
        // The scale comes in as the weight.
        let op: Op = Box::new(move |[x, gamma], beta, fused| {
            let affine = Some((gamma.reshape([channels]), beta));
            match fused {
                true => FeatureMaps::new(x).instance_norm(affine, norm),
                false => reference::instance_norm(FeatureMaps::new(x), affine, norm),
            }
        });
        let name = format!("{channels} channels, {norm:?}");
        assert_same(&name, op, [3, 9, 11, channels], [1, 1, 1, channels], channels);
    }
}

/// How far from a value, as a fraction of it, the nearest one of bfloat16's eight bits is at most.
const HALF_ROUNDING: f64 = 1.0 / 256.0;

/// Convolutions of maps in half precision are those of the rounded values, rounded: products and sums
/// lose nothing on the way. Burn's own in half precision agree on this device.
#[test]
fn half_precision_rounds_values_and_no_sums() {
    let _held = VECTORS.lock();
    let device = Device::flex().autodiff();
    device.seed(11);
    let conv =
        Conv { stride: 1, padding: 1, border: Border::Reflect, activation: Activation::Identity };
    let rounded = |tensor: Tensor<4>| tensor.cast(DType::BF16);
    let x = rounded(noise([2, 6, 8, 64], &device));
    let weight = noise([32, 64, 3, 3], &device);
    let direction = rounded(noise([2, 6, 8, 32], &device));
    // The result and the gradients of x and weights, of the result along the direction.
    let all =
        |x: Tensor<4>, weight: Tensor<4>, op: fn(FeatureMaps, Tensor<4>, Conv) -> FeatureMaps| {
            let (x, weight) = (x.require_grad(), weight.require_grad());
            let y = op(FeatureMaps::new(x.clone()), weight.clone(), conv).tensor();
            let along = direction.clone().cast(y.dtype());
            let grads = (y.clone() * along).sum().backward();
            let [of_x, of_weight] = [&x, &weight].map(|it| it.grad(&grads).expect("on the tape"));
            [y.inner(), of_x, of_weight]
        };
    let ours = all(x.clone(), weight.clone(), |x, weight, conv| x.conv(weight, None, conv));
    assert_eq!(ours.each_ref().map(|it| it.dtype()), [DType::BF16, DType::BF16, DType::F32]);
    let elsewhere = all(x.clone(), rounded(weight.clone()), |x, weight, conv| {
        reference::conv(x, weight, None, conv)
    });
    let [wide_x, wide_weight] = [x, rounded(weight)].map(|it| it.cast(DType::F64));
    let exact = all(wide_x, wide_weight, |x, weight, conv| reference::conv(x, weight, None, conv));
    let values =
        |it: Tensor<4>| it.into_data().convert::<f64>().try_to_vec::<f64>().expect("float64");
    for (what, ((ours, elsewhere), exact)) in
        ["result", "x", "weight"].into_iter().zip(ours.into_iter().zip(elsewhere).zip(exact))
    {
        let (ours, elsewhere, exact) = (values(ours), values(elsewhere), values(exact));
        let largest = exact.iter().fold(0.0_f64, |most, it| most.max(it.abs()));
        for (i, exact) in exact.iter().enumerate() {
            let most = exact.abs() * HALF_ROUNDING + 1e-5 * largest;
            let apart = (ours[i] - exact).abs();
            assert!(apart <= most, "{what} {i}: {} of {exact}, {apart} apart", ours[i]);
            // Burn adds what falls onto one pixel at the border after rounding it.
            let apart = (ours[i] - elsewhere[i]).abs();
            assert!(apart <= 3.0 * HALF_ROUNDING * largest, "{what} {i}: {apart} apart");
        }
    }
}

/// Of a picture far from zero, whose mean bfloat16 could not hold.
#[test]
fn norms_of_half_precision_take_their_statistics_in_single() {
    let _held = VECTORS.lock();
    let device = Device::flex();
    device.seed(12);
    let norm = InstanceNorm { epsilon: 1e-5, activation: Activation::Identity };
    let x = (noise([1, 32, 32, 16], &device) * 0.5 + 8.0).cast(DType::BF16);
    let y = FeatureMaps::new(x.clone()).instance_norm(None, norm).tensor();
    assert_eq!(y.dtype(), DType::BF16);
    let exact = reference::instance_norm(FeatureMaps::new(x.cast(DType::F64)), None, norm);
    let tolerance = burn::tensor::Tolerance::absolute(1e-4).set_relative(HALF_ROUNDING);
    let exact = exact.tensor().into_data();
    y.into_data().convert::<f64>().assert_approx_eq::<f64>(&exact, tolerance);
}

/// Strided views, as a slice of a batch or images with their channels first are.
#[test]
fn inputs_need_not_be_contiguous() {
    let device = Device::flex().autodiff();
    let images = noise([4, 3, 8, 8], &device);
    let weight = noise([5, 3, 3, 3], &device);
    let conv =
        Conv { stride: 1, padding: 1, border: Border::Reflect, activation: Activation::Identity };
    let part = FeatureMaps::of_images(images.slice(1..3));
    let ours = part.clone().conv(weight.clone(), None, conv).into_images().into_data();
    let theirs = reference::conv(part, weight, None, conv).into_images().into_data();
    ours.assert_approx_eq::<f32>(&theirs, burn::tensor::Tolerance::absolute(1e-5));
}

/// Vectors must not change between two results that are to be equal bit for bit.
static VECTORS: Mutex<()> = Mutex::new(());

/// The same bits with one thread and with three.
#[test]
fn threads_do_not_change_a_bit() {
    let _held = VECTORS.lock();
    bits_stay([2, 20, 21, 24], [40, 24, 3, 3], 1);
    bits_stay([1, 40, 41, 24], [3, 24, 3, 3], 1);
    bits_stay([2, 20, 21, 24], [33, 24, 4, 4], 2);
    // More tiles than are summed at a time.
    bits_stay([3, 40, 40, 32], [32, 32, 3, 3], 1);
}

/// One image of few channels is worked on in smaller groups where there are more threads.
#[test]
fn threads_do_not_change_a_bit_of_norms() {
    let _held = VECTORS.lock();
    let device = Device::flex().autodiff();
    device.seed(6);
    let [gamma, beta] = [noise([64], &device), noise([64], &device)];
    let (x, gamma) = (noise([1, 24, 25, 64], &device), gamma.reshape([1, 1, 1, 64]));
    let norm = InstanceNorm { epsilon: 1e-5, activation: Activation::Relu };
    let op: Op = Box::new(move |[x, gamma], beta, _| {
        FeatureMaps::new(x).instance_norm(Some((gamma.reshape([64]), beta)), norm)
    });
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let all = || everything(&op, &x, &gamma, &beta, true);
        pool.expect("a few threads can be started").install(all)
    };
    assert!(with(1) == with(3));
}

fn bits_stay(x: [usize; 4], weight: [usize; 4], stride: usize) {
    let device = Device::flex().autodiff();
    device.seed(5);
    let bias = noise([weight[0]], &device);
    let (x, weight) = (noise(x, &device), noise(weight, &device));
    let conv = Conv {
        stride,
        padding: 1,
        border: Border::Reflect,
        activation: Activation::LeakyRelu(0.2),
    };
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let all = || everything(&conv_op(conv), &x, &weight, &bias, true);
        pool.expect("a few threads can be started").install(all)
    };
    assert!(with(1) == with(3));
}

/// Narrower vectors than this machine's take other paths.
#[test]
fn every_width_of_vectors_has_the_references_results() {
    let _held = VECTORS.lock();
    let mut widths = vec![Arch::Scalar];
    #[cfg(target_arch = "x86_64")]
    widths.extend(pulp::x86::V3::try_new().map(Arch::V3));
    for width in widths {
        *cpu::chosen_vectors() = Some(width);
        convolutions_are_the_references();
        transposed_convolutions_are_the_references();
        norms_are_the_references();
        adam_is_burns();
    }
    *cpu::chosen_vectors() = None;
}

fn plain(activation: Activation) -> Conv {
    Conv { stride: 1, padding: 0, border: Border::Zero, activation }
}

/// Infinity below zero is zero behind a ReLU; what is no number stays so, or nobody would see it.
#[test]
fn a_relu_takes_infinity_and_keeps_what_is_no_number() {
    let device = Device::flex();
    let x = Tensor::<1>::from_floats([f32::NEG_INFINITY, f32::NAN, -1.0, 2.0], &device);
    let x = FeatureMaps::new(x.reshape([1, 1, 4, 1]));
    let y = x.conv(Tensor::ones([16, 1, 1, 1], &device), None, plain(Activation::Relu));
    let y = y.tensor().slice([0..1, 0..1, 0..4, 0..1]);
    let y = y.into_data().try_to_vec::<f32>().expect("float32");
    assert!(y[0] == 0.0 && y[1].is_nan() && y[2] == 0.0 && y[3] == 2.0, "{y:?}");
}

#[test]
#[should_panic(expected = "the weights are for other channels")]
fn channels_must_match() {
    let device = Device::flex();
    let x = FeatureMaps::new(noise([1, 4, 4, 2], &device));
    x.conv(noise([5, 3, 3, 3], &device), None, plain(Activation::Identity));
}

#[test]
#[should_panic(expected = "the weights are for other channels")]
fn channels_must_match_on_the_way_up() {
    let device = Device::flex();
    let x = FeatureMaps::new(noise([1, 4, 4, 2], &device));
    x.conv_transpose(noise([3, 5, 3, 3], &device), None, plain(Activation::Identity), 0);
}

#[test]
#[should_panic(expected = "the kernel is no larger than the padded picture")]
fn a_kernel_must_fit() {
    let device = Device::flex();
    let x = FeatureMaps::new(noise([1, 2, 9, 2], &device));
    x.conv(noise([5, 2, 4, 4], &device), None, plain(Activation::Identity));
}

#[test]
fn adam_is_burns() {
    let device = Device::flex();
    device.seed(7);
    let adam = Adam::new(0.5, 0.999, 1e-8);
    // More than one job, and a part of a larger tensor.
    let all: Tensor<1> = noise([40_000], &device);
    let mut ours = (all.slice(5..35_006), None);
    let mut theirs = ours.clone();
    for _ in 0..5 {
        let gradient = noise([35_001], &device);
        let (weights, state) = adam.step(1e-3, ours.0, gradient.clone(), ours.1);
        ours = (weights, Some(state));
        let (weights, state) = adam.composed(1e-3, theirs.0, gradient, theirs.1);
        theirs = (weights, Some(state));
    }
    let tolerance = burn::tensor::Tolerance::absolute(1e-6);
    ours.0.into_data().assert_approx_eq::<f32>(&theirs.0.into_data(), tolerance);
}
