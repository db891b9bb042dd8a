use super::*;
use crate::error::StatsError;
use crate::interval::Interval;

/// Repeats `score` of `tests/reference/stats.py`.
fn score(at: &[usize]) -> f64 {
    at.iter().fold(7, |value, i| (value * 31 + i * 17 + 5) % 101) as f64 / 10.0
}

fn factors(levels: &[usize]) -> Vec<Factor> {
    ["a", "b", "c"]
        .iter()
        .zip(levels)
        .map(|(name, n)| Factor {
            name: (*name).into(),
            levels: (0..*n).map(|level| format!("{level}")).collect(),
        })
        .collect()
}

fn observations(
    levels: &[usize],
    seeds: u64,
    value: impl Fn(&[usize], u64) -> f64,
) -> Vec<Observation> {
    let cells = levels.iter().fold(vec![vec![]], |cells: Vec<Vec<usize>>, n| {
        cells.iter().flat_map(|cell| (0..*n).map(move |at| [&cell[..], &[at]].concat())).collect()
    });
    cells
        .iter()
        .flat_map(|cell| (1..=seeds).map(move |seed| (cell.clone(), seed)))
        .map(|(cell, seed)| Observation { value: value(&cell, seed), cell, seed })
        .collect()
}

fn reference(cell: &[usize], seed: u64) -> f64 {
    score(&[cell, &[seed as usize]].concat())
        + 2.0 * cell[0] as f64
        + 0.7 * seed as f64
        + 1.5 * (cell[0] * cell[1]) as f64
}

fn analysed(levels: &[usize], seeds: u64, value: impl Fn(&[usize], u64) -> f64) -> Factorial {
    let grid = Grid::new(factors(levels), &observations(levels, seeds, value)).expect("balanced");
    Factorial::of(&grid, Level::NINETY_FIVE)
}

fn main(factor: usize) -> Source {
    Source::Main { factor }
}

fn both(a: usize, b: usize) -> Source {
    Source::Interaction { factors: [a, b] }
}

fn check(found: &Factorial, source: Source, squares: f64, df: u32, f_and_p: Option<(f64, f64)>) {
    let row = found.row(source).expect("a row for the source");
    let close = |found: f64, expected: f64| (found - expected).abs() < 1e-9 * (1.0 + expected);
    assert!(close(row.sum_of_squares, squares) && row.df == df, "{row:?}");
    match (row.f.zip(row.p), f_and_p) {
        (Some(found), Some(expected)) => {
            assert!(close(found.0, expected.0) && close(found.1, expected.1), "{row:?}")
        }
        (found, expected) => assert_eq!(found, expected, "{row:?}"),
    }
}

/// statsmodels' OLS with seeds as blocks, `tests/reference/stats.py`.
#[test]
fn two_factors_match_statsmodels() {
    let found = analysed(&[2, 3], 4, reference);
    assert_eq!(found.rows.len(), 6, "no row for higher interactions: {found:?}");
    let ours = |source, squares, df, f, p| check(&found, source, squares, df, Some((f, p)));
    ours(Source::Seed, 92.841666666666, 3, 5.46073914322122, 0.00970539597626986);
    ours(main(0), 43.2016666666667, 1, 7.62307616900304, 0.0145605533833581);
    ours(main(1), 54.0633333333334, 2, 4.76982648759926, 0.0249270747549782);
    ours(both(0, 1), 12.7033333333333, 2, 1.12077247328693, 0.351854494615051);
    check(&found, Source::Residual, 85.0083333333333, 15, None);
}

#[test]
fn three_factors_match_statsmodels() {
    let found = analysed(&[2, 2, 3], 3, reference);
    let ours = |source, squares, df, f, p| check(&found, source, squares, df, Some((f, p)));
    ours(Source::Seed, 3.51722222222222, 2, 0.166509261406701, 0.847671929200052);
    ours(main(0), 9.00000000000001, 1, 0.852140273191773, 0.365961737196017);
    ours(main(1), 10.0277777777778, 1, 0.949452588340221, 0.340451688548534);
    ours(main(2), 14.7672222222222, 2, 0.699096932151556, 0.507742835890644);
    ours(both(0, 1), 15.4711111111111, 1, 1.46483964986694, 0.239005273301389);
    ours(both(0, 2), 17.0016666666667, 2, 0.804878048780487, 0.459878369150274);
    ours(both(1, 2), 5.6672222222222, 2, 0.268292682926828, 0.767149894303045);
    ours(Source::HigherOrder, 39.6705555555555, 2, 1.8780487804878, 0.176591100391819);
    check(&found, Source::Residual, 232.356111111111, 22, None);
    assert_eq!(found.name(both(0, 2)), "a × c");
}

