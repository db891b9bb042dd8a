//! Any bytes as a checkpoint's manifest: refused, or exactly what this program writes, with names
//! that lead nowhere else.

#![no_main]
// The module as it stands in `track`, without Parquet, which would take minutes to instrument.
#![allow(dead_code)]

#[path = "../crates/track/src/error.rs"]
mod error;
#[path = "../crates/track/src/manifest.rs"]
mod manifest;

use std::path::{Component, Path};

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let manifest = match manifest::parse_manifest(data) {
        Ok(manifest) => manifest,
        Err(reason) => return assert!(!reason.is_empty(), "refused without a reason"),
    };
    assert_eq!(manifest.text(), data);
    for name in manifest.names() {
        let parts: Vec<Component> = Path::new(name).components().collect();
        assert!(matches!(parts[..], [Component::Normal(_)]), "{name:?} leads elsewhere");
    }
});
