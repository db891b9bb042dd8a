//! `translate` and `export weights`.

use std::path::{Path, PathBuf};

use crate::lab::{Lab, Said, files_below, tiny, written_by_pytorch};

/// Four tiny runs, and rectangular pictures in `in/` and `in/deep/er/`.
fn trained_lab() -> Lab {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(5));
    lab.succeed(&["sweep", "tiny.toml", "--no-report"]);
    pictures(&lab);
    lab
}

fn pictures(lab: &Lab) {
    std::fs::create_dir_all(lab.path("in/deep/er")).expect("a folder");
    for (name, width, height) in [
        ("in/wide.bmp", 37, 22),
        ("in/even.x.bmp", 16, 16),
        ("in/deep/small.bmp", 5, 9),
        ("in/deep/er/tall.bmp", 16, 40),
    ] {
        std::fs::write(lab.path(name), bmp(width, height)).expect("a picture");
    }
}

/// An uncompressed picture with a gradient in each channel.
pub(crate) fn bmp(width: u32, height: u32) -> Vec<u8> {
    let row = (3 * width).next_multiple_of(4);
    let mut bytes = b"BM".to_vec();
    for word in [54 + row * height, 0, 54, 40, width, height] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend([1, 0, 24, 0]);
    for word in [0, row * height, 2835, 2835, 0, 0] {
        bytes.extend(word.to_le_bytes());
    }
    for y in 0..height {
        let pixels = (0..width).flat_map(|x| [x * 6, y * 6, (x + y) * 3].map(|it| it as u8));
        bytes.extend(pixels.chain(std::iter::repeat_n(0, (row - 3 * width) as usize)));
    }
    bytes
}

/// Width and height, from a PNG's header.
fn size_of(png: &Path) -> (u32, u32) {
    let bytes = std::fs::read(png).expect("a picture");
    let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    (word(16), word(20))
}

/// Every picture below a folder, by its path there.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let below = |path: &Path| path.strip_prefix(folder).expect("below").to_path_buf();
    let files = files_below(folder, "");
    files.iter().map(|it| (below(it), std::fs::read(it).expect("a file"))).collect()
}

/// On the CPU, as the tiny runs were trained: elsewhere numbers round otherwise.
fn translate(lab: &Lab, weights: &str, more: &[&str], output: &str) -> Said {
    let args = ["translate", "--device", "cpu", "--weights", weights];
    let folders = ["--input", "in", "--output", output];
    lab.say(&[&args[..], &folders, more].concat())
}

fn translated(lab: &Lab, weights: &str, more: &[&str], output: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let said = translate(lab, weights, more, output);
    assert_eq!(said.code, Some(0), "{weights} {more:?}\n{}\n{}", said.stdout, said.stderr);
    contents(&lab.path(output))
}

fn refused(lab: &Lab, weights: &str, more: &[&str], code: i32, expected: &[&str]) {
    let said = translate(lab, weights, more, "refused");
    assert_eq!(said.code, Some(code), "{weights} {more:?}\n{}\n{}", said.stdout, said.stderr);
    for part in expected {
        assert!(said.stderr.contains(part), "{part} in\n{}", said.stderr);
    }
    assert!(!lab.path("refused").exists(), "nothing is made");
}

