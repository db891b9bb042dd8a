use std::path::PathBuf;

use data::{FEATURE_WEIGHTS, RecipeBook, Store};

use super::*;

mod other_networks;

/// The weights' file, said aloud where there is none; fetched where tests may use the network.
fn weights() -> Option<PathBuf> {
    let store = Store::new(cache(), RecipeBook::new(&[]));
    if std::env::var_os("CYCLELAB_NETWORK_TESTS").is_some() {
        store.fetch_feature_weights(&mut |_| ()).expect("the registry has them");
    }
    let found = store.feature_weights();
    if found.is_none() {
        let command = FEATURE_WEIGHTS.fetch_command;
        let strict = std::env::var_os("CYCLELAB_NO_SKIPS").is_some();
        assert!(!strict, "no feature weights, and CYCLELAB_NO_SKIPS is set; run `{command}`");
        eprintln!("SKIPPED: no feature weights here; `{command}` brings them");
    }
    found
}

/// As the program finds it.
fn cache() -> PathBuf {
    let given = |name| std::env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    let home = || Some(given("HOME")?.join(".cache"));
    let user = || given("XDG_CACHE_HOME").or_else(home).map(|it| it.join("cyclelab"));
    given("CYCLELAB_CACHE").or_else(user).unwrap_or_else(|| ".cache/cyclelab".into())
}

/// onnxruntime's values for the formula image; numpy agrees to 6e-6.
#[test]
fn features_are_those_of_onnxruntime() {
    let Some(path) = weights() else { return };
    let extractor = FeatureExtractor::open(&path, ComputeDevice::Cpu).expect("the right file");
    let image = extractor.images(drawn_picture(), [1, 3, DRAWN, DRAWN]);
    let taps = extractor.network.forward(image);
    let logits = extractor.network.logits(&taps).into_data();
    let seen = ImageFeatures::of(taps);
    let near = |found: f64, expected: f64, what: &str| {
        let apart = (found / expected - 1.0).abs();
        assert!(apart < 1e-4, "{what}: {found}, expected {expected}, {apart:.1e} apart");
    };
    near(seen.pool.iter().map(|&it| f64::from(it)).sum::<f64>() / 1280.0, 1.144_640, "mean");
    near(l2(&seen.pool), KNOWN, "pool");
    near(extractor.known_value().found, KNOWN, "what every evaluation checks");
    near(l2(&seen.b4), 47.707_291, "b4");
    near(l2(&seen.b10), 48.498_402, "b10");
    for (&found, expected) in seen.pool.iter().zip([4.699_01, 3.575_05, 2.850_093, 0.068_712]) {
        near(f64::from(found), expected, "first of the pool");
    }
    let logits = logits.as_slice::<f32>().expect("float32");
    let best = (0..1000).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
    assert_eq!(best, Some(828), "the class");
}

/// The file keeps 50 kernels in TensorFlow's order, with strides that say so: read as they lie,
/// the values would be the same, and in the wrong places. Position by position as numpy has them.
#[test]
fn strided_weights_are_gathered() {
    let Some(path) = weights() else { return };
    let tensors = weight_file::read(&path).expect("the right file");
    const DIGEST: f64 = 19_630_065.255_747_702;
    let (mut count, mut digest) = (0, 0.0);
    for tensor in tensors.values() {
        let values = tensor.as_slice::<f32>().expect("float32");
        count += values.len();
        let weighted = values.iter().enumerate().map(|(i, &it)| f64::from(it) * (i % 97) as f64);
        digest += weighted.sum::<f64>();
    }
    assert_eq!(count, 4_694_024);
    assert!((digest - DIGEST).abs() < 1e-9 * DIGEST, "{digest}");
}

/// In whatever batches, and whatever their sides.
#[test]
fn each_image_has_its_own_row() {
    let Some(path) = weights() else { return };
    let extractor = FeatureExtractor::open(&path, ComputeDevice::Cpu).expect("the right file");
    let image = |i: usize| {
        let size = 16 + i;
        let level = |k: usize| (k * (7 + i) % 256) as u8;
        Image { size, rgb: (0..3 * size * size).map(level).collect() }
    };
    let images: Vec<Image> = (0..BATCH + 1).map(image).collect();
    let together = extractor.features(&images, 32);
    assert_eq!(together.b4.len(), images.len() * Taps::B4);
    assert_eq!(together.b10.len(), images.len() * Taps::B10);
    assert_eq!(together.pool.len(), images.len() * Taps::POOL);
    for i in [0, 3, BATCH] {
        let alone = extractor.features(&images[i..=i], 32).pool;
        let row = &together.pool[i * Taps::POOL..][..Taps::POOL];
        let apart: Vec<f32> = row.iter().zip(&alone).map(|(a, b)| a - b).collect();
        assert!(l2(&apart) < 1e-4 * l2(&alone), "image {i} is {} apart", l2(&apart));
    }
    assert_eq!(extractor.features(&[], 32), ImageFeatures::default());
}

#[test]
fn another_network_is_refused_by_name() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/reference/vectors/zipped.pth");
    let error = FeatureExtractor::open(Path::new(path), ComputeDevice::Cpu).err();
    let text = error.expect("a generator").chain();
    assert!(text.contains("zipped.pth") && text.contains("`_conv_stem.weight`"), "{text}");
}
