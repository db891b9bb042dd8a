use super::*;

pub(crate) const EPS: f32 = 1e-3;

/// Values between -1 and 1 that repeat late.
pub(crate) fn values(seed: usize, count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| ((i + seed) * (i + 7 * seed + 3) * 2_654_435 % 2003) as f32)
        .map(|it| it / 1001.0 - 1.0)
        .collect()
}

pub(crate) fn named(shape: ConvShape) -> NamedTensors {
    let [channels, ..] = shape.weight;
    let of =
        |seed, dims: &[usize]| TensorData::new(values(seed, dims.iter().product()), dims.to_vec());
    let var = of(5, &[channels]).try_into_vec::<f32>().expect("float32");
    let var: Vec<f32> = var.iter().map(|it| it * 0.9 + 1.0).collect();
    NamedTensors::from([
        ("c.weight".into(), of(1, &shape.weight)),
        ("n.weight".into(), of(2, &[channels])),
        ("n.bias".into(), of(3, &[channels])),
        ("n.running_mean".into(), of(4, &[channels])),
        ("n.running_var".into(), TensorData::new(var, [channels])),
    ])
}

/// Convolution, then norm, one output at a time. `before` is the padding above and to the left.
pub(crate) fn by_hand(
    x: &[f32],
    [n, channels_in, height, width]: [usize; 4],
    tensors: &NamedTensors,
    shape: ConvShape,
    (before, out): ([usize; 2], [usize; 2]),
) -> Vec<f64> {
    let of = |name: &str| tensors[name].as_slice::<f32>().expect("float32").to_vec();
    let [weight, gamma, beta, mean, var] =
        ["c.weight", "n.weight", "n.bias", "n.running_mean", "n.running_var"].map(of);
    let [channels, per_group, rows, columns] = shape.weight;
    let mut result = Vec::new();
    for (image, c, i, j) in places([n, channels, out[0], out[1]]) {
        let mut sum = 0.0;
        for (k, u, v, _) in places([per_group, rows, columns, 1]) {
            let (y, x_at) = (i * shape.stride + u, j * shape.stride + v);
            let (Some(y), Some(x_at)) = (y.checked_sub(before[0]), x_at.checked_sub(before[1]))
            else {
                continue;
            };
            if y < height && x_at < width {
                let from = c / (channels / shape.groups) * per_group + k;
                let value = x[((image * channels_in + from) * height + y) * width + x_at];
                let factor = weight[((c * per_group + k) * rows + u) * columns + v];
                sum += f64::from(value) * f64::from(factor);
            }
        }
        let [gamma, beta, mean, var] = [&gamma, &beta, &mean, &var].map(|it| f64::from(it[c]));
        result.push(gamma * (sum - mean) / (var + f64::from(EPS)).sqrt() + beta);
    }
    result
}

fn places([a, b, c, d]: [usize; 4]) -> impl Iterator<Item = (usize, usize, usize, usize)> {
    (0..a * b * c * d).map(move |i| (i / (b * c * d), i / (c * d) % b, i / d % c, i % d))
}

/// Fails where values are further apart than rounding explains.
#[track_caller]
pub(crate) fn expect_near(found: Tensor<4>, expected: &[f64]) {
    let found = found.into_data().try_into_vec::<f32>().expect("float32");
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.into_iter().zip(expected) {
        assert!((f64::from(found) - expected).abs() < 2e-4, "{found}, expected {expected}");
    }
}

#[test]
fn a_folded_norm_is_the_norm_behind_a_hand_written_convolution() {
    let check = |weight, stride, padding, groups, input: [usize; 4], out: [usize; 2]| {
        let shape = ConvShape { weight, stride, padding, groups };
        let device = Device::flex();
        let tensors = named(shape);
        let x = values(9, input.iter().product());
        let mut taker = WeightTaker::new(tensors.clone(), &device);
        let conv = taker.conv_norm("c", "n", EPS, shape);
        let conv = taker.finish(conv).expect("all tensors are there");
        let y = conv.forward(Tensor::from_data(TensorData::new(x.clone(), input), &device));
        assert_eq!(y.dims(), [input[0], weight[0], out[0], out[1]]);
        expect_near(y, &by_hand(&x, input, &tensors, shape, (padding, out)));
    };
    check([4, 3, 1, 1], 1, [0, 0], 1, [2, 3, 5, 4], [5, 4]);
    check([4, 3, 3, 3], 2, [0, 0], 1, [2, 3, 9, 8], [4, 3]);
    check([4, 3, 1, 7], 1, [0, 3], 1, [1, 3, 5, 8], [5, 8]);
    check([4, 3, 7, 1], 1, [3, 0], 1, [1, 3, 8, 5], [8, 5]);
    check([6, 1, 5, 5], 1, [2, 2], 6, [2, 6, 4, 7], [4, 7]);
}

#[test]
fn every_tensor_that_does_not_fit_is_named() {
    let shape = ConvShape { weight: [2, 3, 1, 1], stride: 1, padding: [0, 0], groups: 1 };
    let device = Device::flex();
    let load = |change: &dyn Fn(&mut NamedTensors)| {
        let mut tensors = named(shape);
        change(&mut tensors);
        let mut taker = WeightTaker::new(tensors, &device);
        let conv = taker.conv_norm("c", "n", EPS, shape);
        taker.finish(conv).map(|_| ()).map_err(|error| error.to_string())
    };
    let scalar = |value: f32| TensorData::new(vec![value; 2], [2]);
    let fails = |change: &dyn Fn(&mut NamedTensors), expected: &str| {
        let error = load(change).expect_err(expected);
        assert!(error.contains(expected), "{error}");
    };
    assert_eq!(load(&|_| ()), Ok(()));
    assert_eq!(load(&|it| drop(it.insert("n.num_batches_tracked".into(), scalar(1.0)))), Ok(()));
    fails(&|it| drop(it.remove("n.bias")), "missing tensor `n.bias` [2]");
    fails(&|it| drop(it.insert("n.weigth".into(), scalar(1.0))), "surplus tensor `n.weigth` [2]");
    fails(&|it| drop(it.insert("c.weight".into(), scalar(1.0))), "`c.weight` has shape [2]");
    fails(&|it| drop(it.insert("n.running_mean".into(), scalar(f32::NAN))), "holds NaN");
    fails(&|it| drop(it.insert("n.running_var".into(), scalar(-1.0))), "holds -1, no variance");
    fails(&|it| it.clear(), "missing tensor `c.weight`");
}
