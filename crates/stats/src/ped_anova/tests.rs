use super::*;

/// A search space of three: `x` and the category `kind` are drawn, and `other` is drawn for nothing.
struct Search {
    x: Vec<f64>,
    kind: Vec<usize>,
    other: Vec<f64>,
}

fn search(cells: usize, seed: u64) -> Search {
    let mut draws = Draws::new(seed);
    let mut unit = || draws.below(1_000_000) as f64 / 1e6;
    let x = (0..cells).map(|_| unit()).collect();
    let other = (0..cells).map(|_| unit()).collect();
    let kind = (0..cells).map(|_| (unit() * 3.0) as usize).collect();
    Search { x, kind, other }
}

impl Search {
    fn parameters(&self) -> Vec<Parameter> {
        let named = |name: &str, drawn| Parameter { name: name.into(), drawn };
        vec![
            named("x", Drawn::Linear(self.x.clone())),
            named("kind", Drawn::Category(self.kind.clone())),
            named("other", Drawn::Linear(self.other.clone())),
        ]
    }

    fn outcomes(&self, of: impl Fn(f64, usize) -> f64) -> Vec<f64> {
        self.x.iter().zip(&self.kind).map(|(&x, &kind)| of(x, kind)).collect()
    }
}

fn shares(parameters: &[Parameter], outcomes: &[f64]) -> Vec<f64> {
    let found = Importance::of(parameters, outcomes, Goal::Minimise).expect("it is computed");
    found.parameters.iter().map(|it| it.share).collect()
}

/// Of few cells not always: that is what the chances are for.
#[test]
fn what_does_not_matter_has_less_than_what_does() {
    for (cells, at_least) in [(20, 16), (60, 20), (200, 20)] {
        let (mut of_x, mut of_kind) = (0, 0);
        for seed in 0..20 {
            let search = search(cells, seed);
            let parameters = search.parameters();
            let x = shares(&parameters, &search.outcomes(|x, _| (x - 0.2).powi(2)));
            of_x += usize::from(x[0] > x[1] && x[0] > x[2]);
            let kind = search.outcomes(|x, kind| f64::from(kind as u8 != 1) + 0.01 * x);
            let kind = shares(&parameters, &kind);
            of_kind += usize::from(kind[1] > kind[0] && kind[1] > kind[2]);
        }
        assert!(of_x >= at_least && of_kind >= at_least, "{cells} cells: {of_x}, {of_kind} of 20");
    }
}

#[test]
fn shares_are_parts_of_one_and_chances_are_chances() {
    for seed in 0..10 {
        let search = search(24, seed);
        let outcomes = search.outcomes(|x, kind| x + kind as f64);
        let found = Importance::of(&search.parameters(), &outcomes, Goal::Minimise).unwrap();
        assert_eq!((found.cells, found.best), (24, 6));
        let sum: f64 = found.parameters.iter().map(|it| it.share).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{sum}");
        for it in &found.parameters {
            assert!(it.divergence >= 0.0 && (0.0..=1.0).contains(&it.share), "{it:?}");
            assert!(it.by_chance > 0.0 && it.by_chance <= 1.0, "{it:?}");
        }
    }
}

/// Luck is named: what matters is rarely matched by it, what does not is matched as often as not.
#[test]
fn chances_tell_luck_from_importance() {
    let mut idle = Vec::new();
    for seed in 0..40 {
        let search = search(60, seed);
        let outcomes = search.outcomes(|x, _| x);
        let found = Importance::of(&search.parameters(), &outcomes, Goal::Minimise).unwrap();
        assert!(found.parameters[0].by_chance <= 0.002, "{found:?}");
        idle.push(found.parameters[2].by_chance);
    }
    let mean = idle.iter().sum::<f64>() / idle.len() as f64;
    // Uniform on [0, 1]: the mean of 40 has a standard deviation of 0.046.
    assert!((mean - 0.5).abs() < 0.2, "{mean}: {idle:?}");
    let small = idle.iter().filter(|it| **it < 0.05).count();
    assert!(small <= 8, "{small} of 40 below .05");
}

/// The best may lie in the middle: no mean and no slope would see that.
#[test]
fn a_peak_in_the_middle_is_found() {
    for seed in 0..10 {
        let search = search(40, seed);
        let outcomes = search.outcomes(|x, _| (x - 0.5).powi(2));
        let found = Importance::of(&search.parameters(), &outcomes, Goal::Minimise).unwrap();
        assert!(found.parameters[0].by_chance < 0.05, "seed {seed}: {found:?}");
    }
}

#[test]
fn the_order_of_cells_changes_no_digit() {
    let search = search(30, 5);
    let outcomes = search.outcomes(|x, kind| (x * 10.0).floor() + kind as f64);
    let all = Importance::of(&search.parameters(), &outcomes, Goal::Minimise);
    let mut order: Vec<usize> = (0..30).collect();
    let mut draws = Draws::new(9);
    for at in 0..30 {
        order.swap(at, at + draws.below(30 - at));
    }
    let moved = Search {
        x: order.iter().map(|&cell| search.x[cell]).collect(),
        kind: order.iter().map(|&cell| search.kind[cell]).collect(),
        other: order.iter().map(|&cell| search.other[cell]).collect(),
    };
    let outcomes: Vec<f64> = order.iter().map(|&cell| outcomes[cell]).collect();
    assert_ne!(moved.x, search.x);
    assert_eq!(Importance::of(&moved.parameters(), &outcomes, Goal::Minimise), all);
}

