//! Shipped sweep files whose cells have to be what the paper's tables call them, and the files that
//! the documentation shows.

use std::path::{Path, PathBuf};

use super::{expect, read_alone};
use crate::{Direction, Needs, Plan, RunConfig, known_metric};

const SMALL: &str = include_str!("../../../../experiments/paper-ablation.toml");
const FULL: &str = include_str!("../../../../experiments/gpu/paper-ablation.toml");

/// Which terms a row of the paper's Tables 4 and 5 trains: GAN, forward cycle, backward cycle.
const ROWS: [(&str, [bool; 3]); 5] = [
    ("cycle alone", [false, true, true]),
    ("GAN alone", [true, false, false]),
    ("GAN + forward cycle", [true, true, false]),
    ("GAN + backward cycle", [true, false, true]),
    ("CycleGAN", [true, true, true]),
];

fn rows(plan: &Plan) -> Vec<(&str, [bool; 3])> {
    let terms = |config: &RunConfig| {
        let loss = &config.loss;
        [loss.gan, loss.weight_cycle_a().is_some(), loss.weight_cycle_b().is_some()]
    };
    plan.cells.iter().map(|cell| (cell.label.as_str(), terms(&cell.config))).collect()
}

#[test]
fn the_paper_s_ablation_has_its_five_rows() {
    for text in [SMALL, FULL] {
        let plan = expect(read_alone(text));
        assert_eq!(rows(&plan), ROWS);
        assert_eq!(plan.baseline().map(|cell| cell.label.as_str()), Some("CycleGAN"));
        assert_eq!((plan.seeds.len(), plan.runs.len(), plan.warnings.len()), (3, 15, 0));
        for cell in &plan.cells {
            assert!(cell.note.is_some(), "{}", cell.label);
            assert_eq!(cell.config.loss.weight_identity(), None, "the paper's rows have none");
        }
    }
}

/// Every sweep file below `experiments/`.
fn shipped() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments");
    let files = |dir: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(dir).expect("a folder of sweep files");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.filter(|path| path.extension().is_some_and(|it| it == "toml")).collect()
    };
    let mut found = files(&root);
    found.extend(files(&root.join("gpu")));
    found.sort();
    found
}

/// Recipes without a fold apart for the gain: their folders are as they were published.
const ARCHIVES: [&str; 2] = ["facades", "horse2zebra"];

#[test]
fn shipped_sweeps_are_judged_by_quality_that_their_images_can_show() {
    let files = shipped();
    assert!(files.len() >= 11, "{files:?}");
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a sweep file");
        let plan = expect(read_alone(&text));
        assert!(plan.warnings.is_empty(), "{}: {:?}", path.display(), plan.warnings);
        let metric = known_metric(&plan.metric.name).expect("a known metric");
        // What the objective moves by itself would answer with the question.
        assert!(plan.metric.declared && !metric.mechanical, "{}: {}", path.display(), metric.name);
        let dataset = plan.cells[0].config.data.dataset.as_deref().expect("a recipe");
        let names = plan.metric.secondary.iter().chain([&plan.metric.name]);
        let needs = |it: &Needs| {
            names.clone().any(|name| known_metric(name).expect("known").needs.contains(it))
        };
        if ARCHIVES.contains(&dataset) {
            assert!(!needs(&Needs::Reference) && !needs(&Needs::Pairs), "{}", path.display());
        } else if needs(&Needs::FeatureWeights) {
            assert_eq!(metric.name, "eval/gain", "{}", path.display());
        }
    }
}

#[test]
fn at_full_scale_the_rest_is_the_reference() {
    let plan = expect(read_alone(FULL));
    let config = &plan.baseline().expect("named in the file").config;
    let mut expected = RunConfig::reference();
    expected.data.dataset = Some("facades".to_string());
    (expected.data.load_size, expected.data.crop_size) = (143, 128);
    expected.data.direction = Direction::Ba;
    expected.model.n_blocks = 6;
    expected.loss.lambda_identity = 0.0;
    expected.train.sample_every = config.train.sample_every;
    assert_eq!(*config, expected);
}

/// The blocks of TOML in a page.
fn examples(page: &str) -> Vec<&str> {
    let blocks = page.split("```toml\n").skip(1);
    blocks.map(|block| block.split("```").next().expect("a block ends")).collect()
}

#[test]
fn what_the_documentation_shows_is_read() {
    let reference = examples(include_str!("../../../../docs/sweep-file.md"));
    let [text] = reference[..] else { panic!("one example") };
    let plan = expect(read_alone(text));
    // 4 λ × 2 capacities with one loss and, less λ = 0, with two weights of the other's penalty; an
    // arm and a point.
    assert_eq!((plan.cells.len(), plan.runs.len()), (22, 21 * 3 + 1));
    assert_eq!(plan.warnings.len(), 0, "{:?}", plan.warnings);
    let shown = examples(include_str!("../../../../README.md"));
    assert!(!shown.is_empty());
    for text in shown {
        expect(read_alone(text));
    }
}

/// Every leaf has its place in the page that lists them.
#[test]
fn the_documentation_lists_every_leaf() {
    let page = include_str!("../../../../docs/sweep-file.md");
    for path in crate::leaf::paths() {
        let (section, leaf) = path.split_once('.').expect("a section and a leaf");
        let row = page.lines().find(|line| line.starts_with(&format!("| `[{section}]` |")));
        let row = row.unwrap_or_else(|| panic!("no row for [{section}]"));
        assert!(row.contains(&format!("`{leaf}`")), "{path}");
        if let crate::leaf::Kind::Choice(values) = crate::leaf::kind(path) {
            for value in values {
                assert!(row.contains(&format!("`\"{value}\"`")), "{path} = {value:?}");
            }
        }
    }
}
