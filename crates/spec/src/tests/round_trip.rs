//! A configuration that was read, written as TOML, is that configuration again.

use std::collections::BTreeSet;

use super::{expect, read_alone, read_with};
use crate::draw::{Draw, Purpose};
use crate::leaf::{self, Kind};
use crate::{Cell, RunConfig, canonical};

const WHOLE: [u64; 10] = [0, 1, 2, 3, 8, 128, 256, 1000, 4_294_967_295, 1_000_000_000_000_000];
const NUMBERS: [f64; 10] =
    [0.0, 0.5, 0.3, 0.1 + 0.2, 1.0, 10.0, 1e-8, 1e30, f64::MIN_POSITIVE, 1e-320];
const TEXTS: [&str; 8] =
    ["images", "../a b", "λ/ü.pth", "it's \"quoted\"", "C:\\data\\n", "two\nlines", "\u{7f}", "#"];

/// A value of the leaf as TOML; not always one that it takes.
fn value(leaf: &str, draw: &mut Draw) -> String {
    let one_of = |n: usize, draw: &mut Draw| draw.below(n as u64) as usize;
    match leaf::kind(leaf) {
        Kind::Flag => draw.below(2).to_string().replace('0', "false").replace('1', "true"),
        Kind::Whole(_) => WHOLE[one_of(WHOLE.len(), draw)].to_string(),
        Kind::Number if draw.below(4) == 0 => toml::Value::from(draw.unit()).to_string(),
        Kind::Number => toml::Value::from(NUMBERS[one_of(NUMBERS.len(), draw)]).to_string(),
        Kind::Text => toml::Value::from(TEXTS[one_of(TEXTS.len(), draw)]).to_string(),
        Kind::Choice(options) => format!("{:?}", options[one_of(options.len(), draw)]),
    }
}

/// Some leaves with values, and what those need beside them.
fn settings(case: u64) -> String {
    let mut draw = Draw::new(case, Purpose::Synthetic, 0, 0);
    let leaves: Vec<&str> = leaf::paths().collect();
    let order = draw.permutation(leaves.len());
    let mut chosen: BTreeSet<&str> = BTreeSet::new();
    for at in order.into_iter().take(1 + case as usize % 6) {
        chosen.insert(leaves[at]);
    }
    if chosen.contains("train.steps_decay") {
        chosen.insert("train.steps");
    }
    if !chosen.contains("data.dataset") {
        chosen.insert("data.path");
    }
    let line = |leaf: &&str| format!("{leaf} = {}\n", value(leaf, &mut draw));
    chosen.iter().map(line).collect()
}

fn the_cell(text: &str, bases: &[(&str, &str)]) -> Option<Cell> {
    let plan = match bases {
        [] => read_alone(text).ok()?,
        bases => expect(read_with(text, &[], bases)),
    };
    plan.cells.into_iter().next()
}

#[test]
fn what_is_written_is_read_back() {
    const CASES: u64 = 800;
    const HEAD: &str = "[sweep]\nname = \"x\"\nquestion = \"?\"\n";
    let reference = RunConfig::reference();
    let (mut read, mut changed) = (0, BTreeSet::new());
    for case in 0..CASES {
        let settings = settings(case);
        let Some(cell) = the_cell(&format!("{HEAD}[set]\n{settings}"), &[]) else { continue };
        read += 1;
        changed.extend(leaf::paths().filter(|leaf| cell.config.get(leaf) != reference.get(leaf)));
        let written = cell.config.to_toml();
        let back: RunConfig = toml::from_str(&written).expect("it is TOML");
        assert_eq!(back, cell.config, "{settings}\n{written}");
        assert_eq!(canonical(&back), canonical(&cell.config), "{settings}");
        // And the same as a base file, where rules and alternatives have their say.
        let again = the_cell(&format!("{HEAD}base = \"b.toml\"\n"), &[("b.toml", &written)]);
        assert_eq!(again.expect("one cell").config, cell.config, "{settings}\n{written}");
    }
    // The best checkpoint asks for more than chance gives here.
    let silent: Vec<&str> = leaf::paths().filter(|leaf| !changed.contains(leaf)).collect();
    assert_eq!(silent, ["eval.checkpoint"]);
    assert!(read > 200, "only {read} of {CASES} were configurations");
}
