//! Values that PyTorch gave for the reference implementation's description, and how close to
//! them this program must come. `tests/reference` holds the data and the scripts that made it.
//!
//! `CYCLELAB_TEST_DEVICE=cuda:0` runs the same comparison on another device (`just test-cuda`).

mod networks;

use std::fs;
use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use model::upstream_names::UpstreamNames;
use model::weights::{self, NamedTensors};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use spec::{ModelConfig, RunConfig};

use crate::ComputeDevice;

/// How far from PyTorch's float32 a value may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tolerance {
    /// Of a forward pass or a loss, as a fraction of the largest value. Both sides round after
    /// every operation and add in different orders: PyTorch's own float32 is up to 5.5e-6 from its
    /// float64, so two right programs may be twice that apart.
    pub forward: f64,
    /// Of a gradient, as a fraction of the largest in its tensor: twice the layers, and
    /// differences of nearly equal numbers in the norms.
    pub gradient: f64,
    /// Of weights after some steps, as a fraction of what Adam can have moved them: lr · steps.
    /// Adam divides a gradient by its own size, so that one near 0 is told only roughly; PyTorch's
    /// own float32 is up to 2e-4 from its float64. An epsilon of 1e-5 in place of 1e-8 moves the
    /// weights by 0.04 and more, a beta_2 of 0.99 by some 0.002.
    pub update: f64,
}

impl Tolerance {
    fn on(device: ComputeDevice) -> Tolerance {
        match device {
            ComputeDevice::Cpu => Tolerance { forward: 2e-5, gradient: 1e-4, update: 2e-3 },
            // Matrix products may take TF32's 10 bits of mantissa: 5e-4 a product. An estimate: no
            // device has been at hand to measure on.
            ComputeDevice::Cuda(_) => Tolerance { forward: 5e-3, gradient: 5e-2, update: 0.5 },
        }
    }
}

/// The device under test, without autodiff, and its tolerance.
///
/// # Panics
/// If the device that is asked for cannot be used: nothing is skipped in silence.
pub(crate) fn under_test() -> (Device, Tolerance) {
    let name = std::env::var("CYCLELAB_TEST_DEVICE").unwrap_or_else(|_| "cpu".into());
    let device = ComputeDevice::named(&name).expect("CYCLELAB_TEST_DEVICE names a usable device");
    (device.open(), Tolerance::on(device))
}

/// The cases of one file.
pub(crate) fn cases<T: DeserializeOwned>(file: &str) -> Vec<T> {
    let text = fs::read_to_string(vectors().join(file)).expect("the vectors are committed");
    serde_json::from_str(&text).expect("the vectors have the fields of the case")
}

pub(crate) fn tensors(file: &str) -> NamedTensors {
    let bytes = fs::read(vectors().join(file)).expect("the vectors are committed");
    weights::from_safetensors(&bytes).expect("float32 tensors")
}

fn vectors() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/reference/vectors"))
}

/// The reference preset with what a case sets: sections of leaves.
pub(crate) fn config(changes: &Json) -> RunConfig {
    let mut tree = serde_json::to_value(RunConfig::reference()).expect("plain data");
    for (section, leaves) in changes.as_object().expect("sections") {
        for (leaf, value) in leaves.as_object().expect("leaves") {
            let known = tree[section].get_mut(leaf);
            *known.unwrap_or_else(|| panic!("`{section}.{leaf}` is a leaf")) = value.clone();
        }
    }
    serde_json::from_value(tree).expect("values of their leaves")
}

/// `count` values in [-scale, scale), the same in Python and here (tests/reference/noise.py).
pub(crate) fn noise(name: &str, count: usize, scale: f32) -> Vec<f32> {
    const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;
    // FNV-1a, then splitmix64 as a counter.
    let seed = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    let value = |i: usize| {
        let mut z = seed.wrapping_add((i as u64).wrapping_mul(GAMMA)).wrapping_add(GAMMA);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        ((z >> 40) as f32 / 8_388_608.0 - 1.0) * scale
    };
    (0..count).map(value).collect()
}

pub(crate) fn images(name: &str, shape: [usize; 4], device: &Device) -> Tensor<4> {
    let values = noise(name, shape.iter().product(), 1.0);
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The network with every tensor drawn from `prefix/NAME`, as the scripts draw them.
pub(crate) fn of_noise<M: UpstreamNames + Module>(
    network: M,
    config: &ModelConfig,
    prefix: &str,
) -> M {
    let names = M::names(config).into_iter();
    let is_scale = |ours: &str| ours.ends_with(".gamma");
    let scales: Vec<String> =
        names.filter(|(ours, _)| is_scale(ours)).map(|(_, theirs)| theirs).collect();
    let draw = |(name, old): (String, TensorData)| {
        let amplitude = if name.ends_with(".bias") { 0.1 } else { 0.2 };
        let mut values = noise(&format!("{prefix}/{name}"), old.num_elements(), amplitude);
        if scales.contains(&name) {
            values.iter_mut().for_each(|value| *value += 1.0);
        }
        let tensor = TensorData::new(values, old.shape().clone());
        (name, tensor)
    };
    let drawn = weights::save(&network, config).into_iter().map(draw).collect();
    weights::load(network, config, drawn).expect("the same names and shapes")
}

pub(crate) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().as_slice::<f32>().expect("float32").to_vec()
}

/// The largest difference, as a fraction of `scale`.
pub(crate) fn apart(found: &[f32], expected: &[f32], scale: f64) -> f64 {
    assert_eq!(found.len(), expected.len(), "the number of values");
    let difference = |(x, y): (&f32, &f32)| (f64::from(*x) - f64::from(*y)).abs();
    let largest = found.iter().zip(expected).map(difference).fold(0.0, nan_max);
    largest / scale
}

pub(crate) fn largest(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(value.abs())).fold(0.0, nan_max)
}

/// `f64::max` would pass over a NaN.
fn nan_max(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

/// Fails where `apart` is not within `tolerance`; says how close it came with `--no-capture`.
#[track_caller]
#[expect(clippy::print_stdout, reason = "shown with --no-capture")]
pub(crate) fn expect_within(apart: f64, tolerance: f64, what: &str) {
    println!("{what}: {apart:.1e} of {tolerance:.0e}");
    assert!(apart <= tolerance, "{what}: {apart:.2e} apart, tolerance {tolerance:.0e}");
}

#[test]
fn noise_is_the_scripts_noise() {
    // Printed by `python noise.py`.
    let check = |name, expected: [f32; 3]| assert_eq!(noise(name, 3, 0.2), expected, "{name}");
    check("", [0.105_477_81, -0.174_921_56, -0.067_555_88]);
    check("a", [-0.051_307_63, 0.199_248_91, 0.196_842_6]);
    check("lsgan/gen_ab/model.1.weight", [-0.178_371_1, -0.001_745_796_2, 0.123_381_57]);
}
