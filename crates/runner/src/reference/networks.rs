//! Forward passes and sizes of the networks.

use burn::module::Module;
use model::{Discriminator, Generator, InitialWeights};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::*;

#[derive(Deserialize)]
struct Case {
    name: String,
    network: String,
    model: Json,
    shape: [usize; 4],
    parameters: usize,
    output_shape: [usize; 4],
    /// Every how many values are kept.
    stride: usize,
}

#[test]
fn forward_passes_are_the_reference_s() {
    let (device, tolerance) = under_test();
    let expected = tensors("networks.safetensors");
    let cases: Vec<Case> = cases("networks.json");
    assert!(cases.len() > 20, "every kind and size");
    for case in cases {
        let model = config(&json!({ "model": case.model })).model;
        let undrawn = InitialWeights::undrawn(&device);
        let input = images(&format!("{}/input", case.name), case.shape, &device);
        let (parameters, output) = match case.network.as_str() {
            "generator" => {
                let network = Generator::new(&model, &undrawn);
                let network = of_noise(network, &model, &case.name);
                (network.num_params(), network.forward(input))
            }
            "discriminator" => {
                let network = Discriminator::new(&model, &undrawn);
                let network = of_noise(network, &model, &case.name);
                (network.num_params(), network.forward(input))
            }
            other => panic!("`{other}` is no kind of network"),
        };
        assert_eq!(parameters, case.parameters, "{}", case.name);
        assert_eq!(output.dims(), case.output_shape, "{}", case.name);
        let kept: Vec<f32> = values(output).into_iter().step_by(case.stride).collect();
        let expected = expected[&case.name].as_slice::<f32>().expect("float32");
        let apart = apart(&kept, expected, largest(expected));
        expect_within(apart, tolerance.forward, &case.name);
    }
}

/// At full width, where only the count is kept.
#[test]
fn parameter_counts_are_the_reference_s() {
    #[derive(Deserialize)]
    struct Count {
        network: String,
        model: Json,
        count: usize,
    }
    for Count { network, model, count } in cases::<Count>("parameters.json") {
        let model = config(&json!({ "model": model })).model;
        let device = Device::flex();
        let undrawn = InitialWeights::undrawn(&device);
        let found = match network.as_str() {
            "generator" => Generator::new(&model, &undrawn).num_params(),
            _ => Discriminator::new(&model, &undrawn).num_params(),
        };
        assert_eq!(found, count, "{network} {model:?}");
    }
}