#[test]
fn the_rows_add_up_to_the_total() {
    let found = analysed(&[3, 2, 2], 5, reference);
    let (total, parts) = found.rows.split_last().expect("rows");
    let squares: f64 = parts.iter().map(|row| row.sum_of_squares).sum();
    assert!((squares / total.sum_of_squares - 1.0).abs() < 1e-12, "{found:?}");
    assert_eq!(parts.iter().map(|row| row.df).sum::<u32>(), total.df);
    let shares: f64 = parts.iter().filter_map(|row| row.eta_squared).sum();
    assert!((shares - 1.0).abs() < 1e-12);
    for row in parts {
        let pair = row.omega_squared.zip(row.eta_squared);
        assert!(pair.is_none_or(|(omega, eta)| omega < eta), "{row:?}");
    }
}

#[test]
fn a_seed_shifts_all_its_cells_without_touching_the_effects() {
    let plain = analysed(&[2, 3], 4, reference);
    let shifted = analysed(&[2, 3], 4, |cell, seed| reference(cell, seed) + 50.0 * seed as f64);
    for (before, after) in plain.levels.iter().zip(&shifted.levels) {
        assert!((before.effect.mean - after.effect.mean).abs() < 1e-12, "{after:?}");
        let width = |sample: Sample| sample.interval.map(Interval::width).expect("four seeds");
        assert!((width(before.effect) - width(after.effect)).abs() < 1e-10, "{after:?}");
        assert!(width(after.mean) > 2.0 * width(before.mean), "{after:?}");
    }
    let f = |of: &Factorial| of.row(main(0)).and_then(|row| row.f).expect("a residual");
    assert!((f(&plain) / f(&shifted) - 1.0).abs() < 1e-9);
}

#[test]
fn level_means_are_those_of_the_values() {
    let found = analysed(&[2, 2], 2, |cell, seed| (10 * cell[0] + cell[1]) as f64 + seed as f64);
    let means: Vec<f64> = found.levels.iter().map(|level| level.mean.mean).collect();
    let effects: Vec<f64> = found.levels.iter().map(|level| level.effect.mean).collect();
    assert_eq!(means, [2.0, 12.0, 6.5, 7.5]);
    assert_eq!(effects, [-5.0, 5.0, -0.5, 0.5]);
}

#[test]
fn without_a_residual_there_is_no_test() {
    let check = |seeds, value: fn(&[usize], u64) -> f64| {
        let found = analysed(&[2, 2], seeds, value);
        assert!(found.rows.iter().all(|row| row.f.is_none() && row.p.is_none()), "{found:?}");
        assert!(found.row(main(0)).is_some_and(|row| row.sum_of_squares > 0.0));
    };
    check(1, reference);
    // Additive to the last digit but for rounding.
    check(3, |cell, seed| 0.1 * cell[0] as f64 + 0.3 * seed as f64);
}

#[test]
fn an_unbalanced_grid_is_refused_by_name() {
    let all = observations(&[2, 3], 2, reference);
    let refused = |observations: &[Observation]| {
        Grid::new(factors(&[2, 3]), observations).expect_err("one mistake each")
    };
    let mut holes = all.clone();
    holes.remove(11);
    holes.remove(3);
    assert_eq!(
        refused(&holes).to_string(),
        "the grid lacks 2 runs: a = 0, b = 1, seed 2; a = 1, b = 2, seed 2"
    );
    assert_eq!(
        refused(&[&all[..], &all[..1]].concat()).to_string(),
        "a = 0, b = 0, seed 1 is there twice"
    );
    let mut wrong = all.clone();
    wrong[2].cell[1] = 3;
    assert_eq!(refused(&wrong), StatsError::NoSuchCell { cell: vec![0, 3] });
    wrong = all.clone();
    wrong[0].value = f64::NAN;
    assert!(refused(&wrong).to_string().starts_with("a = 0, b = 0, seed 1 has the value NaN"));
    assert_eq!(refused(&[]), StatsError::NoGrid);
    let flat = Grid::new(factors(&[2, 1]), &all).expect_err("one level");
    assert_eq!(flat, StatsError::OneLevel { factor: "b".into() });
}

#[test]
fn the_missing_of_a_huge_product_are_counted_and_the_first_named() {
    let many: Vec<Factor> = (0..12)
        .map(|at| Factor {
            name: format!("f{at}"),
            levels: (0..9).map(|l| format!("{l}")).collect(),
        })
        .collect();
    let one = Observation { cell: vec![0; 12], seed: 1, value: 0.0 };
    let Err(StatsError::NotBalanced { count, missing }) = Grid::new(many, &[one]) else {
        panic!("a single run is no grid");
    };
    assert_eq!((count, missing.len()), (9usize.pow(12) - 1, Grid::MOST_NAMED));
}