#[test]
fn the_better_side_is_the_goals() {
    let search = search(40, 3);
    let outcomes = search.outcomes(|x, kind| x + 0.3 * kind as f64);
    let turned: Vec<f64> = outcomes.iter().map(|it| -it).collect();
    let parameters = search.parameters();
    let low = Importance::of(&parameters, &outcomes, Goal::Minimise);
    assert_eq!(Importance::of(&parameters, &turned, Goal::Maximise), low);
    assert_ne!(Importance::of(&parameters, &outcomes, Goal::Maximise), low);
}

/// Twenty cells, five of which are the best and all of one level that five others have, too.
#[test]
fn a_category_is_worked_by_hand() {
    let levels: Vec<usize> = (0..20).map(|cell| usize::from(cell >= 10)).collect();
    let outcomes: Vec<f64> = (0..20).map(f64::from).collect();
    let kind = Parameter { name: "kind".into(), drawn: Drawn::Category(levels) };
    let found = Importance::of(&[kind], &outcomes, Goal::Minimise).unwrap();
    // All: 10.5/21 each. The best: 5.5/6 and 0.5/6.
    let expected = 0.5 * (11.0_f64 / 6.0 - 1.0).powi(2) + 0.5 * (1.0_f64 / 6.0 - 1.0).powi(2);
    assert!((found.parameters[0].divergence - expected).abs() < 1e-12, "{found:?}");
    // The most extreme choice of five: 2 · C(10, 5) / C(20, 5) = 0.0325.
    let chance = found.parameters[0].by_chance;
    assert!((chance - 0.0325).abs() < 0.02, "{chance}");
}

#[test]
fn a_log_scale_is_the_linear_scale_of_exponents() {
    let search = search(30, 7);
    let outcomes = search.outcomes(|x, _| x);
    let named = |drawn| [Parameter { name: "x".into(), drawn }];
    let divergence = |parameters: &[Parameter]| {
        Importance::of(parameters, &outcomes, Goal::Minimise).unwrap().parameters[0].divergence
    };
    let powers: Vec<f64> = search.x.iter().map(|x| 10.0_f64.powf(4.0 * x)).collect();
    let linear = divergence(&named(Drawn::Linear(search.x.clone())));
    let log = divergence(&named(Drawn::Log(powers.clone())));
    assert!((log - linear).abs() < 1e-9, "{log} {linear}");
    let flat = divergence(&named(Drawn::Linear(powers)));
    assert!((flat - linear).abs() > 0.01, "the scale matters: {flat} {linear}");
    // Units are nobody's business.
    let scaled = search.x.iter().map(|x| 1e6 * x - 3.0).collect();
    assert!((divergence(&named(Drawn::Linear(scaled))) - linear).abs() < 1e-9);
}

#[test]
fn numbers_of_few_values_are_levels() {
    let search = search(40, 11);
    let outcomes = search.outcomes(|x, kind| kind as f64 + 0.1 * x);
    let numbers: Vec<f64> = search.kind.iter().map(|&kind| [1.0, 10.0, 11.0][kind]).collect();
    let named = |drawn| [Parameter { name: "kind".into(), drawn }];
    let of = |drawn| Importance::of(&named(drawn), &outcomes, Goal::Minimise);
    assert_eq!(of(Drawn::Linear(numbers)), of(Drawn::Category(search.kind.clone())));
}

#[test]
fn cells_that_equal_the_last_of_the_best_are_among_them() {
    let search = search(20, 1);
    let mut outcomes: Vec<f64> = vec![1.0; 8];
    outcomes.extend((0..12).map(|it| 2.0 + f64::from(it)));
    let found = Importance::of(&search.parameters(), &outcomes, Goal::Minimise).unwrap();
    assert_eq!(found.best, 8);
    let equal = Importance::of(&search.parameters(), &[1.0; 20], Goal::Minimise);
    assert_eq!(equal, Err(StatsError::NoBest));
}

#[test]
fn what_cannot_be_told_is_refused() {
    let of = |parameters: &[Parameter], outcomes: &[f64]| {
        Importance::of(parameters, outcomes, Goal::Minimise).expect_err("refused").to_string()
    };
    let outcomes: Vec<f64> = (0..20).map(f64::from).collect();
    let named = |drawn| [Parameter { name: "lr".into(), drawn }];
    let check = |found: String, expected: &str| assert!(found.contains(expected), "{found}");
    check(of(&search(19, 1).parameters(), &outcomes[..19]), "19 cells, fewer than 20");
    check(of(&[], &outcomes), "no parameter");
    let mut broken = outcomes.clone();
    broken[3] = f64::NAN;
    check(of(&search(20, 1).parameters(), &broken), "NaN");
    check(of(&named(Drawn::Log(outcomes.clone())), &outcomes), "`lr` has the value 0");
    check(of(&named(Drawn::Linear(broken)), &outcomes), "`lr` has the value NaN");
    check(of(&named(Drawn::Linear(vec![1.0; 3])), &outcomes), "`lr` has 3 values for 20 cells");
}
