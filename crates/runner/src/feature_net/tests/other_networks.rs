//! The networks for which people bring weights, against pytorch-fid and lpips themselves, every
//! tensor noise of its name (`tests/reference/feature_vectors.py`).

use burn::tensor::{Tensor, TensorData};
use model::weights::NamedTensors;
use model::{InceptionFid, Lpips, LpipsBackbone};
use serde::Deserialize;

use crate::reference::{apart, cases, expect_within, images, largest, noise, under_test, values};

#[derive(Deserialize)]
struct Case {
    name: String,
    images: [usize; 4],
    /// Name and shape of the weight.
    convs: Vec<(String, [usize; 4])>,
    /// Of the values that were kept.
    stride: usize,
    expected: Vec<f32>,
}

fn case(name: &str) -> Case {
    let found = cases::<Case>("feature_networks.json").into_iter().find(|it| it.name == name);
    found.expect("the vectors have the case")
}

impl Case {
    /// A matrix or a kernel, so that activations neither grow nor fade.
    fn weight<const D: usize>(&self, name: &str, shape: [usize; D]) -> TensorData {
        let fan_in: usize = shape[1..].iter().product();
        let scale = (6.0 / fan_in as f64).sqrt() as f32;
        let count = shape.iter().product();
        TensorData::new(noise(&format!("{}/{name}", self.name), count, scale), shape)
    }

    fn vector(&self, name: &str, length: usize, offset: f32, scale: f32) -> TensorData {
        let noise = noise(&format!("{}/{name}", self.name), length, scale);
        let shifted: Vec<f32> = noise.into_iter().map(|value| value + offset).collect();
        TensorData::new(shifted, [length])
    }

    fn inception_tensors(&self) -> NamedTensors {
        let mut tensors = NamedTensors::new();
        for (conv, shape) in &self.convs {
            let name = format!("{conv}.conv.weight");
            tensors.insert(name.clone(), self.weight(&name, *shape));
            for (part, offset, scale) in [
                ("weight", 1.0, 0.2),
                ("bias", 0.0, 0.1),
                ("running_mean", 0.0, 0.1),
                ("running_var", 1.0, 0.5),
            ] {
                let name = format!("{conv}.bn.{part}");
                tensors.insert(name.clone(), self.vector(&name, shape[0], offset, scale));
            }
        }
        tensors.insert("fc.weight".into(), self.weight("fc.weight", [1008, 2048]));
        tensors.insert("fc.bias".into(), self.vector("fc.bias", 1008, 0.0, 0.1));
        tensors
    }

    fn lpips_tensors(&self) -> NamedTensors {
        let mut tensors = NamedTensors::new();
        for (conv, shape) in &self.convs {
            let name = format!("{conv}.weight");
            let weight = self.weight(&name, *shape);
            if conv.starts_with("lin") {
                // Heads are not negative.
                let weight = weight.as_slice::<f32>().expect("float32").iter().map(|it| it.abs());
                tensors.insert(name, TensorData::new(weight.collect::<Vec<_>>(), *shape));
            } else {
                tensors.insert(name, weight);
                let name = format!("{conv}.bias");
                tensors.insert(name.clone(), self.vector(&name, shape[0], 0.0, 0.1));
            }
        }
        tensors
    }

    #[track_caller]
    fn expect(&self, found: Vec<f32>) {
        let (_, tolerance) = under_test();
        let found: Vec<f32> = found.into_iter().step_by(self.stride).collect();
        let apart = apart(&found, &self.expected, largest(&self.expected));
        expect_within(apart, tolerance.forward, &self.name);
    }
}

#[test]
fn inception_is_pytorch_fids() {
    let (device, _) = under_test();
    let case = case("inception");
    let network = InceptionFid::from_tensors(case.inception_tensors(), &device);
    let network = network.expect("the names are pytorch-fid's");
    let levels = noise("inception/input", case.images.iter().product(), 1.0);
    let levels: Vec<f32> = levels.into_iter().map(|it| ((it + 1.0) * 127.5).floor()).collect();
    let images = Tensor::from_data(TensorData::new(levels, case.images), &device);
    case.expect(values(network.forward(images)));
}

#[test]
fn inception_is_refused_unless_every_tensor_loads() {
    let (device, _) = under_test();
    let case = case("inception");
    let mut tensors = case.inception_tensors();
    tensors.remove("Mixed_7c.branch_pool.bn.running_var");
    tensors.remove("fc.bias");
    tensors.insert("AuxLogits.fc.bias".into(), TensorData::from([0.0_f32]));
    let error = InceptionFid::from_tensors(tensors, &device).expect_err("three faults").to_string();
    for expected in [
        "missing tensor `Mixed_7c.branch_pool.bn.running_var` [192]",
        "missing tensor `fc.bias` [1008]",
        "surplus tensor `AuxLogits.fc.bias` [1]",
    ] {
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn distances_are_those_of_the_lpips_package() {
    let (device, _) = under_test();
    for (name, backbone) in [("lpips-alex", LpipsBackbone::Alex), ("lpips-vgg", LpipsBackbone::Vgg)]
    {
        let case = case(name);
        let mut tensors = case.lpips_tensors();
        // torchvision's files have it too.
        tensors.insert("classifier.1.bias".into(), TensorData::from([0.0_f32]));
        let network = Lpips::from_tensors(backbone, tensors.clone(), &device).expect("complete");
        let [left, right] =
            ["a", "b"].map(|it| images(&format!("{name}/{it}"), case.images, &device));
        case.expect(values(network.distance(left.clone(), right)));
        assert_eq!(values(network.distance(left.clone(), left)), [0.0, 0.0]);
        tensors.remove("lin3.model.1.weight");
        let error = Lpips::from_tensors(backbone, tensors, &device).expect_err("a head is gone");
        assert!(error.to_string().contains("missing tensor `lin3.model.1.weight`"), "{error}");
    }
}
