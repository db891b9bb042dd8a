use burn::tensor::TensorData;

use super::*;

#[test]
fn the_content_decides_not_the_ending() {
    let dir = tempfile::tempdir().expect("a folder");
    let tensors = NamedTensors::from([("x".into(), TensorData::from([1.0_f32]))]);
    for name in ["w.safetensors", "w.pth", "w"] {
        let path = dir.path().join(name);
        write(&path, &tensors).expect("written");
        assert_eq!(read(&path).expect("read"), tensors, "{name}");
    }
}

#[test]
fn what_is_no_file_of_weights_is_refused_by_its_path() {
    let dir = tempfile::tempdir().expect("a folder");
    let check = |name: &str, bytes: &[u8], expected: &str| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).expect("written");
        let error = read(&path).expect_err(name).chain();
        assert!(error.contains(name) && error.contains(expected), "{error}");
    };
    check("words.pth", b"these are no weights", "not a PyTorch");
    check("page.pth", b"\n<!DOCTYPE html><html>not found</html>", "is a web page");
    check("script.pth", b"<script>{}</script>", "is a web page");
    check("empty.pth", b"", "is empty");
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 45575747\n";
    check("pointer.pth", pointer, "git lfs pull");
    check("wrong.safetensors", b"\x02\x00\x00\x00\x00\x00\x00\x00{]", "not a safetensors");

    let path = dir.path().join("whole.safetensors");
    let tensors = NamedTensors::from([("x".into(), TensorData::from([1.0_f32; 4]))]);
    write(&path, &tensors).expect("written");
    let whole = fs::read(&path).expect("read");
    check("header.safetensors", &whole[..20], "ends too early");
    check("data.safetensors", &whole[..whole.len() - 1], "ends too early");
    let zipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/reference/vectors/zipped.pth");
    let whole = fs::read(zipped).expect("the vectors are committed");
    check("cut.pth", &whole[..whole.len() - 100], "ends too early");
    read(Path::new(zipped)).expect("the whole one");
    let error = read(&dir.path().join("none.pth")).expect_err("absent").chain();
    assert!(error.contains("none.pth") && error.contains("cannot read"), "{error}");
}
