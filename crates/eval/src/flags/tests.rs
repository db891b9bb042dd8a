use super::*;
use crate::{Estimate, Floor};

fn raised(measured: &Measured) -> Vec<(Flag, Severity)> {
    let found = flags(measured, &Thresholds::default());
    found.iter().map(|raised| (raised.flag, raised.severity)).collect()
}

fn nothing() -> Measured {
    Measured::default()
}

fn evals(n: usize, accuracy: f64, loss: impl Fn(usize) -> f64, variance: f64) -> Measured {
    let eval =
        |i| DiscriminatorEval { accuracy, generator_loss: loss(i), output_variance: variance };
    Measured { discriminator: (0..n).map(eval).collect(), ..nothing() }
}

const KID: Estimate = Estimate { value: 0.30, standard_error: 0.02 };

/// A good run, as measured on real partners.
fn healthy() -> Measured {
    Measured {
        vendi_ratio: Some(1.0),
        duplicate_fraction: Some(0.01),
        distance_correlation: Some(0.5),
        partner_correlation: Some(0.53),
        l1_to_input: Some(0.2),
        kid: Some(Estimate { value: 0.02, standard_error: 0.01 }),
        kid_identity: Some(KID),
        relative_spread: Some(0.9),
        high_frequency_ratio: Some(1.04),
        colour_distance: Some(20.0),
        colour_floor: Some(Floor { mean: 18.0, standard_deviation: 4.0 }),
        steg_gap: Some(2.0),
        memorised_share: Some(0.01),
        anchors: vec![AnchorCheck { name: "oracle".into(), found: 0.2, stored: 0.2001 }],
        ..evals(10, 0.8, |_| 1.0, 0.1)
    }
}

#[test]
fn nothing_measured_and_nothing_wrong_raise_nothing() {
    assert_eq!(raised(&nothing()), []);
    assert_eq!(raised(&healthy()), []);
}

#[test]
fn each_flag_on_either_side_of_its_threshold() {
    use Severity::{Fail, Warn};
    let check = |measured: Measured, expected: &[(Flag, Severity)]| {
        assert_eq!(raised(&measured), expected, "{measured:?}");
    };
    check(Measured { non_finite: Some("loss".into()), ..nothing() }, &[(Flag::Nan, Fail)]);

    let vendi = |v| Measured { vendi_ratio: Some(v), ..healthy() };
    check(vendi(0.49), &[(Flag::Collapse, Fail)]);
    check(vendi(0.51), &[(Flag::Collapse, Warn)]);
    check(vendi(0.76), &[]);
    let duplicates = |v| Measured { duplicate_fraction: Some(v), ..healthy() };
    check(duplicates(0.21), &[(Flag::Collapse, Fail)]);
    check(duplicates(0.2), &[]);
    let correlation = |v| Measured { distance_correlation: Some(v), ..healthy() };
    check(correlation(0.21), &[(Flag::Collapse, Fail)]);
    check(correlation(0.22), &[]);
    check(Measured { partner_correlation: None, ..correlation(0.0) }, &[]);

    let copied = Measured { l1_to_input: Some(0.019), ..healthy() };
    check(copied.clone(), &[]);
    check(Measured { kid: Some(KID), ..copied.clone() }, &[(Flag::Identity, Fail)]);
    check(Measured { kid: None, ..copied }, &[(Flag::Identity, Warn)]);
    check(Measured { kid: Some(KID), ..healthy() }, &[]);

    let spread = |v| Measured { relative_spread: Some(v), ..healthy() };
    check(spread(0.09), &[(Flag::Constant, Fail)]);
    check(spread(0.11), &[]);
    let detail = |v| Measured { high_frequency_ratio: Some(v), ..healthy() };
    check(detail(0.69), &[(Flag::Blur, Warn)]);
    check(detail(0.71), &[]);
    check(detail(1.34), &[]);
    check(detail(1.36), &[(Flag::Noisy, Warn)]);
    let tint = |v| Measured { colour_distance: Some(v), ..healthy() };
    check(tint(38.1), &[(Flag::Tint, Warn)]);
    check(tint(37.9), &[]);
    let steg = |v| Measured { steg_gap: Some(v), ..healthy() };
    check(steg(6.1), &[(Flag::Steg, Warn)]);
    check(steg(5.9), &[]);
    let memorised = |v| Measured { memorised_share: Some(v), ..healthy() };
    check(memorised(0.11), &[(Flag::Memorise, Warn)]);
    check(memorised(0.1), &[]);
}

#[test]
fn the_discriminator_wins_only_against_a_rising_loss() {
    let rising = |i: usize| i as f64;
    let won = [(Flag::DWin, Severity::Warn)];
    assert_eq!(raised(&evals(20, 0.99, rising, 0.1)), won);
    assert_eq!(raised(&evals(20, 0.98, rising, 0.1)), []);
    assert_eq!(raised(&evals(20, 0.99, |i| -rising(i), 0.1)), []);
    assert_eq!(raised(&evals(2, 0.99, rising, 0.1)), [], "two points are no trend");
    // Only the last fifth, four of twenty, counts.
    let mut late = evals(20, 0.99, rising, 0.1);
    late.discriminator[15].accuracy = 0.5;
    assert_eq!(raised(&late), won);
    late.discriminator[16].accuracy = 0.5;
    assert_eq!(raised(&late), []);
}

#[test]
fn a_dead_discriminator_guesses_and_says_the_same() {
    let check = |accuracy, variance| raised(&evals(20, accuracy, |_| 1.0, variance));
    assert_eq!(check(0.5, 1e-5), [(Flag::DDead, Severity::Warn)]);
    assert_eq!(check(0.5, 1e-3), []);
    assert_eq!(check(0.6, 1e-5), []);
}

#[test]
fn broken_numbers_are_the_environments_fault() {
    let anchor = |found| Measured {
        anchors: vec![AnchorCheck { name: "oracle".into(), found, stored: 0.2 }],
        ..nothing()
    };
    let broken = [(Flag::Metric, Severity::Fail)];
    assert_eq!(raised(&anchor(0.20019)), []);
    assert_eq!(raised(&anchor(0.20021)), broken);
    assert_eq!(raised(&anchor(f64::NAN)), broken);
    assert_eq!(raised(&Measured { vendi_ratio: Some(f64::NAN), ..nothing() }), broken);
    assert_eq!(raised(&evals(5, f64::NAN, |_| 1.0, 0.1)), [broken[0]]);
}

#[test]
fn reasons_say_value_and_threshold_and_are_joined() {
    let measured = Measured {
        vendi_ratio: Some(0.6),
        duplicate_fraction: Some(0.5),
        steg_gap: Some(9.0),
        ..nothing()
    };
    let found = flags(&measured, &Thresholds::default());
    assert_eq!(found.len(), 2);
    assert_eq!(
        found[0].reason,
        "Vendi ratio 0.600, below 0.75; 0.500 of the outputs are duplicates, above 0.2"
    );
    assert_eq!(found[0].severity, Severity::Fail);
    assert_eq!(
        found[1].reason,
        "9.0 dB of the reconstruction are lost under noise of 3 levels, above 6"
    );
    assert_eq!(format!("{:>9}|{}", found[0].flag, found[1].flag), " collapse|steg");
}