#[test]
fn a_run_and_its_exported_weights_translate_alike() {
    let lab = trained_lab();
    let from_run = translated(&lab, "tiny/0", &["--direction", "ab"], "from-run");
    let names: Vec<_> = from_run.iter().map(|(path, _)| path.to_string_lossy()).collect();
    assert_eq!(names, ["deep/er/tall.png", "deep/small.png", "even.x.png", "wide.png"]);
    let size = |name: &str| size_of(&lab.path("from-run").join(name));
    assert_eq!([size("wide.png"), size("deep/small.png")], [(37, 22), (5, 9)]);

    let export = lab.succeed(&["export", "weights", "tiny/0", "--format", "safetensors"]);
    let folder = lab.json(&["show", "tiny", "0", "--json"])["folder"].as_str().unwrap().to_string();
    let weights = format!("weights/{}", folder.strip_prefix("runs/").expect("below runs/"));
    let written = files_below(&lab.path(&weights), "");
    let written: Vec<_> = written.iter().map(|it| it.file_name().unwrap().to_str()).collect();
    let expected = ["disc_a", "disc_b", "gen_ab", "gen_ba"].map(|it| format!("{it}.safetensors"));
    assert_eq!(written, expected.each_ref().map(|it| Some(it.as_str())));
    // Upstream's D_A judges B.
    let disc_b = export.stdout.lines().find(|line| line.contains("disc_b.safetensors"));
    assert!(disc_b.expect("a line").contains("latest_net_D_A.pth"), "{}", export.stdout);
    let line = format!("load_file(\"{weights}/gen_ab.safetensors\")");
    assert!(export.stdout.contains(&line), "{}", export.stdout);
    assert!(export.stderr.contains("step 5, finished"), "{}", export.stderr);

    let gen_ab = format!("{weights}/gen_ab.safetensors");
    assert_eq!(translated(&lab, &gen_ab, &[], "from-file"), from_run);
    assert_eq!(translated(&lab, &folder, &["--direction", "ab"], "from-folder"), from_run);
    // One at a time, over what is there.
    let one_by_one = ["--direction", "ab", "--batch", "1"];
    assert_eq!(translated(&lab, "tiny/0", &one_by_one, "from-file"), from_run);
    let back = translated(&lab, "tiny/0", &["--direction", "ba"], "back");
    assert!(back.iter().zip(&from_run).all(|(a, b)| a.0 == b.0 && a.1 != b.1));
    for (_, png) in translated(&lab, "tiny/0", &["--direction", "ab", "--size", "20"], "square") {
        assert_eq!(png[16..24], [0, 0, 0, 20, 0, 0, 0, 20]);
    }

    refused(&lab, "tiny/0", &[], 1, &["--direction ab"]);
    refused(&lab, "tiny/z", &["--direction", "ab"], 1, &["no run z"]);
    refused(&lab, "nothing", &["--direction", "ab"], 1, &["SWEEP/RUN"]);
    refused(&lab, "nothing.pth", &[], 1, &["no weight file `nothing.pth`"]);
    refused(&lab, &gen_ab, &["--direction", "ba"], 78, &["from A to B", "not", "from B to A"]);
    let disc_a = format!("{weights}/disc_a.safetensors");
    refused(&lab, &disc_a, &[], 78, &["a discriminator (disc_a), not a generator"]);
    let optimizer = files_below(&lab.path(&folder), "optim_gen_ab.safetensors").swap_remove(0);
    refused(&lab, &optimizer.to_string_lossy(), &[], 78, &["an optimizer's state"]);
}

#[test]
fn an_export_replaces_its_own_files_and_no_others() {
    let lab = trained_lab();
    let export = |run: &str, out: &str| lab.say(&["export", "weights", run, "--out", out]);
    assert_eq!(export("tiny/0", "out").code, Some(0));
    assert_eq!(export("tiny/0", "out").code, Some(0), "the same again");
    let before = contents(&lab.path("out"));
    let said = export("tiny/1", "out");
    assert_eq!(said.code, Some(78), "{}", said.stderr);
    assert!(said.stderr.contains("out/gen_ab.safetensors"), "{}", said.stderr);
    assert_eq!(contents(&lab.path("out")), before, "another run's stay");
    std::fs::create_dir(lab.path("mine")).expect("a folder");
    lab.write("mine/disc_b.safetensors", "not an export");
    assert_eq!(export("tiny/0", "mine").code, Some(78));
    assert_eq!(files_below(&lab.path("mine"), "").len(), 1, "nothing is written beside it");
}

#[test]
fn without_discriminators_two_networks_are_exported() {
    let lab = Lab::new();
    let toml = tiny(5).replace("[0, 10]", "[5, 10]");
    lab.write("tiny.toml", &toml.replace("model.ngf = 4", "model.ngf = 4\nloss.gan = false"));
    lab.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let said = lab.succeed(&["export", "weights", "tiny/0", "--out", "out"]);
    assert_eq!(files_below(&lab.path("out"), ".safetensors").len(), 2);
    assert!(said.stderr.contains("no discriminators"), "{}", said.stderr);
}

