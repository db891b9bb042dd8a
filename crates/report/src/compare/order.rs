//! Whether settings stand in the same order in all sweeps, and which pairs change places.
//!
//! The order is that of mean differences to the baseline: a description, no verdict. Sweeps that share
//! runs are left out: the same runs stand in the same order, whatever they are runs of.

use super::Beside;
use super::agreement::{share_runs, sharing};
use super::settings::Setting;
use crate::escape::esc;
use crate::number::{fixed, plural};

/// Pairs that are named before the rest is counted.
const MOST: usize = 4;

/// Two settings, and the sweeps in which the first has the larger value, and the smaller.
struct Flip<'a> {
    pair: [&'a Setting; 2],
    above: Vec<usize>,
    below: Vec<usize>,
}

/// Empty where there is nothing to order, or a sweep is under way.
pub(super) fn paragraph(beside: &Beside<'_>) -> String {
    let comparable = beside.comparable();
    if comparable.iter().any(|&at| !beside.sweeps[at].summary.is_final()) {
        return String::new();
    }
    if comparable.is_empty() || ordered(beside, &comparable).len() < 3 {
        return String::new();
    }
    let settings = &beside.matched.settings;
    let shared =
        sharing(&comparable, |pair| settings.iter().any(|it| share_runs(beside, it, pair)));
    let sweeps: Vec<usize> = comparable.into_iter().filter(|at| !shared.contains(at)).collect();
    let left_out = match shared.is_empty() {
        true => String::new(),
        false => format!(
            " {} share runs, which are in the same order as themselves, and are left out of this.",
            beside.names(&shared)
        ),
    };
    if sweeps.len() < 2 {
        return format!("<p>No order of the settings is compared.{left_out}</p>\n");
    }
    let settings = ordered(beside, &sweeps);
    let pairs = settings.len() * (settings.len() - 1) / 2;
    let flips = flips(&settings, &sweeps);
    let order = match flips.as_slice() {
        [] => format!(
            "By their means the {} that all of them have stand in the <strong>same order</strong> in {}.",
            plural(settings.len(), "setting"),
            beside.names(&sweeps)
        ),
        _ => {
            let named: Vec<String> =
                flips.iter().take(MOST).map(|it| in_words(beside, it)).collect();
            let more = match flips.len().saturating_sub(MOST) {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            format!(
                "By their means the <strong>order of the settings differs</strong> in {} of {}: {}{more}.",
                flips.len(),
                plural(pairs, "pair"),
                named.join("; ")
            )
        }
    };
    let tau = match sweeps.as_slice() {
        [_, _] => format!(" Kendall's τ is {}.", fixed(tau(&settings, &sweeps), 2)),
        _ => String::new(),
    };
    format!("<p>{order}{tau}{left_out} An order of means is no verdict.</p>\n")
}

/// A setting with its mean difference to the baseline, by sweep.
type Placed<'a> = (&'a Setting, Vec<Option<f64>>);

/// Settings that have a place in each of these sweeps, the reference among them.
fn ordered<'a>(beside: &'a Beside<'_>, sweeps: &[usize]) -> Vec<Placed<'a>> {
    let place = |setting: &Setting, at: usize| {
        let sweep = &beside.sweeps[at];
        let cell = setting.cells[at]?;
        if sweep.summary.baseline == Some(cell) {
            return sweep.cell(cell).estimate.map(|_| 0.0);
        }
        sweep.cell(cell).difference().map(|it| it.mean)
    };
    let all = beside.matched.settings.iter();
    let placed = all.map(|setting| {
        let places = (0..beside.sweeps.len()).map(|at| place(setting, at));
        (setting, places.collect::<Vec<_>>())
    });
    placed.filter(|(_, places)| sweeps.iter().all(|&at| places[at].is_some())).collect()
}

fn flips<'a>(settings: &[Placed<'a>], sweeps: &[usize]) -> Vec<Flip<'a>> {
    let mut found = Vec::new();
    for (at, (first, places)) in settings.iter().enumerate() {
        for (second, others) in &settings[at + 1..] {
            let which = |wanted: std::cmp::Ordering| -> Vec<usize> {
                let is = |at: &usize| places[*at].partial_cmp(&others[*at]) == Some(wanted);
                sweeps.iter().copied().filter(is).collect()
            };
            let (above, below) =
                (which(std::cmp::Ordering::Greater), which(std::cmp::Ordering::Less));
            if !above.is_empty() && !below.is_empty() {
                found.push(Flip { pair: [first, second], above, below });
            }
        }
    }
    found
}

fn in_words(beside: &Beside<'_>, flip: &Flip<'_>) -> String {
    let [first, second] = flip.pair.map(|it| esc(&it.name).to_string());
    format!(
        "{first} is above {second} in {}, below it in {}",
        beside.names(&flip.above),
        beside.names(&flip.below)
    )
}

/// Kendall's τ-a of two sweeps: pairs in the same order minus pairs in the other, of all pairs.
fn tau(settings: &[Placed<'_>], sweeps: &[usize]) -> f64 {
    let mut sum = 0.0;
    let mut pairs = 0.0;
    for (at, (_, places)) in settings.iter().enumerate() {
        for (_, others) in &settings[at + 1..] {
            let signs = sweeps.iter().map(|&at| {
                let (a, b) = (places[at].unwrap_or_default(), others[at].unwrap_or_default());
                if a == b { 0.0 } else { (a - b).signum() }
            });
            sum += signs.product::<f64>();
            pairs += 1.0;
        }
    }
    sum / pairs
}
