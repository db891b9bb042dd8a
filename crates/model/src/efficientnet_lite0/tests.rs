use burn::tensor::TensorData;

use super::*;
use crate::folded_conv::tests::{EPS, by_hand, expect_near, named, values};

/// Every tensor of the file with values of no meaning, behind norms that change nothing.
fn some_weights() -> NamedTensors {
    let mut tensors = NamedTensors::new();
    let mut layer = |conv: String, norm: String, weight: [usize; 4]| {
        let [channels, ..] = weight;
        let count: usize = weight.iter().product();
        let size = (3.0 * channels as f32 / count as f32).sqrt();
        let values = (0..count).map(|i| ((i * 7919 % 1009) as f32 / 504.0 - 1.0) * size).collect();
        tensors.insert(format!("{conv}.weight"), TensorData::new::<f32, _>(values, weight));
        for (part, value) in
            [("weight", 1.0_f32), ("bias", 0.1), ("running_mean", 0.0), ("running_var", 1.0)]
        {
            tensors.insert(
                format!("{norm}.{part}"),
                TensorData::new(vec![value; channels], [channels]),
            );
        }
        tensors.insert(format!("{norm}.num_batches_tracked"), TensorData::new(vec![0.0_f32], [1]));
    };
    layer("_conv_stem".into(), "_bn0".into(), [32, 3, 3, 3]);
    let mut index = 0;
    for [n, kernel, _, expansion, before, after] in ROWS {
        for i in 0..n {
            let before = if i == 0 { before } else { after };
            let wide = before * expansion;
            let at = |name: &str| format!("_blocks.{index}.{name}");
            if index > 0 {
                layer(at("_expand_conv"), at("_bn0"), [wide, before, 1, 1]);
            }
            layer(at("_depthwise_conv"), at("_bn1"), [wide, 1, kernel, kernel]);
            layer(at("_project_conv"), at("_bn2"), [after, wide, 1, 1]);
            index += 1;
        }
    }
    layer("_conv_head".into(), "_bn1".into(), [1280, 320, 1, 1]);
    tensors.insert("_fc.weight".into(), TensorData::new(vec![0.01_f32; 1_280_000], [1000, 1280]));
    tensors.insert("_fc.bias".into(), TensorData::new(vec![0.0_f32; 1000], [1000]));
    tensors
}

fn images(sides: [usize; 2], n: usize, device: &Device) -> Tensor<4> {
    let count = n * 3 * sides[0] * sides[1];
    let values: Vec<f32> = (0..count).map(|i| (i * 37 % 256) as f32).collect();
    Tensor::from_data(TensorData::new(values, [n, 3, sides[0], sides[1]]), device)
}

#[test]
fn the_file_has_296_tensors_and_each_is_needed() {
    let tensors = some_weights();
    assert_eq!(tensors.len(), 296);
    let device = Device::flex();
    FeatureNet::from_tensors(tensors.clone(), &device).expect("complete");
    let fails = |change: &dyn Fn(&mut NamedTensors), expected: &str| {
        let mut tensors = tensors.clone();
        change(&mut tensors);
        let error = FeatureNet::from_tensors(tensors, &device).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    };
    fails(
        &|it| drop(it.remove("_blocks.15._bn2.running_var")),
        "missing tensor `_blocks.15._bn2.running_var` [320]",
    );
    fails(&|it| drop(it.remove("_fc.bias")), "missing tensor `_fc.bias` [1000]");
    fails(
        &|it| drop(it.insert("_blocks.0._expand_conv.weight".into(), TensorData::from([1.0_f32]))),
        "surplus tensor `_blocks.0._expand_conv.weight` [1]",
    );
}

#[test]
fn taps_have_their_widths_whatever_the_side_and_the_batch() {
    let device = Device::flex();
    let network = FeatureNet::from_tensors(some_weights(), &device).expect("complete");
    let rows = |taps: &Taps| {
        let values = |it: &Tensor<2>| it.to_data().try_into_vec::<f32>().expect("float32");
        [values(&taps.b4), values(&taps.b10), values(&taps.pool), values(&network.logits(taps))]
    };
    let pair = images([33, 20], 2, &device);
    let taps = network.forward(pair.clone());
    assert_eq!(taps.b4.dims(), [2, 40]);
    assert_eq!(taps.b10.dims(), [2, 112]);
    assert_eq!(taps.pool.dims(), [2, 1280]);
    assert_eq!(network.logits(&taps).dims(), [2, 1000]);
    let together = rows(&taps);
    for i in 0..2 {
        let alone = rows(&network.forward(pair.clone().narrow(0, i, 1)));
        for (together, alone) in together.iter().zip(&alone) {
            let together = &together[i * alone.len()..][..alone.len()];
            let size = alone.iter().fold(0.0_f32, |most, it| most.max(it.abs()));
            assert!(size > 0.0, "a tap of zeros shows nothing");
            for (a, b) in together.iter().zip(alone) {
                assert!((a - b).abs() <= 1e-4 * size, "{a} in a batch, {b} alone");
            }
        }
    }
}

#[test]
fn an_autodiff_device_is_left_aside() {
    let training = Device::flex().autodiff();
    let network = FeatureNet::from_tensors(some_weights(), &training).expect("complete");
    assert!(!network.device().is_autodiff());
    let taps = network.forward(images([16, 16], 1, network.device()));
    assert_eq!(taps.pool.dims(), [1, 1280]);
}

#[test]
fn the_stem_over_windows_is_a_convolution_of_stride_2() {
    let check = |[height, width]: [usize; 2], before: [usize; 2]| {
        let device = Device::flex();
        let shape = ConvShape { weight: [4, 3, 3, 3], stride: 2, padding: [0, 0], groups: 1 };
        let tensors = named(shape);
        let mut taker = WeightTaker::new(tensors.clone(), &device);
        let stem = taker.conv_norm("c", "n", EPS, shape).of_windows();
        let stem = taker.finish(stem).expect("all tensors are there");
        let input = [2, 3, height, width];
        let x = values(9, input.iter().product());
        let found =
            stem.forward(windows(Tensor::from_data(TensorData::new(x.clone(), input), &device)));
        let out = [height.div_ceil(2), width.div_ceil(2)];
        expect_near(found, &by_hand(&x, input, &tensors, shape, (before, out)));
    };
    // TensorFlow pads an even side below and to the right only.
    check([8, 8], [0, 0]);
    check([7, 8], [1, 0]);
    check([6, 5], [0, 1]);
    check([1, 3], [1, 1]);
}
