//! Files of weights from a stranger. What each kind of claim comes to is in `runner::weight_file`;
//! here is what the program does.

use crate::hostile_images::within;
use crate::lab::{Lab, Said, tiny};
use crate::translating::{one_block, safetensors};

/// A state dict whose one value is the outcome of a call, as `pickle` would make it.
fn calls_a_shell(protocol: u8, command: &str) -> Vec<u8> {
    let long =
        |text: &str| [&b"X"[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat();
    let short = |text: &str| [&[0x8c, text.len() as u8], text.as_bytes()].concat();
    let call = match protocol {
        2 => [&b"cposix\nsystem\n("[..], &long(command), b"tR"].concat(),
        _ => [&short("posix")[..], &short("system"), b"\x93", &short(command), b"\x85R"].concat(),
    };
    [&[0x80, protocol, b'}', b'('][..], &long("model.1.weight"), &call, b"u."].concat()
}

/// The container of PyTorch before 1.6, without a storage.
fn legacy(pickle: &[u8]) -> Vec<u8> {
    [
        &b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03."[..],
        b"\x80\x02}(X\x0d\0\0\0little_endian\x88u.",
        pickle,
        b"\x80\x02].",
    ]
    .concat()
}

/// As a user meets it: in the commands that take files of weights.
fn refused(lab: &Lab, file: &str, expected: &str) {
    let translate = ["translate", "--device", "cpu", "--weights", file, "--input", "."];
    let translate = [&translate[..], &["--output", "out"]].concat();
    let said: Said = within(6, &lab.command(&translate));
    assert_eq!(said.code, Some(78), "{file}: {}", said.stderr);
    assert!(said.stderr.contains(expected), "{expected} in {}", said.stderr);

    let init = format!("[set]\ninit.gen_ab = {file:?}");
    lab.write("init.toml", &tiny(5).replace("[set]", &init));
    let said = within(6, &lab.command(&["sweep", "init.toml"]));
    assert_eq!(said.code, Some(1), "{file}: {}", said.stderr);
    assert!(said.stderr.contains(expected), "{expected} in {}", said.stderr);
    for made in ["out", "runs", "executed"] {
        assert!(!lab.path(made).exists(), "{file}: `{made}` was made");
    }
}

#[test]
fn a_file_that_calls_a_shell_is_a_file_without_weights() {
    let lab = Lab::new();
    let command = format!("touch {}", lab.path("executed").display());
    for protocol in [2, 4] {
        let pickle = calls_a_shell(protocol, &command);
        for (name, bytes) in [("plain.pth", pickle.clone()), ("legacy.pth", legacy(&pickle))] {
            std::fs::write(lab.path(name), bytes).expect("a file");
            refused(&lab, name, "the file holds no tensor");
        }
    }
}

#[test]
fn a_file_that_asks_for_all_memory_gets_none() {
    let lab = Lab::new();
    std::fs::write(lab.path("swells.pth"), legacy(&vec![b'N'; 64 << 20])).expect("a file");
    refused(&lab, "swells.pth", "claims to hold far more than its size can");
    let hole = std::fs::File::create(lab.path("hole.pth")).expect("a file");
    hole.set_len(10 << 30).expect("a file with a hole");
    refused(&lab, "hole.pth", "is larger than 4 GiB");
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    let lab = Lab::new();
    let mut bytes = safetensors(&one_block());
    let last = bytes.len() - 4;
    bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(lab.path("nan.safetensors"), bytes).expect("a file");
    std::fs::create_dir(lab.path("in")).expect("a folder");
    std::fs::write(lab.path("in/a.bmp"), crate::translating::bmp(16, 16)).expect("a picture");
    let said = lab.say(&[
        "translate",
        "--device",
        "cpu",
        "--weights",
        "nan.safetensors",
        "--input",
        "in",
        "--output",
        "out",
    ]);
    assert_eq!(said.code, Some(78), "{}", said.stderr);
    assert!(said.stderr.contains("`model.18.bias` holds NaN"), "{}", said.stderr);
    assert!(!lab.path("out").exists(), "black pictures were made");
}