/// What training showed of its held-out inputs, translating shows again.
#[test]
fn a_runs_own_samples_come_out_again() {
    let lab = trained_lab();
    let run = lab.run_folders("tiny").swap_remove(0);
    std::fs::create_dir(lab.path("held-out")).expect("a folder");
    let reals = files_below(&run.join("samples"), ".real.png");
    let of_a: Vec<_> = reals
        .iter()
        .filter(|it| it.file_name().is_some_and(|name| name.to_string_lossy().starts_with("a_")))
        .collect();
    assert_eq!(of_a.len(), 2);
    for real in &of_a {
        let name = real.file_name().expect("a file");
        std::fs::copy(real, lab.path("held-out").join(name)).expect("a copy");
    }
    let run = run.to_string_lossy();
    lab.succeed(&[
        "translate",
        "--weights",
        &run,
        "--direction",
        "ab",
        "--input",
        "held-out",
        "--device",
        "cpu",
        "--output",
        "out",
    ]);
    for real in of_a {
        let made = lab.path("out").join(real.file_name().expect("a file"));
        let fake = real.to_string_lossy().replace(".real.png", ".fake.png");
        let read = |path: &Path| std::fs::read(path).expect("a picture");
        assert_eq!(read(&made), read(Path::new(&fake)), "{fake}");
    }
}

#[test]
fn pytorchs_old_and_new_files_give_the_same_pictures() {
    let lab = Lab::new();
    pictures(&lab);
    let old = translated(&lab, &written_by_pytorch("legacy.pth"), &["--direction", "ab"], "old");
    let new = translated(&lab, &written_by_pytorch("zipped.pth"), &[], "new");
    assert_eq!(old, new);
    assert_eq!(old.len(), 4);
}

/// Once for a bare file; a run and what was exported from it know what they are.
#[test]
fn what_a_bare_file_is_taken_as_is_said() {
    let lab = trained_lab();
    let said = translate(&lab, &written_by_pytorch("zipped.pth"), &[], "out");
    let note = "note: taken as a residual generator of 1 block, ngf 2, norms without parameters; \
        assumed, as tensors do not tell: instance norm, reflection padding\n";
    assert!(said.stderr.contains(note), "{}", said.stderr);
    lab.succeed(&["export", "weights", "tiny/0", "--out", "own"]);
    for (weights, more) in
        [("tiny/0", &["--direction", "ab"][..]), ("own/gen_ab.safetensors", &[][..])]
    {
        let said = translate(&lab, weights, more, "out");
        assert!(said.code == Some(0) && !said.stderr.contains("taken as"), "{}", said.stderr);
    }
}

#[test]
fn known_files_that_are_no_plain_generator_are_named() {
    let lab = Lab::new();
    pictures(&lab);
    let dropout = written_by_pytorch("dropout_shifted.pth");
    refused(&lab, &dropout, &[], 78, &["trained with dropout", "conv_block.6", "--no-dropout"]);
    assert_eq!(translated(&lab, &dropout, &["--no-dropout"], "without").len(), 4);
    refused(&lab, &written_by_pytorch("cut.pth"), &[], 78, &["CUT", "anti-aliased", "filt"]);
    refused(&lab, &written_by_pytorch("cut_f.pth"), &[], 78, &["CUT", "latest_net_G.pth"]);
}

