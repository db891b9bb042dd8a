//! Files of weights that were made to harm: to run something, or to fill the memory.

use std::io::{Cursor, Write};
use std::process::Command;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

/// One tensor of a state dict, with whatever it claims.
#[derive(Clone)]
struct Claim {
    name: String,
    storage: &'static str,
    numel: i64,
    offset: i64,
    shape: Vec<i64>,
    stride: Vec<i64>,
}

impl Claim {
    /// Of `numel` numbers in a row.
    fn row(numel: i64) -> Claim {
        let name = "model.1.bias".to_string();
        Claim { name, storage: "0", numel, offset: 0, shape: vec![numel], stride: vec![1] }
    }
}

fn text(text: &str) -> Vec<u8> {
    [&b"X"[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

fn integer(value: i64) -> Vec<u8> {
    [&b"\x8a\x08"[..], &value.to_le_bytes()].concat()
}

fn tuple(items: &[Vec<u8>]) -> Vec<u8> {
    [&b"("[..], &items.concat(), b"t"].concat()
}

/// As `torch.save` writes it. `beside` is the value of one key more.
fn state_dict(claims: &[Claim], beside: Option<&[u8]>) -> Vec<u8> {
    let mut pickle = b"\x80\x02}(".to_vec();
    for claim in claims {
        let storage = tuple(&[
            text("storage"),
            b"ctorch\nFloatStorage\n".to_vec(),
            text(claim.storage),
            text("cpu"),
            integer(claim.numel),
        ]);
        let dims = |dims: &[i64]| tuple(&dims.iter().map(|&it| integer(it)).collect::<Vec<_>>());
        let arguments = tuple(&[
            [&storage[..], b"Q"].concat(),
            integer(claim.offset),
            dims(&claim.shape),
            dims(&claim.stride),
            b"\x89".to_vec(),
            b"ccollections\nOrderedDict\n)R".to_vec(),
        ]);
        pickle.extend(text(&claim.name));
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n");
        pickle.extend(arguments);
        pickle.push(b'R');
    }
    if let Some(value) = beside {
        pickle.extend(text("epoch"));
        pickle.extend(value);
    }
    pickle.extend(b"u.");
    pickle
}

/// The container since PyTorch 1.6; `storages` by key.
fn zipped(pickle: &[u8], storages: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(method);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: &str, content: &[u8]| {
        zip.start_file(name, options).expect("in memory");
        zip.write_all(content).expect("in memory");
    };
    add("archive/data.pkl", pickle);
    for (key, content) in storages {
        add(&format!("archive/data/{key}"), content);
    }
    zip.finish().expect("in memory").into_inner()
}

/// The container before.
fn legacy(pickle: &[u8], storages: &[(&str, &[u8])]) -> Vec<u8> {
    let keys: Vec<u8> = storages.iter().flat_map(|(key, _)| text(key)).collect();
    let mut file = [
        &b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."[..],
        b"\x80\x02M\xe9\x03.",
        b"\x80\x02}(X\x0d\0\0\0little_endian\x88u.",
        pickle,
        b"\x80\x02](",
        &keys,
        b"e.",
    ]
    .concat();
    for (_, content) in storages {
        file.extend((content.len() as i64 / 4).to_le_bytes());
        file.extend(*content);
    }
    file
}

fn read_bytes(bytes: &[u8]) -> Result<NamedTensors, String> {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("w.pth");
    fs::write(&path, bytes).expect("written");
    read(&path).map_err(|error| error.chain())
}

#[track_caller]
fn refused(bytes: &[u8], expected: &str) {
    let error = read_bytes(bytes).expect_err("refused");
    assert!(error.contains(expected), "{error} lacks {expected}");
}

const STORED: CompressionMethod = CompressionMethod::Stored;
const DEFLATED: CompressionMethod = CompressionMethod::Deflated;

/// Calls that Python would make on loading.
#[test]
fn nothing_is_executed() {
    let dir = tempfile::tempdir().expect("a folder");
    let marker = dir.path().join("executed");
    let command = format!("touch {}", marker.display());
    assert!(Command::new("sh").args(["-c", &command]).status().expect("a shell").success());
    fs::remove_file(&marker).expect("the command works");

    let short = |word: &str| [&[0x8c, word.len() as u8], word.as_bytes()].concat();
    let protocol_2 = [&b"cposix\nsystem\n("[..], &text(&command), b"tR"].concat();
    let protocol_4 =
        [&short("posix")[..], &short("system"), b"\x93", &short(&command), b"\x85R"].concat();
    let data = [0; 8];
    for (call, protocol) in [(protocol_2, b"\x80\x02"), (protocol_4, b"\x80\x04")] {
        let alone = [&protocol[..], &call, b"."].concat();
        refused(&zipped(&alone, &[], STORED), "found posix.system");
        refused(&legacy(&alone, &[]), "found posix.system");
        refused(&alone, "found posix.system");

        let dict = state_dict(&[], Some(&call));
        for file in [zipped(&dict, &[], STORED), legacy(&dict, &[]), dict] {
            assert_eq!(read_bytes(&file).expect("without tensors").len(), 0);
        }
        let dict = state_dict(&[Claim::row(2)], Some(&call));
        for file in [zipped(&dict, &[("0", &data)], STORED), legacy(&dict, &[("0", &data)])] {
            let found = read_bytes(&file).expect("its tensor");
            assert_eq!(found.keys().collect::<Vec<_>>(), ["model.1.bias"]);
        }
        // Called for the tensor itself, or in a file of that name beside it.
        let called = [&b"\x80\x02}("[..], &text("model.1.bias"), &call, b"u."].concat();
        assert_eq!(read_bytes(&zipped(&called, &[], STORED)).expect("no tensor").len(), 0);
    }
    assert!(!marker.exists(), "the command was run");
}

#[test]
fn claims_beyond_the_file_are_refused() {
    let bomb = "claims to hold far more than its size can";
    let data = [0; 64];
    let long = [&b"\x80\x02"[..], &[b'N'; 2 << 20], b"."].concat();
    refused(&zipped(&long, &[], DEFLATED), bomb);
    refused(&legacy(&long, &[]), bomb);
    refused(&long, bomb);
    refused(&zipped(&[b'N'; 17 << 20], &[], DEFLATED), bomb);
    refused(b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x3f", bomb);

    let zeros = vec![0; 64 << 20];
    let packed = state_dict(&[Claim::row(16 << 20)], None);
    refused(&zipped(&packed, &[("0", &zeros)], DEFLATED), bomb);
    // Nothing of it is asked for, but all of it would have to be passed over.
    let last = Claim { offset: (16 << 20) - 2, shape: vec![2], ..Claim::row(16 << 20) };
    refused(&zipped(&state_dict(&[last], None), &[("0", &zeros)], DEFLATED), bomb);
    let standing = Claim { shape: vec![1 << 28], stride: vec![0], ..Claim::row(16) };
    refused(
        &zipped(&state_dict(std::slice::from_ref(&standing), None), &[("0", &data)], STORED),
        bomb,
    );
    refused(&legacy(&state_dict(&[standing], None), &[("0", &data)]), bomb);
    let many = |i| Claim { name: format!("model.{i}.bias"), ..Claim::row(1 << 18) };
    let many = state_dict(&(0..20).map(many).collect::<Vec<_>>(), None);
    refused(&zipped(&many, &[("0", &zeros[..1 << 20])], STORED), bomb);
}

#[test]
fn contradictions_are_refused_by_name() {
    let data = [0; 64];
    let check = |claim: Claim, expected: &str| {
        let dict = state_dict(&[claim], None);
        refused(&zipped(&dict, &[("0", &data)], STORED), expected);
        refused(&legacy(&dict, &[("0", &data)]), expected);
    };
    let row = || Claim::row(16);
    check(Claim { offset: 1, ..row() }, "needs 17 elements");
    check(Claim { offset: i64::MAX, ..row() }, "needs");
    check(Claim { offset: -1, ..row() }, "non-negative");
    check(Claim { shape: vec![-16], ..row() }, "non-negative");
    check(Claim { stride: vec![2], ..row() }, "needs 31 elements");
    check(Claim { stride: vec![i64::MAX], ..row() }, "");
    check(Claim { shape: vec![1 << 40, 1 << 40], stride: vec![1, 1], ..row() }, "overflows");
    check(Claim { shape: vec![4, 4], ..row() }, "rank 1 does not match shape rank 2");
    check(Claim { storage: "1", ..row() }, "");
    check(Claim { storage: "../../../../etc/passwd", ..row() }, "");

    let long = state_dict(&[Claim { numel: 1 << 40, ..row() }], None);
    refused(&legacy(&long, &[("0", &data)]), "extends beyond the end of the file");

    let deep = [&b"\x80\x02"[..], &[b']'; 5000], &[b'a'; 4999], b"."].concat();
    refused(&zipped(&deep, &[], STORED), "nesting exceeds 1000");
    let mut memo = b"\x80\x02]q\0".to_vec();
    for i in 0..60 {
        memo.extend([b'(', b'h', i, b'h', i, b't', b'q', i + 1]);
    }
    refused(&zipped(&[&memo[..], b"."].concat(), &[], STORED), "memo bomb");
    let whole = zipped(&state_dict(&[row()], None), &[("0", &data)], STORED);
    assert_eq!(read_bytes(&whole).expect("sound").len(), 1);
    for part in 1..16 {
        assert!(read_bytes(&whole[..whole.len() * part / 16]).is_err(), "{part}/16");
    }
    let whole = legacy(&state_dict(&[row()], None), &[("0", &data)]);
    assert_eq!(read_bytes(&whole).expect("sound").len(), 1);
    for end in 0..whole.len() {
        assert!(read_bytes(&whole[..end]).is_err(), "{end} bytes");
    }
}

#[test]
fn safetensors_that_lie_are_refused() {
    let file = |header: &str, data: &[u8]| {
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
    };
    let one = |shape: &str, from: u64, to: u64| {
        format!(r#"{{"x":{{"dtype":"F32","shape":{shape},"data_offsets":[{from},{to}]}}}}"#)
    };
    let data = [0; 8];
    assert_eq!(read_bytes(&file(&one("[2]", 0, 8), &data)).expect("sound").len(), 1);
    refused(&file(&one("[2]", 0, 16), &data), "ends too early");
    refused(&file(&one("[4]", 0, 8), &data), "not a safetensors");
    refused(&file(&one("[9223372036854775807,4]", 0, 8), &data), "not a safetensors");
    refused(&file(&one("[2]", 8, 0), &data), "not a safetensors");
    refused(&file(&one("[1]", 4, 8), &data), "not a safetensors");
    let both = r#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
        "y":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
    refused(&file(both, &data), "not a safetensors");
    refused(&file(&format!("{}{}", r#"{"a":"#.repeat(9000), "}".repeat(9000)), &[]), "safetensors");
    refused(&[&(1_u64 << 31).to_le_bytes()[..], b"{\"x\":1}"].concat(), "claims to hold far more");
}

#[test]
fn what_is_no_plain_file_is_not_opened() {
    let dir = tempfile::tempdir().expect("a folder");
    let pipe = dir.path().join("pipe.pth");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    for path in [&pipe, dir.path(), Path::new("/dev/zero")] {
        let error = read(path).expect_err("refused").chain();
        assert!(error.contains("is a folder, a pipe or a device"), "{error}");
    }
    let large = dir.path().join("large.pth");
    let file = File::create(&large).expect("writable");
    file.set_len(MAX_BYTES + 1).expect("a file with a hole");
    let error = read(&large).expect_err("refused").chain();
    assert!(error.contains("is larger than 4 GiB"), "{error}");

    let mut tar = vec![0; 1024];
    tar[..4].copy_from_slice(b"sys_");
    tar[257..262].copy_from_slice(b"ustar");
    refused(&tar, "is a tar archive");
}