#[test]
fn weights_that_do_not_fit_are_refused_with_the_list() {
    let lab = Lab::new();
    pictures(&lab);
    let wrong = |name: &str, tensors: &[(String, Vec<usize>)]| {
        std::fs::write(lab.path(name), safetensors(tensors)).expect("a file");
    };
    let mut tensors = one_block();
    wrong("right.safetensors", &tensors);
    assert_eq!(translated(&lab, "right.safetensors", &[], "out").len(), 4);

    tensors.retain(|(name, _)| name != "model.1.bias");
    tensors.push(("model.99.weight".into(), vec![1]));
    tensors.iter_mut().find(|(name, _)| name == "model.4.bias").expect("a bias").1 = vec![1];
    wrong("wrong.safetensors", &tensors);
    refused(
        &lab,
        "wrong.safetensors",
        &[],
        78,
        &[
            "missing tensor `model.1.bias` [2]",
            "surplus tensor `model.99.weight` [1]",
            "`model.4.bias` has shape [1], expected [4]",
        ],
    );
    wrong("none.safetensors", &[]);
    refused(&lab, "none.safetensors", &[], 78, &["holds no tensor"]);
    wrong("other.safetensors", &[("encoder.weight".into(), vec![1])]);
    refused(&lab, "other.safetensors", &[], 78, &["`encoder.weight`"]);
    lab.write("page.pth", "<html>404</html>");
    refused(&lab, "page.pth", &[], 78, &["`page.pth` is a web page, not weights"]);
    lab.write("words.pth", "404");
    refused(&lab, "words.pth", &[], 78, &["words.pth", "not a PyTorch state dict"]);
}

/// A residual generator of one block, ngf 2.
pub(crate) fn one_block() -> Vec<(String, Vec<usize>)> {
    let layers: [(&str, [usize; 4], usize); 8] = [
        ("model.1", [2, 3, 7, 7], 2),
        ("model.4", [4, 2, 3, 3], 4),
        ("model.7", [8, 4, 3, 3], 8),
        ("model.10.conv_block.1", [8, 8, 3, 3], 8),
        ("model.10.conv_block.5", [8, 8, 3, 3], 8),
        ("model.11", [8, 4, 3, 3], 4),
        ("model.14", [4, 2, 3, 3], 2),
        ("model.18", [3, 2, 7, 7], 3),
    ];
    let both = |(name, weight, bias): (&str, [usize; 4], usize)| {
        [(format!("{name}.weight"), weight.to_vec()), (format!("{name}.bias"), vec![bias])]
    };
    layers.into_iter().flat_map(both).collect()
}

/// A file of zeros.
pub(crate) fn safetensors(tensors: &[(String, Vec<usize>)]) -> Vec<u8> {
    let (mut header, mut end) = (serde_json::Map::new(), 0);
    for (name, shape) in tensors {
        let begin = end;
        end += 4 * shape.iter().product::<usize>();
        let entry =
            serde_json::json!({ "dtype": "F32", "shape": shape, "data_offsets": [begin, end] });
        header.insert(name.clone(), entry);
    }
    let header = serde_json::to_vec(&header).expect("JSON");
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.resize(bytes.len() + end, 0);
    bytes
}

#[test]
fn bad_pictures_are_named_and_the_rest_goes_on() {
    let lab = Lab::new();
    pictures(&lab);
    std::fs::write(lab.path("in/broken.png"), "no picture").expect("a file");
    std::fs::write(lab.path("in/deep/tiny.bmp"), bmp(2, 40)).expect("a file");
    let said = translate(&lab, &written_by_pytorch("zipped.pth"), &[], "out");
    assert_eq!(said.code, Some(65), "{}", said.stderr);
    for part in ["broken.png: not a PNG", "deep/tiny.bmp: 2×40 px is too small"] {
        assert!(said.stderr.contains(part), "{part} in\n{}", said.stderr);
    }
    assert!(said.stdout.starts_with("4 pictures in out (") && said.stdout.contains("2 left out"));
    assert_eq!(files_below(&lab.path("out"), "").len(), 4);
}

#[test]
fn nothing_is_overwritten_that_is_still_to_be_read() {
    let lab = Lab::new();
    pictures(&lab);
    let weights = written_by_pytorch("zipped.pth");
    let said = translate(&lab, &weights, &[], "in");
    assert_eq!(said.code, Some(65), "{}", said.stderr);
    assert!(said.stderr.contains("both the folder"), "{}", said.stderr);
    std::fs::copy(lab.path("in/wide.bmp"), lab.path("in/wide.tif")).expect("a copy");
    refused(&lab, &weights, &[], 65, &["wide.png from wide.bmp and wide.tif"]);
}
